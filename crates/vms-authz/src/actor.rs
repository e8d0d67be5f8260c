//! Who asks: a person behind a browser or a script, or the portal itself.

use uuid::Uuid;
use vms_types::{Role, TokenScope};

/// How the actor came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// Logged in with the directory's password; `session` is the family of the refresh tokens.
    Browser {
        /// The family of refresh tokens that this login started.
        session: Uuid,
    },
    /// A script with a personal access token.
    Token {
        /// The token's id (never its secret).
        token: Uuid,
    },
    /// The portal itself, for example when it reconciles after a restart. No request ever has it.
    System,
}

/// Who asks. Role and groups are those of now, not those of the moment of the login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    username: String,
    role: Role,
    groups: Vec<String>,
    scope: TokenScope,
    session: SessionKind,
}

impl Actor {
    /// The name the portal acts under. The colon keeps it apart from every login name.
    pub const SYSTEM_NAME: &'static str = "vms:system";

    /// An authenticated person. `scope` is [`TokenScope::Write`] for a browser, the token's own for a script.
    #[must_use]
    pub fn new(
        username: impl Into<String>,
        role: Role,
        groups: Vec<String>,
        scope: TokenScope,
        session: SessionKind,
    ) -> Self {
        Self { username: username.into(), role, groups, scope, session }
    }

    /// The portal itself, for work nobody asked for in this moment. May do everything.
    #[must_use]
    pub fn system() -> Self {
        Self::new(Self::SYSTEM_NAME, Role::Admin, Vec::new(), TokenScope::Write, SessionKind::System)
    }

    /// The login name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The role in force now.
    #[must_use]
    pub const fn role(&self) -> Role {
        self.role
    }

    /// Short names of the directory groups.
    #[must_use]
    pub fn groups(&self) -> &[String] {
        &self.groups
    }

    /// Whether it may only look, or change things too.
    #[must_use]
    pub const fn scope(&self) -> TokenScope {
        self.scope
    }

    /// How it came in.
    #[must_use]
    pub const fn session(&self) -> SessionKind {
        self.session
    }

    /// Whether it is the portal itself.
    #[must_use]
    pub const fn is_system(&self) -> bool {
        matches!(self.session, SessionKind::System)
    }
}
