//! LXD's limits, which are words such as `256MiB` or `0-3`, as numbers.

use lxd_api::{Config, Devices};
use vms_types::Limits;
pub use vms_types::size::{parse_cpus, parse_size};

/// What a configuration with these devices may use.
#[must_use]
pub fn limits_of(config: &Config, devices: &Devices) -> Limits {
    let root = devices
        .values()
        .find(|d| d.get("type").is_some_and(|t| t == "disk") && d.get("path").is_some_and(|p| p == "/"));
    Limits {
        cpus: config.get("limits.cpu").and_then(|text| parse_cpus(text)),
        memory_bytes: config.get("limits.memory").and_then(|text| parse_size(text)),
        disk_bytes: root.and_then(|d| d.get("size")).and_then(|text| parse_size(text)),
    }
}
