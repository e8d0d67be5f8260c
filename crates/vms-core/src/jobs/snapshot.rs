//! Snapshots of a machine.

use serde_json::json;
use vms_fleet::keys;
use vms_types::{MachineStatus, ProblemCode};

use super::steps::{Failure, Job};
use crate::commands::{LAST_STARTED, WAS_RUNNING};

impl Job<'_> {
    /// Takes it. With `done` LXD has told that the last order ended well.
    pub async fn create_snapshot(&self, done: bool) -> Result<(), Failure> {
        self.take_snapshot(done).await?;
        // LXD holds a machine still while it copies its files, and when it dies then, nobody lets it go on.
        if self.resumed && self.flag(WAS_RUNNING) && self.existing().await?.status == MachineStatus::Frozen {
            self.unfreeze().await?;
        }
        Ok(())
    }

    async fn take_snapshot(&self, done: bool) -> Result<(), Failure> {
        let name = self.text("snapshot");
        let view = self.known().await?;
        if let Some(found) = view.snapshots.iter().find(|s| s.name == name) {
            // LXD's clock is another, so a minute's difference still means that an earlier run took it.
            let ours =
                self.resumed && found.created_at + chrono::TimeDelta::seconds(60) >= self.row.created_at;
            if !ours {
                let message = format!("A snapshot \"{name}\" exists already.");
                return Err(Failure::new(ProblemCode::NameTaken, message));
            }
            // After a restart of ours alone it is whole: LXD went on. An LXD that died in the middle leaves one that
            // looks whole, cannot be gone back to, and keeps all later ones from being taken.
            if done || !self.interrupted {
                return Ok(());
            }
            let removal = || self.client().delete_snapshot(&self.row.instance, name);
            self.send("Removing half a snapshot", removal).await.map_err(Failure::again)?;
        }
        let request = lxd_api::SnapshotsPost { name: name.to_owned(), ..lxd_api::SnapshotsPost::default() };
        self.send("Taking the snapshot", || self.client().create_snapshot(&self.row.instance, &request)).await
    }

    pub async fn rename_snapshot(&self) -> Result<(), Failure> {
        let (old, new) = (self.text("snapshot"), self.text("new_name"));
        let view = self.known().await?;
        let has = |name: &str| view.snapshots.iter().any(|s| s.name == name);
        match (has(old), has(new)) {
            (false, true) if self.resumed => Ok(()),
            (_, true) => {
                Err(Failure::new(ProblemCode::NameTaken, format!("A snapshot \"{new}\" exists already.")))
            }
            (false, false) => Err(gone(old)),
            (true, false) => {
                self.send("Renaming the snapshot", || {
                    self.client().rename_snapshot(&self.row.instance, old, new)
                })
                .await
            }
        }
    }

    /// Going back twice would throw away what was done in between, so an interrupted run is repeated only if the machine was
    /// not turned on since: LXD turns a running machine off first, and on again when its files are back. One that still
    /// runs was not touched, or LXD died when it had already forbidden it new processes, to turn it off. `earlier` is how
    /// LXD says that an earlier run's order ended.
    pub async fn restore_snapshot(&self, earlier: Option<Result<(), Failure>>) -> Result<(), Failure> {
        if let Some(end) = earlier {
            end?;
            return self.keep_identity().await;
        }
        let (name, view) = (self.text("snapshot"), self.known().await?);
        if self.resumed && self.row.params.get(LAST_STARTED) != Some(&json!(view.last_used_at)) {
            return Err(Failure::Unknown(
                "The server was interrupted while it restored the machine. Look at the machine, and restore it again if needed.".into(),
            ));
        }
        if !view.snapshots.iter().any(|s| s.name == name) {
            return Err(gone(name));
        }
        self.send("Restoring the machine", || self.client().restore_snapshot(&self.row.instance, name))
            .await?;
        self.keep_identity().await?;
        // The machine may have been off already when LXD died, and then LXD leaves it so.
        if self.resumed && self.flag(WAS_RUNNING) {
            self.start().await?;
        }
        Ok(())
    }

    /// A snapshot brings its configuration back with it. That of an adopted machine may be older than the keys, or carry
    /// those of the machine it is a copy of.
    async fn keep_identity(&self) -> Result<(), Failure> {
        let (Some(view), Some(id)) = (self.look(&self.row.instance).await?, self.row.machine_id) else {
            return Ok(());
        };
        if view.machine_id() == Some(id) {
            return Ok(());
        }
        let config = lxd_api::Config::from([
            (keys::ID.to_owned(), id.to_string()),
            (keys::OWNER.to_owned(), self.row.owner.clone()),
            (keys::NAME.to_owned(), self.row.machine_name.clone()),
        ]);
        let patch = lxd_api::InstancePatch { config, ..lxd_api::InstancePatch::default() };
        // Not an error that ends it: without its keys the machine would be nobody's.
        self.client().patch_instance(&self.row.instance, &patch, None).await.map_err(Failure::Away)
    }

    pub async fn delete_snapshot(&self) -> Result<(), Failure> {
        let name = self.text("snapshot");
        if !self.known().await?.snapshots.iter().any(|s| s.name == name) {
            return if self.resumed { Ok(()) } else { Err(gone(name)) };
        }
        self.send("Deleting the snapshot", || self.client().delete_snapshot(&self.row.instance, name)).await
    }
}

fn gone(name: &str) -> Failure {
    Failure::new(ProblemCode::NotFound, format!("The snapshot \"{name}\" no longer exists."))
}
