//! Idempotency keys: the same request sent twice becomes one operation, not two machines.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use uuid::Uuid;

use crate::connection::AnyConnection;
use crate::convert::{now, uuid};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::schema::idempotency_keys;

/// The client's `Idempotency-Key`, and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What the client sent; one namespace for each person.
    pub key: String,
    /// What the request was; the same key with another fingerprint is refused.
    pub fingerprint: String,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency_keys)]
struct KeyRecord {
    username: String,
    key: String,
    fingerprint: String,
    operation_id: String,
    created_at: NaiveDateTime,
}

impl Datastore {
    /// The operation that an earlier request with this key of this person became: `None` when there was no such request,
    /// `Some(Err(()))` when there was one with another fingerprint.
    ///
    /// # Errors
    /// The database failed.
    pub async fn replayed_operation(
        &self,
        username: &str,
        key: &IdempotencyKey,
    ) -> Result<Option<Result<Uuid, ()>>, DbError> {
        let (username, key) = (username.to_owned(), key.clone());
        self.read(move |conn| find(conn, &username, &key)).await
    }
}

/// As [`Datastore::replayed_operation`], inside a transaction.
pub(crate) fn find(
    conn: &mut AnyConnection,
    username: &str,
    key: &IdempotencyKey,
) -> Result<Option<Result<Uuid, ()>>, DbError> {
    let row = idempotency_keys::table.find((username, &key.key));
    let Some(record) = row.select(KeyRecord::as_select()).first(conn).optional()? else {
        return Ok(None);
    };
    if record.fingerprint != key.fingerprint {
        return Ok(Some(Err(())));
    }
    uuid("idempotency_keys.operation_id", &record.operation_id).map(|id| Some(Ok(id)))
}

/// Writes down what a key stands for.
pub(crate) fn insert(
    conn: &mut AnyConnection,
    username: &str,
    key: IdempotencyKey,
    operation: Uuid,
) -> Result<(), DbError> {
    let record = KeyRecord {
        username: username.to_owned(),
        key: key.key,
        fingerprint: key.fingerprint,
        operation_id: operation.to_string(),
        created_at: now(),
    };
    diesel::insert_into(idempotency_keys::table).values(&record).execute(conn)?;
    Ok(())
}
