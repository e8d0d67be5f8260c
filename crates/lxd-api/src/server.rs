//! The daemon itself: `GET /1.0`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::wire::null_default;

/// `GET /1.0`. Who is not trusted gets only the first part (up to `auth_methods`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// Features beyond the first release of API 1.0; ask here before using one.
    #[serde(deserialize_with = "null_default")]
    pub api_extensions: Vec<String>,
    /// `stable`, `development` or `deprecated`.
    pub api_status: String,
    /// `1.0`.
    pub api_version: String,
    /// `trusted`, or `untrusted`: then LXD does not know our certificate.
    pub auth: String,
    /// Whether unauthenticated users see public images.
    pub public: bool,
    /// `tls`, `oidc`, …
    #[serde(deserialize_with = "null_default")]
    pub auth_methods: Vec<String>,
    /// Who we are to LXD. Extension `auth_user`; empty in older versions.
    pub auth_user_name: String,
    /// How LXD knows us: `unix`, `tls`. Extension `auth_user`.
    pub auth_user_method: String,
    /// Configuration of the daemon. Mostly text; numbers and booleans stand in some versions.
    #[serde(deserialize_with = "null_default")]
    pub config: Map<String, Value>,
    /// Versions and names.
    #[serde(deserialize_with = "null_default")]
    pub environment: ServerEnvironment,
}

impl ServerInfo {
    /// Whether LXD trusts the client that asked.
    #[must_use]
    pub fn is_trusted(&self) -> bool {
        self.auth == "trusted"
    }
}

/// What the daemon runs on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerEnvironment {
    /// Addresses it listens on.
    #[serde(deserialize_with = "null_default")]
    pub addresses: Vec<String>,
    /// Architectures it runs, the native one first.
    #[serde(deserialize_with = "null_default")]
    pub architectures: Vec<String>,
    /// Its certificate, PEM: what a client pins.
    pub certificate: String,
    /// SHA-256 of it, hexadecimal.
    pub certificate_fingerprint: String,
    /// `lxc`, or `lxc | qemu`.
    pub driver: String,
    /// Versions of the drivers.
    pub driver_version: String,
    /// `Linux`.
    pub kernel: String,
    /// Machine's architecture.
    pub kernel_architecture: String,
    /// Version of the kernel.
    pub kernel_version: String,
    /// Features of the kernel. Extension `kernel_features`.
    #[serde(deserialize_with = "null_default")]
    pub kernel_features: Map<String, Value>,
    /// Name of the distribution. Extension `api_os`.
    pub os_name: String,
    /// Its version.
    pub os_version: String,
    /// The project the request was about. Extension `projects`.
    pub project: String,
    /// `lxd` or `incus`.
    pub server: String,
    /// Member of a cluster.
    pub server_clustered: bool,
    /// Host name, or the member's name.
    pub server_name: String,
    /// PID of the daemon: a new one after every restart.
    pub server_pid: i64,
    /// Version of the daemon.
    pub server_version: String,
    /// Storage drivers in use.
    pub storage: String,
    /// Their versions.
    pub storage_version: String,
}
