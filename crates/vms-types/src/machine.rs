//! Machines and their snapshots: what the API shows and what it accepts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::operation::Operation;

/// A machine as its owner sees it (`GET /machines/{machine}`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Machine {
    /// Identity; stays when the machine moves or is reset.
    pub id: Uuid,
    /// The name its owner gave it.
    #[cfg_attr(feature = "openapi", schema(example = "maquinaa"))]
    pub name: String,
    /// LXD's name for it, unique in the fleet and usable in paths.
    #[cfg_attr(feature = "openapi", schema(example = "vmbrunomaquinaa"))]
    pub instance: String,
    /// The login name of the person it belongs to.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub owner: String,
    /// The owner's own note.
    #[cfg_attr(feature = "openapi", schema(example = "Servidor web da disciplina"))]
    pub description: String,
    /// What it is doing.
    pub status: MachineStatus,
    /// Where it can be reached; empty unless it runs.
    pub addresses: Vec<Address>,
    /// Its snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// What it was made from.
    pub image: ImageRef,
    /// LXD profiles it carries, in the order they apply.
    #[cfg_attr(feature = "openapi", schema(example = json!(["default"])))]
    pub profiles: Vec<String>,
    /// What it may use.
    pub limits: Limits,
    /// The server it is on.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// The cluster member it is on, where the server is a cluster.
    pub member: Option<String>,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was last started.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The operation in flight, if any.
    pub operation: Option<Operation>,
    /// The server does not answer: this is what was last seen.
    pub stale: bool,
}

/// What a machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = "running"))]
#[serde(rename_all = "lowercase")]
pub enum MachineStatus {
    /// Being made from its image, or reset to it.
    Creating,
    /// Off.
    Stopped,
    /// Being turned on.
    Starting,
    /// On.
    Running,
    /// Being turned off.
    Stopping,
    /// Paused in memory.
    Frozen,
    /// Going back to a snapshot.
    Restoring,
    /// Moving to another server or member.
    Migrating,
    /// Being removed.
    Deleting,
    /// LXD reports a failure.
    Error,
    /// Not seen on any server.
    Unknown,
}

impl MachineStatus {
    /// Every status, in the order of the documentation.
    pub const ALL: [Self; 11] = [
        Self::Creating,
        Self::Stopped,
        Self::Starting,
        Self::Running,
        Self::Stopping,
        Self::Frozen,
        Self::Restoring,
        Self::Migrating,
        Self::Deleting,
        Self::Error,
        Self::Unknown,
    ];

    /// The word used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Stopped => "stopped",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Frozen => "frozen",
            Self::Restoring => "restoring",
            Self::Migrating => "migrating",
            Self::Deleting => "deleting",
            Self::Error => "error",
            Self::Unknown => "unknown",
        }
    }
}

/// Address family, in LXD's spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = "inet"))]
#[serde(rename_all = "lowercase")]
pub enum AddressFamily {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

/// An address a machine can be reached at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Address {
    /// `inet` or `inet6`.
    pub family: AddressFamily,
    /// The address itself.
    #[cfg_attr(feature = "openapi", schema(example = "10.99.13.228"))]
    pub address: String,
    /// The machine's interface that has it.
    #[cfg_attr(feature = "openapi", schema(example = "eth0"))]
    pub interface: String,
}

/// A named copy of a machine's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Snapshot {
    /// The name its owner gave it.
    #[cfg_attr(feature = "openapi", schema(example = "antes-do-teste"))]
    pub name: String,
    /// When it was taken.
    pub created_at: DateTime<Utc>,
    /// Whether the memory is in it too.
    pub stateful: bool,
    /// When LXD removes it by itself.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a machine was made from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageRef {
    /// The alias asked for when the machine was created.
    #[cfg_attr(feature = "openapi", schema(example = "debian-12"))]
    pub alias: String,
    /// The image's own words.
    #[cfg_attr(feature = "openapi", schema(example = "Debian 12 (bookworm)"))]
    pub description: String,
    /// SHA-256 of its content.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "cae66afe3057e4eb553d161dd813fb8e53fc3493d0b0804fdc40214a589247de")
    )]
    pub fingerprint: String,
}

/// What a machine may use. `null` means that nothing limits it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// Number of CPUs.
    pub cpus: Option<u32>,
    /// Memory, in bytes.
    pub memory_bytes: Option<u64>,
    /// Root disk, in bytes.
    pub disk_bytes: Option<u64>,
}

/// `POST /machines`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateMachine {
    /// A host name: 1 to 63 letters, digits and dashes; letter first, no dash last. Unique among the owner's machines.
    #[cfg_attr(feature = "openapi", schema(example = "maquinaa", min_length = 1, max_length = 63))]
    pub name: String,
    /// Alias of an image from `GET /images`; the owner's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "debian-12"))]
    pub image: Option<String>,
    /// A profile from `GET /profiles`; the owner's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "default"))]
    pub profile: Option<String>,
    /// A note of up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 500, example = "Servidor web da disciplina"))]
    pub description: Option<String>,
    /// Whether to turn it on once it is made.
    #[serde(default = "yes")]
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub start: bool,
    /// Whose machine it becomes; only administrators may name someone else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Where it is made; only administrators may choose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

const fn yes() -> bool {
    true
}

/// `PATCH /machines/{machine}`: only what is named changes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PatchMachine {
    /// The owner's note, up to 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(max_length = 500, example = "Servidor web da disciplina"))]
    pub description: Option<String>,
    /// The login name of who gets the machine; only administrators may hand one over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "ana"))]
    pub owner: Option<String>,
    /// The profiles that it shall carry instead of those it has, 1 to 8, in the order they apply; only administrators may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(["alunos"]), min_items = 1, max_items = 8))]
    pub profiles: Option<Vec<String>>,
}

/// What can be done to a machine's power.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PowerAction {
    /// Turn on.
    Start,
    /// Turn off.
    Stop,
    /// Off and on again.
    Restart,
    /// Pause in memory.
    Freeze,
    /// Go on after a pause.
    Unfreeze,
}

/// `PUT /machines/{machine}/state`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct StateChange {
    /// What to do.
    pub action: PowerAction,
    /// Pull the plug instead of asking the machine to shut down (stop and restart).
    #[serde(default)]
    pub force: bool,
    /// Seconds to wait for a clean shutdown before giving up, 1 to 600; 30 if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 600))]
    pub timeout_seconds: Option<u32>,
}

/// `POST /machines/{machine}/snapshots`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct CreateSnapshot {
    /// 1 to 63 letters, digits, dots, dashes and underscores; letter or digit first. Unique on the machine.
    #[cfg_attr(feature = "openapi", schema(example = "antes-do-teste", min_length = 1, max_length = 63))]
    pub name: String,
}

/// `PATCH /machines/{machine}/snapshots/{snapshot}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RenameSnapshot {
    /// The new name; rules as for a new snapshot.
    #[cfg_attr(feature = "openapi", schema(example = "depois-do-teste", min_length = 1, max_length = 63))]
    pub name: String,
}
