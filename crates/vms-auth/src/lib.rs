//! Identity: who somebody is, and how they prove it again with every request.
//!
//! Three proofs, one after the other:
//! 1. **Password** against the school's directory: [`Authenticator`], and [`LdapDirectory`] which is one. It gives
//!    an [`Identity`] with the [`Role`] that the directory's groups say. [`AttemptLimiter`] stands before it.
//! 2. **Access token**: a JWT of a few minutes that names a user and a session, nothing else: [`AccessTokens`].
//!    What the user may do is read anew with each request, so it is not in there.
//! 3. **Opaque tokens** (refresh, personal, websocket ticket): 256 random bits, kept only as a hash: [`OpaqueToken`].
//!
//! What somebody *may do* is no question for this crate: that is `vms-authz`.

mod access;
mod config;
mod dn;
mod error;
mod keys;
mod ldap;
mod limiter;
mod opaque;
mod roles;
mod session;
mod username;

use async_trait::async_trait;
pub use vms_types::Role;

pub use access::{AccessClaims, AccessTokens, IssuedToken, MAX_ACCESS_TTL, TokenSettings};
pub use config::{AttributeNames, DefaultRole, DirectoryConfig, RoleGroups};
pub use error::{AuthError, ConfigError, TokenError};
pub use keys::SigningKey;
pub use ldap::LdapDirectory;
pub use limiter::{Attempt, AttemptLimiter, AttemptLimits, TooManyAttempts};
pub use opaque::{OpaqueToken, TokenHash, TokenKind};

/// Who somebody is, as the directory says at the moment of the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The one name of this person here, in lower case, as the directory has it: `Bruno `, `BRUNO` and an alias
    /// that the user filter also accepts all become `bruno`.
    pub username: String,
    /// The full name to show; the user name when the directory has none.
    pub display_name: String,
    /// The first mail address, if there is one.
    pub email: Option<String>,
    /// Short names (`cn`) of the groups the person is in, sorted.
    pub groups: Vec<String>,
    /// The highest role among the person's groups, or the default role.
    pub role: Role,
}

/// Whether the directory has somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has.
    Present,
    /// It has not.
    Absent,
    /// It tells only the person themselves: `user_dn_template` without a `bind_dn` that may read.
    Untold,
}

/// Something that can tell whether a password belongs to a user.
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// Checks the password and says who it is.
    ///
    /// # Errors
    /// [`AuthError::InvalidCredentials`] for a wrong password *and* for an unknown user; [`AuthError::NotAllowed`]
    /// when the password is right but no group grants a role; [`AuthError::Unavailable`] and
    /// [`AuthError::Misconfigured`] when there is no answer to be had.
    async fn authenticate(&self, username: &str, password: &str) -> Result<Identity, AuthError>;

    /// Whether there is somebody who has this name here ([`Identity::username`]).
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] and [`AuthError::Misconfigured`] when there is no answer to be had.
    async fn presence(&self, username: &str) -> Result<Presence, AuthError>;

    /// Whether a login could be answered now. For readiness checks.
    ///
    /// # Errors
    /// [`AuthError::Unavailable`] or [`AuthError::Misconfigured`], saying what is wrong.
    async fn health(&self) -> Result<(), AuthError>;
}
