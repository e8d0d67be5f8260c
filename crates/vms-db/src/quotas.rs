//! What roles and groups may use. What one person may use stands in their own row.

use diesel::prelude::*;
use vms_authz::action::{ManageQuotas, ViewQuotas};
use vms_authz::{Allowed, Fleet};
use vms_types::{QuotaRule, QuotaScope};

use crate::connection::{AnyConnection, on_either};
use crate::convert::{corrupt, quota, stored_quota};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::schema::quotas;

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = quotas)]
struct QuotaRecord {
    scope: String,
    subject: String,
    machines: Option<i64>,
    running: Option<i64>,
    memory_bytes: Option<i64>,
    cpus: Option<i64>,
    disk_bytes: Option<i64>,
    snapshots: Option<i64>,
}

impl TryFrom<QuotaRecord> for QuotaRule {
    type Error = DbError;

    fn try_from(row: QuotaRecord) -> Result<Self, DbError> {
        Ok(Self {
            scope: QuotaScope::parse(&row.scope).ok_or_else(|| corrupt("quotas.scope", &row.scope))?,
            subject: row.subject,
            quota: quota(
                "quotas",
                [row.machines, row.running, row.memory_bytes, row.cpus, row.disk_bytes, row.snapshots],
            )?,
        })
    }
}

impl Datastore {
    /// What roles and groups may use, by scope and subject.
    ///
    /// # Errors
    /// The database failed.
    pub async fn quotas(&self, _proof: &Allowed<Fleet, ViewQuotas>) -> Result<Vec<QuotaRule>, DbError> {
        self.read(all).await
    }

    /// Says what a role or a group may use, instead of what was said before.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] for a number that no column holds (2⁶³ and more).
    pub async fn put_quota(
        &self,
        _proof: &Allowed<Fleet, ManageQuotas>,
        rule: QuotaRule,
    ) -> Result<(), DbError> {
        self.write(move |conn| {
            let [machines, running, memory_bytes, cpus, disk_bytes, snapshots] =
                stored_quota("quotas", &rule.quota)?;
            let numbers = (
                quotas::machines.eq(machines),
                quotas::running.eq(running),
                quotas::memory_bytes.eq(memory_bytes),
                quotas::cpus.eq(cpus),
                quotas::disk_bytes.eq(disk_bytes),
                quotas::snapshots.eq(snapshots),
            );
            let name = (quotas::scope.eq(rule.scope.as_str()), quotas::subject.eq(rule.subject));
            on_either!(conn, conn => {
                diesel::insert_into(quotas::table)
                    .values((name, numbers))
                    .on_conflict((quotas::scope, quotas::subject))
                    .do_update()
                    .set(numbers)
                    .execute(conn)?
            });
            Ok(())
        })
        .await
    }

    /// Takes back what was said about a role or a group.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when nothing was.
    pub async fn delete_quota(
        &self,
        _proof: &Allowed<Fleet, ManageQuotas>,
        scope: QuotaScope,
        subject: &str,
    ) -> Result<(), DbError> {
        let subject = subject.to_owned();
        self.write(move |conn| {
            match diesel::delete(quotas::table.find((scope.as_str(), subject))).execute(conn)? {
                0 => Err(DbError::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }
}

/// All of them; there are as many as roles and groups that are treated specially.
pub(crate) fn all(conn: &mut AnyConnection) -> Result<Vec<QuotaRule>, DbError> {
    let rules = quotas::table.order((quotas::scope, quotas::subject));
    let records: Vec<QuotaRecord> = rules.select(QuotaRecord::as_select()).load(conn)?;
    records.into_iter().map(QuotaRule::try_from).collect()
}
