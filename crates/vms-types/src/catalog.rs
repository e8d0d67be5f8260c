//! What a person may choose from when creating a machine: images and profiles.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::audience::Audience;

/// An image machines are made from (`GET /images`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Image {
    /// The name to ask for it by.
    #[cfg_attr(feature = "openapi", schema(example = "debian-12"))]
    pub alias: String,
    /// What it is, in words.
    pub description: String,
    /// SHA-256 of its content.
    pub fingerprint: String,
    /// CPU architecture, as LXD names it.
    #[cfg_attr(feature = "openapi", schema(example = "x86_64"))]
    pub architecture: String,
    /// Size as stored, in bytes.
    pub size_bytes: u64,
    /// When it was built.
    pub created_at: Option<DateTime<Utc>>,
    /// Whether your machine gets it when you name no image.
    pub default: bool,
    /// Who may use it; for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}

/// A set of limits and devices (`GET /profiles`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Profile {
    /// The name to ask for it by.
    #[cfg_attr(feature = "openapi", schema(example = "default"))]
    pub name: String,
    /// What it is for, in words.
    pub description: String,
    /// What a machine with it may use.
    pub limits: super::machine::Limits,
    /// Number of network interfaces.
    pub interfaces: u32,
    /// Whether your machine gets it when you name no profile.
    pub default: bool,
    /// How many instances carry it, on all servers; for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = 12))]
    pub machines: Option<u32>,
    /// Who may use it; for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
}
