//! Driving a job from its beginning to an end that is written down.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;
use vms_authz::SessionKind;
use vms_db::{DbError, Finish, OperationRow};
use vms_fleet::Server;
use vms_types::{Operation, OperationError, OperationKind, OperationStatus, ProblemCode, TokenScope};

use super::line::{Slot, Turn};
use super::steps::{Failure, Job};
use crate::error::CoreError;
use crate::metrics;
use crate::operations::show;
use crate::sessions::actor_of;
use crate::vms::Vms;

/// How long a job waits for a server that is away before its operation ends as `unknown`.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Between attempts to write an end down while the database does not answer.
const WRITE_AGAIN: Duration = Duration::from_secs(1);
/// First and longest pause between attempts while a server answers, but not so that the job could go on.
const TRY_AGAIN: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));
/// Attempts in a row that end with an answer which does not help. A server that is away does not count.
const ATTEMPTS: u32 = 8;

impl Vms {
    /// Gives a fresh operation to a job and shows it.
    pub(crate) fn hand_over(&self, row: OperationRow, slot: Slot) -> Operation {
        let operation = show(row.clone());
        let cancel = self.parts.jobs.begin(operation.clone(), true);
        self.spawn(row, slot, cancel, false);
        operation
    }

    /// Takes up what an earlier run left unfinished.
    pub(crate) async fn resume_unfinished(&self) -> Result<(), CoreError> {
        for row in self.parts.db.unfinished_operations().await? {
            tracing::info!(operation = %row.id, kind = row.kind.as_str(), "taking up an unfinished operation");
            // The crash may have come between LXD's taking the order and our writing that down. For a creation that
            // matters: to cancel it now could leave a machine that nobody has.
            let untouched =
                row.status == OperationStatus::Pending && row.kind != OperationKind::MachineCreate;
            let cancel = self.parts.jobs.begin(show(row.clone()), untouched);
            let slot = self.parts.jobs.line.enter_again(&row.requested_by);
            self.spawn(row, slot, cancel, true);
        }
        Ok(())
    }

    fn spawn(&self, row: OperationRow, slot: Slot, cancel: CancellationToken, resumed: bool) {
        let vms = self.clone();
        // The request that began it is in the surrounding span, and so in every line that the job logs.
        let span = tracing::info_span!("operation", operation = %row.id, kind = row.kind.as_str());
        let work = async move {
            let id = row.id;
            let stop = vms.parts.jobs.stop.clone();
            tokio::select! {
                () = vms.drive(row, &slot, cancel, resumed) => {
                    drop(slot);
                    vms.parts.jobs.end(id);
                }
                // Where it stands is in the database and on LXD; the next start goes on from there.
                () = stop.cancelled() => {}
            }
        };
        self.parts.jobs.tracker.spawn(work.instrument(span));
    }

    /// Runs the job until it has an end, and writes that down.
    async fn drive(&self, row: OperationRow, slot: &Slot, cancel: CancellationToken, mut resumed: bool) {
        let deadline = Instant::now() + PATIENCE;
        if resumed && let Err(reason) = self.still_allowed(&row).await {
            return self.write_end(&row, Err(Failure::new(ProblemCode::Forbidden, reason)), None).await;
        }
        let (mut pause, mut attempts, mut interrupted) = (TRY_AGAIN.0, 0, false);
        let (end, server, held) = loop {
            let server = match self.parts.fleet.server(&row.server) {
                Some(server) => Arc::clone(server),
                None => {
                    let message = format!("The server \"{}\" is no longer configured.", row.server);
                    break (Err(Failure::new(ProblemCode::ServerUnavailable, message)), None, None);
                }
            };
            if let Err(failure) = wait_connected(&server, deadline, &cancel).await {
                break (Err(failure), None, None);
            }
            // Held while LXD works, and not while the server is away.
            let turn = match self.turn(&row, &server, slot, &cancel).await {
                Ok(Some(turn)) => turn,
                Ok(None) => continue,
                Err(failure) => break (Err(failure), None, None),
            };
            // Its last look follows when the end is written.
            let held = server.hold(&row.instance);
            let job = Job { vms: self, server: &server, row: &row, resumed, interrupted };
            let end = job.run().await;
            drop(turn);
            match end {
                Err(Failure::Away(error)) => {
                    tracing::warn!(%error, "the operation could not be followed; it will be looked at again");
                    attempts = if error.is_unreachable() { 0 } else { attempts + 1 };
                    if attempts >= ATTEMPTS || Instant::now() >= deadline {
                        let message = format!("What became of it could not be learned: {error}");
                        break (Err(Failure::Unknown(message)), Some(server), Some(held));
                    }
                    (resumed, interrupted) = (true, true);
                    drop(held);
                    sleep(pause).await;
                    pause = pause.saturating_mul(2).min(TRY_AGAIN.1);
                }
                end => break (end, Some(server), Some(held)),
            }
        };
        self.write_end(&row, end, server).await;
        drop(held);
    }

    /// Waits until it is the job's turn, or somebody cancels what has not begun. `None` if the server went away
    /// meanwhile: whoever waits for it must not keep a place that another server's work could have.
    async fn turn(
        &self,
        row: &OperationRow,
        server: &Server,
        slot: &Slot,
        cancel: &CancellationToken,
    ) -> Result<Option<Turn>, Failure> {
        if let Some(turn) = slot.turn_now(&row.server) {
            return Ok(Some(turn));
        }
        self.parts.jobs.step(row.id, "Waiting for its turn");
        let mut connected = server.watch_connected();
        let turn = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Failure::Cancelled),
            _ = connected.wait_for(|connected| !connected) => return Ok(None),
            turn = slot.turn(&row.server) => turn,
        };
        match self.still_allowed(row).await {
            Ok(()) => Ok(turn),
            Err(reason) => Err(Failure::new(ProblemCode::Forbidden, reason)),
        }
    }

    /// Work that runs later asks again whether its actor may still do it.
    async fn still_allowed(&self, row: &OperationRow) -> Result<(), String> {
        match self.parts.db.user(&row.requested_by).await {
            Ok(Some(user)) if user.disabled => {
                Err("The account of the person who asked was disabled.".into())
            }
            Ok(Some(user)) => {
                let session = SessionKind::Browser { session: uuid::Uuid::nil() };
                let actor = actor_of(&user, TokenScope::Write, session);
                // Images are nobody's own.
                let own = user.username == row.owner && !row.kind.is_of_image();
                if own || actor.role() == vms_types::Role::Admin {
                    Ok(())
                } else {
                    Err("The person who asked may no longer do this.".into())
                }
            }
            Ok(None) => Err("The person who asked is no longer known.".into()),
            // The database has been read a moment ago; if it fails now, the end is written when it is back.
            Err(error) => Err(format!("It could not be checked whether this is still allowed: {error}")),
        }
    }

    async fn write_end(&self, row: &OperationRow, end: Result<(), Failure>, server: Option<Arc<Server>>) {
        // The mirror first: who reads "succeeded" finds the machine as it is now.
        if let Some(server) = server {
            let looked = async {
                if row.kind.is_of_image() {
                    server.refresh_images().await
                } else {
                    server.refresh(&row.instance).await.map(drop)
                }
            };
            if let Err(error) = looked.await {
                tracing::warn!(%error, "what the operation was about could not be looked at after it");
            }
        }
        let finish = finish_of(row, &end);
        // The operation itself stands in the span.
        let instance = &row.instance;
        match &end {
            Ok(()) => tracing::info!(instance, "operation succeeded"),
            Err(Failure::Cancelled) => tracing::info!(instance, "operation cancelled"),
            Err(failure) => tracing::warn!(instance, %failure, "operation did not succeed"),
        }
        loop {
            match self.parts.db.finish_operation(row.id, finish.clone()).await {
                Ok(ended_now) => {
                    let took = (chrono::Utc::now() - row.created_at).to_std().unwrap_or_default();
                    if ended_now {
                        metrics::operation(row.kind, finish.status, took);
                    }
                    return;
                }
                Err(error @ DbError::Unavailable(_)) => {
                    tracing::error!(%error, "the end of an operation could not be written; trying again");
                    sleep(WRITE_AGAIN).await;
                }
                Err(error) => {
                    tracing::error!(%error, "the end of an operation could not be written");
                    return;
                }
            }
        }
    }
}

fn finish_of(row: &OperationRow, end: &Result<(), Failure>) -> Finish {
    use vms_types::OperationKind as K;
    let (status, error) = match end {
        Ok(()) => (OperationStatus::Succeeded, None),
        Err(Failure::Failed { code, message }) => {
            (OperationStatus::Failed, Some((code.as_str().to_owned(), message.clone())))
        }
        Err(Failure::Cancelled) => (OperationStatus::Cancelled, None),
        Err(Failure::Unknown(message)) => (
            OperationStatus::Unknown,
            Some((ProblemCode::ServerUnavailable.as_str().to_owned(), message.clone())),
        ),
        Err(Failure::Away(error)) => (
            OperationStatus::Unknown,
            Some((ProblemCode::ServerUnavailable.as_str().to_owned(), error.to_string())),
        ),
        Err(Failure::Kept { code, message }) => {
            (OperationStatus::Failed, Some((code.as_str().to_owned(), message.clone())))
        }
    };
    // A machine that was never made holds no place in the quota; nor does one that is gone.
    let remove_machine = match row.kind {
        K::MachineCreate => {
            matches!(end, Err(Failure::Failed { .. } | Failure::Cancelled))
        }
        K::MachineDelete => end.is_ok(),
        _ => false,
    };
    let error = error.map(|(code, message)| OperationError { code, message });
    Finish { status, error, remove_machine }
}

/// Waits until the server answers, the patience is over, or somebody cancels what has not begun.
async fn wait_connected(
    server: &Server,
    deadline: Instant,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let mut connected = server.watch_connected();
    tokio::select! {
        // Ready first: a server that is there is not waited for.
        biased;
        () = cancel.cancelled() => Err(Failure::Cancelled),
        answer = tokio::time::timeout_at(deadline, connected.wait_for(|c| *c)) => match answer {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(_)) => Err(Failure::Unknown("The system was shutting down.".into())),
            Err(_) => Err(Failure::Unknown(format!(
                "The server \"{}\" did not answer for an hour; what became of the command is not known.",
                server.name()
            ))),
        },
    }
}
