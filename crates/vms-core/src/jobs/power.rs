//! Turning machines on and off. The aim is a state, so each job first looks whether it is reached already.

use lxd_api::{InstanceAction, InstanceStatePut};
use vms_types::{MachineStatus, ProblemCode};

use super::steps::{Failure, Job};

impl Job<'_> {
    pub async fn start(&self) -> Result<(), Failure> {
        if self.existing().await?.status == MachineStatus::Running {
            return Ok(());
        }
        self.turn_on().await
    }

    /// The same without looking first.
    pub async fn turn_on(&self) -> Result<(), Failure> {
        let order = InstanceStatePut { timeout: 30, ..InstanceStatePut::new(InstanceAction::Start) };
        self.reach(MachineStatus::Running, "Turning the machine on", order).await
    }

    pub async fn stop(&self, force: bool) -> Result<(), Failure> {
        if self.existing().await?.status == MachineStatus::Stopped {
            return Ok(());
        }
        let order = InstanceStatePut {
            force,
            timeout: self.stop_seconds(),
            ..InstanceStatePut::new(InstanceAction::Stop)
        };
        self.reach(MachineStatus::Stopped, "Turning the machine off", order).await.map_err(|f| hint(f, force))
    }

    /// A restart that was interrupted has happened if the machine was started after it was asked for.
    pub async fn restart(&self) -> Result<(), Failure> {
        let view = self.existing().await?;
        if self.resumed {
            let restarted = view.last_used_at.is_some_and(|at| at > self.row.created_at);
            match view.status {
                MachineStatus::Running if restarted => return Ok(()),
                MachineStatus::Stopped => return self.start().await,
                _ => {}
            }
        }
        let force = self.flag("force");
        let order = InstanceStatePut {
            force,
            timeout: self.stop_seconds(),
            ..InstanceStatePut::new(InstanceAction::Restart)
        };
        self.set_state(&self.row.instance, "Restarting the machine", order).await.map_err(|f| hint(f, force))
    }

    pub async fn freeze(&self) -> Result<(), Failure> {
        if self.existing().await?.status == MachineStatus::Frozen {
            return Ok(());
        }
        let order = InstanceStatePut::new(InstanceAction::Freeze);
        self.reach(MachineStatus::Frozen, "Pausing the machine", order).await
    }

    pub async fn unfreeze(&self) -> Result<(), Failure> {
        if self.existing().await?.status == MachineStatus::Running {
            return Ok(());
        }
        let order = InstanceStatePut::new(InstanceAction::Unfreeze);
        self.reach(MachineStatus::Running, "Letting the machine go on", order).await
    }

    /// Gives the order; if LXD refuses because the state was reached meanwhile, that is a success.
    async fn reach(&self, aim: MachineStatus, message: &str, order: InstanceStatePut) -> Result<(), Failure> {
        match self.set_state(&self.row.instance, message, order).await {
            Err(Failure::Failed { code, message }) => {
                if self.existing().await?.status == aim {
                    return Ok(());
                }
                Err(Failure::Failed { code, message })
            }
            other => other,
        }
    }

    fn stop_seconds(&self) -> i64 {
        let asked = self.row.params.get("timeout_seconds").and_then(serde_json::Value::as_i64);
        asked.unwrap_or_else(|| i64::try_from(self.vms.parts.settings.stop_timeout.as_secs()).unwrap_or(30))
    }
}

/// A machine that does not shut down in time is common; say what to do.
fn hint(failure: Failure, force: bool) -> Failure {
    match failure {
        Failure::Failed { code: ProblemCode::ServerError, message } if !force => Failure::new(
            ProblemCode::ServerError,
            format!("The machine did not shut down in time ({message}). It can be turned off by force."),
        ),
        other => other,
    }
}
