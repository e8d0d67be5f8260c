//! `[quota]`: how much a person may have where no rule says otherwise.

use serde::Deserialize;

/// `[quota]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaConfig {
    /// Machines a person may have, running or not.
    pub machines: u32,
    /// Machines a person may have running at the same time; no limit if absent, here and below.
    pub running: Option<u32>,
    /// Memory of a person's machines together, in bytes.
    pub memory_bytes: Option<u64>,
    /// CPUs of a person's machines together.
    pub cpus: Option<u32>,
    /// Disk of a person's machines together, in bytes.
    pub disk_bytes: Option<u64>,
    /// Snapshots a machine may have.
    pub snapshots_per_machine: Option<u32>,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            machines: 10,
            running: None,
            memory_bytes: None,
            cpus: None,
            disk_bytes: None,
            snapshots_per_machine: None,
        }
    }
}
