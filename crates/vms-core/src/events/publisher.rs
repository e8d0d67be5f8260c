//! The one task that turns what happened into events.
//!
//! It is told *that* something may look different (by the mirror, by the jobs, by an edit), looks once at how it looks
//! now, and publishes that if it differs from what was published last. So a burst of news about one machine is one
//! event, and an event always shows what `GET` shows.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use uuid::Uuid;
use vms_authz::{Actor, Allowed, Fleet as AllOfFleet, action::Reconcile};
use vms_db::MachineRow;
use vms_fleet::{FleetChange, keys};
use vms_types::{Event, Machine, Operation};

use super::news::Marked;
use crate::error::CoreError;
use crate::operations::show;
use crate::vms::Vms;

/// Where the fleet's changes come from.
type Changes = tokio::sync::broadcast::Receiver<FleetChange>;

/// A machine as it was published last.
struct Published {
    owner: String,
    instance: String,
    hash: u64,
}

/// What to look at now.
#[derive(Default)]
struct Batch {
    marked: Marked,
    instances: BTreeSet<(String, String)>,
    servers: Vec<String>,
    everything: bool,
}

pub(super) struct Publisher {
    vms: Vms,
    proof: Allowed<AllOfFleet, Reconcile>,
    published: HashMap<Uuid, Published>,
}

impl Publisher {
    pub(super) fn new(vms: Vms) -> Result<Self, CoreError> {
        let proof = Actor::system().authorize(AllOfFleet, Reconcile)?;
        Ok(Self { vms, proof, published: HashMap::new() })
    }

    /// Runs until the fleet ends.
    pub(super) async fn run(mut self, mut changes: Changes) {
        let news = std::sync::Arc::clone(&self.vms.parts.news);
        let mut batch = Batch { everything: true, ..Batch::default() };
        loop {
            if let Err(error) = self.publish(std::mem::take(&mut batch)).await {
                // What was to be told is not known any more; whoever listens asks for it.
                tracing::error!(%error, "events could not be made; all listeners are told to read again");
                self.published.clear();
                self.vms.parts.events.resync_all();
            }
            tokio::select! {
                marked = news.next() => batch.marked = marked,
                change = changes.recv() => match change {
                    Ok(change) => batch.add(change),
                    Err(RecvError::Lagged(_)) => batch.everything = true,
                    Err(RecvError::Closed) => return,
                },
            }
            batch.drain(&mut changes);
        }
    }

    async fn publish(&mut self, batch: Batch) -> Result<(), CoreError> {
        if batch.everything || !batch.servers.is_empty() {
            self.look_at_servers(&batch).await?;
        }
        for (server, instance) in &batch.instances {
            let view = self.vms.parts.fleet.instance(server, instance);
            let marked = view.is_none_or(|view| view.config.contains_key(keys::ID));
            // What others run on our servers is none of our machines, and costs no look at the table.
            if marked || self.published.values().any(|known| known.instance == *instance) {
                self.look_at_machine(instance).await?;
            }
        }
        for id in &batch.marked.machines {
            self.look_at_machine(&id.to_string()).await?;
        }
        // Last, so that who reads of an operation's end has read how the machine looks after it.
        for (id, now) in batch.marked.operations {
            self.look_at_operation(id, now).await?;
        }
        Ok(())
    }

    /// All machines of servers that were lost, found again or listed.
    async fn look_at_servers(&mut self, batch: &Batch) -> Result<(), CoreError> {
        let rows = self.vms.parts.db.all_machines_for_system(&self.proof).await?;
        for row in rows {
            if batch.everything || batch.servers.contains(&row.server) {
                self.machine(row);
            }
        }
        Ok(())
    }

    /// One machine, by identity or instance name; nothing if it is none of ours.
    async fn look_at_machine(&mut self, key: &str) -> Result<(), CoreError> {
        match self.vms.parts.db.machine_for_system(&self.proof, key).await? {
            Some(row) => self.machine(row),
            None => {
                let id = key.parse().ok().or_else(|| {
                    self.published.iter().find(|(_, known)| known.instance == key).map(|(id, _)| *id)
                });
                // Renamed on its server, it is the same machine.
                let row = match id {
                    Some(id) => self.vms.parts.db.machine_for_system(&self.proof, &id.to_string()).await?,
                    None => None,
                };
                if let Some(row) = row {
                    self.machine(row);
                } else if let Some((id, known)) = id.and_then(|id| self.published.remove_entry(&id)) {
                    let event = Event::MachineRemoved { id, instance: known.instance };
                    self.vms.parts.events.publish(vec![known.owner], event);
                }
            }
        }
        Ok(())
    }

    fn machine(&mut self, row: MachineRow) {
        let machine = self.vms.show(row);
        let hash = hash_of(&machine);
        let now = Published { owner: machine.owner.clone(), instance: machine.instance.clone(), hash };
        let before = self.published.insert(machine.id, now);
        // Who had it before does not see it any more.
        if let Some(before) = before.as_ref().filter(|before| before.owner != machine.owner) {
            let event = Event::MachineRemoved { id: machine.id, instance: before.instance.clone() };
            self.vms.parts.events.publish(vec![before.owner.clone()], event);
        }
        if before.is_none_or(|before| before.hash != hash) {
            let audience = vec![machine.owner.clone()];
            self.vms.parts.events.publish(audience, Event::Machine { machine: Box::new(machine) });
        }
    }

    /// An operation, as it was while under way or as it ended.
    async fn look_at_operation(&self, id: Uuid, now: Option<Operation>) -> Result<(), CoreError> {
        let Some(row) = self.vms.parts.db.operation_by_id(id).await? else { return Ok(()) };
        let mut audience = vec![row.owner.clone()];
        if row.requested_by != row.owner {
            audience.push(row.requested_by.clone());
        }
        let operation = Box::new(now.unwrap_or_else(|| show(row)));
        self.vms.parts.events.publish(audience, Event::Operation { operation });
        Ok(())
    }
}

impl Batch {
    fn add(&mut self, change: FleetChange) {
        match change.instance {
            Some(instance) => {
                self.instances.insert((change.server, instance));
            }
            None => self.servers.push(change.server),
        }
    }

    /// Takes what else waits, so that a burst is looked at once.
    fn drain(&mut self, changes: &mut Changes) {
        loop {
            match changes.try_recv() {
                Ok(change) => self.add(change),
                Err(TryRecvError::Lagged(_)) => self.everything = true,
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }
}

/// The text is what people see of it, so its hash tells whether they would see a difference.
fn hash_of(machine: &Machine) -> u64 {
    let mut hasher = DefaultHasher::new();
    serde_json::to_string(machine).unwrap_or_default().hash(&mut hasher);
    hasher.finish()
}
