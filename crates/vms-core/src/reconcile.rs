//! Bringing the machines table and the servers together.
//!
//! What the table says also stands on each instance (`user.vms.*`), so a lost database is rebuilt by taking in every
//! instance that carries these keys and is not in the table. The portal does that for each instance that changes, for
//! all of a server when it was listed, and for everything now and then; `vms reconcile` does it on demand and says what
//! else does not match.
//!
//! A machine is known by its id, never by the instance's name:
//! * the row's instance is gone and another instance of the server says to be the machine: it was **renamed**, and the
//!   row follows (to the oldest, if there are copies);
//! * an instance says to be a machine that is there already: a **copy** (`lxc copy` copies the keys), left alone;
//! * an instance says to be a machine that was deleted: left alone too, else deleted machines would come back;
//! * complete keys, and nobody has heard of that id: **adopted**;
//! * the keys of a machine name another owner or name than its row: the **keys follow** the row, which says whose it is.
//!
//! While an operation is under way on a machine its row stays as it is: a reset exchanges the instance under it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::interval;
use uuid::Uuid;
use vms_authz::{Actor, Allowed, Fleet as AllOfFleet, MachineTarget, action::Reconcile};
use vms_db::{DbError, MachineRow};
use vms_fleet::{FleetChange, InstanceView, Server, keys};
use vms_types::{InstanceName, MachineName};

use crate::error::CoreError;
use crate::jobs::reset::RESET_PREFIX;
use crate::vms::Vms;

/// How long operations that have ended can be looked at, and expired sessions are remembered.
const KEEP: chrono::TimeDelta = chrono::TimeDelta::days(90);
/// See [`Vms::forget_what_is_old`].
const FORGET_EVERY: Duration = Duration::from_secs(6 * 3600);
/// Everything is compared this often: what could not be brought together when it changed (the database was away, a name
/// was taken) is then.
const COMPARE_EVERY: Duration = Duration::from_secs(300);

type Proof = Allowed<AllOfFleet, Reconcile>;

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReconcileReport {
    /// Instances taken into the table.
    pub adopted: Vec<String>,
    /// Machines whose instance has another name on its server: the new names.
    pub renamed: Vec<String>,
    /// Machines of the table whose instance is on no server that answers.
    pub missing: Vec<String>,
    /// Instances without an owner, and copies: left alone.
    pub foreign: Vec<String>,
    /// Servers that do not answer; nothing is said about theirs.
    pub silent: Vec<String>,
}

/// What became of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// It is in the table, or half of an operation that is under way.
    Known,
    Adopted,
    /// It is a machine of the table that was called otherwise.
    Renamed,
    /// It is none of ours, or says to be what it is not.
    Foreign,
}

/// Why a copy is left alone.
const COPY: &str =
    "its keys name a machine that exists already; a copy needs a user.vms.id of its own to be taken in";

/// Instances that were left alone and why, so that the log says it once.
#[derive(Debug, Default)]
pub(crate) struct LeftAlone(Mutex<BTreeSet<(String, String, &'static str)>>);

impl LeftAlone {
    fn warn(&self, server: &Server, view: &InstanceView, why: &'static str) -> Settled {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.insert((server.name().to_owned(), view.name.clone(), why)) {
            let id = view.config.get(keys::ID);
            tracing::warn!(server = server.name(), instance = view.name, id, "left alone: {why}");
        }
        Settled::Foreign
    }

    fn contains(&self, server: &Server, view: &InstanceView, why: &'static str) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.contains(&(server.name().to_owned(), view.name.clone(), why))
    }

    fn forget(&self, server: &str, instance: &str) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(on, name, _)| (on.as_str(), name.as_str()) != (server, instance));
    }
}

impl Vms {
    /// Takes in what belongs to somebody and is not in the table, and follows what was renamed, on every server that
    /// answers.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn reconcile(&self) -> Result<ReconcileReport, CoreError> {
        let proof = Actor::system().authorize(AllOfFleet, Reconcile)?;
        let mut report = ReconcileReport::default();
        for server in self.parts.fleet.servers() {
            if !server.is_connected() {
                report.silent.push(server.name().to_owned());
                continue;
            }
            let mut views = server.instances();
            // Of two that say to be one machine the older one is it: a copy is younger.
            views.sort_by_key(|view| view.created_at);
            for view in views {
                match self.settle(&proof, server, &view).await? {
                    Settled::Known => {}
                    Settled::Adopted => report.adopted.push(view.name.clone()),
                    Settled::Renamed => report.renamed.push(view.name.clone()),
                    Settled::Foreign => report.foreign.push(view.name.clone()),
                }
            }
        }
        let rows = self.parts.db.all_machines_for_system(&proof).await?;
        report.missing = rows
            .iter()
            .filter(|row| {
                let server = self.parts.fleet.server(&row.server).filter(|server| server.is_connected());
                server.is_some_and(|server| self.is_missing(server, row))
            })
            .map(|row| row.instance.clone())
            .collect();
        Ok(report)
    }

    /// Brings table and servers together whenever something changes, until the system ends.
    pub(crate) fn keep_reconciled(&self) {
        let vms = self.clone();
        let mut changes = self.parts.fleet.changes();
        let mut ended = self.parts.jobs.ended();
        self.parts.jobs.spawn_until_stopped(async move {
            let mut now_and_then = interval(COMPARE_EVERY);
            loop {
                let done = tokio::select! {
                    _ = now_and_then.tick() => vms.reconcile().await.map(drop),
                    change = changes.recv() => match change {
                        Ok(FleetChange { server, instance: Some(name) }) => vms.settle_changed(&server, &name).await,
                        // Much at once, or not knowing what was missed.
                        Ok(FleetChange { instance: None, .. }) | Err(RecvError::Lagged(_)) => {
                            vms.reconcile().await.map(drop)
                        }
                        Err(RecvError::Closed) => return,
                    },
                    // What changed while an operation was under way was not followed then.
                    operation = ended.recv() => match operation {
                        Ok(operation) => vms.settle_after(operation).await,
                        Err(RecvError::Lagged(_)) => vms.reconcile().await.map(drop),
                        Err(RecvError::Closed) => return,
                    },
                };
                if let Err(error) = done {
                    tracing::error!(%error, "the machines table could not be compared with the servers; it will be again");
                }
            }
        });
    }

    /// Settles one instance that was just given keys.
    pub(crate) async fn settle_instance(&self, server: &Arc<Server>, name: &str) -> Result<(), CoreError> {
        self.parts.left_alone.forget(server.name(), name);
        self.settle_changed(server.name(), name).await
    }

    /// An instance changed, came or went.
    async fn settle_changed(&self, server: &str, name: &str) -> Result<(), CoreError> {
        let proof = Actor::system().authorize(AllOfFleet, Reconcile)?;
        let Some(server) = self.parts.fleet.server(server) else { return Ok(()) };
        match server.instance(name) {
            Some(view) => self.settle(&proof, server, &view).await.map(drop),
            // Where it went is seen when it comes up under its new name.
            None => {
                self.parts.left_alone.forget(server.name(), name);
                Ok(())
            }
        }
    }

    async fn settle_after(&self, operation: Uuid) -> Result<(), CoreError> {
        let proof = Actor::system().authorize(AllOfFleet, Reconcile)?;
        let machine = self.parts.db.operation_by_id(operation).await?.and_then(|row| row.machine_id);
        let Some(machine) = machine else { return Ok(()) };
        match self.parts.db.machine_target(&machine.to_string()).await? {
            Some(row) => {
                let server = self.parts.fleet.server(&row.server);
                if let Some((server, view)) =
                    server.and_then(|server| Some((server, server.machine(&row.instance, row.id)?)))
                {
                    self.mark(server, &view, &row).await;
                }
                self.follow(&proof, &row).await.map(drop)
            }
            None => Ok(()),
        }
    }

    /// Compares a machine with its instance beside the request that gave a reason to.
    pub(crate) fn settle_soon(&self, machine: &MachineTarget) {
        let (vms, server, instance) = (self.clone(), machine.server.clone(), machine.instance.clone());
        self.parts.jobs.spawn_until_stopped(async move {
            if let Err(error) = vms.settle_changed(&server, &instance).await {
                tracing::warn!(instance, %error, "a machine could not be compared with its instance; it will be again");
            }
        });
    }

    /// Makes the keys on an instance say what the table says: the machine was handed over, or went back to a snapshot of
    /// a time when it was somebody else's. What cannot be written now is at the next comparison.
    async fn mark(&self, server: &Arc<Server>, view: &InstanceView, row: &MachineTarget) {
        let says = |key: &str, word: &str| view.config.get(key).is_some_and(|value| value == word);
        let right = says(keys::OWNER, &row.owner) && says(keys::NAME, &row.name);
        // An operation exchanges instances, or brings old keys back; it ends first.
        if right || self.parts.jobs.active_of(row.id).is_some() || !server.is_connected() {
            return;
        }
        let config = lxd_api::Config::from([
            (keys::OWNER.to_owned(), row.owner.clone()),
            (keys::NAME.to_owned(), row.name.clone()),
        ]);
        match write_keys(server, view, config).await {
            Ok(()) => {
                tracing::info!(instance = view.name, owner = row.owner, "the instance's keys were corrected");
            }
            Err(error) => {
                tracing::warn!(instance = view.name, %error, "the instance's keys could not be corrected; they will be");
            }
        }
    }

    /// Finds out what an instance is to us, and acts on it.
    async fn settle(
        &self,
        proof: &Proof,
        server: &Arc<Server>,
        view: &InstanceView,
    ) -> Result<Settled, CoreError> {
        if view.name.starts_with(RESET_PREFIX) {
            return Ok(Settled::Known);
        }
        let Some(id) = view.machine_id() else { return Ok(Settled::Foreign) };
        let Some(row) = self.parts.db.machine_target(&id.to_string()).await? else {
            return self.adopt(proof, server, view, id).await;
        };
        let is_it = |instance: &str| row.server == server.name() && instance == view.name;
        if is_it(&row.instance) {
            self.parts.left_alone.forget(server.name(), &view.name);
            self.mark(server, view, &row).await;
            return Ok(Settled::Known);
        }
        if self.follow(proof, &row).await?.is_some_and(|name| is_it(&name)) {
            return Ok(Settled::Renamed);
        }
        let place = self.parts.fleet.server(&row.server);
        if place.is_some_and(|server| server.machine(&row.instance, row.id).is_some()) {
            return Ok(self.parts.left_alone.warn(server, view, COPY));
        }
        Ok(Settled::Foreign)
    }

    /// Follows a machine whose instance was given another name; gives the new name if the row has it now.
    async fn follow(&self, proof: &Proof, row: &MachineTarget) -> Result<Option<String>, CoreError> {
        let Some(server) = self.parts.fleet.server(&row.server).filter(|server| server.is_connected()) else {
            return Ok(None);
        };
        if server.machine(&row.instance, row.id).is_some() || self.parts.jobs.active_of(row.id).is_some() {
            return Ok(None);
        }
        let all = server.instances();
        // What was seen beside the machine is a copy of it, also in the moment between the old name and the new one. A
        // portal that did not see it goes by the age: a rename keeps the time of creation, and a copy is younger.
        let copy = |view: &InstanceView| self.parts.left_alone.contains(server, view, COPY);
        let claims = all.iter().filter(|view| view.machine_id() == Some(row.id) && !copy(view));
        let Some(view) = claims.min_by_key(|view| view.created_at) else { return Ok(None) };
        if view.name.starts_with(RESET_PREFIX) || InstanceName::parse(&view.name).is_err() {
            return Ok(None);
        }
        match self.parts.db.rename_instance(proof, row.id, &view.name).await {
            Ok(()) => {
                tracing::info!(machine = %row.id, from = row.instance, to = view.name, "a machine was renamed on its server");
                self.parts.news.machine(row.id);
                Ok(Some(view.name.clone()))
            }
            Err(DbError::Duplicate(_)) => {
                let why = "it was renamed to what another machine of the table is called; delete that one, or rename it back";
                self.parts.left_alone.warn(server, view, why);
                Ok(None)
            }
            Err(DbError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes an instance into the table, if its keys are complete and it is no remainder of a deleted machine.
    async fn adopt(
        &self,
        proof: &Proof,
        server: &Arc<Server>,
        view: &InstanceView,
        id: Uuid,
    ) -> Result<Settled, CoreError> {
        if row_of(server, view).is_none() {
            return Ok(Settled::Foreign);
        }
        if self.parts.db.was_removed(proof, id).await? {
            let why = "its keys name a machine that was deleted; it needs another user.vms.id to be taken in";
            return Ok(self.parts.left_alone.warn(server, view, why));
        }
        // The mirror may be a moment late, and a row for what is gone would hold a place in somebody's quota.
        let row = match server.refresh(&view.name).await {
            Ok(now) => now.filter(|now| now.machine_id() == Some(id)).and_then(|now| row_of(server, &now)),
            Err(error) => {
                tracing::warn!(instance = view.name, %error, "an instance could not be looked at before it is taken in; it will be again");
                None
            }
        };
        let Some(row) = row else { return Ok(Settled::Foreign) };
        match self.parts.db.adopt_machine(proof, row.clone()).await {
            Ok(()) => {
                tracing::info!(instance = row.instance, owner = row.owner, "machine taken into the table");
                self.parts.news.machine(row.id);
                Ok(Settled::Adopted)
            }
            Err(DbError::Duplicate(_)) => {
                let why = "its name, or its user.vms.name with this owner, belongs to a machine that exists already";
                Ok(self.parts.left_alone.warn(server, view, why))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Vms {
    /// Forgets what is old, now and then, until the system ends. The audit log stays.
    pub(crate) fn forget_what_is_old(&self) {
        let vms = self.clone();
        self.parts.jobs.spawn_until_stopped(async move {
            let mut now_and_then = interval(FORGET_EVERY);
            loop {
                now_and_then.tick().await;
                match vms.parts.db.prune(chrono::Utc::now() - KEEP).await {
                    Ok(0) => {}
                    Ok(operations) => tracing::info!(operations, "old operations were forgotten"),
                    Err(error) => {
                        tracing::warn!(%error, "what is old could not be forgotten; tried again later");
                    }
                }
            }
        });
    }
}

/// Writes keys on an instance, and shows them in the mirror.
pub(crate) async fn write_keys(
    server: &Server,
    view: &InstanceView,
    config: lxd_api::Config,
) -> Result<(), lxd_client::Error> {
    // LXD 5.0 clears a description that is not sent along.
    let description = Some(view.description.clone());
    let patch = lxd_api::InstancePatch { config, description, ..lxd_api::InstancePatch::default() };
    server.client().patch_instance(&view.name, &patch, None).await?;
    server.refresh(&view.name).await.map(drop)
}

/// The row that an instance's own keys describe; `None` if they are missing or make no sense.
fn row_of(server: &Server, view: &InstanceView) -> Option<MachineRow> {
    let get = |key: &str| view.config.get(key).filter(|value| !value.is_empty());
    InstanceName::parse(&view.name).ok()?;
    Some(MachineRow {
        id: get(keys::ID)?.parse::<Uuid>().ok()?,
        owner: get(keys::OWNER)?.clone(),
        name: MachineName::parse(get(keys::NAME)?).ok()?.to_string(),
        instance: view.name.clone(),
        server: server.name().to_owned(),
        image_alias: get(keys::IMAGE).cloned().unwrap_or_default(),
        profile: get(keys::PROFILE).or(view.profiles.first()).cloned().unwrap_or_default(),
        description: String::new(),
        created_at: view.created_at.unwrap_or_default(),
        limits: view.limits,
    })
}
