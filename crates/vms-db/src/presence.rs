//! Whether the directory still has the people who once logged in.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use vms_authz::action::Reconcile;
use vms_authz::{Allowed, Fleet};

use crate::convert::{now, stored};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::page::clamp;
use crate::schema::users;

impl Datastore {
    /// The login names about which the directory was not asked since `before`, the longest ago first. `limit` is at
    /// most 200.
    ///
    /// # Errors
    /// The database failed.
    pub async fn people_to_check(
        &self,
        _proof: &Allowed<Fleet, Reconcile>,
        before: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<String>, DbError> {
        let limit = i64::try_from(clamp(limit)).unwrap_or(1);
        self.read(move |conn| {
            Ok(users::table
                .filter(users::directory_checked_at.lt(stored(before)))
                .order((users::directory_checked_at, users::username))
                .limit(limit)
                .select(users::username)
                .load(conn)?)
        })
        .await
    }

    /// Writes down what the directory said about a person just now. Nothing happens to who never logged in.
    ///
    /// # Errors
    /// The database failed.
    pub async fn record_presence(
        &self,
        _proof: &Allowed<Fleet, Reconcile>,
        username: &str,
        in_directory: bool,
    ) -> Result<(), DbError> {
        let username = username.to_owned();
        self.write(move |conn| {
            let change = (users::in_directory.eq(in_directory), users::directory_checked_at.eq(now()));
            diesel::update(users::table.find(username)).set(change).execute(conn)?;
            Ok(())
        })
        .await
    }
}
