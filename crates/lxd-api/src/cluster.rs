//! Clusters and their members. `/1.0/cluster`, `/1.0/cluster/members`. Extension `clustering`.

use serde::{Deserialize, Serialize};

use crate::{Config, wire::null_default};

/// `GET /1.0/cluster`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cluster {
    /// This member's name; empty without a cluster.
    pub server_name: String,
    /// Whether this daemon belongs to a cluster.
    pub enabled: bool,
    /// What a joining member must still answer.
    #[serde(deserialize_with = "null_default")]
    pub member_config: Vec<ClusterMemberConfigKey>,
}

/// A question to a joining member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMemberConfigKey {
    /// `storage-pool` or `network`.
    pub entity: String,
    /// Name of that pool or network.
    pub name: String,
    /// Configuration key.
    pub key: String,
    /// Its value.
    pub value: String,
    /// The question in words.
    pub description: String,
}

/// `GET /1.0/cluster/members/<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterMember {
    /// Name: the value of `?target=`.
    pub server_name: String,
    /// Its address.
    pub url: String,
    /// Has a vote or a copy of the database.
    pub database: bool,
    /// `Online`, `Offline`, `Evacuated`, `Blocked`.
    pub status: String,
    /// More about its status.
    pub message: String,
    /// `database`, `database-leader`, `database-standby`, … Extension `clustering_roles`.
    #[serde(deserialize_with = "null_default")]
    pub roles: Vec<String>,
    /// Failure domain. Extension `clustering_failure_domains`.
    pub failure_domain: String,
    /// Architecture. Extension `clustering_architecture`.
    pub architecture: String,
    /// Free text. Extension `clustering_description`.
    pub description: String,
    /// Own configuration (`scheduler.instance`, `user.*`). Extension `clustering_config`.
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Groups. Extension `clustering_groups`.
    #[serde(deserialize_with = "null_default")]
    pub groups: Vec<String>,
}
