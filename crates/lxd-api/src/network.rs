//! Networks and the addresses their DHCP gave away. `/1.0/networks`, `/1.0/networks/<name>/leases`.

use serde::{Deserialize, Serialize};

use crate::{Config, wire::null_default};

/// `GET /1.0/networks/<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Network {
    /// Name of the interface.
    pub name: String,
    /// `bridge`, `physical`, `macvlan`, `ovn`, `loopback`, …
    #[serde(rename = "type")]
    pub kind: String,
    /// LXD made it and serves DHCP on it; only these have leases.
    pub managed: bool,
    /// Free text.
    pub description: String,
    /// `ipv4.address`, `ipv4.nat`, …
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Paths of the instances and profiles that use it.
    #[serde(deserialize_with = "null_default")]
    pub used_by: Vec<String>,
    /// `Created`, `Pending`, `Errored`, …; empty for unmanaged ones.
    pub status: String,
    /// Cluster members it exists on.
    #[serde(deserialize_with = "null_default")]
    pub locations: Vec<String>,
}

impl Network {
    /// What a PUT replaces, as it stands.
    #[must_use]
    pub fn to_put(&self) -> NetworkPut {
        NetworkPut { config: self.config.clone(), description: self.description.clone() }
    }
}

/// Body of `PUT` and `PATCH /1.0/networks/<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NetworkPut {
    /// The whole configuration; with PATCH, what is added to it.
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Free text.
    pub description: String,
}

/// One entry of `GET /1.0/networks/<name>/leases`. Extension `network_leases`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lease {
    /// Host name: the instance's name.
    pub hostname: String,
    /// MAC address; the surer key, it equals `volatile.<device>.hwaddr` of the instance.
    pub hwaddr: String,
    /// The address.
    pub address: String,
    /// `dynamic`, `static`, `gateway` or `uplink`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Cluster member; extension `network_leases_location`.
    pub location: String,
    /// Project; Incus, and LXD 5.21+.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
}
