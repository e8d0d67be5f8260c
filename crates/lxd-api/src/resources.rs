//! The hardware of a server or member: `GET /1.0/resources`. Extension `resources`.
//!
//! Only what placement and the administrators' page use; the rest of LXD's long answer is ignored.

use serde::{Deserialize, Serialize};

use crate::wire::null_default;

/// `GET /1.0/resources`, with `?target=` that of one cluster member.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Processors.
    pub cpu: ResourcesCpu,
    /// Memory.
    pub memory: ResourcesMemory,
    /// Disks.
    pub storage: ResourcesStorage,
    /// The machine. Extension `resources_system`.
    pub system: ResourcesSystem,
    /// How busy it is; extension `resources_load` (Incus). `None` in LXD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load: Option<ResourcesLoad>,
}

/// Processors.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCpu {
    /// Architecture. Extension `resources_v2`.
    pub architecture: String,
    /// Sockets.
    #[serde(deserialize_with = "null_default")]
    pub sockets: Vec<ResourcesCpuSocket>,
    /// Threads in all.
    pub total: u64,
}

/// One socket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCpuSocket {
    /// Model.
    pub name: String,
    /// Maker.
    pub vendor: String,
    /// Number of the socket.
    pub socket: u64,
    /// Cores.
    #[serde(deserialize_with = "null_default")]
    pub cores: Vec<ResourcesCpuCore>,
    /// MHz now.
    pub frequency: u64,
}

/// One core.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesCpuCore {
    /// Number of the core within its socket.
    pub core: u64,
    /// MHz now.
    pub frequency: u64,
}

/// Memory, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesMemory {
    /// In use.
    pub used: u64,
    /// In all.
    pub total: u64,
}

/// Disks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesStorage {
    /// Each disk.
    #[serde(deserialize_with = "null_default")]
    pub disks: Vec<ResourcesDisk>,
    /// How many.
    pub total: u64,
}

/// One disk.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesDisk {
    /// Name (`sda`, `nvme0n1`).
    pub id: String,
    /// Model.
    pub model: String,
    /// `sata`, `nvme`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// Cannot be written.
    pub read_only: bool,
    /// Bytes.
    pub size: u64,
}

/// The machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesSystem {
    /// Maker.
    pub vendor: String,
    /// Product.
    pub product: String,
    /// `physical`, `virtual-machine` or `container`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// How busy the server is. Go's field names stand unchanged on the wire.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResourcesLoad {
    /// Load average of the last minute.
    #[serde(rename = "Average1Min")]
    pub average_1_min: f64,
    /// Of the last five minutes.
    #[serde(rename = "Average5Min")]
    pub average_5_min: f64,
    /// Of the last ten minutes.
    #[serde(rename = "Average10Min")]
    pub average_10_min: f64,
    /// Processes.
    #[serde(rename = "Processes")]
    pub processes: u64,
}
