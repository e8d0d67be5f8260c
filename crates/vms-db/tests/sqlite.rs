//! The datastore on SQLite files, and what only SQLite has.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod checks;

use std::path::Path;

use checks::Fixture;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, SqliteConnection};
use vms_db::{Datastore, DbError};

fn url(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

async fn fixture(check: &str) -> Option<Fixture> {
    let dir = tempfile::Builder::new().prefix(check).tempdir().unwrap();
    let path = dir.path().join("vms.db");
    let url = url(&path);
    let db = Datastore::open(&url).await.unwrap();
    let sql = Box::new(move |sql: &str| {
        // The closure owns the directory, so it lives as long as the fixture.
        let path = dir.path().join("vms.db");
        let mut conn = SqliteConnection::establish(&path.to_string_lossy()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
        conn.batch_execute(sql).unwrap();
    });
    Some(Fixture { db, url, sql })
}

checks::every_check!(fixture);

#[tokio::test]
async fn a_url_that_cannot_be_opened_says_why() {
    for (url, word) in [
        ("sqlite://", "names no file"),
        ("vms.db", "sqlite://"),
        ("mysql://root:secret@host/db", "postgres://"),
        ("sqlite:///nowhere/at/all/vms.db", "/nowhere/at/all/vms.db"),
    ] {
        match Datastore::open(url).await {
            Err(DbError::Unavailable(text)) => {
                assert!(text.contains(word), "{text}");
                assert!(!text.contains("secret"), "{text}");
            }
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_file_is_private_and_in_wal_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("vms.db");
    let db = Datastore::open(&url(&path)).await.unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    db.health().await.unwrap();
    assert!(path.with_extension("db-wal").exists(), "a write-ahead log lies beside it");
}
