//! What a running instance uses and which addresses it has: `GET /1.0/instances/<name>/state`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{status::StatusCode, wire::null_default};

/// The state of an instance now. For a stopped one nearly everything is empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceState {
    /// Word for `status_code`.
    pub status: String,
    /// 102 stopped, 103 running, 110 frozen.
    pub status_code: StatusCode,
    /// Disk use by device name.
    #[serde(deserialize_with = "null_default")]
    pub disk: BTreeMap<String, InstanceStateDisk>,
    /// Memory.
    pub memory: InstanceStateMemory,
    /// Interfaces by name within the instance; `None` while it is off.
    pub network: Option<BTreeMap<String, InstanceStateNetwork>>,
    /// PID of its init on the host; 0 (or -1) while it is off.
    pub pid: i64,
    /// Number of processes; -1 where unknown.
    pub processes: i64,
    /// CPU.
    pub cpu: InstanceStateCpu,
}

impl InstanceState {
    /// Addresses that others can reach it by: scope `global`, without the loopback interface. Each with the
    /// name of its interface, IPv4 first.
    #[must_use]
    pub fn global_addresses(&self) -> Vec<(&str, &InstanceStateNetworkAddress)> {
        let mut found: Vec<_> = self
            .network
            .iter()
            .flatten()
            .filter(|(_, network)| network.kind != "loopback")
            .flat_map(|(name, network)| network.addresses.iter().map(move |address| (name.as_str(), address)))
            .filter(|(_, address)| address.scope == "global")
            .collect();
        found.sort_by(|(_, a), (_, b)| a.family.cmp(&b.family));
        found
    }
}

/// Disk use of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateDisk {
    /// Bytes in use.
    pub usage: i64,
    /// Size in bytes, where limited; newer versions.
    pub total: i64,
}

/// Memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateMemory {
    /// In use.
    pub usage: i64,
    /// The most it ever used.
    pub usage_peak: i64,
    /// Limit; newer versions.
    pub total: i64,
    /// Swap in use.
    pub swap_usage: i64,
    /// The most swap it ever used.
    pub swap_usage_peak: i64,
}

/// CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateCpu {
    /// Nanoseconds used since it started.
    pub usage: i64,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateNetwork {
    /// Its addresses.
    #[serde(deserialize_with = "null_default")]
    pub addresses: Vec<InstanceStateNetworkAddress>,
    /// Traffic.
    pub counters: InstanceStateNetworkCounters,
    /// MAC address.
    pub hwaddr: String,
    /// Its other end on the host (`veth…`).
    pub host_name: String,
    /// Largest packet in bytes.
    pub mtu: i64,
    /// `up` or `down`.
    pub state: String,
    /// `broadcast`, `loopback`, …
    #[serde(rename = "type")]
    pub kind: String,
}

/// One address of an interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateNetworkAddress {
    /// `inet` or `inet6`.
    pub family: String,
    /// The address.
    pub address: String,
    /// Prefix length, as text.
    pub netmask: String,
    /// `global`, `link` or `local`.
    pub scope: String,
}

/// Traffic of an interface since it came up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStateNetworkCounters {
    /// Bytes in.
    pub bytes_received: i64,
    /// Bytes out.
    pub bytes_sent: i64,
    /// Packets in.
    pub packets_received: i64,
    /// Packets out.
    pub packets_sent: i64,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::InstanceState;
    use crate::{Instance, StatusCode};

    // Sent by LXD 5.0.2, shortened.
    const RUNNING: &str = r#"{"architecture":"x86_64","config":{"image.os":"busybox"},"devices":{},"ephemeral":false,"profiles":["default"],"stateful":false,"description":"","created_at":"2026-11-25T03:47:51.271106617Z","expanded_config":{"image.os":"busybox"},"expanded_devices":{"root":{"path":"/","pool":"default","type":"disk"}},"name":"t1","status":"Running","status_code":103,"last_used_at":"1970-01-01T00:00:00Z","location":"none","type":"container","project":"default","backups":null,"snapshots":null,"state":{"status":"Running","status_code":103,"disk":{},"memory":{"usage":557056,"usage_peak":1449984,"swap_usage":0,"swap_usage_peak":0},"network":{"eth0":{"addresses":[{"family":"inet6","address":"fe80::1","netmask":"64","scope":"link"},{"family":"inet","address":"10.97.0.122","netmask":"24","scope":"global"}],"counters":{"bytes_received":686},"hwaddr":"00:16:3e:eb:8f:c6","host_name":"veth56543b2c","mtu":1500,"state":"up","type":"broadcast"},"lo":{"addresses":[{"family":"inet","address":"127.0.0.1","netmask":"8","scope":"local"}],"hwaddr":"","type":"loopback"}}}}"#;

    #[test]
    fn a_full_instance_reads_with_its_state() {
        let instance: Instance = serde_json::from_str(RUNNING).unwrap();
        assert_eq!((instance.status_code, instance.kind.as_str()), (StatusCode::RUNNING, "container"));
        assert_eq!(instance.last_used_at, None, "the epoch means never");
        assert!(instance.created_at.is_some());
        let state = instance.state.unwrap();
        assert_eq!(state.memory.usage, 557_056);
        let addresses: Vec<_> = state.global_addresses().iter().map(|(_, a)| a.address.clone()).collect();
        assert_eq!(addresses, ["10.97.0.122"], "neither loopback nor link-local");
    }

    #[test]
    fn a_stopped_instance_has_no_network() {
        let state: InstanceState = serde_json::from_str(
            r#"{"status":"Stopped","status_code":102,"disk":null,"memory":{},"network":null,"pid":-1,"processes":0,"cpu":{"usage":-1}}"#,
        )
        .unwrap();
        assert!(state.global_addresses().is_empty());
    }

    #[test]
    fn never_is_written_as_go_writes_it() {
        let written = serde_json::to_value(Instance::default()).unwrap();
        assert_eq!(written["created_at"], "0001-01-01T00:00:00Z");
        assert_eq!(serde_json::from_value::<Instance>(written).unwrap(), Instance::default());
    }
}
