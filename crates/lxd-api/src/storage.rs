//! Storage pools. `/1.0/storage-pools`, `/1.0/storage-pools/<name>/resources`.

use serde::{Deserialize, Serialize};

use crate::{Config, wire::null_default};

/// `GET /1.0/storage-pools/<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoragePool {
    /// Name.
    pub name: String,
    /// `dir`, `btrfs`, `zfs`, `lvm`, `ceph`, …
    pub driver: String,
    /// Free text.
    pub description: String,
    /// `source`, `size`, …
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Paths of what lies in it.
    #[serde(deserialize_with = "null_default")]
    pub used_by: Vec<String>,
    /// `Created`, `Pending`, `Errored`, `Unavailable`, …
    pub status: String,
    /// Cluster members it exists on.
    #[serde(deserialize_with = "null_default")]
    pub locations: Vec<String>,
}

/// `GET /1.0/storage-pools/<name>/resources`. Extension `resources`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoragePoolResources {
    /// Bytes.
    pub space: Usage,
    /// Inodes; zero where the driver has none.
    pub inodes: Usage,
}

/// How much of something is used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Usage {
    /// In use.
    pub used: u64,
    /// In all.
    pub total: u64,
}
