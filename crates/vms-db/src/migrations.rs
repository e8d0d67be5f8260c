//! The schema, embedded: one set of SQL files for each backend, run at start, forward only.

use diesel::RunQueryDsl as _;
use diesel::migration::MigrationVersion;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

use crate::connection::{AnyConnection, transaction};
use crate::error::DbError;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// The key of PostgreSQL's advisory lock: the letters "VMS" and a number.
const LOCK: &str = "SELECT pg_advisory_xact_lock(1447907121)";

/// Runs what has not been run, all or nothing, and gives the versions. Two servers that start at once do it one
/// after the other.
pub fn run(conn: &mut AnyConnection) -> Result<Vec<String>, DbError> {
    transaction(conn, |conn| {
        let run = match conn {
            AnyConnection::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(|run| names(&run)),
            AnyConnection::Postgres(conn) => {
                diesel::sql_query(LOCK).execute(conn)?;
                conn.run_pending_migrations(POSTGRES).map(|run| names(&run))
            }
        };
        run.map_err(|error| DbError::Unavailable(format!("the schema cannot be brought up to date: {error}")))
    })
}

fn names(versions: &[MigrationVersion<'_>]) -> Vec<String> {
    versions.iter().map(ToString::to_string).collect()
}
