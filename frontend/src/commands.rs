//! Commands: handed over, shown at once as heard, followed until their end is known.

use std::future::Future;

use futures::future::LocalBoxFuture;
use leptos::prelude::*;
use vms_client::ClientError;
use vms_types::{
    BulkAction, BulkAnswer, BulkRequest, MAX_BULK, Operation, OperationKind, OperationStatus, PowerAction,
    StateChange,
};
use wasm_bindgen_futures::spawn_local;

use crate::i18n::I18n;
use crate::poll::Waker;
use crate::session::{Client, Session};
use crate::store::{Failure, Followed, Pending, Reason, Row, Store};

/// A call of the API about a machine, to be made again after the password was asked for.
type Call = Box<dyn Fn(Client, String) -> LocalBoxFuture<'static, Result<Operation, ClientError>>>;

/// What a component needs to give commands.
#[derive(Clone)]
pub(crate) struct Commands {
    pub(crate) store: Store,
    pub(crate) session: Session,
    pub(crate) waker: Waker,
}

impl Commands {
    /// Turns a machine on or off, pauses it, and so on.
    pub(crate) fn power(&self, row: Row, action: PowerAction, force: bool) {
        let kind = match action {
            PowerAction::Start => OperationKind::MachineStart,
            PowerAction::Stop => OperationKind::MachineStop,
            PowerAction::Restart => OperationKind::MachineRestart,
            PowerAction::Freeze => OperationKind::MachineFreeze,
            PowerAction::Unfreeze => OperationKind::MachineUnfreeze,
        };
        let change = StateChange { action, force, timeout_seconds: None };
        self.give(row, kind, move |client, machine| {
            let change = change.clone();
            async move { client.set_state(&machine, &change).await }
        });
    }

    /// Makes a machine as its image made it.
    pub(crate) fn reset(&self, row: Row) {
        self.give(row, OperationKind::MachineReset, |client, machine| async move {
            client.reset_machine(&machine).await
        });
    }

    /// Deletes a machine with its snapshots.
    pub(crate) fn delete(&self, row: Row) {
        self.give(row, OperationKind::MachineDelete, |client, machine| async move {
            client.delete_machine(&machine).await
        });
    }

    /// Takes a snapshot.
    pub(crate) fn create_snapshot(&self, row: Row, name: String) {
        self.give(row, OperationKind::SnapshotCreate, move |client, machine| {
            let name = name.clone();
            async move { client.create_snapshot(&machine, &name).await }
        });
    }

    /// Gives a snapshot another name.
    pub(crate) fn rename_snapshot(&self, row: Row, snapshot: String, name: String) {
        self.give(row, OperationKind::SnapshotRename, move |client, machine| {
            let (snapshot, name) = (snapshot.clone(), name.clone());
            async move { client.rename_snapshot(&machine, &snapshot, &name).await }
        });
    }

    /// Takes a machine back to a snapshot.
    pub(crate) fn restore_snapshot(&self, row: Row, snapshot: String) {
        self.give(row, OperationKind::SnapshotRestore, move |client, machine| {
            let snapshot = snapshot.clone();
            async move { client.restore_snapshot(&machine, &snapshot).await }
        });
    }

    /// Deletes a snapshot.
    pub(crate) fn delete_snapshot(&self, row: Row, snapshot: String) {
        self.give(row, OperationKind::SnapshotDelete, move |client, machine| {
            let snapshot = snapshot.clone();
            async move { client.delete_snapshot(&machine, &snapshot).await }
        });
    }

    /// Gives one command to many machines. Each row shows what became of it there.
    pub(crate) fn bulk(&self, rows: &[Row], request: &BulkRequest) {
        let kind = match request.action {
            BulkAction::Start => OperationKind::MachineStart,
            BulkAction::Stop => OperationKind::MachineStop,
            BulkAction::Delete => OperationKind::MachineDelete,
            BulkAction::Snapshot => OperationKind::SnapshotCreate,
            BulkAction::Profile => OperationKind::MachineProfiles,
        };
        for part in rows.chunks(MAX_BULK) {
            let rows = part.to_vec();
            for row in &rows {
                row.notice.set(None);
                row.pending.set(Some(Pending { kind, taken_after: None }));
            }
            let machines = rows.iter().map(|row| row.id.to_string()).collect();
            let request = BulkRequest { machines, ..request.clone() };
            let this = self.clone();
            spawn_local(async move {
                let answer = this
                    .session
                    .call(|client| {
                        let request = request.clone();
                        async move { client.bulk(&request).await }
                    })
                    .await;
                // The page may have been left meanwhile, and its rows with it.
                if !this.waker.is_closed() {
                    this.settle_bulk(&rows, kind, answer);
                }
            });
        }
    }

    fn settle_bulk(&self, rows: &[Row], kind: OperationKind, answer: Result<BulkAnswer, ClientError>) {
        let refused = |row: &Row, error: ClientError| {
            row.pending.set(None);
            row.notice.set(Some(Failure { kind, name: None, reason: Reason::Refused(error) }));
        };
        match answer {
            // In the order of the request.
            Ok(answer) => {
                for (row, item) in rows.iter().zip(answer.items) {
                    if let Some(operation) = item.operation {
                        let taken_after = Some(self.store.last_request());
                        row.pending.set(Some(Pending { kind, taken_after }));
                        self.follow(&operation, row.instance());
                    } else if let Some(problem) = item.problem {
                        refused(row, ClientError::Problem(Box::new(problem)));
                    }
                }
            }
            Err(error) => rows.iter().for_each(|row| refused(row, error.clone())),
        }
        self.waker.wake();
    }

    /// Follows an operation that was taken without a row, such as the making of a machine, and looks at once.
    pub(crate) fn follow(&self, operation: &Operation, name: String) {
        let machine = operation.machine.as_ref().map(|machine| machine.id);
        let followed = Followed { operation: operation.id, kind: operation.kind, machine, name };
        self.store.followed.update_value(|all| all.push(followed));
        self.waker.wake();
    }

    /// Hands a command over. What is sent differs, what follows does not: this stands in the program once.
    fn give<F, R>(&self, row: Row, kind: OperationKind, make: F)
    where
        F: Fn(Client, String) -> R + 'static,
        R: Future<Output = Result<Operation, ClientError>> + 'static,
    {
        self.hand_over(row, kind, Box::new(move |client, machine| Box::pin(make(client, machine))));
    }

    fn hand_over(&self, row: Row, kind: OperationKind, make: Call) {
        row.notice.set(None);
        row.pending.set(Some(Pending { kind, taken_after: None }));
        let this = self.clone();
        let machine = row.id.to_string();
        spawn_local(async move {
            match this.session.call(|client| make(client, machine.clone())).await {
                Ok(operation) => {
                    let taken_after = Some(this.store.last_request());
                    row.pending.set(Some(Pending { kind, taken_after }));
                    this.follow(&operation, row.instance());
                }
                Err(error) => {
                    row.pending.set(None);
                    let reason = Reason::Refused(error);
                    row.notice.set(Some(Failure { kind, name: None, reason }));
                    this.waker.wake();
                }
            }
        });
    }
}

/// Tells the end of followed operations that the list no longer shows as under way.
pub(crate) async fn settle_followed(store: &Store, session: &Session, i18n: I18n) {
    let in_flight = store.operations_in_flight();
    let due: Vec<Followed> = store
        .followed
        .with_value(|all| all.iter().filter(|f| !in_flight.contains(&f.operation)).cloned().collect());
    for followed in due {
        let id = followed.operation;
        match session.call(|client| async move { client.operation(id).await }).await {
            Ok(operation) if operation.status.is_finished() => {
                tell(store, i18n, &followed, &operation);
                forget(store, &followed);
            }
            Ok(_under_way) => {}
            // The network went away; the next answer of the poll asks again.
            Err(error) if error.is_passing() => return,
            Err(error) => {
                leptos::logging::warn!("the end of operation {id} could not be learned: {error}");
                forget(store, &followed);
            }
        }
    }
}

fn forget(store: &Store, followed: &Followed) {
    store.followed.update_value(|all| all.retain(|other| other.operation != followed.operation));
}

fn tell(store: &Store, i18n: I18n, followed: &Followed, operation: &Operation) {
    let reason = match operation.status {
        OperationStatus::Succeeded => {
            store.announcement.set((i18n.now().done)(followed.kind, &followed.name));
            return;
        }
        OperationStatus::Cancelled => Reason::Cancelled,
        OperationStatus::Failed => {
            Reason::Failed(operation.error.as_ref().map(|error| error.code.clone()).unwrap_or_default())
        }
        OperationStatus::Unknown | OperationStatus::Pending | OperationStatus::Running => Reason::Unknown,
    };
    let kind = followed.kind;
    match followed.machine.and_then(|id| store.row(id)) {
        Some(row) => row.notice.set(Some(Failure { kind, name: None, reason })),
        None => {
            let name = Some(followed.name.clone());
            store.notices.update(|all| all.push(Failure { kind, name, reason }));
        }
    }
}

/// The commands of the component's context.
pub(crate) fn use_commands() -> Commands {
    expect_context::<Commands>()
}
