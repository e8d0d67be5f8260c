//! Names people give, and the instance name made from them.
//!
//! A machine's name becomes a host name, so it follows RFC 1123 narrowed to what LXD accepts: 1 to 63 letters, digits
//! and dashes, a letter first and no dash last. Host names ignore case (RFC 4343), so names are kept in lower case.
//! An instance name is made from a template such as `vm{user}{name}`. It is not reversible: `bruno` + `maquinaa` and
//! `brunom` + `aquinaa` give the same, which is why nothing ever reads an owner out of a name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest host name label (RFC 1123), and so the longest instance name.
pub const MAX_LENGTH: usize = 63;

/// What is wrong with a name. [`NameError::code`] is stable; `Display` is English.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing was given.
    #[error("must not be empty")]
    Empty,
    /// More than [`MAX_LENGTH`] characters.
    #[error("must have at most 63 characters")]
    TooLong,
    /// A host name starts with a letter.
    #[error("must start with a letter")]
    LetterFirst,
    /// A snapshot name starts with a letter or digit.
    #[error("must start with a letter or a digit")]
    AlphanumericFirst,
    /// A host name does not end with a dash.
    #[error("must not end with a dash")]
    DashLast,
    /// A character that is not allowed.
    #[error("may contain only letters a-z, digits and dashes")]
    HostCharacter,
    /// A character that is not allowed in a snapshot's name.
    #[error("may contain only letters a-z, digits, dots, dashes and underscores")]
    SnapshotCharacter,
}

impl NameError {
    /// The stable word for it, used in `errors[].code` of a problem.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "required",
            Self::TooLong => "too-long",
            Self::LetterFirst => "letter-first",
            Self::AlphanumericFirst => "alphanumeric-first",
            Self::DashLast => "dash-last",
            Self::HostCharacter => "host-character",
            Self::SnapshotCharacter => "snapshot-character",
        }
    }
}

fn check_host_name(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    if name.chars().count() > MAX_LENGTH {
        return Err(NameError::TooLong);
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(NameError::HostCharacter);
    }
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(NameError::LetterFirst);
    }
    if name.ends_with('-') {
        return Err(NameError::DashLast);
    }
    Ok(())
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name_type! {
    /// The name an owner gives a machine; kept in lower case.
    MachineName
}
name_type! {
    /// LXD's name of an instance.
    InstanceName
}
name_type! {
    /// The name of a snapshot; case matters.
    SnapshotName
}

impl MachineName {
    /// Checks and lower-cases a name.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check_host_name(text)?;
        Ok(Self(text.to_ascii_lowercase()))
    }
}

impl InstanceName {
    /// Checks a name as LXD does.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        check_host_name(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Fills `{user}` and `{name}` of a template. Characters of the user name that no host name may have (the dot of
    /// `bruno.rizzetti`) are left out.
    ///
    /// # Errors
    /// The rule the result breaks, most often [`NameError::TooLong`].
    pub fn from_template(template: &str, username: &str, name: &MachineName) -> Result<Self, NameError> {
        let user: String = username
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .map(|c| c.to_ascii_lowercase())
            .collect();
        Self::parse(&template.replace("{user}", &user).replace("{name}", name.as_str()))
    }

    /// The same name with a number behind it, for when the first is taken by someone else's machine.
    ///
    /// # Errors
    /// [`NameError::TooLong`] when there is no room for the number.
    pub fn disambiguated(&self, number: u32) -> Result<Self, NameError> {
        Self::parse(&format!("{}-{number}", self.0))
    }
}

impl SnapshotName {
    /// Checks a name.
    ///
    /// # Errors
    /// The first rule it breaks.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.chars().count() > MAX_LENGTH {
            return Err(NameError::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
            return Err(NameError::SnapshotCharacter);
        }
        if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(NameError::AlphanumericFirst);
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_names() {
        assert_eq!(MachineName::parse("Web-1").unwrap().as_str(), "web-1");
        let wrong = [
            ("", NameError::Empty),
            ("1web", NameError::LetterFirst),
            ("-web", NameError::LetterFirst),
            ("web-", NameError::DashLast),
            ("../etc", NameError::HostCharacter),
            ("máquina", NameError::HostCharacter),
            ("a b", NameError::HostCharacter),
            ("a_b", NameError::HostCharacter),
        ];
        for (text, error) in wrong {
            assert_eq!(MachineName::parse(text), Err(error), "{text:?}");
        }
        assert!(MachineName::parse(&"a".repeat(63)).is_ok());
        assert_eq!(MachineName::parse(&"a".repeat(64)), Err(NameError::TooLong));
        assert_eq!(MachineName::parse(&"é".repeat(64)), Err(NameError::TooLong));
    }

    #[test]
    fn snapshot_names() {
        assert_eq!(SnapshotName::parse("Antes.do_teste-1").unwrap().as_str(), "Antes.do_teste-1");
        for (text, error) in [
            ("", NameError::Empty),
            ("..", NameError::AlphanumericFirst),
            ("a/b", NameError::SnapshotCharacter),
            ("a b", NameError::SnapshotCharacter),
        ] {
            assert_eq!(SnapshotName::parse(text), Err(error), "{text:?}");
        }
    }

    #[test]
    fn instance_names_come_from_the_template_and_are_not_reversible() {
        let make = |user: &str, name: &str| {
            InstanceName::from_template("vm{user}{name}", user, &MachineName::parse(name).unwrap()).unwrap()
        };
        assert_eq!(make("bruno", "maquinaa").as_str(), "vmbrunomaquinaa");
        assert_eq!(make("bruno", "maquinaa"), make("brunom", "aquinaa"));
        assert_eq!(make("Bruno.Rizzetti", "a").as_str(), "vmbrunorizzettia");
        assert_eq!(make("bruno", "a").disambiguated(2).unwrap().as_str(), "vmbrunoa-2");
        let long = MachineName::parse(&"a".repeat(63)).unwrap();
        assert_eq!(InstanceName::from_template("vm{user}{name}", "b", &long), Err(NameError::TooLong));
    }

    #[test]
    fn names_are_checked_when_read_from_json() {
        assert!(serde_json::from_str::<MachineName>("\"ok\"").is_ok());
        assert!(serde_json::from_str::<MachineName>("\"../x\"").is_err());
    }
}
