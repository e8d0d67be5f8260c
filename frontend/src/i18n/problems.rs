//! Problem codes and field errors in plain words. The words themselves stand in the language files.

use vms_client::ClientError;
use vms_types::{FieldError, ProblemCode};

use super::Texts;

/// What happened, and what the person can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Advice {
    pub what: &'static str,
    pub then: &'static str,
}

impl Advice {
    /// Both sentences, as one text.
    pub(crate) fn text(self) -> String {
        format!("{} {}", self.what, self.then)
    }
}

impl Texts {
    /// An error of the client in plain words, with the numbers of a quota where it carries them.
    pub(crate) fn error(&self, error: &ClientError) -> String {
        match error {
            ClientError::Network(_) => self.advice_network.text(),
            ClientError::Decode { .. } => self.advice_unreadable.text(),
            ClientError::Problem(problem) => {
                let advice = (self.advice)(problem.code).text();
                match &problem.quota {
                    Some(quota) => format!("{advice} {}", (self.quota_numbers)(quota)),
                    None => advice,
                }
            }
        }
    }

    /// The code of a failed operation in plain words.
    pub(crate) fn operation_error(&self, code: &str) -> String {
        let code = ProblemCode::ALL.iter().copied().find(|known| known.as_str() == code);
        (self.advice)(code.unwrap_or(ProblemCode::Other)).text()
    }
}

/// The words for what is wrong with a field, if the list says that something is.
pub(crate) fn field_error(texts: &Texts, errors: &[FieldError], field: &str) -> Option<&'static str> {
    errors
        .iter()
        .find(|error| error.field == field)
        .map(|error| (texts.field)(&error.code).unwrap_or(texts.field_unknown))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn every_problem_has_two_sentences_in_every_language() {
        for lang in [Lang::Pt, Lang::En] {
            for code in ProblemCode::ALL {
                let advice = (lang.texts().advice)(*code);
                assert!(advice.what.ends_with('.') && advice.then.ends_with('.'), "{lang:?} {code:?}");
            }
        }
    }

    #[test]
    fn every_name_error_has_words() {
        use vms_types::NameError as E;
        let errors = [
            E::Empty,
            E::TooLong,
            E::LetterFirst,
            E::AlphanumericFirst,
            E::DashLast,
            E::HostCharacter,
            E::SnapshotCharacter,
        ];
        for error in errors {
            assert!((Lang::Pt.texts().field)(error.code()).is_some(), "{error:?}");
            assert!((Lang::En.texts().field)(error.code()).is_some(), "{error:?}");
        }
    }

    #[test]
    fn a_code_from_the_future_still_has_words() {
        let texts = Lang::Pt.texts();
        assert!(!texts.operation_error("no-such-code").is_empty());
        let errors = [FieldError::new("name", "no-such-code", "…")];
        assert_eq!(field_error(texts, &errors, "name"), Some(texts.field_unknown));
        assert_eq!(field_error(texts, &errors, "image"), None);
    }
}
