//! The machines on the page: one row of signals each, and the merging of answers into them.

use std::collections::HashSet;

use leptos::prelude::*;
use uuid::Uuid;
use vms_client::ClientError;
use vms_types::{Machine, MachineStatus, OperationKind};

use crate::i18n::Texts;
use crate::live::Live;
use crate::poll::{Connection, is_restless};

/// What was clicked and not yet seen in an answer of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    /// What was asked for.
    pub(crate) kind: OperationKind,
    /// Number of the last poll request sent before the server took the command; `None` until it did. A later
    /// request sees the command's effect, so its answer replaces our guess.
    pub(crate) taken_after: Option<u64>,
}

impl Pending {
    /// The status the machine will have while it does it, if the command changes the status.
    pub(crate) const fn status(self) -> Option<MachineStatus> {
        use OperationKind as K;
        match self.kind {
            K::MachineCreate | K::MachineReset => Some(MachineStatus::Creating),
            K::MachineStart | K::MachineUnfreeze => Some(MachineStatus::Starting),
            K::MachineStop | K::MachineRestart | K::MachineFreeze => Some(MachineStatus::Stopping),
            K::MachineDelete => Some(MachineStatus::Deleting),
            K::SnapshotRestore => Some(MachineStatus::Restoring),
            K::MachineProfiles
            | K::SnapshotCreate
            | K::SnapshotRename
            | K::SnapshotDelete
            | K::ImageImport
            | K::ImagePublish
            | K::ImageRefresh
            | K::ImageDelete => None,
        }
    }

    /// Whether the answer to request number `request` shows the command's effect.
    pub(crate) fn is_settled_by(self, request: u64) -> bool {
        self.taken_after.is_some_and(|taken_after| request > taken_after)
    }
}

/// A command that was taken and whose end is still to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Followed {
    /// The operation.
    pub(crate) operation: Uuid,
    /// What it does.
    pub(crate) kind: OperationKind,
    /// The machine it is about.
    pub(crate) machine: Option<Uuid>,
    /// How to call the machine when telling.
    pub(crate) name: String,
}

/// A command that came to nothing. Its words are made when shown, in the language then in use.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    /// What was asked for.
    pub(crate) kind: OperationKind,
    /// The machine's name, where the failure stands apart from its row.
    pub(crate) name: Option<String>,
    pub(crate) reason: Reason,
}

/// Why a command came to nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Reason {
    /// The server did not take it.
    Refused(ClientError),
    /// It was taken and failed; a problem code.
    Failed(String),
    /// It was stopped on request.
    Cancelled,
    /// Its end could not be learned.
    Unknown,
}

impl Failure {
    /// What happened and what to do, in words.
    pub(crate) fn text(&self, texts: &Texts) -> String {
        let failed = (texts.failed)(self.kind);
        let words = match &self.reason {
            Reason::Refused(error) => format!("{failed} {}", texts.error(error)),
            Reason::Failed(code) => format!("{failed} {}", texts.operation_error(code)),
            Reason::Cancelled => texts.cancelled.to_owned(),
            Reason::Unknown => texts.outcome_unknown.to_owned(),
        };
        match &self.name {
            Some(name) => format!("{name}: {words}"),
            None => words,
        }
    }
}

/// One machine on the page. A handle: copies share their signals.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) id: Uuid,
    pub(crate) machine: RwSignal<Machine>,
    pub(crate) pending: RwSignal<Option<Pending>>,
    /// The last command, if it failed.
    pub(crate) notice: RwSignal<Option<Failure>>,
    /// The snapshot chosen in the dropdown.
    pub(crate) chosen: RwSignal<Option<String>>,
}

impl Row {
    fn new(machine: Machine) -> Self {
        Self {
            id: machine.id,
            machine: RwSignal::new(machine),
            pending: RwSignal::new(None),
            notice: RwSignal::new(None),
            chosen: RwSignal::new(None),
        }
    }

    /// The status to show: the guess for a command just given, else what the server said.
    pub(crate) fn status(self) -> MachineStatus {
        self.pending.get().and_then(Pending::status).unwrap_or_else(|| self.machine.with(|m| m.status))
    }

    /// What is under way, if anything.
    pub(crate) fn doing(self) -> Option<OperationKind> {
        let running = self.machine.with(|m| m.operation.as_ref().map(|operation| operation.kind));
        running.or_else(|| self.pending.get().map(|pending| pending.kind))
    }

    /// The instance's name; it never changes.
    pub(crate) fn instance(self) -> String {
        self.machine.with_untracked(|m| m.instance.clone())
    }

    fn update(self, machine: Machine) {
        if self.chosen.with_untracked(|chosen| chosen_is_gone(chosen.as_deref(), &machine)) {
            self.chosen.set(None);
        }
        if self.machine.with_untracked(|known| *known != machine) {
            self.machine.set(machine);
        }
    }
}

fn chosen_is_gone(chosen: Option<&str>, machine: &Machine) -> bool {
    chosen.is_some_and(|chosen| !machine.snapshots.iter().any(|snapshot| snapshot.name == chosen))
}

/// All machines on the page, and what hangs together with them. A handle: copies share their signals.
#[derive(Clone)]
pub(crate) struct Store {
    pub(crate) rows: RwSignal<Vec<Row>>,
    /// Whether the first answer has come.
    pub(crate) loaded: RwSignal<bool>,
    /// Whether the last request was answered; `None` before the first.
    pub(crate) answered: RwSignal<Option<bool>>,
    /// Whether the server has more than was asked for.
    pub(crate) more: RwSignal<bool>,
    /// The connection that events come by.
    pub(crate) live: Live,
    /// Failures that belong to no row, such as of a machine that could not be created.
    pub(crate) notices: RwSignal<Vec<Failure>>,
    /// What is read out to those who do not see the page, and shown for a moment to those who do.
    pub(crate) announcement: RwSignal<String>,
    pub(crate) followed: StoredValue<Vec<Followed>>,
    requests: StoredValue<u64>,
    /// Rows made later belong to the page, not to the task that made them.
    owner: Owner,
}

impl Store {
    /// An empty page.
    pub(crate) fn new() -> Self {
        Self {
            rows: RwSignal::new(Vec::new()),
            loaded: RwSignal::new(false),
            answered: RwSignal::new(None),
            more: RwSignal::new(false),
            live: Live::new(),
            notices: RwSignal::new(Vec::new()),
            announcement: RwSignal::new(String::new()),
            followed: StoredValue::new(Vec::new()),
            requests: StoredValue::new(0),
            owner: Owner::current().unwrap_or_default(),
        }
    }

    /// Whether the page is up to date.
    pub(crate) fn connection(&self) -> Connection {
        match (self.answered.get(), self.live.connected.get()) {
            (None, _) => Connection::Connecting,
            (Some(false), _) => Connection::Offline,
            (Some(true), true) => Connection::Live,
            (Some(true), false) => Connection::Polling,
        }
    }

    /// Numbers a poll request.
    pub(crate) fn next_request(&self) -> u64 {
        self.requests.update_value(|count| *count += 1);
        self.requests.get_value()
    }

    /// The number of the last poll request.
    pub(crate) fn last_request(&self) -> u64 {
        self.requests.get_value()
    }

    /// Brings the rows up to date. Rows that stay keep their signals; the list itself changes only when machines
    /// come or go.
    pub(crate) fn merge(&self, machines: Vec<Machine>) {
        let known = self.rows.get_untracked();
        let machines = in_order(machines);
        let same = known.iter().map(|row| row.id).eq(machines.iter().map(|machine| machine.id));
        let rows: Vec<Row> = machines
            .into_iter()
            .map(|machine| match known.iter().find(|row| row.id == machine.id) {
                Some(row) => {
                    row.update(machine);
                    *row
                }
                None => self.owner.with(|| Row::new(machine)),
            })
            .collect();
        if !same {
            self.rows.set(rows);
        }
        if !self.loaded.get_untracked() {
            self.loaded.set(true);
        }
    }

    /// Drops guesses that the answer to request number `request` has replaced.
    pub(crate) fn settle_pending(&self, request: u64) {
        for row in self.rows.get_untracked() {
            if row.pending.get_untracked().is_some_and(|pending| pending.is_settled_by(request)) {
                row.pending.set(None);
            }
        }
    }

    /// Whether the next look will differ.
    pub(crate) fn is_busy(&self) -> bool {
        self.followed.with_value(|followed| !followed.is_empty())
            || self.rows.with_untracked(|rows| {
                rows.iter().any(|row| {
                    row.pending.get_untracked().is_some() || row.machine.with_untracked(is_restless)
                })
            })
    }

    /// Operations the list shows as under way.
    pub(crate) fn operations_in_flight(&self) -> HashSet<Uuid> {
        self.rows.with_untracked(|rows| {
            rows.iter()
                .filter_map(|row| row.machine.with_untracked(|m| m.operation.as_ref().map(|o| o.id)))
                .collect()
        })
    }

    /// The row of a machine.
    pub(crate) fn row(&self, id: Uuid) -> Option<Row> {
        self.rows.with_untracked(|rows| rows.iter().find(|row| row.id == id).copied())
    }
}

/// Oldest first, whatever order the server chose: a row never changes its place.
fn in_order(mut machines: Vec<Machine>) -> Vec<Machine> {
    machines.sort_by(|a, b| a.created_at.cmp(&b.created_at).then(a.id.cmp(&b.id)));
    machines
}

/// The store of the component's context.
pub(crate) fn use_store() -> Store {
    expect_context::<Store>()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use vms_types::Snapshot;

    fn machine(name: &str, minute: u32) -> Machine {
        serde_json::from_value(serde_json::json!({
            "id": Uuid::from_u128(u128::from(minute)), "name": name, "instance": format!("vmbruno{name}"),
            "owner": "bruno", "description": "", "status": "running", "addresses": [], "snapshots": [],
            "image": {"alias": "a", "description": "", "fingerprint": ""}, "profiles": [],
            "limits": {"cpus": null, "memory_bytes": null, "disk_bytes": null}, "server": "s", "member": null,
            "created_at": format!("2026-11-25T10:{minute:02}:00Z"), "last_used_at": null, "operation": null,
            "stale": false,
        }))
        .unwrap()
    }

    fn snapshot(name: &str) -> Snapshot {
        Snapshot {
            name: name.to_owned(),
            created_at: "2026-11-25T10:00:00Z".parse().unwrap(),
            stateful: false,
            expires_at: None,
        }
    }

    fn names(store: &Store) -> Vec<String> {
        store.rows.get_untracked().iter().map(|row| row.instance()).collect()
    }

    #[test]
    fn rows_keep_their_place_and_their_signals() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            store.merge(vec![machine("b", 2), machine("a", 1)]);
            assert_eq!(names(&store), ["vmbrunoa", "vmbrunob"]);
            let first = store.rows.get_untracked()[0];
            let failure =
                Failure { kind: OperationKind::MachineStart, name: None, reason: Reason::Cancelled };
            first.notice.set(Some(failure.clone()));

            let mut changed = machine("a", 1);
            changed.status = MachineStatus::Stopped;
            store.merge(vec![machine("c", 3), changed, machine("b", 2)]);
            assert_eq!(names(&store), ["vmbrunoa", "vmbrunob", "vmbrunoc"]);
            let again = store.rows.get_untracked()[0];
            assert_eq!(again.notice.get_untracked(), Some(failure));
            assert_eq!(first.machine.get_untracked().status, MachineStatus::Stopped);

            store.merge(vec![machine("b", 2)]);
            assert_eq!(names(&store), ["vmbrunob"]);
        });
    }

    #[test]
    fn a_chosen_snapshot_is_let_go_when_it_is_deleted() {
        let owner = Owner::new();
        owner.with(|| {
            let store = Store::new();
            let mut with = machine("a", 1);
            with.snapshots = vec![snapshot("one"), snapshot("two")];
            store.merge(vec![with.clone()]);
            let row = store.rows.get_untracked()[0];
            row.chosen.set(Some("one".to_owned()));
            store.merge(vec![with.clone()]);
            assert_eq!(row.chosen.get_untracked().as_deref(), Some("one"));
            with.snapshots.remove(0);
            store.merge(vec![with]);
            assert_eq!(row.chosen.get_untracked(), None);
        });
    }

    #[test]
    fn a_guess_lasts_until_an_answer_that_was_asked_for_after_the_command() {
        let pending = |taken_after| Pending { kind: OperationKind::MachineStart, taken_after };
        assert!(!pending(None).is_settled_by(9));
        assert!(!pending(Some(4)).is_settled_by(4));
        assert!(pending(Some(4)).is_settled_by(5));
        assert_eq!(pending(None).status(), Some(MachineStatus::Starting));
    }
}
