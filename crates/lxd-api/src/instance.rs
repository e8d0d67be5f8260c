//! Instances: what LXD says about them, and what may be sent to create, change, start and stop them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Config, Devices,
    instance_state::InstanceState,
    snapshot::Snapshot,
    status::StatusCode,
    wire::{is_false, null_default, zero_time},
};

/// `GET /1.0/instances/<name>`. With `recursion=2` also `snapshots` and `state` (about 4 ms of work for LXD
/// per instance: never on a request path).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Instance {
    /// Name, a valid host name.
    pub name: String,
    /// `container` or `virtual-machine`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Free text.
    pub description: String,
    /// `x86_64`, `aarch64`, …
    pub architecture: String,
    /// Its own configuration (`limits.cpu`, `user.*`, `image.*`, `volatile.*`).
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Its own devices.
    #[serde(deserialize_with = "null_default")]
    pub devices: Devices,
    /// Configuration with that of its profiles.
    #[serde(deserialize_with = "null_default")]
    pub expanded_config: Config,
    /// Devices with those of its profiles.
    #[serde(deserialize_with = "null_default")]
    pub expanded_devices: Devices,
    /// Profiles, in the order they apply.
    #[serde(deserialize_with = "null_default")]
    pub profiles: Vec<String>,
    /// Deleted by LXD when it stops.
    pub ephemeral: bool,
    /// Has a saved running state.
    pub stateful: bool,
    /// Word for `status_code`.
    pub status: String,
    /// 102 stopped, 103 running, 110 frozen, 112 error.
    pub status_code: StatusCode,
    /// When it was created.
    #[serde(with = "zero_time")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last started.
    #[serde(with = "zero_time")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// Cluster member; `none` without a cluster. Extension `clustering`.
    pub location: String,
    /// Project; extension `instance_all_projects`. Empty in older versions.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// Its snapshots; only with `recursion=2`, else `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snapshots: Option<Vec<Snapshot>>,
    /// Its running state; only with `recursion=2`, else `None`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<InstanceState>,
}

impl Instance {
    /// The whole of what PUT replaces, as it stands now: read, change one thing, send back with the ETag.
    #[must_use]
    pub fn to_put(&self) -> InstancePut {
        InstancePut {
            architecture: self.architecture.clone(),
            config: self.config.clone(),
            devices: self.devices.clone(),
            ephemeral: self.ephemeral,
            profiles: self.profiles.clone(),
            stateful: self.stateful,
            description: self.description.clone(),
        }
    }
}

/// Body of `POST /1.0/instances`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancesPost {
    /// Name; LXD makes one up when it is empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// `container` (the default) or `virtual-machine`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Where the root filesystem comes from.
    pub source: InstanceSource,
    /// Must be one that the server can run; empty takes the image's.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub architecture: String,
    /// Free text.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Own configuration.
    #[serde(skip_serializing_if = "Config::is_empty", deserialize_with = "null_default")]
    pub config: Config,
    /// Own devices.
    #[serde(skip_serializing_if = "Devices::is_empty", deserialize_with = "null_default")]
    pub devices: Devices,
    /// Profiles. `None` is LXD's choice (`default`); an empty list is none at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Vec<String>>,
    /// Delete when it stops.
    #[serde(skip_serializing_if = "is_false")]
    pub ephemeral: bool,
    /// Restore a saved running state.
    #[serde(skip_serializing_if = "is_false")]
    pub stateful: bool,
    /// Start it once created, in the same operation. Extension `instance_create_start` (LXD 5.13+, Incus);
    /// older versions ignore it.
    #[serde(skip_serializing_if = "is_false")]
    pub start: bool,
}

/// Where a new instance comes from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceSource {
    /// `image`, `copy`, `migration` or `none`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Image: alias on this server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// Image: fingerprint on this server, or its beginning.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// Copy: `instance` or `instance/snapshot`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// Copy: the source's project.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
    /// Copy, migration: leave the snapshots behind.
    #[serde(skip_serializing_if = "is_false")]
    pub instance_only: bool,
    /// Copy, migration: only bring an existing copy up to date.
    #[serde(skip_serializing_if = "is_false")]
    pub refresh: bool,
    /// Migration: `pull` (the target connects) or `push` (the source does).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// Migration, pull: URL of the source's operation.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub operation: String,
    /// Migration, pull: the source server's certificate, PEM.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate: String,
    /// Migration, pull: secrets of the source operation's websockets. Never shown to a browser.
    #[serde(skip_serializing_if = "Config::is_empty", deserialize_with = "null_default")]
    pub secrets: Config,
    /// Migration: with its running state (needs CRIU for containers).
    #[serde(skip_serializing_if = "is_false")]
    pub live: bool,
}

impl InstanceSource {
    /// From an image known by alias.
    #[must_use]
    pub fn alias(alias: impl Into<String>) -> Self {
        Self { kind: "image".into(), alias: alias.into(), ..Self::default() }
    }

    /// From an image known by fingerprint.
    #[must_use]
    pub fn fingerprint(fingerprint: impl Into<String>) -> Self {
        Self { kind: "image".into(), fingerprint: fingerprint.into(), ..Self::default() }
    }

    /// From another instance of this server, or a snapshot of one (`instance/snapshot`).
    #[must_use]
    pub fn copy(source: impl Into<String>) -> Self {
        Self { kind: "copy".into(), source: source.into(), ..Self::default() }
    }

    /// Without a root filesystem.
    #[must_use]
    pub fn none() -> Self {
        Self { kind: "none".into(), ..Self::default() }
    }
}

/// Body of `PUT /1.0/instances/<name>`: replaces everything in it. Begin with [`Instance::to_put`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancePut {
    /// Architecture.
    pub architecture: String,
    /// Own configuration.
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Own devices.
    #[serde(deserialize_with = "null_default")]
    pub devices: Devices,
    /// Deleted when it stops.
    pub ephemeral: bool,
    /// Profiles, in the order they apply.
    #[serde(deserialize_with = "null_default")]
    pub profiles: Vec<String>,
    /// Keeps a saved running state.
    pub stateful: bool,
    /// Free text.
    pub description: String,
}

/// Body of `PUT /1.0/instances/<name>` that goes back to a snapshot: with `restore` LXD ignores all else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceRestore {
    /// The snapshot's name.
    pub restore: String,
    /// With its running state, if it has one.
    pub stateful: bool,
}

/// Body of `PATCH /1.0/instances/<name>`: merges; what is absent stays.
///
/// `description` is the exception in LXD 5.0, which clears it when it is absent: send it along.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancePatch {
    /// Keys to set; an empty value unsets.
    #[serde(skip_serializing_if = "Config::is_empty", deserialize_with = "null_default")]
    pub config: Config,
    /// Devices to add or replace, by name.
    #[serde(skip_serializing_if = "Devices::is_empty", deserialize_with = "null_default")]
    pub devices: Devices,
    /// Replaces the list of profiles.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profiles: Option<Vec<String>>,
    /// Deleted when it stops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ephemeral: Option<bool>,
    /// Free text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Body of `POST /1.0/instances/<name>`: rename, or move (to another member with `?target=`, to another pool
/// or project, or out to another server).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstancePost {
    /// The new name, or the same one for a move.
    pub name: String,
    /// A move and not a rename.
    #[serde(skip_serializing_if = "is_false")]
    pub migration: bool,
    /// Move with its running state.
    #[serde(skip_serializing_if = "is_false")]
    pub live: bool,
    /// Leave the snapshots behind.
    #[serde(skip_serializing_if = "is_false")]
    pub instance_only: bool,
    /// Target pool; extension `instance_pool_move`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub pool: String,
    /// Target project; extension `instance_project_move`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
}

/// Body of `POST /1.0/instances/<name>/rebuild`; extension `instances_rebuild` (LXD 5.8+, Incus).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceRebuildPost {
    /// The image to begin again from.
    pub source: InstanceSource,
}

/// What can be done to an instance's state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstanceAction {
    /// Turn on.
    #[default]
    Start,
    /// Turn off; cleanly within `timeout`, at once with `force`.
    Stop,
    /// Off and on.
    Restart,
    /// Pause all processes.
    Freeze,
    /// Let them go on.
    Unfreeze,
}

/// Body of `PUT /1.0/instances/<name>/state`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstanceStatePut {
    /// What to do.
    pub action: InstanceAction,
    /// Seconds until a clean stop or restart is given up and the operation fails; -1 waits for ever.
    pub timeout: i64,
    /// Do not ask the instance (stop, restart).
    pub force: bool,
    /// Save (stop) or restore (start) the running state.
    pub stateful: bool,
}

impl InstanceStatePut {
    /// `action` without force, with LXD's own patience.
    #[must_use]
    pub fn new(action: InstanceAction) -> Self {
        Self { action, timeout: -1, force: false, stateful: false }
    }
}
