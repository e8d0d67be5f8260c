//! The datastore on a real PostgreSQL: the checks of `crates/vms-db/tests/checks`, each in a database of its own, and what
//! only a server can do: go away and come back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../../crates/vms-db/tests/checks/mod.rs"]
mod checks;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use checks::Fixture;
use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};
use vms_db::{Datastore, DbError};
use xtask::lab::Postgres;

/// One PostgreSQL for all tests that run at the moment; the last one to end takes it down. (A plain `static` would
/// never be dropped, and the server would outlive the tests.)
static SERVER: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());

fn server() -> Option<Arc<Postgres>> {
    if !xtask::lab::need("postgres") {
        return None;
    }
    let mut shared = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
    Some(shared.upgrade().unwrap_or_else(|| {
        let server = Arc::new(Postgres::start().unwrap());
        *shared = Arc::downgrade(&server);
        server
    }))
}

async fn fixture(check: &str) -> Option<Fixture> {
    let check = check.to_owned();
    let made = tokio::task::spawn_blocking(move || {
        let server = server()?;
        let url = server.create_database(&check).unwrap();
        Some((server, url))
    });
    let (server, url) = made.await.unwrap()?;
    let db = Datastore::open(&url).await.unwrap();
    let at = url.clone();
    let sql = Box::new(move |sql: &str| {
        // Owned here, so that the server lives as long as the fixture.
        let _server = &server;
        PgConnection::establish(&at).unwrap().batch_execute(sql).unwrap();
    });
    Some(Fixture { db, url, sql })
}

checks::every_check!(fixture);

/// Connections the server has cut are noticed and replaced: nobody has to restart the portal.
#[tokio::test]
async fn cut_connections_are_replaced() {
    let Some(f) = fixture("cut_connections_are_replaced").await else { return };
    f.db.health().await.unwrap();
    (f.sql)(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    f.db.health().await.unwrap();
    assert_eq!(f.db.user("nobody").await, Ok(None));
}

/// A server that is not there is said at once, without the password in the message.
#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    match Datastore::open("postgres://vms:secret@127.0.0.1:1/vms").await {
        Err(DbError::Unavailable(text)) => assert!(!text.contains("secret"), "{text}"),
        other => panic!("{other:?}"),
    }
}
