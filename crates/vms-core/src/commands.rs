//! Commands to a machine that exists: checked, written down, handed over, answered at once.

use serde_json::{Value, json};
use uuid::Uuid;
use vms_authz::{
    Action, Allowed, MachineTarget, Permits,
    action::{ChangePower, DeleteMachine, ResetMachine},
};
use vms_db::{BeginError, IdempotencyKey, NewOperation};
use vms_types::rules::{Command, allows};
use vms_types::{Operation, OperationKind, PowerAction, StateChange};

use crate::error::CoreError;
use crate::jobs::{Full, Slot};
use crate::vms::Vms;

/// Among an operation's parameters: whether the machine ran when it was asked for.
pub(crate) const WAS_RUNNING: &str = "was_running";
/// Among them: when it had been turned on last. Another moment later tells that it was turned on again meanwhile.
pub(crate) const LAST_STARTED: &str = "last_started";

/// Longest time that may be asked for a clean shutdown, in seconds.
const MAX_STOP_SECONDS: u32 = 600;

impl Vms {
    /// Turns a machine on or off, restarts, pauses it or lets it go on.
    ///
    /// # Errors
    /// Wrong state, another operation under way, a server that does not answer.
    pub async fn change_power(
        &self,
        proof: &Allowed<MachineTarget, ChangePower>,
        change: StateChange,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        if change.timeout_seconds.is_some_and(|s| !(1..=MAX_STOP_SECONDS).contains(&s)) {
            return Err(CoreError::invalid("timeout_seconds", "range", "must be from 1 to 600"));
        }
        let (kind, words) = match change.action {
            PowerAction::Start => (OperationKind::MachineStart, "start"),
            PowerAction::Stop => (OperationKind::MachineStop, "stop"),
            PowerAction::Restart => (OperationKind::MachineRestart, "restart"),
            PowerAction::Freeze => (OperationKind::MachineFreeze, "freeze"),
            PowerAction::Unfreeze => (OperationKind::MachineUnfreeze, "unfreeze"),
        };
        let params = json!({ "force": change.force, "timeout_seconds": change.timeout_seconds });
        self.command(proof, Command::Power(change.action), words, kind, params, key).await
    }

    /// Makes a machine again what its image made it. Its snapshots go.
    ///
    /// # Errors
    /// As [`Vms::change_power`].
    pub async fn reset_machine(
        &self,
        proof: &Allowed<MachineTarget, ResetMachine>,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        // Whether it ran is decided now: in the middle of a reset nothing could tell any more.
        let status = self.status_of(proof.resource());
        let params = json!({ WAS_RUNNING: status == vms_types::MachineStatus::Running });
        self.command(proof, Command::Reset, "reset", OperationKind::MachineReset, params, key).await
    }

    /// Removes a machine with its snapshots. Its place in the quota is free once it is gone.
    ///
    /// # Errors
    /// As [`Vms::change_power`].
    pub async fn delete_machine(
        &self,
        proof: &Allowed<MachineTarget, DeleteMachine>,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        self.command(proof, Command::Delete, "delete", OperationKind::MachineDelete, Value::Null, key).await
    }

    /// What every command does: check the state, write the operation down, hand it to a job.
    pub(crate) async fn command<A: Action + Permits<MachineTarget>>(
        &self,
        proof: &Allowed<MachineTarget, A>,
        command: Command,
        words: &'static str,
        kind: OperationKind,
        params: Value,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        let target = proof.resource();
        let mut asked = params.clone();
        if let Some(asked) = asked.as_object_mut() {
            // What was seen, not what was asked: it differs when the request is sent again.
            asked.remove(WAS_RUNNING);
            asked.remove(LAST_STARTED);
        }
        let key = key.map(|key| fingerprint(key, kind, &json!({ "machine": target.id, "params": asked })));
        // A repeated request gets its first answer even if the state has changed since.
        if let Some(first) = self.replayed(proof.actor().username(), key.as_ref()).await? {
            return Ok(first);
        }
        self.answering_server(&target.server)?;
        if self.parts.jobs.active_of(target.id).is_some() {
            return Err(CoreError::MachineBusy);
        }
        let status = self.status_of(target);
        if !allows(status, command) {
            return Err(CoreError::WrongState { command: words, status });
        }
        let slot = self.enter_line(proof.actor().username())?;
        let new = NewOperation {
            id: Uuid::new_v4(),
            kind,
            machine_id: Some(target.id),
            machine_name: target.name.clone(),
            instance: target.instance.clone(),
            owner: target.owner.clone(),
            requested_by: proof.actor().username().to_owned(),
            server: target.server.clone(),
            params,
        };
        let admit = self.admission(kind, target, &new.params);
        match self.parts.db.begin_operation(proof, new, key, admit).await {
            Ok(row) => Ok(self.hand_over(row, slot)),
            Err(BeginError::Busy(_)) => Err(CoreError::MachineBusy),
            Err(BeginError::QuotaExceeded(shortage)) => Err(CoreError::QuotaExceeded(shortage)),
            Err(BeginError::KeyReused) => Err(CoreError::IdempotencyKeyReused),
            Err(BeginError::Replay(id)) => self.operation_by_id(id).await,
            Err(BeginError::Db(error)) => Err(error.into()),
        }
    }

    /// The right to have one more operation under way.
    pub(crate) fn enter_line(&self, username: &str) -> Result<Slot, CoreError> {
        if self.is_stopping() {
            return Err(CoreError::ShuttingDown);
        }
        self.parts.jobs.line.enter(username).map_err(|full| {
            CoreError::Overloaded(match full {
                Full::Everybody => "The system has as much to do as it can keep in mind.".into(),
                Full::Person => "You have too many operations under way.".into(),
            })
        })
    }

    /// The operation that an earlier request with the same key began.
    pub(crate) async fn replayed(
        &self,
        username: &str,
        key: Option<&IdempotencyKey>,
    ) -> Result<Option<Operation>, CoreError> {
        let Some(key) = key else { return Ok(None) };
        match self.parts.db.replayed_operation(username, key).await? {
            None => Ok(None),
            Some(Ok(id)) => self.operation_by_id(id).await.map(Some),
            Some(Err(())) => Err(CoreError::IdempotencyKeyReused),
        }
    }
}

/// The key with what the request was about, so that the same key for something else is noticed.
pub(crate) fn fingerprint(key: String, kind: OperationKind, body: &Value) -> IdempotencyKey {
    IdempotencyKey { key, fingerprint: format!("{} {body}", kind.as_str()) }
}
