//! The audit log: who did what, when, from where, with what result. Lines are added and read, never changed.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;
use vms_authz::action::ViewAudit;
use vms_authz::{Allowed, Fleet};
use vms_types::{AuditOutcome, Page};

use crate::connection::AnyConnection;
use crate::convert::{ESCAPE, containing, json, number, stored, to_json, utc, uuid};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::page::{Cursor, clamp, page, rows_to_load};
use crate::schema::audit;

/// One line of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Identity.
    pub id: Uuid,
    /// When it was done.
    pub at: DateTime<Utc>,
    /// Who did it: a login name, or what was given as one.
    pub actor: String,
    /// What was done, as a stable word (`machine.delete`, `auth.login`…).
    pub action: String,
    /// To what.
    pub target: String,
    /// The HTTP status of the answer.
    pub outcome: u16,
    /// The problem code of the answer, if it was one.
    pub code: Option<String>,
    /// The client's address.
    pub address: String,
    /// The id of the request, as in the log and in problems.
    pub request_id: String,
    /// What else is worth knowing; never a secret.
    pub detail: Option<Value>,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = audit)]
struct AuditRecord {
    id: String,
    at: NaiveDateTime,
    actor: String,
    action: String,
    target: String,
    outcome: i32,
    code: Option<String>,
    address: String,
    request_id: String,
    detail: Option<String>,
}

impl TryFrom<AuditRecord> for AuditEntry {
    type Error = DbError;

    fn try_from(row: AuditRecord) -> Result<Self, DbError> {
        Ok(Self {
            id: uuid("audit.id", &row.id)?,
            at: utc(row.at),
            actor: row.actor,
            action: row.action,
            target: row.target,
            outcome: number("audit.outcome", row.outcome)?,
            code: row.code,
            address: row.address,
            request_id: row.request_id,
            detail: row.detail.map(|text| json("audit.detail", &text)).transpose()?,
        })
    }
}

/// Which lines are wanted. Empty: all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Only by this person, as the log spells the name.
    pub actor: Option<String>,
    /// Only this action.
    pub action: Option<String>,
    /// Only where the target contains this.
    pub target: Option<String>,
    /// Only at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Only before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only what was taken, or only what was refused.
    pub outcome: Option<AuditOutcome>,
}

/// Statuses from here on are refusals.
const FIRST_REFUSAL: i32 = 400;

impl AuditFilter {
    fn apply(self) -> audit::BoxedQuery<'static, <AnyConnection as Connection>::Backend> {
        let mut query = audit::table.into_boxed();
        if let Some(actor) = self.actor {
            query = query.filter(audit::actor.eq(actor));
        }
        if let Some(action) = self.action {
            query = query.filter(audit::action.eq(action));
        }
        if let Some(target) = self.target {
            query = query.filter(audit::target.like(containing(&target)).escape(ESCAPE));
        }
        if let Some(from) = self.from {
            query = query.filter(audit::at.ge(stored(from)));
        }
        if let Some(until) = self.until {
            query = query.filter(audit::at.lt(stored(until)));
        }
        match self.outcome {
            Some(AuditOutcome::Ok) => query.filter(audit::outcome.lt(FIRST_REFUSAL)),
            Some(AuditOutcome::Refused) => query.filter(audit::outcome.ge(FIRST_REFUSAL)),
            None => query,
        }
    }
}

impl Datastore {
    /// Adds a line.
    ///
    /// # Errors
    /// The database failed.
    pub async fn append_audit(&self, entry: AuditEntry) -> Result<(), DbError> {
        self.write(move |conn| {
            let record = AuditRecord {
                id: entry.id.to_string(),
                at: stored(entry.at),
                actor: entry.actor,
                action: entry.action,
                target: entry.target,
                outcome: i32::from(entry.outcome),
                code: entry.code,
                address: entry.address,
                request_id: entry.request_id,
                detail: entry.detail.map(|value| to_json("audit.detail", &value)).transpose()?,
            };
            diesel::insert_into(audit::table).values(&record).execute(conn)?;
            Ok(())
        })
        .await
    }

    /// The lines that a filter lets through, newest first. `limit` is at most 200.
    ///
    /// # Errors
    /// [`DbError::BadCursor`] when `cursor` is not a `next_cursor` of this list.
    pub async fn audit_page(
        &self,
        _proof: &Allowed<Fleet, ViewAudit>,
        filter: &AuditFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<AuditEntry>, DbError> {
        let (cursor, limit) = (Cursor::parse(cursor)?, clamp(limit));
        let filter = filter.clone();
        self.read(move |conn| {
            let records: Vec<AuditRecord> = filter
                .apply()
                .filter(audit::at.lt(cursor.time).or(audit::at.eq(cursor.time).and(audit::id.lt(cursor.id))))
                .order((audit::at.desc(), audit::id.desc()))
                .limit(rows_to_load(limit))
                .select(AuditRecord::as_select())
                .load(conn)?;
            let place = |row: &AuditRecord| Cursor { time: row.at, id: row.id.clone() };
            page(records, limit, place, AuditEntry::try_from)
        })
        .await
    }
}
