//! Looking at machines: rows of the table joined with the mirror and with what is under way.

use std::sync::Arc;

use vms_authz::{
    ActionName, Allowed, Denied, MachineTarget, PersonTarget, Sight,
    action::{ChangeProfiles, EditMachine, HandOverMachine, ListMachines, ListSnapshots, ViewMachine},
};
use vms_db::{HandOverError, MachineRow};
use vms_fleet::InstanceView;
use vms_types::{
    FieldError, ImageRef, Machine, MachineStatus, Operation, OperationKind, PatchMachine, Snapshot,
};

use crate::error::CoreError;
use crate::vms::Vms;

/// Longest description, in characters.
pub(crate) const MAX_DESCRIPTION: usize = 500;

/// Which machines of a list are wanted. Empty: all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MachineFilter {
    /// Only in this status.
    pub status: Option<MachineStatus>,
    /// Only on this server.
    pub server: Option<String>,
    /// Only those made from the image with this alias.
    pub image: Option<String>,
    /// Only those with this profile.
    pub profile: Option<String>,
    /// Only where name, instance, owner, description or an address contains this, ignoring case.
    pub q: Option<String>,
}

impl MachineFilter {
    fn matches(&self, machine: &Machine) -> bool {
        self.status.is_none_or(|status| machine.status == status)
            && self.server.as_ref().is_none_or(|server| &machine.server == server)
            && self.image.as_ref().is_none_or(|image| &machine.image.alias == image)
            && self.profile.as_ref().is_none_or(|profile| machine.profiles.contains(profile))
            && self.q.as_ref().is_none_or(|q| {
                let q = q.to_lowercase();
                [&machine.name, &machine.instance, &machine.owner, &machine.description]
                    .into_iter()
                    .chain(machine.addresses.iter().map(|a| &a.address))
                    .any(|text| text.to_lowercase().contains(&q))
            })
    }
}

impl Vms {
    /// The facts about a machine that authorization needs, by UUID or instance name.
    ///
    /// # Errors
    /// [`CoreError::NotFound`].
    pub async fn find_machine(&self, key: &str) -> Result<MachineTarget, CoreError> {
        self.parts.db.machine_target(key).await?.ok_or(CoreError::NotFound("machine"))
    }

    /// A person's machines, oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn machines_of(
        &self,
        proof: &Allowed<PersonTarget, ListMachines>,
        filter: &MachineFilter,
    ) -> Result<Vec<Machine>, CoreError> {
        let rows = self.parts.db.machines_of(proof).await?;
        Ok(self.show_all(rows, filter))
    }

    /// The machines of everybody whom the actor may look at, oldest first.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn all_machines(
        &self,
        sight: &Sight<ListMachines>,
        filter: &MachineFilter,
    ) -> Result<Vec<Machine>, CoreError> {
        let rows = match sight {
            Sight::Everyone(proof) => self.parts.db.all_machines(proof).await?,
            Sight::Students(proof) => self.parts.db.machines_of_students(proof).await?,
        };
        Ok(self.show_all(rows, filter))
    }

    /// One machine.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] if it is gone by now.
    pub async fn machine(&self, proof: &Allowed<MachineTarget, ViewMachine>) -> Result<Machine, CoreError> {
        Ok(self.show(self.parts.db.machine(proof).await?))
    }

    /// A machine's snapshots, oldest first.
    ///
    /// # Errors
    /// None so far: the mirror has them.
    pub async fn snapshots(
        &self,
        proof: &Allowed<MachineTarget, ListSnapshots>,
    ) -> Result<Vec<Snapshot>, CoreError> {
        let target = proof.resource();
        Ok(self.seen(target).map(|view| view.snapshots.clone()).unwrap_or_default())
    }

    /// Changes the owner's note, and the owner or the profiles, for which it takes proofs of their own. Other profiles are
    /// an operation, which the machine then shows.
    ///
    /// # Errors
    /// A text that is too long; for the profiles those of [`Vms::change_profiles`]; for the owner those of a command, somebody who never logged in, a name that they use
    /// already, their quota.
    pub async fn edit_machine(
        &self,
        proof: &Allowed<MachineTarget, EditMachine>,
        give: Option<&Allowed<MachineTarget, HandOverMachine>>,
        assign: Option<&Allowed<MachineTarget, ChangeProfiles>>,
        patch: PatchMachine,
    ) -> Result<Machine, CoreError> {
        let description = patch.description.as_deref().map(check_description).transpose()?;
        if patch.owner.is_some() && patch.profiles.is_some() {
            let message = "cannot be changed together with the owner; send one after the other";
            return Err(CoreError::invalid("profiles", "not-together", message));
        }
        // First what may be refused.
        if let Some(profiles) = patch.profiles {
            let assign = assign.ok_or(Denied::Forbidden { action: ActionName::ChangeProfiles })?;
            self.change_profiles(assign, profiles).await?;
        }
        if let Some(owner) = patch.owner {
            let give = give.ok_or(Denied::Forbidden { action: ActionName::HandOverMachine })?;
            self.give_away(give, &owner).await?;
        }
        if let Some(description) = description {
            self.parts.db.set_description(proof, &description).await?;
            self.parts.news.machine(proof.resource().id);
        }
        Ok(self.show(self.parts.db.machine(proof).await?))
    }

    /// Gives a machine to another person. The table says whose it is, and so it is theirs at once; the keys on the
    /// instance follow. Should that be prevented (by a crash, or a server that is away), they do when the two are
    /// compared next: see [`crate::reconcile`].
    async fn give_away(
        &self,
        proof: &Allowed<MachineTarget, HandOverMachine>,
        to: &str,
    ) -> Result<(), CoreError> {
        let target = proof.resource();
        if target.owner == to {
            return Ok(());
        }
        let admit = self.room_for(self.held_by(target));
        match self.parts.db.hand_over(proof, to, admit).await {
            Ok(()) => {}
            Err(HandOverError::UnknownPerson) => {
                return Err(CoreError::invalid("owner", "unknown", "has never logged in"));
            }
            Err(HandOverError::NameTaken) => return Err(CoreError::NameTaken(target.name.clone())),
            Err(HandOverError::QuotaExceeded(shortage)) => return Err(CoreError::QuotaExceeded(shortage)),
            Err(HandOverError::Busy(_)) => return Err(CoreError::MachineBusy),
            Err(HandOverError::Db(error)) => return Err(error.into()),
        }
        tracing::info!(machine = %target.id, from = target.owner, to, "a machine was handed over");
        self.parts.news.machine(target.id);
        self.settle_soon(target);
        Ok(())
    }

    /// The machine's instance as the mirror shows it.
    pub(crate) fn seen(&self, target: &MachineTarget) -> Option<Arc<InstanceView>> {
        self.parts.fleet.server(&target.server)?.machine(&target.instance, target.id)
    }

    fn show_all(&self, rows: Vec<MachineRow>, filter: &MachineFilter) -> Vec<Machine> {
        let mut machines: Vec<Machine> =
            rows.into_iter().map(|row| self.show(row)).filter(|machine| filter.matches(machine)).collect();
        machines.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.instance.cmp(&b.instance)));
        machines
    }

    /// A row with what the mirror shows of its instance and what is under way.
    pub(crate) fn show(&self, row: MachineRow) -> Machine {
        let operation = self.parts.jobs.active_of(row.id);
        let server = self.parts.fleet.server(&row.server);
        let view = server.and_then(|s| s.machine(&row.instance, row.id));
        assemble(row, view.as_deref(), operation, !server.is_some_and(|s| s.is_connected()))
    }

    /// What the machine is doing, for checking a command against.
    pub(crate) fn status_of(&self, target: &MachineTarget) -> MachineStatus {
        status(self.seen(target).as_deref(), self.parts.jobs.active_of(target.id).as_ref())
    }
}

/// Trims a description and checks its length.
pub(crate) fn check_description(text: &str) -> Result<String, FieldError> {
    let text = text.trim();
    if text.chars().count() > MAX_DESCRIPTION {
        return Err(FieldError::new("description", "too-long", "must have at most 500 characters"));
    }
    Ok(text.to_owned())
}

fn assemble(
    row: MachineRow,
    view: Option<&InstanceView>,
    operation: Option<Operation>,
    stale: bool,
) -> Machine {
    let status = status(view, operation.as_ref());
    let has_addresses =
        matches!(status, MachineStatus::Running | MachineStatus::Frozen | MachineStatus::Stopping);
    Machine {
        id: row.id,
        name: row.name,
        instance: row.instance,
        owner: row.owner,
        description: row.description,
        status,
        addresses: view.filter(|_| has_addresses).map(|v| v.addresses.clone()).unwrap_or_default(),
        snapshots: view.map(|v| v.snapshots.clone()).unwrap_or_default(),
        image: ImageRef {
            alias: row.image_alias,
            description: view.map(|v| v.image_description.clone()).unwrap_or_default(),
            fingerprint: view.map(|v| v.image_fingerprint.clone()).unwrap_or_default(),
        },
        profiles: view.map_or_else(|| vec![row.profile.clone()], |v| v.profiles.clone()),
        limits: view.map_or(row.limits, |v| v.limits),
        server: row.server,
        member: view.and_then(|v| v.member.clone()),
        created_at: row.created_at,
        last_used_at: view.and_then(|v| v.last_used_at),
        operation,
        stale,
    }
}

/// What is under way wins over what the mirror shows: LXD calls a machine that is being restored "stopped".
fn status(view: Option<&InstanceView>, operation: Option<&Operation>) -> MachineStatus {
    use OperationKind as K;
    let seen = view.map_or(MachineStatus::Unknown, |v| v.status);
    match operation.map(|o| o.kind) {
        Some(K::MachineCreate | K::MachineReset) => MachineStatus::Creating,
        Some(K::MachineStart | K::MachineUnfreeze) => MachineStatus::Starting,
        Some(K::MachineStop | K::MachineRestart) => MachineStatus::Stopping,
        Some(K::MachineDelete) => MachineStatus::Deleting,
        Some(K::SnapshotRestore) => MachineStatus::Restoring,
        Some(
            K::MachineProfiles
            | K::MachineFreeze
            | K::SnapshotCreate
            | K::SnapshotRename
            | K::SnapshotDelete
            | K::ImageImport
            | K::ImagePublish
            | K::ImageRefresh
            | K::ImageDelete,
        )
        | None => seen,
    }
}
