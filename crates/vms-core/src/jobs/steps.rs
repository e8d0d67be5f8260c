//! The steps jobs are made of: send a command to LXD, follow it, and say in our words how it ended.

use std::sync::Arc;
use std::time::Duration;

use lxd_api::{InstanceAction, InstanceSource, InstanceStatePut, InstancesPost};
use lxd_client::{Client, Error, OperationHandle};
use tokio::time::{Instant, sleep};
use vms_db::OperationRow;
use vms_fleet::{InstanceView, Server, keys};
use vms_types::{MachineStatus, OperationKind, ProblemCode};

use crate::vms::Vms;

/// Longest time one LXD operation is followed. Making a machine from a large image takes minutes.
pub(super) const LXD_PATIENCE: Duration = Duration::from_secs(1800);
/// How long a machine that LXD is busy with is waited for (turning one off takes up to 30 s), and between attempts.
const BUSY: Duration = Duration::from_secs(60);
const BUSY_PAUSE: Duration = Duration::from_millis(200);
/// How LXD describes its operation that goes back to a snapshot.
const RESTORING: &str = "Restoring snapshot";

/// One run of one job.
pub(super) struct Job<'a> {
    pub vms: &'a Vms,
    pub server: &'a Arc<Server>,
    pub row: &'a OperationRow,
    /// An earlier run may have done some or all of it.
    pub resumed: bool,
    /// LXD was lost while an earlier run of this process followed it: it may have died in the middle.
    pub interrupted: bool,
}

/// How a job can end other than well.
#[derive(Debug)]
pub(super) enum Failure {
    /// It failed and left nothing new behind.
    Failed { code: ProblemCode, message: String },
    /// It failed half-way: the machine was made and stays.
    Kept { code: ProblemCode, message: String },
    /// It was cancelled.
    Cancelled,
    /// How it ended cannot be learned.
    Unknown(String),
    /// How it went was not to be learned, most often because the server is away: to be run again when it is back.
    Away(Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Failed { message, .. } | Self::Kept { message, .. } | Self::Unknown(message) => {
                f.write_str(message)
            }
            Self::Cancelled => f.write_str("cancelled"),
            Self::Away(error) => error.fmt(f),
        }
    }
}

impl Failure {
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self::Failed { code, message: message.into() }
    }

    /// A step that must not be left half done: to be tried again.
    pub fn again(self) -> Self {
        match self {
            Self::Failed { message, .. } => Self::Away(Error::OperationFailed { id: String::new(), message }),
            other => other,
        }
    }

    /// LXD refused because it is at something else with the instance (its package `operationlock`).
    fn is_busy(&self) -> bool {
        matches!(self, Self::Failed { message, .. } if message.contains("Instance is busy running"))
    }

    /// The same, after the machine was made.
    pub fn kept(self) -> Self {
        match self {
            Self::Failed { code, message } => Self::Kept { code, message },
            other => other,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Cancelled { .. } => Self::Cancelled,
            error if error.is_unreachable() || error.is_operation_lost() || error.is_timeout() => {
                Self::Away(error)
            }
            error if error.is_untrusted() => Self::new(ProblemCode::ServerRefused, error.to_string()),
            Error::OperationFailed { message, .. } => Self::new(ProblemCode::ServerError, advised(message)),
            error => Self::new(ProblemCode::ServerError, advised(error.to_string())),
        }
    }
}

/// LXD's own words, and what to do where they do not say it.
fn advised(mut message: String) -> String {
    if message.contains("Instance DNS name") {
        message.push_str(
            ". A machine can have several interfaces on one managed bridge only if the bridge's dns.mode is none.",
        );
    }
    message
}

impl Job<'_> {
    /// Does what the operation says.
    pub async fn run(&self) -> Result<(), Failure> {
        let earlier = if self.resumed { self.follow_earlier().await? } else { None };
        match self.row.kind {
            OperationKind::MachineCreate => self.create(matches!(earlier, Some(Ok(())))).await,
            OperationKind::MachineStart => self.start().await,
            OperationKind::MachineStop => self.stop(self.flag("force")).await,
            OperationKind::MachineRestart => self.restart().await,
            OperationKind::MachineFreeze => self.freeze().await,
            OperationKind::MachineUnfreeze => self.unfreeze().await,
            OperationKind::MachineReset => self.reset().await,
            OperationKind::MachineProfiles => self.change_profiles().await,
            OperationKind::MachineDelete => self.delete(&self.row.instance).await,
            OperationKind::SnapshotCreate => self.create_snapshot(matches!(earlier, Some(Ok(())))).await,
            OperationKind::SnapshotRename => self.rename_snapshot().await,
            OperationKind::SnapshotRestore => self.restore_snapshot(earlier).await,
            OperationKind::SnapshotDelete => self.delete_snapshot().await,
            OperationKind::ImageImport => self.import_image().await,
            OperationKind::ImagePublish => self.publish_image().await,
            OperationKind::ImageRefresh => self.refresh_image(earlier).await,
            OperationKind::ImageDelete => self.delete_image().await,
        }
    }

    /// LXD may still be at what an earlier run sent, or remember for a few seconds how it ended: that end comes first.
    /// `None` if nothing was sent or LXD has forgotten it; the steps then look at what there is.
    async fn follow_earlier(&self) -> Result<Option<Result<(), Failure>>, Failure> {
        let written = self.vms.parts.db.operation_by_id(self.row.id).await.ok().flatten();
        let end = match written.and_then(|row| row.lxd_operation) {
            Some(id) => self.end_of(&id).await?,
            None => None,
        };
        // The last order may not have been written down.
        let unwritten = self.wait_idle().await?;
        Ok(end.or(unwritten))
    }

    /// How an operation of LXD's ends; `None` if LXD has forgotten it.
    async fn end_of(&self, id: &str) -> Result<Option<Result<(), Failure>>, Failure> {
        match self.client().operation_handle(id).await {
            Ok(handle) => match self.follow(handle).await {
                Err(Failure::Away(error)) if error.is_operation_lost() => Ok(None),
                Err(failure @ (Failure::Away(_) | Failure::Cancelled)) => Err(failure),
                end => Ok(Some(end.map(drop))),
            },
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(Failure::Away(error)),
        }
    }

    /// An order whose answer was lost may be under way under an id that nobody wrote down: what LXD does to the instance
    /// by now is waited for, whoever asked for it. Gives the end of a restore that can only be this operation's: nothing
    /// that is left behind tells it.
    async fn wait_idle(&self) -> Result<Option<Result<(), Failure>>, Failure> {
        let fresh = self.fresh_name();
        let mut restored = None;
        for operation in self.client().operations().await.map_err(Failure::Away)? {
            let about = operation.instances().any(|name| name == self.row.instance || name == fresh);
            let ours = self.row.kind == OperationKind::SnapshotRestore
                && operation.description == RESTORING
                && operation.created_at.is_some_and(|at| at > self.row.created_at);
            // Others than tasks (a shell that somebody has open) may last for hours, and change nothing.
            if !about || operation.class != "task" || (operation.is_final() && !ours) {
                continue;
            }
            match self.end_of(&operation.id).await {
                Ok(end) if ours => restored = end,
                Ok(_) | Err(Failure::Cancelled) => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(restored)
    }

    pub fn client(&self) -> &Client {
        self.server.client()
    }

    pub fn flag(&self, name: &str) -> bool {
        self.row.params.get(name).and_then(serde_json::Value::as_bool).unwrap_or_default()
    }

    pub fn text(&self, name: &str) -> &str {
        self.row.params.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
    }

    /// Gives a command about a machine and follows it to its end; given again while LXD is still at something else with
    /// the machine.
    pub async fn send<F: Future<Output = Result<OperationHandle, Error>>>(
        &self,
        message: &str,
        command: impl Fn() -> F,
    ) -> Result<(), Failure> {
        self.when_idle(|| async { self.send_once(message, command()).await.map(drop) }).await
    }

    /// Repeats a step that LXD refuses because the machine is busy, and by nothing else: then nothing was begun. What it
    /// is busy with may be an order of an earlier run, somebody's `lxc`, or a machine that turns itself off.
    pub async fn when_idle<F: Future<Output = Result<(), Failure>>>(
        &self,
        step: impl Fn() -> F,
    ) -> Result<(), Failure> {
        let deadline = Instant::now() + BUSY;
        loop {
            match step().await {
                Err(failure) if failure.is_busy() && Instant::now() < deadline => {
                    self.wait_idle().await?;
                    // It may be at something that is not among its operations.
                    sleep(BUSY_PAUSE).await;
                }
                end => return end,
            }
        }
    }

    /// Sends a command and follows it, for what LXD's operation tells at its end.
    pub async fn send_once(
        &self,
        message: &str,
        command: impl Future<Output = Result<OperationHandle, Error>>,
    ) -> Result<lxd_api::Operation, Failure> {
        if !self.vms.parts.jobs.touched(self.row.id) {
            return Err(Failure::Cancelled);
        }
        self.vms.parts.jobs.step(self.row.id, message);
        let handle = command.await?;
        if let Err(error) = self.vms.parts.db.set_operation_running(self.row.id, handle.id()).await {
            // Only needed after a crash, and then the steps look for themselves.
            tracing::warn!(%error, "LXD's operation id could not be written");
        }
        self.follow(handle).await
    }

    async fn follow(&self, handle: OperationHandle) -> Result<lxd_api::Operation, Failure> {
        let jobs = &self.vms.parts.jobs;
        let observe = |now: &lxd_api::Operation| {
            if let Some(percent) = now.progress_percent() {
                jobs.progress(self.row.id, percent);
            }
        };
        match handle.wait_observed(LXD_PATIENCE, observe).await {
            Ok(ended) => Ok(ended),
            Err(error @ (Error::OperationFailed { .. } | Error::Cancelled { .. })) => Err(error.into()),
            // The operation goes on, or has ended unseen: only looking again can tell.
            Err(error) => Err(Failure::Away(error)),
        }
    }

    /// The instance as LXD shows it now. A look that fails says nothing about the instance, so it is repeated.
    pub async fn look(&self, name: &str) -> Result<Option<Arc<InstanceView>>, Failure> {
        self.server.refresh(name).await.map_err(Failure::Away)
    }

    /// The same, if it is the machine this operation is about, and not one that was given its name meanwhile.
    pub async fn own(&self, name: &str) -> Result<Option<Arc<InstanceView>>, Failure> {
        Ok(self.look(name).await?.filter(|view| view.machine_id() == self.row.machine_id))
    }

    /// The instance, or the failure that it is gone.
    pub async fn existing(&self) -> Result<Arc<InstanceView>, Failure> {
        self.own(&self.row.instance).await?.ok_or_else(|| {
            Failure::new(
                ProblemCode::NotFound,
                "The machine no longer exists on its server. It can only be deleted.",
            )
        })
    }

    /// The same as the mirror shows it, where that is enough: a first run's orders are judged by LXD itself. After an
    /// interruption only LXD can tell.
    pub async fn known(&self) -> Result<Arc<InstanceView>, Failure> {
        match self.mirrored(&self.row.instance) {
            Some(view) => Ok(view),
            None => self.existing().await,
        }
    }

    fn mirrored(&self, name: &str) -> Option<Arc<InstanceView>> {
        let trusted = !self.resumed && self.server.is_connected();
        self.row.machine_id.filter(|_| trusted).and_then(|id| self.server.machine(name, id))
    }

    pub async fn set_state(&self, name: &str, message: &str, state: InstanceStatePut) -> Result<(), Failure> {
        self.send(message, || self.client().set_instance_state(name, &state)).await
    }

    /// Whether an instance is the one this operation makes, and not one that someone else made under the name.
    pub fn is_ours(&self, view: &InstanceView) -> bool {
        view.config.get(keys::OPERATION).is_some_and(|id| *id == self.row.id.to_string())
    }

    /// Sends LXD the order to make an instance of this machine under a name.
    pub async fn make_instance(
        &self,
        name: &str,
        source: InstanceSource,
        config: lxd_api::Config,
        devices: lxd_api::Devices,
        profiles: Vec<String>,
    ) -> Result<(), Failure> {
        let machine = self.row.machine_id.unwrap_or_default();
        let mut own = lxd_api::Config::from([
            (keys::ID.to_owned(), machine.to_string()),
            (keys::OWNER.to_owned(), self.row.owner.clone()),
            (keys::NAME.to_owned(), self.row.machine_name.clone()),
            (keys::OPERATION.to_owned(), self.row.id.to_string()),
        ]);
        own.extend(config);
        let request = InstancesPost {
            name: name.to_owned(),
            kind: "container".into(),
            source,
            config: own,
            devices,
            profiles: Some(profiles),
            ..InstancesPost::default()
        };
        self.send("Creating the machine from its image", || self.client().create_instance(&request, None))
            .await
    }

    /// Makes the machine, and turns it on if that was asked. With `done` LXD has told that the last order ended well.
    async fn create(&self, done: bool) -> Result<(), Failure> {
        let name = &self.row.instance;
        let mut found = self.look(name).await?;
        // An LXD that died in the middle leaves an instance that looks whole and never starts. As long as it was never
        // turned on there is nothing in it to lose, so it is made again.
        let half = |view: &InstanceView| view.status != MachineStatus::Running && view.last_used_at.is_none();
        if self.resumed && !done && found.as_ref().is_some_and(|view| self.is_ours(view) && half(view)) {
            self.delete(name).await.map_err(Failure::again)?;
            found = None;
        }
        match found {
            Some(view) if self.is_ours(&view) => {
                if self.flag("start") {
                    self.start().await.map_err(Failure::kept)?;
                }
            }
            Some(_) => {
                let message =
                    format!("An instance \"{name}\" exists on the server already. Choose another name.");
                return Err(Failure::new(ProblemCode::NameTaken, message));
            }
            None => {
                let (image, profile) = (self.text("image").to_owned(), self.text("profile").to_owned());
                let source = InstanceSource::alias(&image);
                let config = lxd_api::Config::from([
                    (keys::IMAGE.to_owned(), image),
                    (keys::PROFILE.to_owned(), profile.clone()),
                ]);
                self.make_or_clear(name, source, config, lxd_api::Devices::new(), vec![profile]).await?;
                if self.flag("start") {
                    self.turn_on().await.map_err(Failure::kept)?;
                }
            }
        }
        Ok(())
    }

    /// Makes an instance; what a failure leaves is taken away again, if it is ours.
    pub async fn make_or_clear(
        &self,
        name: &str,
        source: InstanceSource,
        config: lxd_api::Config,
        devices: lxd_api::Devices,
        profiles: Vec<String>,
    ) -> Result<(), Failure> {
        match self.make_instance(name, source, config, devices, profiles).await {
            Ok(()) => Ok(()),
            Err(Failure::Away(error)) => Err(Failure::Away(error)),
            Err(failure) => {
                self.clear_away(name).await?;
                Err(failure)
            }
        }
    }

    pub async fn clear_away(&self, name: &str) -> Result<(), Failure> {
        match self.look(name).await? {
            Some(view) if self.is_ours(&view) => self.delete(name).await,
            _ => Ok(()),
        }
    }

    /// Turns an instance off the hard way if it runs, and removes it.
    pub async fn delete(&self, name: &str) -> Result<(), Failure> {
        let seen = match self.mirrored(name) {
            Some(view) => Some(view),
            None => self.own(name).await?,
        };
        let Some(seen) = seen else { return Ok(()) };
        match self.remove(name, seen.status).await {
            // It may be in another state than was seen: an LXD that was just started may show as broken what runs.
            Err(Failure::Failed { .. }) => {}
            end => return end,
        }
        match self.own(name).await? {
            Some(_) => self.remove(name, MachineStatus::Running).await,
            None => Ok(()),
        }
    }

    /// Removes an instance that was seen in this state.
    async fn remove(&self, name: &str, seen: MachineStatus) -> Result<(), Failure> {
        let off = |status| matches!(status, MachineStatus::Stopped | MachineStatus::Error);
        if !off(seen) {
            let order =
                InstanceStatePut { force: true, timeout: 30, ..InstanceStatePut::new(InstanceAction::Stop) };
            if let Err(failure) = self.set_state(name, "Turning the machine off", order).await
                && self.own(name).await?.is_some_and(|now| !off(now.status))
            {
                return Err(failure);
            }
        }
        match self.send("Deleting the machine", || self.client().delete_instance(name)).await {
            Err(Failure::Failed { .. }) if self.own(name).await?.is_none() => Ok(()),
            other => other,
        }
    }
}
