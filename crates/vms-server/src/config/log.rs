//! `[log]`: how much is written to the log, and in which form.

use serde::Deserialize;

use super::Problems;

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `info`, or a filter such as `info,vms_fleet=debug`.
    pub level: String,
    /// For people or for programs.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl LogConfig {
    /// What is wrong in this section.
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Err(error) = crate::logging::filter(&self.level) {
            problems.note("[log] level", format!("{:?} is no filter: {error}", self.level));
        }
    }
}
