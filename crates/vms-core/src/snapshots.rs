//! Snapshots: take, rename, go back to, remove.

use serde_json::json;
use vms_authz::{
    Allowed, MachineTarget,
    action::{CreateSnapshot as MayCreate, DeleteSnapshot, RenameSnapshot as MayRename, RestoreSnapshot},
};
use vms_types::rules::Command;
use vms_types::{
    CreateSnapshot, MachineStatus, Operation, OperationKind, RenameSnapshot, Snapshot, SnapshotName,
};

use crate::commands::{LAST_STARTED, WAS_RUNNING};
use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
    /// Takes a snapshot.
    ///
    /// # Errors
    /// A name that is not valid or taken, too many snapshots, and those of every command.
    pub async fn create_snapshot(
        &self,
        proof: &Allowed<MachineTarget, MayCreate>,
        request: CreateSnapshot,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        let name = SnapshotName::parse(&request.name).map_err(|e| CoreError::bad_name("name", e))?;
        let existing = self.snapshots_seen(proof.resource());
        if existing.iter().any(|s| s.name == name.as_str()) && key.is_none() {
            return Err(CoreError::NameTaken(name.to_string()));
        }
        let was_running = self.status_of(proof.resource()) == MachineStatus::Running;
        let params = json!({ "snapshot": name, WAS_RUNNING: was_running });
        self.command(
            proof,
            Command::CreateSnapshot,
            "take a snapshot",
            OperationKind::SnapshotCreate,
            params,
            key,
        )
        .await
    }

    /// Gives a snapshot another name.
    ///
    /// # Errors
    /// A name that is not valid or taken, no such snapshot, and those of every command.
    pub async fn rename_snapshot(
        &self,
        proof: &Allowed<MachineTarget, MayRename>,
        snapshot: &str,
        request: RenameSnapshot,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        self.known_snapshot(proof.resource(), snapshot)?;
        let name = SnapshotName::parse(&request.name).map_err(|e| CoreError::bad_name("name", e))?;
        if self.snapshots_seen(proof.resource()).iter().any(|s| s.name == name.as_str()) {
            return Err(CoreError::NameTaken(name.to_string()));
        }
        let params = json!({ "snapshot": snapshot, "new_name": name });
        self.command(
            proof,
            Command::RenameSnapshot,
            "rename a snapshot",
            OperationKind::SnapshotRename,
            params,
            key,
        )
        .await
    }

    /// Makes the machine what it was when the snapshot was taken.
    ///
    /// # Errors
    /// No such snapshot, and those of every command.
    pub async fn restore_snapshot(
        &self,
        proof: &Allowed<MachineTarget, RestoreSnapshot>,
        snapshot: &str,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        self.known_snapshot(proof.resource(), snapshot)?;
        // In the middle of it a machine that ran is off for a moment, and keeps its place among those that run.
        let was_running = self.status_of(proof.resource()) == MachineStatus::Running;
        let last_started = self.seen(proof.resource()).and_then(|view| view.last_used_at);
        let params = json!({ "snapshot": snapshot, WAS_RUNNING: was_running, LAST_STARTED: last_started });
        self.command(proof, Command::RestoreSnapshot, "restore", OperationKind::SnapshotRestore, params, key)
            .await
    }

    /// Removes a snapshot.
    ///
    /// # Errors
    /// No such snapshot, and those of every command.
    pub async fn delete_snapshot(
        &self,
        proof: &Allowed<MachineTarget, DeleteSnapshot>,
        snapshot: &str,
        key: Option<String>,
    ) -> Result<Operation, CoreError> {
        if key.is_none() {
            self.known_snapshot(proof.resource(), snapshot)?;
        }
        let params = json!({ "snapshot": snapshot });
        self.command(
            proof,
            Command::DeleteSnapshot,
            "delete a snapshot",
            OperationKind::SnapshotDelete,
            params,
            key,
        )
        .await
    }

    fn snapshots_seen(&self, target: &MachineTarget) -> Vec<Snapshot> {
        self.seen(target).map(|view| view.snapshots.clone()).unwrap_or_default()
    }

    fn known_snapshot(&self, target: &MachineTarget, name: &str) -> Result<(), CoreError> {
        if self.snapshots_seen(target).iter().any(|s| s.name == name) {
            Ok(())
        } else {
            Err(CoreError::NotFound("snapshot"))
        }
    }
}
