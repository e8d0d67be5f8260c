//! Reset: the machine as its image made it (v1's "restore to default").
//!
//! The new machine is made first, beside the old one; only when it is complete is the old one removed and the new one
//! given its name. Whatever goes wrong before that leaves the old machine as it was. The steps can be taken up
//! anywhere: what stands under which name tells how far an earlier run came.

use lxd_api::InstanceSource;
use vms_fleet::{InstanceView, keys};
use vms_types::{MachineStatus, ProblemCode};

use super::steps::{Failure, Job};
use crate::commands::WAS_RUNNING;

/// Begins the name of a machine that is being made anew. [`crate::reconcile`] knows it too.
pub(crate) const RESET_PREFIX: &str = "vms-reset-";

impl Job<'_> {
    /// What the new machine is called until it takes the old one's place.
    pub fn fresh_name(&self) -> String {
        format!("{RESET_PREFIX}{}", self.row.id.simple())
    }

    pub async fn reset(&self) -> Result<(), Failure> {
        let fresh = self.fresh_name();
        let old = self.own(&self.row.instance).await?;
        let exchanged = old.as_ref().is_some_and(|view| self.is_ours(view));
        if !exchanged {
            let new = self.look(&fresh).await?;
            // Half a machine of an interrupted run cannot be told from a whole one, so it is made again, as long as
            // the old one is there. Without the old one the new one was complete.
            if new.is_some() && old.is_some() {
                self.delete(&fresh).await?;
            }
            match old {
                Some(old) => {
                    self.make_fresh(&fresh, &old).await?;
                    self.remove_old(&fresh).await?;
                }
                None if new.is_none() => {
                    return Err(Failure::new(
                        ProblemCode::NotFound,
                        "The machine no longer exists on its server. It can only be deleted.",
                    ));
                }
                None => {}
            }
            let rename = || self.client().rename_instance(&fresh, &self.row.instance);
            self.send("Putting the new machine in its place", rename).await.map_err(Failure::again)?;
            self.look(&fresh).await?;
        }
        if self.flag(WAS_RUNNING) && self.existing().await?.status != MachineStatus::Running {
            self.start().await?;
        }
        Ok(())
    }

    /// Removes the old machine. If LXD refuses, it stays and the new one goes: nothing has changed then.
    async fn remove_old(&self, fresh: &str) -> Result<(), Failure> {
        match self.delete(&self.row.instance).await {
            Err(Failure::Failed { code, message }) if self.own(&self.row.instance).await?.is_some() => {
                self.clear_away(fresh).await?;
                Err(Failure::Failed { code, message })
            }
            other => other,
        }
    }

    /// Makes the new machine: from the very image of the old one if the server still has it, else from what the alias
    /// names today; with the same profiles and hardware addresses, so that it keeps its place on the network.
    async fn make_fresh(&self, fresh: &str, old: &InstanceView) -> Result<(), Failure> {
        let client = self.client();
        let full = client.instance(&self.row.instance).await.map_err(Failure::Away)?.value;
        let same_image = match client.image(&old.image_fingerprint).await {
            Ok(_) => true,
            Err(error) if error.is_not_found() => false,
            Err(error) => return Err(Failure::Away(error)),
        };
        let alias = old.config.get(keys::IMAGE).cloned().unwrap_or_default();
        let source = if same_image {
            InstanceSource::fingerprint(&old.image_fingerprint)
        } else {
            InstanceSource::alias(&alias)
        };
        // Only what VMS itself may have set is carried over: no key that somebody smuggled onto the old machine.
        let config = full
            .config
            .iter()
            .filter(|(key, _)| {
                let address = key.starts_with("volatile.") && key.ends_with(".hwaddr");
                address || key.starts_with("limits.") || [keys::IMAGE, keys::PROFILE].contains(&key.as_str())
            })
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        self.make_or_clear(fresh, source, config, full.devices.clone(), full.profiles.clone()).await
    }
}
