//! `[tokens]`: lifetimes of logins, and the key that signs access tokens.

use std::path::PathBuf;

use serde::Deserialize;

use super::Problems;

/// `[tokens]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokensConfig {
    /// Life of an access token, at most 900 seconds.
    pub access_ttl_seconds: u64,
    /// How long a session lasts without being used, in seconds.
    pub refresh_ttl_seconds: u64,
    /// Ed25519 key (PKCS #8, PEM), made if the file does not exist; a new key at every start if absent.
    pub signing_key_file: Option<PathBuf>,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self { access_ttl_seconds: 900, refresh_ttl_seconds: 7 * 24 * 3600, signing_key_file: None }
    }
}

impl TokensConfig {
    /// What is wrong in this section.
    pub(super) fn check(&self, problems: &mut Problems) {
        let longest = vms_auth::MAX_ACCESS_TTL.as_secs();
        if !(1..=longest).contains(&self.access_ttl_seconds) {
            problems.note("[tokens] access_ttl_seconds", format!("must be from 1 to {longest}"));
        }
        if self.refresh_ttl_seconds < self.access_ttl_seconds {
            problems.note("[tokens] refresh_ttl_seconds", "is shorter than access_ttl_seconds");
        }
    }
}
