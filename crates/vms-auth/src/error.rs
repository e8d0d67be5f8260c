//! What can go wrong, in words for the person who has to do something about it.

use std::path::PathBuf;

/// Why a login did not succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// Unknown user, wrong password, or a name or password that no one can have. One answer for all of them, so
    /// that nobody can find out which user names exist.
    #[error("the user name or the password is wrong")]
    InvalidCredentials,
    /// No directory server gave an answer. Trying again later helps.
    #[error("the directory does not answer: {detail}")]
    Unavailable {
        /// Which server failed at what, for the log; not for the person who logs in.
        detail: String,
    },
    /// The password was right, but the person is in no group that has a role, and the default role is `none`.
    #[error(
        "{username} is in none of the groups that may use this system; an administrator of the directory can change that"
    )]
    NotAllowed {
        /// The canonical user name.
        username: String,
    },
    /// The directory answered, but not in a way the configuration allows for. Only an administrator can help.
    #[error("the [directory] configuration does not fit the directory: {detail}")]
    Misconfigured {
        /// What to look at, for the log; not for the person who logs in.
        detail: String,
    },
}

impl AuthError {
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        Self::Unavailable { detail: detail.into() }
    }

    pub(crate) fn misconfigured(detail: impl Into<String>) -> Self {
        Self::Misconfigured { detail: detail.into() }
    }
}

/// A key of the configuration whose value cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("[directory] {key}: {problem}")]
pub struct ConfigError {
    /// The key below `[directory]`, such as `roles.admin`.
    pub key: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl ConfigError {
    pub(crate) fn new(key: &'static str, problem: impl Into<String>) -> Self {
        Self { key, problem: problem.into() }
    }
}

/// Why a token could not be made or is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// It was good once. The client should refresh.
    #[error("the access token has expired")]
    Expired,
    /// Not ours, changed, for another audience, or no token at all.
    #[error("the access token is not valid")]
    Invalid,
    /// The lifetime asked for is zero or longer than [`crate::MAX_ACCESS_TTL`].
    #[error(
        "an access token may live from 1 to {max_seconds} seconds, not {asked_seconds}; change [tokens] access_ttl_seconds"
    )]
    Lifetime {
        /// What the configuration asks for, in seconds.
        asked_seconds: u64,
        /// The longest life, in seconds.
        max_seconds: u64,
    },
    /// The signing key file cannot be used.
    #[error("the signing key {} {problem}", path.display())]
    KeyFile {
        /// The file, from `[tokens] signing_key_file`.
        path: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The cryptographic library refused. Not expected on a healthy machine.
    #[error("cannot {0}: the cryptographic library refused")]
    Crypto(&'static str),
}
