//! Where the machines table and the servers do not match (`GET /differences`), and taking in what has no owner
//! (`POST /machines/adopt`).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What does not match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DifferenceKind {
    /// An instance that nobody owns. It can be adopted.
    Unowned,
    /// An instance whose keys name a machine that another instance is: a copy. It can be adopted as a machine of its own.
    Copy,
    /// An instance whose keys name a machine that was deleted. It can be adopted as a new machine.
    Leftover,
    /// A machine whose instance is not on its server. It holds a place in its owner's quota until it is deleted.
    Missing,
}

impl DifferenceKind {
    /// Whether there is an instance that can be adopted.
    #[must_use]
    pub const fn can_be_adopted(self) -> bool {
        !matches!(self, Self::Missing)
    }

    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unowned => "unowned",
            Self::Copy => "copy",
            Self::Leftover => "leftover",
            Self::Missing => "missing",
        }
    }
}

/// One thing that does not match.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Difference {
    /// What it is.
    pub kind: DifferenceKind,
    /// The server it is on.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// The instance's name.
    #[cfg_attr(feature = "openapi", schema(example = "laboratorio"))]
    pub instance: String,
    /// The machine that the instance's keys name, or that is missing.
    pub machine: Option<Uuid>,
    /// The owner that the keys, or the table, name.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub owner: Option<String>,
    /// When the instance or the machine was created.
    pub created_at: Option<DateTime<Utc>>,
}

/// `POST /machines/adopt`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdoptInstance {
    /// The server that the instance is on.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// Its name there, which stays.
    #[cfg_attr(feature = "openapi", schema(example = "laboratorio"))]
    pub instance: String,
    /// The login name of the person it will belong to. They must have logged in once.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub owner: String,
    /// The machine's name among its owner's; the instance's name if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "laboratorio"))]
    pub name: Option<String>,
}
