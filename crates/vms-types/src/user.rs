//! People: their role, and what `GET /me` tells a person about themselves.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};

use crate::quota::{Quota, QuotaUse};

/// What a person may do at all. It comes from the groups of the directory, never from a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Owns machines; sees only their own.
    Student,
    /// Owns machines; may look at those of the students of their groups.
    Teacher,
    /// May do everything.
    Admin,
}

impl Role {
    /// The word used on the wire and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Student => "student",
            Self::Teacher => "teacher",
            Self::Admin => "admin",
        }
    }

    /// Reads [`Role::as_str`] back; `None` for any other word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Student, Self::Teacher, Self::Admin].into_iter().find(|role| role.as_str() == word)
    }
}

/// The person behind the request (`GET /me`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Me {
    /// The name used to log in, as the directory spells it.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub username: String,
    /// The full name.
    #[cfg_attr(feature = "openapi", schema(example = "Bruno Rizzetti"))]
    pub display_name: String,
    /// The mail address, where the directory has one.
    pub email: Option<String>,
    /// What the person may do.
    pub role: Role,
    /// Short names of the directory groups the person is in.
    pub groups: Vec<String>,
    /// What the person may use, and what is used.
    pub quota: QuotaView,
}

/// What a person may use. `null` means that nothing limits it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaView {
    /// Machines, running or not: `3 / 10`.
    pub machines: MachineQuota,
    /// Machines that may run at the same time.
    pub running: Option<u32>,
    /// Memory of all machines together, in bytes.
    pub memory_bytes: Option<u64>,
    /// CPUs of all machines together.
    pub cpus: Option<u32>,
    /// Disk of all machines together, in bytes.
    pub disk_bytes: Option<u64>,
    /// Snapshots of one machine.
    pub snapshots_per_machine: Option<u32>,
    /// What of it is used.
    #[serde(default)]
    pub used: QuotaUse,
}

/// Used and allowed number of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MachineQuota {
    /// Machines that exist or are being created.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub used: u32,
    /// Machines allowed.
    #[cfg_attr(feature = "openapi", schema(example = 10))]
    pub limit: u32,
}

/// A person who has logged in at least once, as administrators see them (`GET /users/{username}`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UserView {
    /// The name used to log in, as the directory spells it.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub username: String,
    /// The full name.
    #[cfg_attr(feature = "openapi", schema(example = "Bruno Rizzetti"))]
    pub display_name: String,
    /// The mail address, where the directory has one.
    pub email: Option<String>,
    /// Short names of the directory groups, as of the last login.
    #[cfg_attr(feature = "openapi", schema(example = json!(["turma-a"])))]
    pub groups: Vec<String>,
    /// The role that the directory's groups gave, as of the last login.
    pub directory_role: Role,
    /// The role that an administrator gave instead.
    pub role_override: Option<Role>,
    /// The role in force.
    pub role: Role,
    /// Whether an administrator locked the account.
    pub disabled: bool,
    /// Machines they have, those being created included.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub machines: u32,
    /// What an administrator allowed this person; `null` leaves everything to groups, role and school.
    pub quota: Option<Quota>,
    /// What they may use after all: their own, their groups', their role's and the school's together. `null` is not
    /// limited.
    pub allowed: Quota,
    /// The first login.
    pub created_at: DateTime<Utc>,
    /// The last login.
    pub last_login_at: DateTime<Utc>,
    /// Whether the directory had them when it was asked last: who is gone cannot log in any more, and may still hold
    /// machines.
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub in_directory: bool,
    /// When the directory was asked about them last; every login asks it.
    pub directory_checked_at: DateTime<Utc>,
}

/// `PATCH /users/{username}`: only what is named changes; `null` takes back what an administrator decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PatchUser {
    /// The role instead of the directory's.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Role>, example = "teacher"))]
    pub role_override: Option<Option<Role>>,
    /// Locks the account, and ends its sessions, or unlocks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = false))]
    pub disabled: Option<bool>,
    /// What this person may use; replaces all of what was allowed them before.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "named")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Quota>))]
    pub quota: Option<Option<Quota>>,
}

/// Reads a field that is there: `null` is something else than nothing.
fn named<'de, T: Deserialize<'de>, D: Deserializer<'de>>(field: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(field).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_not_nothing() {
        let patch: PatchUser = serde_json::from_str("{\"role_override\": null}").unwrap();
        assert_eq!(patch, PatchUser { role_override: Some(None), ..PatchUser::default() });
        assert_eq!(serde_json::to_string(&patch).unwrap(), "{\"role_override\":null}");
        assert_eq!(serde_json::from_str::<PatchUser>("{}").unwrap(), PatchUser::default());
    }
}
