//! Where the machines table and the servers do not match, for administrators to see, and taking in by hand what has no
//! owner. What can be brought together without asking anybody is, by [`crate::reconcile`].

use std::collections::BTreeMap;

use uuid::Uuid;
use vms_authz::{
    Actor, Allowed, Fleet, PersonTarget,
    action::{AdoptInstance as MayAdopt, ListMachines, Reconcile, ViewDifferences},
};
use vms_db::MachineRow;
use vms_fleet::{InstanceView, Server, keys};
use vms_types::{AdoptInstance, Difference, DifferenceKind, InstanceName, Machine, MachineName};

use crate::error::CoreError;
use crate::jobs::reset::RESET_PREFIX;
use crate::reconcile::write_keys;
use crate::vms::Vms;

impl Vms {
    /// What does not match on the servers that answer, by server and instance.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn differences(
        &self,
        _proof: &Allowed<Fleet, ViewDifferences>,
    ) -> Result<Vec<Difference>, CoreError> {
        let proof = Actor::system().authorize(Fleet, Reconcile)?;
        let rows = self.parts.db.all_machines_for_system(&proof).await?;
        let by_id: BTreeMap<Uuid, &MachineRow> = rows.iter().map(|row| (row.id, row)).collect();
        let mut found = Vec::new();
        for server in self.parts.fleet.servers().filter(|server| server.is_connected()) {
            for view in server.instances() {
                let row = view.machine_id().and_then(|id| by_id.get(&id).copied());
                if let Some(kind) = self.difference(&proof, server, &view, row).await? {
                    found.push(of_view(kind, server, &view));
                }
            }
            let missing =
                rows.iter().filter(|row| row.server == server.name() && self.is_missing(server, row));
            found.extend(missing.map(|row| Difference {
                kind: DifferenceKind::Missing,
                server: row.server.clone(),
                instance: row.instance.clone(),
                machine: Some(row.id),
                owner: Some(row.owner.clone()),
                created_at: Some(row.created_at),
            }));
        }
        Ok(found)
    }

    /// Whether a machine's instance is not where the table says, and no operation explains that.
    pub(crate) fn is_missing(&self, server: &Server, row: &MachineRow) -> bool {
        server.machine(&row.instance, row.id).is_none() && self.parts.jobs.active_of(row.id).is_none()
    }

    async fn difference(
        &self,
        proof: &Allowed<Fleet, Reconcile>,
        server: &Server,
        view: &InstanceView,
        row: Option<&MachineRow>,
    ) -> Result<Option<DifferenceKind>, CoreError> {
        if view.name.starts_with(RESET_PREFIX) {
            return Ok(None);
        }
        Ok(match (view.machine_id(), row) {
            (None, _) => Some(DifferenceKind::Unowned),
            (Some(_), Some(row)) if row.server == server.name() && row.instance == view.name => None,
            (Some(_), Some(_)) => Some(DifferenceKind::Copy),
            (Some(id), None) if self.parts.db.was_removed(proof, id).await? => Some(DifferenceKind::Leftover),
            (Some(_), None) => Some(DifferenceKind::Unowned),
        })
    }

    /// Gives an instance that belongs to nobody an owner: writes the keys that say so on it, and takes it into the table. The
    /// owner's quota is not asked: the machine is there already.
    ///
    /// # Errors
    /// Fields that are not valid, an instance that does not exist ([`CoreError::NotFound`]), one that is a machine already
    /// ([`CoreError::InUse`]), a name that the owner uses already, a server that does not answer.
    pub async fn adopt_instance(
        &self,
        proof: &Allowed<Fleet, MayAdopt>,
        request: AdoptInstance,
    ) -> Result<Machine, CoreError> {
        let name = MachineName::parse(request.name.as_deref().unwrap_or(&request.instance))
            .map_err(|error| CoreError::bad_name("name", error))?;
        if self.parts.fleet.server(&request.server).is_none() {
            return Err(CoreError::invalid("server", "unknown", "is not a server of this system"));
        }
        let server = self.answering_server(&request.server)?;
        // The mirror may be a moment late, and this is about what is not watched closely.
        let view = server.refresh(&request.instance).await?.ok_or(CoreError::NotFound("instance"))?;
        InstanceName::parse(&view.name).map_err(|error| CoreError::bad_name("instance", error))?;
        let system = Actor::system().authorize(Fleet, Reconcile)?;
        let row = match view.machine_id() {
            Some(id) => self.parts.db.machine_for_system(&system, &id.to_string()).await?,
            None => None,
        };
        if self.difference(&system, server, &view, row.as_ref()).await?.is_none() {
            return Err(CoreError::InUse(format!(
                "The instance {} is a machine of this system already.",
                view.name
            )));
        }
        self.check_new_owner(&request.owner, &name).await?;
        let id = Uuid::new_v4();
        let config = lxd_api::Config::from([
            (keys::ID.to_owned(), id.to_string()),
            (keys::OWNER.to_owned(), request.owner.clone()),
            (keys::NAME.to_owned(), name.to_string()),
        ]);
        write_keys(server, &view, config).await?;
        self.settle_instance(server, &view.name).await?;
        tracing::info!(
            instance = view.name,
            owner = request.owner,
            by = proof.actor().username(),
            "an instance was adopted"
        );
        match self.parts.db.machine_for_system(&system, &id.to_string()).await? {
            Some(row) => Ok(self.show(row)),
            // Somebody else was quicker with that name.
            None => Err(CoreError::NameTaken(name.to_string())),
        }
    }

    async fn check_new_owner(&self, owner: &str, name: &MachineName) -> Result<(), CoreError> {
        let proof = Actor::system().authorize(PersonTarget::new(owner), ListMachines)?;
        let held = self.parts.db.holdings(&proof).await?;
        if held.user.is_none() {
            return Err(CoreError::invalid("owner", "unknown", "has never logged in"));
        }
        if held.machines.iter().any(|machine| machine.name == name.as_str()) {
            return Err(CoreError::NameTaken(name.to_string()));
        }
        Ok(())
    }
}

fn of_view(kind: DifferenceKind, server: &Server, view: &InstanceView) -> Difference {
    Difference {
        kind,
        server: server.name().to_owned(),
        instance: view.name.clone(),
        machine: view.machine_id(),
        owner: view.config.get(keys::OWNER).filter(|owner| !owner.is_empty()).cloned(),
        created_at: view.created_at,
    }
}
