//! The catalogue: every word the pages show, in every language.
//!
//! A language is one value of [`Texts`]. A text that is missing in a language does not compile, and no component
//! writes a visible word of its own. Texts with a value in them are functions.

mod en;
mod problems;
mod pt;

use leptos::prelude::*;
use vms_types::{MachineStatus, OperationKind};

pub(crate) use problems::{Advice, field_error};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// Brazilian Portuguese, the default.
    Pt,
    /// English.
    En,
}

impl Lang {
    /// The tag for `<html lang>` (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Pt => "pt-BR",
            Self::En => "en",
        }
    }

    /// The language a tag such as `pt`, `pt-BR` or `en-GB` asks for.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next() {
            Some("pt") => Some(Self::Pt),
            Some("en") => Some(Self::En),
            _ => None,
        }
    }

    /// Its texts.
    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::Pt => &pt::TEXTS,
            Self::En => &en::TEXTS,
        }
    }
}

/// All texts of one language.
pub(crate) struct Texts {
    pub system_title: &'static str,
    pub skip_to_content: &'static str,
    pub language: &'static str,
    pub theme: fn(crate::preferences::Theme) -> &'static str,
    pub loading: &'static str,
    pub close: &'static str,
    pub cancel: &'static str,
    pub dismiss: &'static str,
    pub try_again: &'static str,

    pub login_heading: &'static str,
    pub username: &'static str,
    pub password: &'static str,
    pub log_in: &'static str,
    pub logging_in: &'static str,
    pub welcome_heading: fn(&str) -> String,
    pub fill_both: &'static str,
    pub contact: &'static str,
    pub session_over_title: &'static str,
    pub session_over_text: &'static str,
    pub log_out: &'static str,

    pub account: &'static str,
    pub machines: &'static str,
    pub quota_label: &'static str,
    pub quota_left: fn(u32) -> String,
    pub quota_full: &'static str,
    pub new_machine: &'static str,
    pub column_name: &'static str,
    pub column_ip: &'static str,
    pub column_commands: &'static str,
    pub empty_title: &'static str,
    pub empty_text: &'static str,
    pub live: &'static str,
    pub polling: &'static str,
    pub connecting: &'static str,
    pub offline: &'static str,

    pub not_started: &'static str,
    pub no_address: &'static str,
    pub waiting_address: &'static str,
    pub copy_address: fn(&str) -> String,
    pub copied: &'static str,
    pub stale: &'static str,
    pub status: fn(MachineStatus) -> &'static str,
    pub doing: fn(OperationKind) -> &'static str,
    pub done: fn(OperationKind, &str) -> String,
    pub failed: fn(OperationKind) -> &'static str,
    pub outcome_unknown: &'static str,
    pub cancelled: &'static str,
    pub sending: &'static str,

    pub turn_on: &'static str,
    pub turn_off: &'static str,
    pub resume: &'static str,
    pub restart: &'static str,
    pub freeze: &'static str,
    pub force_off: &'static str,
    pub reset: &'static str,
    pub delete: &'static str,
    pub more_commands: fn(&str) -> String,
    pub for_machine: fn(&str, &str) -> String,

    pub create_snapshot: &'static str,
    pub snapshot_name: &'static str,
    pub snapshot_hint: &'static str,
    pub snapshots: fn(usize) -> String,
    pub snapshots_of: fn(&str) -> String,
    pub restore: &'static str,
    pub remove: &'static str,
    pub rename: &'static str,
    pub save: &'static str,
    pub new_name: &'static str,
    pub rename_snapshot: fn(&str) -> String,

    pub confirm_delete_title: fn(&str) -> String,
    pub confirm_delete_text: &'static str,
    pub confirm_reset_title: fn(&str) -> String,
    pub confirm_reset_text: &'static str,
    pub confirm_force_title: fn(&str) -> String,
    pub confirm_force_text: &'static str,
    pub confirm_restore_title: fn(&str) -> String,
    pub confirm_restore_text: fn(&str) -> String,
    pub confirm_remove_title: fn(&str) -> String,
    pub confirm_remove_text: fn(&str) -> String,

    pub create_title: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub image: &'static str,
    pub profile: &'static str,
    pub description: &'static str,
    pub optional: &'static str,
    pub start_after: &'static str,
    pub create: &'static str,
    pub limits: fn(vms_types::Limits) -> String,
    pub limits_short: fn(vms_types::Limits) -> String,
    pub quota_numbers: fn(&vms_types::QuotaShortage) -> String,

    pub pages: &'static str,
    pub page: fn(crate::route::Route) -> &'static str,
    pub all: &'static str,
    pub search: &'static str,
    pub state: &'static str,
    pub server: &'static str,
    pub load_more: &'static str,
    pub shown: fn(usize, bool) -> String,
    pub machines_none_fit: &'static str,
    pub bulk: &'static str,
    pub selected: fn(usize) -> String,
    pub select_machine: fn(&str) -> String,
    pub bulk_stop_title: fn(usize) -> String,
    pub bulk_stop_text: &'static str,
    pub bulk_delete_title: fn(usize) -> String,
    pub bulk_delete_text: &'static str,

    pub audit_empty: &'static str,
    pub audit_file: &'static str,
    pub export: fn(&str) -> String,
    pub from_day: &'static str,
    pub until_day: &'static str,
    pub column_when: &'static str,
    pub column_person: &'static str,
    pub column_action: &'static str,
    pub column_target: &'static str,
    pub column_outcome: &'static str,
    pub action: fn(&str) -> Option<&'static str>,
    pub outcome: fn(vms_types::AuditOutcome) -> &'static str,
    pub detail_action: &'static str,
    pub detail_answer: &'static str,
    pub detail_address: &'static str,
    pub detail_request: &'static str,
    pub detail_asked: &'static str,

    pub advice: fn(vms_types::ProblemCode) -> Advice,
    pub advice_network: Advice,
    pub advice_unreadable: Advice,
    pub field: fn(&str) -> Option<&'static str>,
    pub field_unknown: &'static str,
    pub description_long: &'static str,
}

/// What the audit log can hold, in the order in which one chooses from it; each has its words.
pub(crate) const ACTIONS: [&str; 23] = [
    "auth.login",
    "auth.logout",
    "machine.create",
    "machine.edit",
    "machine.power",
    "machine.reset",
    "machine.delete",
    "machine.bulk",
    "snapshot.create",
    "snapshot.rename",
    "snapshot.restore",
    "snapshot.delete",
    "operation.cancel",
    "user.edit",
    "user.sign_out",
    "quota.put",
    "quota.delete",
    "profile.create",
    "profile.update",
    "profile.delete",
    "token.create",
    "token.delete",
    "auth.refresh",
];

/// The language in use, from the context.
#[derive(Clone, Copy)]
pub(crate) struct I18n(pub RwSignal<Lang>);

impl I18n {
    /// The texts now; inside a view or effect it is run again when the language changes.
    pub(crate) fn t(self) -> &'static Texts {
        self.0.get().texts()
    }

    /// The texts now, outside of anything reactive.
    pub(crate) fn now(self) -> &'static Texts {
        self.0.get_untracked().texts()
    }
}

/// The catalogue of the component's context.
pub(crate) fn use_i18n() -> I18n {
    expect_context::<I18n>()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log names actions by the operations of the document.
    #[test]
    fn whatever_the_audit_log_can_hold_has_words_and_can_be_chosen() {
        let document: serde_json::Value =
            serde_json::from_str(include_str!("../../openapi/vms.json")).unwrap();
        let mut held = std::collections::BTreeSet::new();
        for operations in document["paths"].as_object().unwrap().values() {
            for (method, operation) in operations.as_object().unwrap() {
                if method != "get" {
                    held.insert(operation["operationId"].as_str().unwrap().replacen('_', ".", 1));
                }
            }
        }
        // A ticket changes nothing and is not written down.
        assert!(held.remove("event.ticket"));
        assert_eq!(held, ACTIONS.iter().map(|&word| word.to_owned()).collect());
        for lang in [Lang::Pt, Lang::En] {
            let missing: Vec<_> = held.iter().filter(|word| (lang.texts().action)(word).is_none()).collect();
            assert!(missing.is_empty(), "{missing:?}");
        }
    }
}
