//! Everything a use case can refuse or fail with, and the problem it becomes for whoever asked.
//!
//! What went wrong inside (a database message, an address of a server) is for the log; what the person reads says
//! what happened, to what, and what to do next.

use vms_authz::Denied;
use vms_db::DbError;
use vms_types::{FieldError, MachineStatus, NameError, Problem, ProblemCode, QuotaShortage};

/// Why a use case did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// User name or password is wrong.
    #[error("user name or password is wrong")]
    InvalidCredentials,
    /// Too many failed logins.
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds to wait.
        retry_after_seconds: u64,
    },
    /// The directory does not answer, or the configuration does not fit it.
    #[error("the directory cannot answer: {0}")]
    DirectoryUnavailable(String),
    /// The account is disabled, or in no group that may use the system.
    #[error("account not allowed: {0}")]
    AccountNotAllowed(String),
    /// No valid token.
    #[error("not authenticated")]
    Unauthenticated,
    /// The session has ended.
    #[error("the session has ended")]
    SessionExpired,
    /// The policy says no.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// It does not exist.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// Fields that cannot be accepted.
    #[error("fields are not valid")]
    Invalid(Vec<FieldError>),
    /// The name is used already.
    #[error("the name {0} is taken")]
    NameTaken(String),
    /// More than the quota allows.
    #[error("quota exceeded: {}", .0.resource)]
    QuotaExceeded(QuotaShortage),
    /// The machine's state does not allow it.
    #[error("{command} is not possible while the machine is {}", status.as_str())]
    WrongState {
        /// What was asked for.
        command: &'static str,
        /// What the machine is doing.
        status: MachineStatus,
    },
    /// Another operation is under way.
    #[error("another operation is under way")]
    MachineBusy,
    /// Something uses it; the sentence says what.
    #[error("in use: {0}")]
    InUse(String),
    /// The image has no source.
    #[error("the image has no source")]
    NotRefreshable,
    /// Of all servers that were to do it, one failed.
    #[error("done on {done:?}, then failed on {server}: {error}")]
    OnOneOf {
        /// Where it was done before.
        done: Vec<String>,
        /// Where it failed.
        server: String,
        /// Why.
        error: lxd_client::Error,
    },
    /// It has ended or LXD cannot cancel it.
    #[error("the operation cannot be cancelled")]
    NotCancellable,
    /// The `Idempotency-Key` came with another request before.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused,
    /// The server does not answer.
    #[error("LXD server {0} does not answer")]
    ServerUnavailable(String),
    /// The server does not trust us.
    #[error("LXD server {0} refused us")]
    ServerRefused(String),
    /// LXD answered with an error.
    #[error("LXD: {0}")]
    Lxd(lxd_client::Error),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Too much is under way already.
    #[error("overloaded: {0}")]
    Overloaded(String),
    /// The system is about to end; the next start takes commands again.
    #[error("shutting down")]
    ShuttingDown,
    /// The person has too many websockets open.
    #[error("too many connections")]
    TooManyConnections,
    /// A defect.
    #[error("internal: {0}")]
    Internal(String),
}

impl From<FieldError> for CoreError {
    fn from(error: FieldError) -> Self {
        Self::Invalid(vec![error])
    }
}

impl From<lxd_client::Error> for CoreError {
    fn from(error: lxd_client::Error) -> Self {
        Self::Lxd(error)
    }
}

impl From<vms_auth::TokenError> for CoreError {
    fn from(error: vms_auth::TokenError) -> Self {
        match error {
            vms_auth::TokenError::Expired => Self::SessionExpired,
            vms_auth::TokenError::Invalid => Self::Unauthenticated,
            other => Self::Internal(other.to_string()),
        }
    }
}

/// Seconds after which asking again makes sense when a part does not answer.
const RETRY_SECONDS: u64 = 5;

impl CoreError {
    /// A field that breaks a rule for names.
    #[must_use]
    pub fn bad_name(field: &str, error: NameError) -> Self {
        FieldError::new(field, error.code(), error.to_string()).into()
    }

    /// One field that cannot be accepted.
    #[must_use]
    pub fn invalid(field: &str, code: &str, message: impl Into<String>) -> Self {
        FieldError::new(field, code, message).into()
    }

    /// The kind of problem it is.
    #[must_use]
    pub fn code(&self) -> ProblemCode {
        use ProblemCode as P;
        match self {
            Self::InvalidCredentials => P::InvalidCredentials,
            Self::TooManyAttempts { .. } => P::TooManyAttempts,
            Self::DirectoryUnavailable(_) => P::DirectoryUnavailable,
            Self::AccountNotAllowed(_) => P::AccountNotAllowed,
            Self::Unauthenticated => P::Unauthenticated,
            Self::SessionExpired => P::SessionExpired,
            Self::Denied(Denied::NotFound) | Self::NotFound(_) | Self::Db(DbError::NotFound) => P::NotFound,
            Self::Denied(_) => P::Forbidden,
            Self::Invalid(_) => P::ValidationFailed,
            Self::NameTaken(_) | Self::Db(DbError::Duplicate(_)) => P::NameTaken,
            Self::QuotaExceeded(_) => P::QuotaExceeded,
            Self::WrongState { .. } => P::WrongState,
            Self::MachineBusy => P::MachineBusy,
            Self::InUse(_) => P::InUse,
            Self::NotRefreshable => P::NotRefreshable,
            Self::NotCancellable => P::NotCancellable,
            Self::IdempotencyKeyReused => P::IdempotencyKeyReused,
            Self::ServerUnavailable(_) => P::ServerUnavailable,
            Self::ServerRefused(_) => P::ServerRefused,
            Self::Lxd(error) | Self::OnOneOf { error, .. }
                if error.is_unreachable() || error.is_timeout() =>
            {
                P::ServerUnavailable
            }
            Self::Lxd(error) | Self::OnOneOf { error, .. } if error.is_untrusted() => P::ServerRefused,
            Self::Lxd(_) | Self::OnOneOf { .. } => P::ServerError,
            Self::Db(DbError::Unavailable(_)) => P::DatabaseUnavailable,
            Self::Db(DbError::BadCursor) => P::MalformedParameter,
            Self::Db(DbError::TooMany { .. }) => P::QuotaExceeded,
            Self::Overloaded(_) => P::Overloaded,
            Self::ShuttingDown => P::ShuttingDown,
            Self::TooManyConnections => P::TooManyConnections,
            Self::Db(_) | Self::Internal(_) => P::Internal,
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::InvalidCredentials => {
                "The user name or the password is wrong. Check both and try again.".into()
            }
            Self::TooManyAttempts { retry_after_seconds } => {
                format!("Too many failed logins. Wait {retry_after_seconds} seconds and try again.")
            }
            Self::DirectoryUnavailable(_) => {
                "The school's directory does not answer, so nobody can log in. Try again in a moment.".into()
            }
            Self::AccountNotAllowed(reason) => reason.clone(),
            Self::Unauthenticated => "Log in, or send a valid access token as a Bearer token.".into(),
            Self::SessionExpired => "The session has ended. Log in again.".into(),
            Self::Denied(Denied::NotFound) | Self::NotFound(_) | Self::Db(DbError::NotFound) => {
                "There is nothing here that you can see.".into()
            }
            Self::Denied(denied) => denied.to_string(),
            Self::Invalid(errors) => {
                let said: Vec<String> = errors.iter().map(|e| format!("{} {}", e.field, e.message)).collect();
                format!("{}. Nothing was changed.", said.join("; "))
            }
            Self::NameTaken(name) => format!("The name \"{name}\" is taken. Choose another."),
            Self::Db(DbError::Duplicate(what)) => format!("The {what} is taken. Choose another."),
            Self::QuotaExceeded(q) => format!(
                "The quota of {} is used up: asked for {} more, {} in use, {} allowed. Free what is no longer needed, or ask an administrator.",
                quota_words(&q.resource),
                q.asked,
                q.used,
                q.allowed
            ),
            Self::WrongState { command, status } => {
                format!("Cannot {command}: the machine is {}.", status.as_str())
            }
            Self::MachineBusy => {
                "Another operation on this machine is under way. Wait until it has ended.".into()
            }
            Self::InUse(what) => what.clone(),
            Self::NotRefreshable => {
                "The image was uploaded or published here: there is no other server to ask for a newer one. Import or \
                 publish the newer one under the same alias."
                    .into()
            }
            Self::OnOneOf { done, server, error } if done.is_empty() => format!(
                "The server \"{server}\" reported: {error}. Other servers were not asked. Send it again once that is mended."
            ),
            Self::OnOneOf { done, server, error } => format!(
                "It was done on {}, but the server \"{server}\" reported: {error}. Servers after it were not asked. \
                 Send it again once that is mended.",
                done.join(", ")
            ),
            Self::NotCancellable => "The operation has ended, or cannot be stopped at this point.".into(),
            Self::IdempotencyKeyReused => {
                "This Idempotency-Key was used for a different request. Use a new key for a new request."
                    .into()
            }
            Self::ServerUnavailable(server) => {
                format!(
                    "The server \"{server}\" does not answer. Nothing was changed; try again in a moment."
                )
            }
            Self::ServerRefused(server) => {
                format!("The server \"{server}\" does not trust this system. Tell an administrator.")
            }
            Self::Lxd(error) if error.is_unreachable() || error.is_timeout() => {
                "The server does not answer. Try again in a moment.".into()
            }
            Self::Lxd(error) => format!("The server reported an error: {error}."),
            Self::Db(DbError::Unavailable(_)) => {
                "The database does not answer. Try again in a moment.".into()
            }
            Self::Overloaded(what) => format!("{what} Nothing was changed; try again in a moment."),
            Self::ShuttingDown => {
                "The system is about to be restarted. Nothing was changed; try again in a moment.".into()
            }
            Self::TooManyConnections => {
                "You listen for events from too many places at once. Close some, or ask for the state now and then."
                    .into()
            }
            Self::Db(_) | Self::Internal(_) => {
                "Something went wrong on our side. Tell an administrator the request id.".into()
            }
        }
    }

    /// The problem for whoever asked.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let code = self.code();
        let mut problem = Problem::new(code, self.detail());
        match self {
            Self::Invalid(errors) => problem.errors.clone_from(errors),
            Self::NameTaken(_) => {
                problem.errors = vec![FieldError::new("name", "taken", "is taken")];
            }
            Self::QuotaExceeded(shortage) => problem.quota = Some(shortage.clone()),
            Self::TooManyAttempts { retry_after_seconds } => {
                problem.retry_after_seconds = Some(*retry_after_seconds);
            }
            _ => {}
        }
        if matches!(code.status(), 503) || matches!(self, Self::TooManyConnections) {
            problem.retry_after_seconds = Some(RETRY_SECONDS);
        }
        problem
    }
}

/// What a quota counts, in words.
fn quota_words(resource: &str) -> &str {
    match resource {
        "running" => "running machines",
        "memory_bytes" => "memory, in bytes,",
        "cpus" => "CPUs",
        "disk_bytes" => "disk, in bytes,",
        "snapshots_per_machine" => "snapshots of one machine",
        other => other,
    }
}
