//! Images and their aliases: `/1.0/images`, `/1.0/images/aliases`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    Config,
    wire::{is_false, null_default, zero_time},
};

/// `GET /1.0/images/<fingerprint>`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    /// SHA-256 of the image, hexadecimal.
    pub fingerprint: String,
    /// Names it is known by.
    #[serde(deserialize_with = "null_default")]
    pub aliases: Vec<ImageAlias>,
    /// `os`, `release`, `description`, …
    #[serde(deserialize_with = "null_default")]
    pub properties: Config,
    /// Architecture.
    pub architecture: String,
    /// `container` or `virtual-machine`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Size in bytes.
    pub size: i64,
    /// File name it was uploaded with.
    pub filename: String,
    /// Anyone may use it, even without a certificate.
    pub public: bool,
    /// Kept up to date from where it came.
    pub auto_update: bool,
    /// Fetched because an instance wanted it.
    pub cached: bool,
    /// When it was made.
    #[serde(with = "zero_time")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it ends; `None` is never.
    #[serde(with = "zero_time")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When an instance was last made from it.
    #[serde(with = "zero_time")]
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it came to this server.
    #[serde(with = "zero_time")]
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Profiles for new instances of it. Extension `image_profiles`.
    #[serde(deserialize_with = "null_default")]
    pub profiles: Vec<String>,
    /// Where it came from and is refreshed from; `None` for an upload and for what was published here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_source: Option<ImageUpdateSource>,
}

/// The other server that an image came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageUpdateSource {
    /// Its alias there.
    pub alias: String,
    /// URL of the server.
    pub server: String,
    /// `simplestreams` or `lxd` (`incus`).
    pub protocol: String,
}

impl Image {
    /// The whole of what PUT replaces, as it stands now.
    #[must_use]
    pub fn to_put(&self) -> ImagePut {
        ImagePut {
            auto_update: self.auto_update,
            properties: self.properties.clone(),
            public: self.public,
            expires_at: self.expires_at,
            profiles: self.profiles.clone(),
        }
    }
}

/// An alias as an image lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAlias {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
}

/// Body of `PUT /1.0/images/<fingerprint>`: replaces everything in it. Begin with [`Image::to_put`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImagePut {
    /// Keep it up to date.
    pub auto_update: bool,
    /// Properties.
    #[serde(deserialize_with = "null_default")]
    pub properties: Config,
    /// Usable by anyone.
    pub public: bool,
    /// When it ends.
    #[serde(with = "zero_time")]
    pub expires_at: Option<DateTime<Utc>>,
    /// Profiles for new instances.
    #[serde(deserialize_with = "null_default")]
    pub profiles: Vec<String>,
}

/// JSON body of `POST /1.0/images`: fetch from another server, or publish an instance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImagesPost {
    /// Where it comes from.
    pub source: ImageSource,
    /// Usable by anyone.
    #[serde(skip_serializing_if = "is_false")]
    pub public: bool,
    /// Keep it up to date.
    #[serde(skip_serializing_if = "is_false")]
    pub auto_update: bool,
    /// Properties to add.
    #[serde(skip_serializing_if = "Config::is_empty", deserialize_with = "null_default")]
    pub properties: Config,
    /// Aliases to give it. Extension `image_create_aliases`.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_default")]
    pub aliases: Vec<ImageAlias>,
}

/// Where a new image comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageSource {
    /// `image` (another server's), `instance` or `snapshot` (publish).
    #[serde(rename = "type")]
    pub kind: String,
    /// Image: `pull`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub mode: String,
    /// Image: URL of the server.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server: String,
    /// Image: `simplestreams` or `lxd` (`incus`).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub protocol: String,
    /// Image: alias there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub alias: String,
    /// Image: fingerprint there.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// Instance, snapshot: name.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// `GET /1.0/images/aliases/<name>`, and body of `POST /1.0/images/aliases`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAliasEntry {
    /// Name.
    pub name: String,
    /// Free text.
    pub description: String,
    /// Fingerprint of the image.
    pub target: String,
    /// `container` or `virtual-machine`; extension `image_types`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub kind: String,
}

/// Body of `PUT /1.0/images/aliases/<name>`: points the alias at another image.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAliasPut {
    /// Free text.
    pub description: String,
    /// Fingerprint of the image.
    pub target: String,
}
