//! Giving a machine other profiles: a command like any other, so that it does not meet a reset half-way, is followed to
//! its end, and outlives a crash.

use serde_json::json;
use vms_authz::{Allowed, MachineTarget, action::ChangeProfiles};
use vms_types::rules::Command;
use vms_types::{Operation, OperationKind};

use crate::error::CoreError;
use crate::vms::Vms;

/// Among an operation's parameters: the names of the profiles, in the order they apply.
pub(crate) const PROFILES: &str = "profiles";
/// Among an operation's parameters: what the machine will be allowed to use.
pub(crate) const LIMITS: &str = "limits";

/// Most profiles of one machine.
const MAX_PROFILES: usize = 8;

impl Vms {
    /// Gives a machine these profiles instead of those it has. Administrators may give any there is; who may choose one for
    /// a new machine is another question.
    ///
    /// # Errors
    /// As [`Vms::change_power`]; profiles that the machine's server does not have; more than the owner's quota allows.
    pub async fn change_profiles(
        &self,
        proof: &Allowed<MachineTarget, ChangeProfiles>,
        profiles: Vec<String>,
    ) -> Result<Operation, CoreError> {
        let mut once = profiles.clone();
        once.sort_unstable();
        once.dedup();
        if !(1..=MAX_PROFILES).contains(&profiles.len()) || once.len() < profiles.len() {
            let message = format!("must name 1 to {MAX_PROFILES} profiles, each once");
            return Err(CoreError::invalid(PROFILES, "length", message));
        }
        let server = self.answering_server(&proof.resource().server)?;
        let Some(limits) = server.limits_with(&profiles) else {
            let message = format!("must all be on the machine's server, {}", server.name());
            return Err(CoreError::invalid(PROFILES, "unknown", message));
        };
        let params = json!({ PROFILES: profiles, LIMITS: limits });
        let (command, kind) = (Command::ChangeProfiles, OperationKind::MachineProfiles);
        self.command(proof, command, "change the profiles", kind, params, None).await
    }
}
