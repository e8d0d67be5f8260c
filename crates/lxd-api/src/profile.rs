//! Profiles: configuration and devices that many instances share. `/1.0/profiles`.

use serde::{Deserialize, Serialize};

use crate::{Config, Devices, wire::null_default};

/// `GET /1.0/profiles/<name>`; without `used_by` also the body of `POST /1.0/profiles`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Configuration.
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Devices.
    #[serde(deserialize_with = "null_default")]
    pub devices: Devices,
    /// Paths of the instances that use it. Ignored by LXD when sent.
    #[serde(deserialize_with = "null_default")]
    pub used_by: Vec<String>,
}

impl Profile {
    /// The whole of what PUT replaces, as it stands now.
    #[must_use]
    pub fn to_put(&self) -> ProfilePut {
        ProfilePut {
            description: self.description.clone(),
            config: self.config.clone(),
            devices: self.devices.clone(),
        }
    }
}

/// Body of `PUT` (replaces) and `PATCH` (merges) of `/1.0/profiles/<name>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfilePut {
    /// Free text.
    pub description: String,
    /// Configuration.
    #[serde(deserialize_with = "null_default")]
    pub config: Config,
    /// Devices.
    #[serde(deserialize_with = "null_default")]
    pub devices: Devices,
}
