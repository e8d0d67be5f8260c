//! What may look different by now: a set, so that a burst of changes to one thing is one look at it.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use uuid::Uuid;
use vms_types::Operation;

/// Marks that somebody will look at. Never grows beyond the number of machines and operations there are.
#[derive(Debug, Default)]
pub(crate) struct News {
    marked: Mutex<Marked>,
    anything: Notify,
}

/// Things to look at.
#[derive(Debug, Default)]
pub(super) struct Marked {
    pub(super) machines: HashSet<Uuid>,
    /// As they were while under way; `None` for those that have ended.
    pub(super) operations: HashMap<Uuid, Option<Operation>>,
}

impl News {
    /// A machine, by its own doing.
    pub(crate) fn machine(&self, id: Uuid) {
        self.mark(|marked| {
            marked.machines.insert(id);
        });
    }

    /// An operation under way, and with it the machine it is about. It is told as it is *now*: looked at later it could
    /// have ended, and its end would be told before the machine was looked at again, and then a second time.
    pub(crate) fn operation(&self, operation: Operation) {
        self.mark(|marked| {
            marked.machines.extend(operation.machine.as_ref().map(|machine| machine.id));
            marked.operations.insert(operation.id, Some(operation));
        });
    }

    /// An operation that has ended, and with it the machine it was about.
    pub(crate) fn ended(&self, id: Uuid, machine: Option<Uuid>) {
        self.mark(|marked| {
            marked.machines.extend(machine);
            marked.operations.insert(id, None);
        });
    }

    /// Waits until something is marked, and takes all of it.
    pub(super) async fn next(&self) -> Marked {
        loop {
            let anything = self.anything.notified();
            let marked = self.take();
            if !(marked.machines.is_empty() && marked.operations.is_empty()) {
                return marked;
            }
            anything.await;
        }
    }

    fn take(&self) -> Marked {
        std::mem::take(&mut *self.marked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn mark(&self, change: impl FnOnce(&mut Marked)) {
        change(&mut self.marked.lock().unwrap_or_else(PoisonError::into_inner));
        self.anything.notify_one();
    }
}
