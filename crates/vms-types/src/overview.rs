//! How the whole system is, at a glance: servers, machines by status, the busiest, and what was used lately.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::machine::MachineStatus;
use crate::operation::{MachineRef, Operation};

/// How everything is (`GET /overview`), for administrators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Overview {
    /// How many machines are in each status; a status in which none is does not stand here.
    pub machines: Vec<StatusCount>,
    /// Every server, by name.
    pub servers: Vec<ServerView>,
    /// The machines that use most now.
    pub busiest: Busiest,
    /// What is being done, and what went wrong.
    pub operations: OperationsNow,
    /// Whether the parts that are no servers answer.
    pub health: Health,
}

/// How many machines are in a status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StatusCount {
    /// The status.
    pub status: MachineStatus,
    /// How many.
    pub count: u32,
}

/// A server with its load (`GET /servers`). What it uses is asked for every few seconds; `null` until it was once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerView {
    /// Name in the configuration.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub name: String,
    /// Where it is.
    #[cfg_attr(feature = "openapi", schema(example = "https://lxd1.school.example:8443"))]
    pub endpoint: String,
    /// Whether it answers. If not, its machines are shown as last seen.
    pub reachable: bool,
    /// Since when it answers, or does not.
    pub since: DateTime<Utc>,
    /// Why it does not answer.
    pub trouble: Option<String>,
    /// Its machines.
    pub machines: MachineCount,
    /// When the figures below were taken.
    pub sampled_at: Option<DateTime<Utc>>,
    /// Processors, of all cluster members together.
    #[cfg_attr(feature = "openapi", schema(example = 8))]
    pub cpus: Option<u32>,
    /// How much of the processors its machines use, from 0 to 1.
    #[cfg_attr(feature = "openapi", schema(example = 0.12))]
    pub cpu: Option<f64>,
    /// Load average of the last minute, where the server tells.
    #[cfg_attr(feature = "openapi", schema(example = 0.8))]
    pub load: Option<f64>,
    /// Memory of the server, the system's own included.
    pub memory: Option<Space>,
    /// Storage pools.
    pub pools: Vec<PoolSpace>,
}

/// How many machines a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineCount {
    /// That are on.
    pub running: u32,
    /// In all.
    pub total: u32,
}

/// How much of something is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Space {
    /// In use.
    #[cfg_attr(feature = "openapi", schema(example = 4_294_967_296_u64))]
    pub used_bytes: u64,
    /// In all.
    #[cfg_attr(feature = "openapi", schema(example = 17_179_869_184_u64))]
    pub total_bytes: u64,
}

/// A storage pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PoolSpace {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "default"))]
    pub name: String,
    /// What it is made of: `dir`, `btrfs`, `zfs`…
    #[cfg_attr(feature = "openapi", schema(example = "zfs"))]
    pub driver: String,
    /// How full it is.
    #[serde(flatten)]
    pub space: Space,
}

/// The machines that use most now.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Busiest {
    /// By CPU, the busiest first.
    pub cpu: Vec<BusyMachine>,
    /// By memory.
    pub memory: Vec<BusyMachine>,
}

/// A machine and what it uses now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BusyMachine {
    /// The machine.
    pub machine: MachineRef,
    /// Whose it is.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub owner: String,
    /// The server it is on.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// How much of the CPUs that it may use, from 0 to 1.
    #[cfg_attr(feature = "openapi", schema(example = 0.97))]
    pub cpu: f64,
    /// Memory in use.
    pub memory_bytes: u64,
}

/// What is being done, and what went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OperationsNow {
    /// How many are under way.
    pub under_way_count: u32,
    /// The oldest of them.
    pub under_way: Vec<Operation>,
    /// The latest that failed within a day, newest first.
    pub failed: Vec<Operation>,
}

/// Whether the parts that are no servers answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// The database.
    pub database: PartHealth,
    /// The directory, without which nobody can log in.
    pub directory: PartHealth,
}

/// Whether a part answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartHealth {
    /// Whether it does.
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub ok: bool,
    /// Why not.
    pub trouble: Option<String>,
}

/// What was used within a minute that ended at `at`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UsagePoint {
    /// When the minute ended.
    pub at: DateTime<Utc>,
    /// How much of the CPUs, from 0 to 1: of those the machine may use, or of the server's.
    #[cfg_attr(feature = "openapi", schema(example = 0.25))]
    pub cpu: f64,
    /// Memory in use at its end.
    pub memory_bytes: u64,
    /// Disk in use at its end; `null` where the storage pool cannot tell.
    pub disk_bytes: Option<u64>,
    /// Received over the network, each second.
    pub received_bytes_per_second: u64,
    /// Sent over the network, each second.
    pub sent_bytes_per_second: u64,
}

/// What a machine used during the last two hours (`GET /machines/{machine}/usage`). While it was off there are no points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineUsage {
    /// Seconds from one point to the next, about.
    #[cfg_attr(feature = "openapi", schema(example = 60))]
    pub interval_seconds: u32,
    /// CPUs it may use; all of the server's if nothing limits it. `null` until the server was asked.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub cpus: Option<u32>,
    /// Memory it may use; all of the server's if nothing limits it.
    pub memory_limit_bytes: Option<u64>,
    /// Disk it may use.
    pub disk_limit_bytes: Option<u64>,
    /// Oldest first.
    pub points: Vec<UsagePoint>,
}

/// What a server used during the last four hours (`GET /overview/history`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ServerUsage {
    /// The server.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// Seconds from one point to the next, about.
    #[cfg_attr(feature = "openapi", schema(example = 60))]
    pub interval_seconds: u32,
    /// Memory it has.
    pub memory_limit_bytes: Option<u64>,
    /// Disk it has, all storage pools together.
    pub disk_limit_bytes: Option<u64>,
    /// Oldest first. Network is that of its machines together.
    pub points: Vec<UsagePoint>,
}
