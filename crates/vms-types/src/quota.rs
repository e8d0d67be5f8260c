//! Quotas: what people may use, and where that is decided.
//!
//! Each number is decided for itself, by the most specific level that says something: the person, the largest of their
//! groups, their role, the school's configuration. What no level says is not limited.

use serde::{Deserialize, Serialize};

/// What one level allows. `null` leaves the number to the next level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// Machines, running or not.
    #[cfg_attr(feature = "openapi", schema(example = 10))]
    pub machines: Option<u32>,
    /// Machines that may run at the same time.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub running: Option<u32>,
    /// Memory of all machines together, in bytes.
    #[cfg_attr(feature = "openapi", schema(example = 8_589_934_592_u64))]
    pub memory_bytes: Option<u64>,
    /// CPUs of all machines together.
    #[cfg_attr(feature = "openapi", schema(example = 8))]
    pub cpus: Option<u32>,
    /// Disk of all machines together, in bytes.
    #[cfg_attr(feature = "openapi", schema(example = 107_374_182_400_u64))]
    pub disk_bytes: Option<u64>,
    /// Snapshots of one machine.
    #[cfg_attr(feature = "openapi", schema(example = 5))]
    pub snapshots_per_machine: Option<u32>,
}

impl Quota {
    /// This level's numbers, and where it has none those of the `next`.
    #[must_use]
    pub fn or(self, next: Self) -> Self {
        Self {
            machines: self.machines.or(next.machines),
            running: self.running.or(next.running),
            memory_bytes: self.memory_bytes.or(next.memory_bytes),
            cpus: self.cpus.or(next.cpus),
            disk_bytes: self.disk_bytes.or(next.disk_bytes),
            snapshots_per_machine: self.snapshots_per_machine.or(next.snapshots_per_machine),
        }
    }

    /// Of each number the larger one; who is in two groups has the better of both.
    #[must_use]
    pub fn larger(self, other: Self) -> Self {
        // `None` is smaller than every number, and says nothing here.
        Self {
            machines: self.machines.max(other.machines),
            running: self.running.max(other.running),
            memory_bytes: self.memory_bytes.max(other.memory_bytes),
            cpus: self.cpus.max(other.cpus),
            disk_bytes: self.disk_bytes.max(other.disk_bytes),
            snapshots_per_machine: self.snapshots_per_machine.max(other.snapshots_per_machine),
        }
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whom a rule is about. What is allowed one person stands with the person (`/users/{username}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(example = "group"))]
#[serde(rename_all = "lowercase")]
pub enum QuotaScope {
    /// Everybody: the configuration's `[quota]`, not to be changed here.
    School,
    /// Everyone who has a role.
    Role,
    /// Everyone in a group of the directory.
    Group,
}

impl QuotaScope {
    /// The word used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::School => "school",
            Self::Role => "role",
            Self::Group => "group",
        }
    }

    /// Reads [`QuotaScope::as_str`] back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::School, Self::Role, Self::Group].into_iter().find(|scope| scope.as_str() == word)
    }
}

/// What a level allows (`GET /quotas`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaRule {
    /// Whom it is about.
    pub scope: QuotaScope,
    /// Which role, or the short name of which group; empty for the school.
    #[cfg_attr(feature = "openapi", schema(example = "turma-a"))]
    pub subject: String,
    /// What it allows.
    pub quota: Quota,
}

/// What a person's machines use together, those being made or turned on included. A machine that nothing limits counts
/// as 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaUse {
    /// Machines that run.
    #[cfg_attr(feature = "openapi", schema(example = 2))]
    pub running: u32,
    /// Memory that their limits allow, in bytes.
    #[cfg_attr(feature = "openapi", schema(example = 1_610_612_736_u64))]
    pub memory_bytes: u64,
    /// CPUs that their limits allow.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub cpus: u32,
    /// Disk that their limits allow, in bytes.
    #[cfg_attr(feature = "openapi", schema(example = 32_212_254_720_u64))]
    pub disk_bytes: u64,
}

/// A storage pool, and what a quota of disk means there (`GET /storage-pools`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StoragePool {
    /// The server it is on.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// Its name there.
    #[cfg_attr(feature = "openapi", schema(example = "default"))]
    pub name: String,
    /// What it is made with: `btrfs`, `dir`, `zfs`, …
    #[cfg_attr(feature = "openapi", schema(example = "dir"))]
    pub driver: String,
    /// Whether it keeps a machine from using more disk than its profile allows. Where it does not, the limit is counted
    /// and nothing enforces it.
    #[cfg_attr(feature = "openapi", schema(example = false))]
    pub enforces_size: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_decided_for_itself() {
        let own = Quota { machines: Some(2), ..Quota::default() };
        let a = Quota { machines: Some(5), cpus: Some(4), ..Quota::default() };
        let b = Quota { cpus: Some(8), running: Some(0), ..Quota::default() };
        let decided = own.or(a.larger(b)).or(Quota { running: Some(3), disk_bytes: Some(7), ..own });
        let expected = Quota {
            machines: Some(2),
            running: Some(0),
            cpus: Some(8),
            disk_bytes: Some(7),
            ..Quota::default()
        };
        assert_eq!(decided, expected);
        assert!(Quota::default().is_empty() && !b.is_empty());
    }
}
