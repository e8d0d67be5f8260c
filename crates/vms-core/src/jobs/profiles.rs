//! Other profiles for a machine. A running one feels them at once: memory, CPUs, interfaces.

use vms_authz::{Actor, Fleet, action::Reconcile};
use vms_fleet::keys;

use super::steps::{Failure, Job};
use crate::assign::PROFILES;

impl Job<'_> {
    pub async fn change_profiles(&self) -> Result<(), Failure> {
        let listed = self.row.params.get(PROFILES).and_then(serde_json::Value::as_array);
        let names = listed.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned));
        let profiles: Vec<String> = names.collect();
        let view = self.existing().await?;
        if view.profiles != profiles {
            let first = profiles.first().cloned().unwrap_or_default();
            let patch = lxd_api::InstancePatch {
                config: lxd_api::Config::from([(keys::PROFILE.to_owned(), first)]),
                profiles: Some(profiles.clone()),
                // LXD 5.0 clears a description that is not sent along.
                description: Some(view.description.clone()),
                ..lxd_api::InstancePatch::default()
            };
            if !self.vms.parts.jobs.touched(self.row.id) {
                return Err(Failure::Cancelled);
            }
            self.vms.parts.jobs.step(self.row.id, "Giving the machine other profiles");
            // LXD has done it when this returns; there is no operation of its own to follow.
            self.when_idle(|| async {
                self.client().patch_instance(&self.row.instance, &patch, None).await.map_err(Failure::from)
            })
            .await?;
        }
        self.note(profiles.first().map_or("", String::as_str)).await;
        Ok(())
    }

    /// The row only tells as long as no server shows the machine, so that what cannot be written now does no harm.
    async fn note(&self, profile: &str) {
        let (Ok(proof), Some(machine)) = (Actor::system().authorize(Fleet, Reconcile), self.row.machine_id)
        else {
            return;
        };
        if let Err(error) = self.vms.parts.db.set_profile(&proof, machine, profile).await {
            tracing::warn!(%error, "the machine's profile could not be written down");
        }
    }
}
