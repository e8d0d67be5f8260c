//! Operations: written before LXD is asked, ended exactly once.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use serde_json::Value;
use uuid::Uuid;
use vms_authz::{Action, Allowed, MachineTarget, Permits};
use vms_types::{OperationError, OperationKind, OperationStatus};

use crate::connection::AnyConnection;
use crate::convert::{json, kind, now, number, status, to_json, utc, uuid};
use crate::datastore::Datastore;
use crate::error::{BeginError, DbError, UNFINISHED_OPERATION};
use crate::holdings::{self, Admit};
use crate::idempotency::{self, IdempotencyKey};
use crate::machines;
use crate::schema::operations;
use crate::users;

/// A command that was handed over, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationRow {
    /// Identity.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// How far it is.
    pub status: OperationStatus,
    /// Percent done, where LXD tells.
    pub progress: Option<u8>,
    /// What it is doing now, in words.
    pub message: String,
    /// The machine it is about; it may be gone.
    pub machine_id: Option<Uuid>,
    /// The machine's name at the time.
    pub machine_name: String,
    /// LXD's name for the machine.
    pub instance: String,
    /// The machine's owner.
    pub owner: String,
    /// The person who asked.
    pub requested_by: String,
    /// The server that does the work.
    pub server: String,
    /// LXD's id for it, once LXD took it.
    pub lxd_operation: Option<String>,
    /// What was asked for, in detail: enough to go on, or to find out how it ended, after a restart.
    pub params: Value,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed, as a stable word.
    pub error_code: Option<String>,
    /// Why it failed, as the server said it.
    pub error_message: Option<String>,
}

/// An operation to be written down, pending.
#[derive(Debug, Clone, PartialEq)]
pub struct NewOperation {
    /// Identity.
    pub id: Uuid,
    /// What it does.
    pub kind: OperationKind,
    /// The machine it is about, if it is about one. The proof it is written with decides.
    pub machine_id: Option<Uuid>,
    /// The machine's name.
    pub machine_name: String,
    /// LXD's name for the machine.
    pub instance: String,
    /// The machine's owner. The proof it is written with decides.
    pub owner: String,
    /// The person who asks. The proof it is written with decides.
    pub requested_by: String,
    /// The server that shall do the work.
    pub server: String,
    /// What is asked for, in detail.
    pub params: Value,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// The end; must be one ([`OperationStatus::is_finished`]).
    pub status: OperationStatus,
    /// Why it failed.
    pub error: Option<OperationError>,
    /// Whether the machine is gone with it: deleted, or never made. Frees its place in the quota.
    pub remove_machine: bool,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = operations)]
pub(crate) struct OperationRecord {
    pub(crate) id: String,
    kind: String,
    status: String,
    progress: Option<i16>,
    message: String,
    machine_id: Option<String>,
    machine_name: String,
    instance: String,
    owner: String,
    requested_by: String,
    server: String,
    lxd_operation: Option<String>,
    params: String,
    pub(crate) created_at: NaiveDateTime,
    updated_at: NaiveDateTime,
    finished_at: Option<NaiveDateTime>,
    error_code: Option<String>,
    error_message: Option<String>,
}

impl TryFrom<OperationRecord> for OperationRow {
    type Error = DbError;

    fn try_from(row: OperationRecord) -> Result<Self, DbError> {
        Ok(Self {
            id: uuid("operations.id", &row.id)?,
            kind: kind(&row.kind)?,
            status: status(&row.status)?,
            progress: row.progress.map(|n| number("operations.progress", n)).transpose()?,
            message: row.message,
            machine_id: row.machine_id.map(|id| uuid("operations.machine_id", &id)).transpose()?,
            machine_name: row.machine_name,
            instance: row.instance,
            owner: row.owner,
            requested_by: row.requested_by,
            server: row.server,
            lxd_operation: row.lxd_operation,
            params: json("operations.params", &row.params)?,
            created_at: utc(row.created_at),
            updated_at: utc(row.updated_at),
            finished_at: row.finished_at.map(utc),
            error_code: row.error_code,
            error_message: row.error_message,
        })
    }
}

impl Datastore {
    /// Writes down an operation on a machine that exists, unless the machine has one that has not ended, or `admit`
    /// says that its owner may not use more.
    ///
    /// # Errors
    /// [`BeginError`]; nothing was written then.
    pub async fn begin_operation<A>(
        &self,
        proof: &Allowed<MachineTarget, A>,
        operation: NewOperation,
        key: Option<IdempotencyKey>,
        admit: Option<Admit>,
    ) -> Result<OperationRow, BeginError>
    where
        A: Action + Permits<MachineTarget>,
    {
        let target = proof.resource();
        let machine = target.id;
        let operation = NewOperation {
            machine_id: Some(machine),
            owner: target.owner.clone(),
            requested_by: proof.actor().username().to_owned(),
            ..operation
        };
        let begun = self
            .write(move |conn| {
                if let Some(key) = &key {
                    match idempotency::find(conn, &operation.requested_by, key)? {
                        None => {}
                        Some(Ok(id)) => return Err(BeginError::Replay(id)),
                        Some(Err(())) => return Err(BeginError::KeyReused),
                    }
                }
                if admit.is_some() {
                    match users::lock(conn, &operation.owner) {
                        // Whose machine was taken in from a server, and who never logged in, takes no last place from
                        // themselves.
                        Ok(()) | Err(DbError::NotFound) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                machines::lock(conn, machine, &operation.owner)?;
                if let Some(id) = unfinished_of(conn, machine)? {
                    return Err(BeginError::Busy(id));
                }
                if let Some(admit) = admit {
                    admit(&holdings::of(conn, &operation.owner)?).map_err(BeginError::QuotaExceeded)?;
                }
                let operation = insert(conn, operation)?;
                if let Some(key) = key {
                    idempotency::insert(conn, &operation.requested_by, key, operation.id)?;
                }
                Ok(operation)
            })
            .await;
        match begun {
            // The index saw what the lock should have: the answer is the same.
            Err(BeginError::Db(DbError::Duplicate(UNFINISHED_OPERATION))) => {
                match self.read(move |conn| unfinished_of(conn, machine)).await? {
                    Some(id) => Err(BeginError::Busy(id)),
                    None => Err(BeginError::Db(DbError::Unavailable(
                        "two commands crossed; send it again".into(),
                    ))),
                }
            }
            other => other,
        }
    }

    /// Notes that LXD is at it, and under which id. `false` when the operation has ended already.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is no such operation.
    pub async fn set_operation_running(&self, id: Uuid, lxd_operation: &str) -> Result<bool, DbError> {
        let lxd_operation = lxd_operation.to_owned();
        self.write(move |conn| {
            let row = operations::table.find(id.to_string()).filter(operations::finished_at.is_null());
            let changed = diesel::update(row)
                .set((
                    operations::status.eq(OperationStatus::Running.as_str()),
                    operations::lxd_operation.eq(lxd_operation),
                    operations::updated_at.eq(now()),
                ))
                .execute(conn)?;
            found(conn, id, changed)
        })
        .await
    }

    /// Notes how far it is. `false` when the operation has ended already.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is no such operation.
    pub async fn set_operation_progress(
        &self,
        id: Uuid,
        progress: Option<u8>,
        message: &str,
    ) -> Result<bool, DbError> {
        let message = message.to_owned();
        self.write(move |conn| {
            let row = operations::table.find(id.to_string()).filter(operations::finished_at.is_null());
            let changed = diesel::update(row)
                .set((
                    operations::progress.eq(progress.map(i16::from)),
                    operations::message.eq(message),
                    operations::updated_at.eq(now()),
                ))
                .execute(conn)?;
            found(conn, id, changed)
        })
        .await
    }

    /// Ends an operation and, if asked, removes its machine, in one transaction. `false` when it had ended before:
    /// nothing is changed then, so whoever comes second does no harm.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when there is no such operation; [`DbError::Corrupt`] when `finish.status` is no end.
    pub async fn finish_operation(&self, id: Uuid, finish: Finish) -> Result<bool, DbError> {
        if !finish.status.is_finished() {
            let word = finish.status.as_str();
            return Err(DbError::Corrupt(format!("operation {id} cannot end as {word:?}")));
        }
        self.write(move |conn| {
            let (code, message) = finish.error.map(|error| (error.code, error.message)).unzip();
            let at = now();
            let row = operations::table.find(id.to_string());
            let changed = diesel::update(row.clone().filter(operations::finished_at.is_null()))
                .set((
                    operations::status.eq(finish.status.as_str()),
                    operations::error_code.eq(code),
                    operations::error_message.eq(message),
                    operations::updated_at.eq(at),
                    operations::finished_at.eq(at),
                ))
                .execute(conn)?;
            let ended_now = found(conn, id, changed)?;
            if ended_now && finish.remove_machine {
                let machine: Option<String> = row.select(operations::machine_id).first(conn)?;
                if let Some(machine) = machine {
                    machines::remove(conn, &machine)?;
                }
            }
            Ok(ended_now)
        })
        .await
    }
}

/// What a conditional update tells: it changed the row, the row was not to be changed, or there is none.
fn found(conn: &mut AnyConnection, id: Uuid, changed: usize) -> Result<bool, DbError> {
    if changed > 0 {
        return Ok(true);
    }
    let row = operations::table.find(id.to_string());
    row.select(operations::id).first::<String>(conn)?;
    Ok(false)
}

/// The operation of a machine that has not ended.
pub(crate) fn unfinished_of(conn: &mut AnyConnection, machine: Uuid) -> Result<Option<Uuid>, DbError> {
    let of_machine = operations::table.filter(operations::machine_id.eq(machine.to_string()));
    let unfinished = of_machine.filter(operations::finished_at.is_null());
    let id: Option<String> = unfinished.select(operations::id).first(conn).optional()?;
    id.map(|id| uuid("operations.id", &id)).transpose()
}

/// Writes a pending operation down.
pub(crate) fn insert(conn: &mut AnyConnection, new: NewOperation) -> Result<OperationRow, DbError> {
    let at = now();
    let record = OperationRecord {
        id: new.id.to_string(),
        kind: new.kind.as_str().to_owned(),
        status: OperationStatus::Pending.as_str().to_owned(),
        progress: None,
        message: String::new(),
        machine_id: new.machine_id.map(|id| id.to_string()),
        machine_name: new.machine_name,
        instance: new.instance,
        owner: new.owner,
        requested_by: new.requested_by,
        server: new.server,
        lxd_operation: None,
        params: to_json("operations.params", &new.params)?,
        created_at: at,
        updated_at: at,
        finished_at: None,
        error_code: None,
        error_message: None,
    };
    diesel::insert_into(operations::table).values(&record).execute(conn)?;
    record.try_into()
}
