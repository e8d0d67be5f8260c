//! Reading operations: one, pages of them, those that have not ended; and forgetting old ones.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;
use vms_authz::action::ListOperations;
use vms_authz::{Action, Allowed, Fleet, OperationTarget, Permits, PersonTarget};
use vms_types::{OperationStatus, Page};

use crate::connection::AnyConnection;
use crate::convert::stored;
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::operations::{OperationRecord, OperationRow};
use crate::page::{Cursor, clamp, page, rows_to_load};
use crate::schema::{operations, personal_tokens, sessions};
use crate::users;

impl Datastore {
    /// The operation with this id, as a question to the policy.
    ///
    /// # Errors
    /// The database failed.
    pub async fn operation_target(&self, id: Uuid) -> Result<Option<OperationTarget>, DbError> {
        self.read(move |conn| {
            let Some(row) = by_id(conn, id)? else { return Ok(None) };
            let student_groups = users::student_groups(conn, &row.owner)?;
            Ok(Some(OperationTarget {
                id,
                requested_by: row.requested_by,
                owner: Some(row.owner),
                student_groups,
            }))
        })
        .await
    }

    /// One operation.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when it was pruned since the proof was made.
    pub async fn operation<A>(&self, proof: &Allowed<OperationTarget, A>) -> Result<OperationRow, DbError>
    where
        A: Action + Permits<OperationTarget>,
    {
        self.operation_by_id(proof.resource().id).await?.ok_or(DbError::NotFound)
    }

    /// One operation, for the work that carries it out. What is shown to a person goes through
    /// [`Datastore::operation`].
    ///
    /// # Errors
    /// The database failed.
    pub async fn operation_by_id(&self, id: Uuid) -> Result<Option<OperationRow>, DbError> {
        self.read(move |conn| by_id(conn, id)).await
    }

    /// The operations a person asked for, and those on their machines, newest first. `limit` is at most 200.
    ///
    /// # Errors
    /// [`DbError::BadCursor`] when `cursor` is not a `next_cursor` of such a list.
    pub async fn operations_of(
        &self,
        proof: &Allowed<PersonTarget, ListOperations>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<OperationRow>, DbError> {
        let person = proof.resource().username.clone();
        let theirs = operations::owner.eq(person.clone()).or(operations::requested_by.eq(person));
        self.operations_where(operations::table.filter(theirs).into_boxed(), limit, cursor).await
    }

    /// Everyone's operations, newest first. `limit` is at most 200.
    ///
    /// # Errors
    /// As [`Datastore::operations_of`].
    pub async fn all_operations(
        &self,
        _proof: &Allowed<Fleet, ListOperations>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<OperationRow>, DbError> {
        self.operations_where(operations::table.into_boxed(), limit, cursor).await
    }

    /// A page of those that a query finds, newest first.
    pub(crate) async fn operations_where(
        &self,
        some: operations::BoxedQuery<'static, <AnyConnection as Connection>::Backend>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<OperationRow>, DbError> {
        let (cursor, limit) = (Cursor::parse(cursor)?, clamp(limit));
        self.read(move |conn| {
            let records = some
                .filter(
                    operations::created_at
                        .lt(cursor.time)
                        .or(operations::created_at.eq(cursor.time).and(operations::id.lt(cursor.id))),
                )
                .order((operations::created_at.desc(), operations::id.desc()))
                .limit(rows_to_load(limit))
                .select(OperationRecord::as_select())
                .load(conn)?;
            page(records, limit, place, OperationRow::try_from)
        })
        .await
    }

    /// Everyone's operations that failed since `since`, newest first, at most `limit`.
    ///
    /// # Errors
    /// The database failed.
    pub async fn failed_operations(
        &self,
        _proof: &Allowed<Fleet, ListOperations>,
        since: DateTime<Utc>,
        limit: u32,
    ) -> Result<Vec<OperationRow>, DbError> {
        let since = stored(since);
        self.read(move |conn| {
            let records: Vec<OperationRecord> = operations::table
                .filter(operations::status.eq(OperationStatus::Failed.as_str()))
                .filter(operations::finished_at.ge(since))
                .order((operations::finished_at.desc(), operations::id.desc()))
                .limit(limit.into())
                .select(OperationRecord::as_select())
                .load(conn)?;
            records.into_iter().map(OperationRow::try_from).collect()
        })
        .await
    }

    /// Every operation that has not ended, oldest first: what a restart has to look after.
    ///
    /// # Errors
    /// The database failed.
    pub async fn unfinished_operations(&self) -> Result<Vec<OperationRow>, DbError> {
        self.read(|conn: &mut AnyConnection| {
            let records: Vec<OperationRecord> = operations::table
                .filter(operations::finished_at.is_null())
                .order((operations::created_at, operations::id))
                .select(OperationRecord::as_select())
                .load(conn)?;
            records.into_iter().map(OperationRow::try_from).collect()
        })
        .await
    }

    /// Forgets operations that ended before `before` (their idempotency keys with them), and sessions and tokens
    /// that expired before it. Gives how many operations there were. The audit log stays.
    ///
    /// # Errors
    /// The database failed.
    pub async fn prune(&self, before: DateTime<Utc>) -> Result<usize, DbError> {
        let before = stored(before);
        self.write(move |conn| {
            diesel::delete(sessions::table.filter(sessions::expires_at.lt(before))).execute(conn)?;
            diesel::delete(personal_tokens::table.filter(personal_tokens::expires_at.lt(before)))
                .execute(conn)?;
            Ok(diesel::delete(operations::table.filter(operations::finished_at.lt(before))).execute(conn)?)
        })
        .await
    }
}

fn by_id(conn: &mut AnyConnection, id: Uuid) -> Result<Option<OperationRow>, DbError> {
    let row = operations::table.find(id.to_string());
    let record = row.select(OperationRecord::as_select()).first(conn).optional()?;
    record.map(OperationRow::try_from).transpose()
}

fn place(record: &OperationRecord) -> Cursor {
    Cursor { time: record.created_at, id: record.id.clone() }
}
