//! A connection that is SQLite or PostgreSQL, and a pool of them.
//!
//! Transactions that write take their lock at the start. SQLite's `BEGIN IMMEDIATE` takes the one write lock, so such
//! transactions run one after the other (a deferred one would fail halfway with "database is locked"). PostgreSQL
//! runs them side by side at READ COMMITTED; each locks the row that stands for what it counts, before it counts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager};
use diesel::prelude::*;
use diesel::r2d2::{self, ManageConnection, Pool, R2D2Connection as _};

use crate::error::DbError;

/// How long a request waits for a free connection, and SQLite for its lock, in milliseconds.
pub const PATIENCE_MS: u64 = 5_000;

/// Connections at most. SQLite gains nothing from more: one writes at a time.
pub const MAX_CONNECTIONS: u32 = 8;

/// A connection to either backend.
#[derive(diesel::MultiConnection)]
pub enum AnyConnection {
    /// To a file.
    Sqlite(SqliteConnection),
    /// To a server.
    Postgres(PgConnection),
}

/// Runs the same diesel code on whichever connection it is: for what only the concrete backends can do, upserts.
macro_rules! on_either {
    ($any:expr, $conn:ident => $code:expr) => {
        match $any {
            $crate::connection::AnyConnection::Sqlite($conn) => $code,
            $crate::connection::AnyConnection::Postgres($conn) => $code,
        }
    };
}
pub(crate) use on_either;

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Location {
    /// A file (`sqlite://path`; a third slash makes the path absolute).
    Sqlite(PathBuf),
    /// A server (`postgres://…`, understood by libpq).
    Postgres(String),
}

impl Location {
    /// Reads the `url` of the configuration's `[database]`.
    pub fn parse(url: &str) -> Result<Self, DbError> {
        if let Some(path) = url.strip_prefix("sqlite://") {
            if path.is_empty() {
                return Err(DbError::Unavailable(
                    "the database URL names no file; write sqlite://vms.db or sqlite:///var/lib/vms/vms.db"
                        .into(),
                ));
            }
            return Ok(Self::Sqlite(path.into()));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        // The URL itself may hold a password: it is not repeated.
        Err(DbError::Unavailable("the database URL must start with sqlite:// or postgres://".into()))
    }
}

impl ManageConnection for Location {
    type Connection = AnyConnection;
    type Error = r2d2::Error;

    fn connect(&self) -> Result<AnyConnection, r2d2::Error> {
        match self {
            Self::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy())
                    .map_err(r2d2::Error::ConnectionError)?;
                // busy_timeout first: switching to WAL itself needs the lock.
                conn.batch_execute(&format!(
                    "PRAGMA busy_timeout = {PATIENCE_MS}; PRAGMA journal_mode = WAL; \
                     PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;"
                ))
                .map_err(r2d2::Error::QueryError)?;
                Ok(AnyConnection::Sqlite(conn))
            }
            Self::Postgres(url) => PgConnection::establish(url)
                .map(AnyConnection::Postgres)
                .map_err(r2d2::Error::ConnectionError),
        }
    }

    fn is_valid(&self, conn: &mut AnyConnection) -> Result<(), r2d2::Error> {
        conn.ping().map_err(r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut AnyConnection) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

/// Opens one connection, so that a wrong URL is told at once, and a pool for more. Blocks.
pub fn pool(location: Location) -> Result<Pool<Location>, DbError> {
    if let Location::Sqlite(path) = &location {
        create_private(path)?;
    }
    drop(location.connect().map_err(|error| DbError::Unavailable(error.to_string()))?);
    Ok(Pool::builder()
        .max_size(MAX_CONNECTIONS)
        .min_idle(Some(1))
        .connection_timeout(Duration::from_millis(PATIENCE_MS))
        .build_unchecked(location))
}

/// Makes the file readable by its owner only, if it is not there yet: it holds people's names and token hashes.
fn create_private(path: &Path) -> Result<(), DbError> {
    use std::os::unix::fs::OpenOptionsExt as _;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|error| DbError::Unavailable(format!("{} cannot be opened: {error}", path.display())))
}

/// Runs `work` in a transaction that means to write; an `Err` undoes everything.
pub fn transaction<T, E: From<diesel::result::Error>>(
    conn: &mut AnyConnection,
    work: impl FnOnce(&mut AnyConnection) -> Result<T, E>,
) -> Result<T, E> {
    type Manager = <AnyConnection as Connection>::TransactionManager;
    match conn {
        AnyConnection::Sqlite(conn) => {
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE")?;
        }
        AnyConnection::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn)?,
    }
    match work(conn) {
        Ok(value) => {
            Manager::commit_transaction(conn)?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one worth telling; a connection that cannot roll back leaves the pool.
            if let Err(second) = Manager::rollback_transaction(conn) {
                tracing::warn!(error = %second, "a transaction could not be rolled back");
            }
            Err(error)
        }
    }
}
