//! Jobs: the work behind operations, one task each.
//!
//! A job is written as *look, then do what is missing* ([`steps`]), and [`run`] drives it: it waits for a server that is
//! away and for its turn in the [`line`], begins again when the server is back, and writes the end down. Because looking
//! comes first, an operation found unfinished after a crash is simply run again. What is under way is kept here in memory
//! too, so that a list of machines shows it without asking the database.

mod image;
mod line;
mod power;
mod profiles;
pub(crate) mod reset;
mod run;
mod snapshot;
mod steps;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use chrono::Utc;
use tokio::sync::broadcast;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;
use vms_types::{Operation, OperationStatus};

use crate::events::News;
use crate::uploads::Lane;

pub use line::Limits;
pub(crate) use line::{Full, Line, Slot};

/// LXD tells the progress of unpacking many times a second; people look less often.
const TELL_PROGRESS: Duration = Duration::from_millis(250);

/// What is under way.
#[derive(Debug)]
pub(crate) struct Jobs {
    pub(crate) line: Arc<Line>,
    under_way: RwLock<UnderWay>,
    /// What comes in for jobs that have not taken it yet.
    uploads: Mutex<HashMap<Uuid, Lane>>,
    news: Arc<News>,
    ended: broadcast::Sender<Uuid>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

#[derive(Debug, Default)]
struct UnderWay {
    operations: HashMap<Uuid, Active>,
    /// The operation under way on a machine, for lists of thousands.
    by_machine: HashMap<Uuid, Uuid>,
}

#[derive(Debug)]
struct Active {
    operation: Operation,
    /// Ends the job while it waits and LXD has not been asked yet.
    cancel: CancellationToken,
    /// LXD has not been asked, so that stopping needs nobody's consent.
    untouched: bool,
    /// LXD has been asked, and stops of itself when the job does: it has not got the whole of what it needs.
    receiving: bool,
    /// When listeners were told last.
    told: Instant,
}

impl Jobs {
    pub fn new(limits: Limits, news: Arc<News>) -> Self {
        Self {
            line: Line::new(limits),
            under_way: RwLock::default(),
            uploads: Mutex::default(),
            news,
            ended: broadcast::channel(1024).0,
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }

    /// The operation under way on a machine.
    pub fn active_of(&self, machine: Uuid) -> Option<Operation> {
        let under_way = self.read();
        let id = under_way.by_machine.get(&machine)?;
        under_way.operations.get(id).map(|active| active.operation.clone())
    }

    /// The operation as it stands by now. One that is still in this map is under way, whatever was read from the
    /// database a moment ago: its end counts once the machine is free for the next command, so that nobody who reads
    /// "succeeded" is told that the machine is busy.
    pub fn as_it_stands(&self, operation: Operation) -> Operation {
        self.read().operations.get(&operation.id).map_or(operation, |active| active.operation.clone())
    }

    /// Those under way that were asked for first, at most so many.
    pub fn oldest(&self, most: usize) -> Vec<Operation> {
        let mut all: Vec<Operation> =
            self.read().operations.values().map(|active| active.operation.clone()).collect();
        all.sort_by_key(|operation| (operation.created_at, operation.id));
        all.truncate(most);
        all
    }

    /// How many wait (for a turn or for a server), and how many LXD was asked for.
    pub fn count(&self) -> (usize, usize) {
        let under_way = self.read();
        let waiting = under_way.operations.values().filter(|active| active.untouched).count();
        (waiting, under_way.operations.len().saturating_sub(waiting))
    }

    /// Tells the ids of operations that end from now on.
    pub fn ended(&self) -> broadcast::Receiver<Uuid> {
        self.ended.subscribe()
    }

    /// Ends a job that waits for its turn or for a server and has not asked LXD for anything, or that still receives what
    /// LXD shall have; `false` for all others.
    pub fn cancel_early(&self, operation: Uuid) -> bool {
        match self.read().operations.get(&operation) {
            Some(active) if active.untouched || active.receiving => {
                active.cancel.cancel();
                true
            }
            _ => false,
        }
    }

    /// Told when the system ends: what waits for something stops waiting.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stop
    }

    /// No new work; the tasks end where they can be taken up again.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// Runs something beside the jobs until the system ends.
    pub fn spawn_until_stopped(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tracker.spawn(async move {
            tokio::select! {
                () = work => {}
                () = stop.cancelled() => {}
            }
        });
    }

    fn begin(&self, operation: Operation, untouched: bool) -> CancellationToken {
        let cancel = CancellationToken::new();
        let (id, machine) = (operation.id, operation.machine.as_ref().map(|machine| machine.id));
        let news = operation.clone();
        let active =
            Active { operation, cancel: cancel.clone(), untouched, receiving: false, told: Instant::now() };
        let mut under_way = self.write();
        under_way.operations.insert(id, active);
        under_way.by_machine.extend(machine.map(|machine| (machine, id)));
        self.news.operation(news);
        cancel
    }

    /// Another step has begun.
    fn step(&self, id: Uuid, message: &str) {
        self.change(id, |active| {
            message.clone_into(&mut active.operation.message);
            active.operation.progress = None;
            true
        });
    }

    /// The step goes on.
    pub(crate) fn progress(&self, id: Uuid, percent: u8) {
        self.change(id, |active| {
            let news = active.operation.progress != Some(percent) && active.told.elapsed() >= TELL_PROGRESS;
            active.operation.progress = Some(percent);
            news
        });
    }

    /// LXD is asked from now on; `false` if somebody cancelled the operation just before.
    fn touched(&self, id: Uuid) -> bool {
        let mut goes_on = true;
        self.change(id, |active| {
            goes_on = !(active.untouched && active.cancel.is_cancelled());
            if goes_on {
                active.operation.status = OperationStatus::Running;
            }
            goes_on && std::mem::replace(&mut active.untouched, false)
        });
        goes_on
    }

    /// Changes what is known of an operation; `true` is worth telling.
    fn change(&self, id: Uuid, change: impl FnOnce(&mut Active) -> bool) {
        let mut under_way = self.write();
        let Some(active) = under_way.operations.get_mut(&id) else { return };
        let tell = change(active);
        active.operation.updated_at = Utc::now();
        if tell {
            active.told = Instant::now();
            // With the lock held: news of two changes must not overtake each other.
            self.news.operation(active.operation.clone());
        }
    }

    /// What comes in for a job, to be taken by it when it begins.
    pub fn expect_upload(&self, id: Uuid, lane: Lane) {
        self.uploads().insert(id, lane);
    }

    /// Takes what comes in for a job; from now on, and until it has come, the job can be cancelled by this token.
    fn receive(&self, id: Uuid) -> Option<(Lane, CancellationToken)> {
        let lane = self.uploads().remove(&id)?;
        let mut under_way = self.write();
        let active = under_way.operations.get_mut(&id)?;
        active.receiving = true;
        Some((lane, active.cancel.clone()))
    }

    /// It has come.
    fn received(&self, id: Uuid) {
        self.change(id, |active| std::mem::replace(&mut active.receiving, false));
    }

    fn uploads(&self) -> MutexGuard<'_, HashMap<Uuid, Lane>> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self, id: Uuid) {
        self.uploads().remove(&id);
        let mut under_way = self.write();
        let active = under_way.operations.remove(&id);
        let machine = active.and_then(|active| active.operation.machine).map(|machine| machine.id);
        if let Some(machine) = machine.filter(|machine| under_way.by_machine.get(machine) == Some(&id)) {
            under_way.by_machine.remove(&machine);
        }
        self.news.ended(id, machine);
        drop(under_way);
        // Nobody waiting is no error.
        drop(self.ended.send(id));
    }

    /// A poisoned lock only says that another thread panicked while it held it; the maps themselves are whole.
    fn read(&self) -> RwLockReadGuard<'_, UnderWay> {
        self.under_way.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, UnderWay> {
        self.under_way.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn operation(status: OperationStatus) -> Operation {
        serde_json::from_value(serde_json::json!({
            "id": Uuid::from_u128(1), "kind": "machine.start", "status": status, "progress": null, "message": "",
            "machine": {"id": Uuid::from_u128(2), "name": "a", "instance": "vmbrunoa"}, "requested_by": "bruno",
            "server": "lxd", "created_at": "2026-11-25T10:00:00Z", "updated_at": "2026-11-25T10:00:00Z",
            "finished_at": null, "error": null,
        }))
        .unwrap()
    }

    #[test]
    fn an_end_is_shown_once_the_machine_is_free() {
        let jobs = Jobs::new(Limits::default(), Arc::default());
        let written = operation(OperationStatus::Succeeded);
        drop(jobs.begin(operation(OperationStatus::Pending), true));
        assert!(jobs.touched(written.id));
        assert_eq!(jobs.as_it_stands(written.clone()).status, OperationStatus::Running);
        assert!(jobs.active_of(Uuid::from_u128(2)).is_some());
        jobs.end(written.id);
        assert_eq!(jobs.as_it_stands(written).status, OperationStatus::Succeeded);
        assert!(jobs.active_of(Uuid::from_u128(2)).is_none());
    }
}
