//! `[overview]`: how closely the servers' load is followed.

use serde::Deserialize;

use super::Problems;

/// `[overview]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OverviewConfig {
    /// Seconds between two looks at what servers and machines use; 0 never looks.
    pub sample_seconds: u64,
}

impl Default for OverviewConfig {
    fn default() -> Self {
        let every = vms_core::Settings::default().sample_every;
        Self { sample_seconds: every.map_or(0, |every| every.as_secs()) }
    }
}

impl OverviewConfig {
    /// What is wrong in this section.
    pub(super) fn check(&self, problems: &mut Problems) {
        if self.sample_seconds > 3600 {
            problems.note("[overview] sample_seconds", "must be from 1 to 3600, or 0 for never");
        }
    }
}
