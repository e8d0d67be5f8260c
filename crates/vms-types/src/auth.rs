//! Logging in, and tokens for scripts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// `POST /auth/login`: the account of the school's directory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// The name used to log in.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub username: String,
    /// The password. It goes to the directory and nowhere else.
    #[cfg_attr(feature = "openapi", schema(example = "bruno", format = Password))]
    pub password: String,
}

impl std::fmt::Debug for LoginRequest {
    /// Never prints the password, so that no log can.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoginRequest").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Answer to login and refresh (RFC 6749 §5.1). The refresh token travels in an HttpOnly cookie, not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenResponse {
    /// To be sent as `Authorization: Bearer …`.
    pub access_token: String,
    /// Always `Bearer`.
    #[cfg_attr(feature = "openapi", schema(example = "Bearer"))]
    pub token_type: String,
    /// Seconds until the access token ends.
    #[cfg_attr(feature = "openapi", schema(example = 900))]
    pub expires_in: u64,
}

/// What a personal access token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum TokenScope {
    /// Only look.
    Read,
    /// Look and change; everything the person may do, except managing tokens.
    Write,
}

/// `POST /tokens`: a new token for a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What the token is for, 1 to 100 characters.
    #[cfg_attr(feature = "openapi", schema(example = "backup script", min_length = 1, max_length = 100))]
    pub name: String,
    /// What it may do.
    #[serde(default = "default_scope")]
    pub scope: TokenScope,
    /// Days until it ends, 1 to 366.
    #[serde(default = "default_days")]
    #[cfg_attr(feature = "openapi", schema(example = 90, minimum = 1, maximum = 366))]
    pub expires_in_days: u32,
}

const fn default_scope() -> TokenScope {
    TokenScope::Read
}

const fn default_days() -> u32 {
    90
}

/// A token as lists show it: never the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenView {
    /// To delete it by.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scope: TokenScope,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
}

/// Answer to `POST /tokens`: the only time the secret is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TokenCreated {
    /// The token as lists will show it.
    #[serde(flatten)]
    pub view: TokenView,
    /// The secret, to be sent as `Authorization: Bearer …`. It cannot be shown again.
    #[cfg_attr(feature = "openapi", schema(example = "vmsp_2NlY3JldC1zZWNyZXQtc2VjcmV0"))]
    pub token: String,
}
