//! Taking a place in the quota: the machine, the operation that makes it and the idempotency key, or nothing.

use vms_authz::action::CreateMachine;
use vms_authz::{Allowed, PersonTarget};

use crate::convert::{now, utc};
use crate::datastore::Datastore;
use crate::error::ReserveError;
use crate::holdings::{self, Admit};
use crate::idempotency::IdempotencyKey;
use crate::machines::{MachineRow, NewMachine};
use crate::operations::{NewOperation, OperationRow};
use crate::{idempotency, machines, operations, users};

/// A machine whose place is taken and whose creation is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Reserved {
    /// The machine.
    pub machine: MachineRow,
    /// The operation that is to make it, pending.
    pub operation: OperationRow,
}

impl Datastore {
    /// Takes a place for a machine of the proof's person and writes down the operation that makes it, in one
    /// transaction, if `admit` says that there is one. Two requests for the last place: one gets it.
    ///
    /// Owner, requester and machine id of the operation are those of the proof and of `machine`, whatever
    /// `operation` says.
    ///
    /// # Errors
    /// [`ReserveError`]; nothing was written then.
    pub async fn reserve_machine(
        &self,
        proof: &Allowed<PersonTarget, CreateMachine>,
        machine: NewMachine,
        admit: Admit,
        operation: NewOperation,
        key: Option<IdempotencyKey>,
    ) -> Result<Reserved, ReserveError> {
        let owner = proof.resource().username.clone();
        let requested_by = proof.actor().username().to_owned();
        self.write(move |conn| {
            users::lock(conn, &owner)?;
            // A replay gets its first answer even if the quota is full now: it is full because of the first.
            if let Some(key) = &key {
                match idempotency::find(conn, &requested_by, key)? {
                    None => {}
                    Some(Ok(id)) => return Err(ReserveError::Replay(id)),
                    Some(Err(())) => return Err(ReserveError::KeyReused),
                }
            }
            let (name_taken, instance_taken) =
                machines::taken(conn, &owner, &machine.name, &machine.instance)?;
            if name_taken {
                return Err(ReserveError::NameTaken);
            }
            admit(&holdings::of(conn, &owner)?).map_err(ReserveError::QuotaExceeded)?;
            if instance_taken {
                return Err(ReserveError::InstanceTaken);
            }
            let row = MachineRow {
                id: machine.id,
                owner: owner.clone(),
                name: machine.name,
                instance: machine.instance,
                server: machine.server,
                image_alias: machine.image_alias,
                profile: machine.profile,
                description: machine.description,
                created_at: utc(now()),
                limits: machine.limits,
            };
            machines::insert(conn, &row)?;
            let operation = NewOperation { machine_id: Some(row.id), owner, requested_by, ..operation };
            let operation = operations::insert(conn, operation)?;
            if let Some(key) = key {
                idempotency::insert(conn, &operation.requested_by, key, operation.id)?;
            }
            Ok(Reserved { machine: row, operation })
        })
        .await
    }
}
