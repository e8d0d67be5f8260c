//! Opening the datastore, and the bridge from async code to a blocking connection.
//!
//! Whoever wants a connection waits for it as a future, which costs next to nothing, and not on a thread: a thousand
//! questions at once would else be hundreds of threads that wait for eight connections.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel::r2d2::Pool;
use tokio::sync::Semaphore;

use crate::connection::{AnyConnection, Location, MAX_CONNECTIONS, PATIENCE_MS, pool, transaction};
use crate::error::DbError;
use crate::migrations;

/// The database. Cheap to clone; all clones share one pool of connections.
#[derive(Clone)]
pub struct Datastore {
    pool: Pool<Location>,
    /// One place for each connection.
    places: Arc<Semaphore>,
}

impl std::fmt::Debug for Datastore {
    /// Without the URL, which may hold a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Datastore")
            .field("connections", &self.pool.state().connections)
            .finish_non_exhaustive()
    }
}

impl Datastore {
    /// Opens `sqlite://path` or `postgres://…` and brings the schema up to date.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] says what is wrong with the URL, the file or the server.
    pub async fn open(url: &str) -> Result<Self, DbError> {
        let datastore = Self::connect(url).await?;
        for version in datastore.migrate().await? {
            tracing::info!(version, "the database's schema was brought up to date");
        }
        Ok(datastore)
    }

    /// Opens the database as it is, without touching its schema.
    ///
    /// # Errors
    /// As [`Datastore::open`].
    pub async fn connect(url: &str) -> Result<Self, DbError> {
        let location = Location::parse(url)?;
        let pool = blocking(move || pool(location)).await?;
        let places = Arc::new(Semaphore::new(usize::try_from(MAX_CONNECTIONS).unwrap_or(1)));
        Ok(Self { pool, places })
    }

    /// Brings the schema up to date; gives the versions that were missing, none when there was nothing to do.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] with what the database said; nothing was changed then.
    pub async fn migrate(&self) -> Result<Vec<String>, DbError> {
        self.read(migrations::run).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`DbError::Unavailable`] when it does not, within about 5 seconds.
    pub async fn health(&self) -> Result<(), DbError> {
        self.read(|conn| {
            diesel::sql_query("SELECT 1").execute(conn)?;
            Ok(())
        })
        .await
    }

    /// Runs `work` with a connection, each statement for itself.
    pub(crate) async fn read<T, E>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let patience = Duration::from_millis(PATIENCE_MS);
        let place = match tokio::time::timeout(patience, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => place,
            Ok(Err(_)) | Err(_) => {
                return Err(DbError::Unavailable("all connections stayed busy for seconds".into()).into());
            }
        };
        let pool = self.pool.clone();
        blocking(move || {
            // Given back when the work is done, also when nobody waits for it any more.
            let _place = place;
            let mut conn = pool.get().map_err(|error| DbError::Unavailable(error.to_string()))?;
            work(&mut conn)
        })
        .await
    }

    /// Runs `work` in one transaction that means to write; an `Err` undoes everything.
    pub(crate) async fn write<T, E>(
        &self,
        work: impl FnOnce(&mut AnyConnection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + Send + 'static,
    {
        self.read(|conn| transaction(conn, work)).await
    }
}

/// Runs what blocks where it does no harm.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(DbError::Unavailable(format!("the database's task ended early: {error}")).into()),
    }
}
