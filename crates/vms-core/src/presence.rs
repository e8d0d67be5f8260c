//! Whether the directory still has the people who once logged in.
//!
//! Nobody tells us when somebody leaves the school: their logins fail from then on, and so does everyone's who mistypes
//! a password. So the directory is asked for the name, when an administrator wants to know and slowly in the
//! background, a few people at a time. Nothing else follows from the answer; what becomes of the machines of somebody
//! who left is for people to decide.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::{MissedTickBehavior, interval};
use vms_auth::Presence;
use vms_authz::{
    Actor, Allowed, Fleet as AllOfFleet, PersonTarget,
    action::{ManageUser, Reconcile},
};
use vms_types::UserView;

use crate::error::CoreError;
use crate::vms::Vms;

/// Everybody is asked about this often; a login counts, too.
const CHECK_AGAIN: TimeDelta = TimeDelta::days(1);
/// Between two rounds in the background.
const ROUND_EVERY: Duration = Duration::from_secs(60);
/// People in one round: 10,000 in a day with room to spare, and no burden to any directory.
const ROUND: u32 = 20;

impl Vms {
    /// Asks the directory whether it still has a person. Where it tells nobody, the person is as they were seen last.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for someone who never logged in; [`CoreError::DirectoryUnavailable`].
    pub async fn check_user(&self, proof: &Allowed<PersonTarget, ManageUser>) -> Result<UserView, CoreError> {
        // First, so that the directory cannot be searched through us.
        self.parts.db.person(proof).await?;
        self.ask_directory(&proof.resource().username).await?;
        self.show_person(self.parts.db.person(proof).await?).await
    }

    async fn ask_directory(&self, username: &str) -> Result<(), CoreError> {
        let in_directory = match self.parts.directory.presence(username).await {
            Ok(Presence::Present) => true,
            Ok(Presence::Absent) => false,
            Ok(Presence::Untold) => return Ok(()),
            Err(error) => return Err(CoreError::DirectoryUnavailable(error.to_string())),
        };
        let proof = Actor::system().authorize(AllOfFleet, Reconcile)?;
        Ok(self.parts.db.record_presence(&proof, username, in_directory).await?)
    }

    /// Asks the directory about those of whom it was not asked for `CHECK_AGAIN`, at most `ROUND` of them, one after the
    /// other; gives how many.
    ///
    /// # Errors
    /// The first that fails ends the round.
    async fn check_some(&self) -> Result<usize, CoreError> {
        let proof = Actor::system().authorize(AllOfFleet, Reconcile)?;
        let due = self.parts.db.people_to_check(&proof, Utc::now() - CHECK_AGAIN, ROUND).await?;
        for username in &due {
            self.ask_directory(username).await?;
        }
        Ok(due.len())
    }

    /// Does so again and again, until the system ends.
    pub(crate) fn keep_directory_checked(&self) {
        let vms = self.clone();
        self.parts.jobs.spawn_until_stopped(async move {
            let mut now_and_then = interval(ROUND_EVERY);
            now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut failed = false;
            loop {
                now_and_then.tick().await;
                let outcome = vms.check_some().await;
                // A directory that is away all night is one line.
                if let (Err(error), false) = (&outcome, failed) {
                    tracing::warn!(%error, "the directory cannot be asked who is still in it; it will be again");
                }
                failed = outcome.is_err();
            }
        });
    }
}
