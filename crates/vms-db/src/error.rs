//! What can go wrong, in the words of the domain. The database's own words go to the log, never to a person.

use diesel::result::{DatabaseErrorInformation, DatabaseErrorKind, Error as DieselError};
use uuid::Uuid;
use vms_types::QuotaShortage;

/// What is unique, and how to say so: (a part of the constraint's name or SQLite's message, the meaning).
const UNIQUE: [(&str, &str); 12] = [
    ("machines_owner_name", MACHINE_NAME),
    ("machines.owner, machines.name", MACHINE_NAME),
    ("machines_instance", INSTANCE_NAME),
    ("machines.instance", INSTANCE_NAME),
    ("machines", "machine id"),
    ("operations_one_unfinished", UNFINISHED_OPERATION),
    ("operations.machine_id", UNFINISHED_OPERATION),
    ("operations", "operation id"),
    ("idempotency_keys", IDEMPOTENCY_KEY),
    ("users", "user name"),
    ("refresh_tokens", "refresh token"),
    ("personal_tokens", "token"),
];

pub(crate) const MACHINE_NAME: &str = "machine name";
pub(crate) const INSTANCE_NAME: &str = "instance name";
pub(crate) const UNFINISHED_OPERATION: &str = "unfinished operation";
pub(crate) const IDEMPOTENCY_KEY: &str = "idempotency key";

/// Why the datastore did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// The database does not answer, or not as it should. Trying again may help.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// There is no such thing.
    #[error("not found in the database")]
    NotFound,
    /// It would be the second of something that must be unique; says of what.
    #[error("there is already one with this {0}")]
    Duplicate(&'static str),
    /// What stands in the database (or was to be written) makes no sense to this version.
    #[error("the database holds what this version does not understand: {0}")]
    Corrupt(String),
    /// There are as many as may be.
    #[error("there may be at most {limit} {what}; delete one first")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many may be.
        limit: u32,
    },
    /// The cursor of a list was not made by this list. Start again without one.
    #[error("the cursor is not one of this list; start again without it")]
    BadCursor,
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::NotFound => Self::NotFound,
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Duplicate(meaning(info.as_ref()))
            }
            DieselError::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation,
                info,
            ) => Self::Corrupt(info.message().to_owned()),
            DieselError::DeserializationError(error) => Self::Corrupt(error.to_string()),
            DieselError::SerializationError(error) => Self::Corrupt(error.to_string()),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

fn meaning(info: &(dyn DatabaseErrorInformation + Send + Sync)) -> &'static str {
    let said = format!("{} {}", info.constraint_name().unwrap_or_default(), info.message());
    UNIQUE.iter().find(|(part, _)| said.contains(part)).map_or("key", |(_, meaning)| meaning)
}

/// Why a machine was not reserved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReserveError {
    /// The owner may not use so much more.
    #[error("no more {} for the owner", .0.resource)]
    QuotaExceeded(QuotaShortage),
    /// The owner has a machine of this name.
    #[error("the owner has a machine of this name")]
    NameTaken,
    /// Some machine of the fleet, whoever's, has this instance name.
    #[error("the fleet has an instance of this name")]
    InstanceTaken,
    /// The same request came before and became this operation.
    #[error("the request came before and became operation {0}")]
    Replay(Uuid),
    /// The idempotency key came before with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The database failed; [`DbError::NotFound`] when the owner never logged in.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for ReserveError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Duplicate(MACHINE_NAME) => Self::NameTaken,
            DbError::Duplicate(INSTANCE_NAME) => Self::InstanceTaken,
            DbError::Duplicate(IDEMPOTENCY_KEY) => Self::KeyReused,
            other => Self::Db(other),
        }
    }
}

impl From<DieselError> for ReserveError {
    fn from(error: DieselError) -> Self {
        DbError::from(error).into()
    }
}

/// Why an operation was not begun.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BeginError {
    /// The machine has this unfinished operation.
    #[error("operation {0} on this machine has not ended")]
    Busy(Uuid),
    /// The owner may not use so much more.
    #[error("no more {} for the owner", .0.resource)]
    QuotaExceeded(QuotaShortage),
    /// The same request came before and became this operation.
    #[error("the request came before and became operation {0}")]
    Replay(Uuid),
    /// The idempotency key came before with another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The database failed; [`DbError::NotFound`] when the machine is gone.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for BeginError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Duplicate(IDEMPOTENCY_KEY) => Self::KeyReused,
            other => Self::Db(other),
        }
    }
}

impl From<DieselError> for BeginError {
    fn from(error: DieselError) -> Self {
        DbError::from(error).into()
    }
}

/// Why a machine was not given to another person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HandOverError {
    /// The new owner never logged in.
    #[error("the new owner never logged in")]
    UnknownPerson,
    /// The new owner has a machine of this name.
    #[error("the new owner has a machine of this name")]
    NameTaken,
    /// The new owner may not use so much more.
    #[error("no more {} for the new owner", .0.resource)]
    QuotaExceeded(QuotaShortage),
    /// The machine has this unfinished operation.
    #[error("operation {0} on this machine has not ended")]
    Busy(Uuid),
    /// The database failed; [`DbError::NotFound`] when the machine is gone, or another person's than the proof says.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for HandOverError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Duplicate(MACHINE_NAME) => Self::NameTaken,
            other => Self::Db(other),
        }
    }
}

impl From<DieselError> for HandOverError {
    fn from(error: DieselError) -> Self {
        DbError::from(error).into()
    }
}

/// Why a session was not continued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RefreshError {
    /// No such token.
    #[error("unknown refresh token")]
    Unknown,
    /// The token, or its session, has ended.
    #[error("the session has ended")]
    Expired,
    /// The token was used before: stolen, or its answer was lost. Its session is revoked now.
    #[error("the refresh token was used before; its session is revoked")]
    Reused,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<DieselError> for RefreshError {
    fn from(error: DieselError) -> Self {
        Self::Db(error.into())
    }
}
