//! Snapshots of an instance: `/1.0/instances/<name>/snapshots`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Config, Devices,
    wire::{null_default, zero_time},
};

/// One snapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Snapshot {
    /// Its name. Older versions send `instance/snapshot`: [`Snapshot::short_name`] is right for both.
    pub name: String,
    /// When it was taken.
    #[serde(with = "zero_time")]
    pub created_at: Option<DateTime<Utc>>,
    /// When LXD deletes it; `None` is never. Extension `snapshot_expiry`.
    #[serde(with = "zero_time")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When the instance was last used before it.
    #[serde(with = "zero_time")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// With the running state.
    pub stateful: bool,
    /// Bytes it holds; -1 or 0 where the driver cannot tell. Extension `snapshot_disk_usage`.
    pub size: i64,
    /// Architecture.
    pub architecture: String,
    /// The instance's configuration then.
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// The instance's devices then.
    #[serde(deserialize_with = "null_default")]
    pub devices: Devices,
    /// Its profiles then.
    #[serde(deserialize_with = "null_default")]
    pub profiles: Vec<String>,
    /// Ephemeral then.
    pub ephemeral: bool,
    /// Configuration then, with that of its profiles.
    #[serde(deserialize_with = "null_default")]
    pub expanded_config: Config,
    /// Devices then, with those of its profiles.
    #[serde(deserialize_with = "null_default")]
    pub expanded_devices: Devices,
}

impl Snapshot {
    /// The snapshot's name without that of its instance.
    #[must_use]
    pub fn short_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// Body of `POST /1.0/instances/<name>/snapshots`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotsPost {
    /// Its name; LXD makes one up from `snapshots.pattern` when it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// With the running state (needs CRIU).
    pub stateful: bool,
    /// When LXD shall delete it. Extension `snapshot_expiry_creation`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Body of `PUT /1.0/instances/<name>/snapshots/<snapshot>`: its expiry is all that can change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotPut {
    /// When LXD shall delete it; `None` is never.
    #[serde(with = "zero_time")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// Body of `POST /1.0/instances/<name>/snapshots/<snapshot>`: rename.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SnapshotRename {
    /// The new name.
    pub name: String,
}
