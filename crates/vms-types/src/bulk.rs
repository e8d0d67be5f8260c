//! One command to many machines (`POST /machines/bulk`).

use serde::{Deserialize, Serialize};

use crate::operation::Operation;
use crate::problem::Problem;

/// Machines that one request may name at most.
pub const MAX_BULK: usize = 100;

/// What can be done to many machines at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum BulkAction {
    /// Turn them on.
    Start,
    /// Turn them off.
    Stop,
    /// Remove them with their snapshots.
    Delete,
    /// Take a snapshot of each.
    Snapshot,
    /// Give them another profile.
    Profile,
}

/// `POST /machines/bulk`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// What to do to each.
    pub action: BulkAction,
    /// Their `id`s or `instance` names, 1 to 100.
    #[cfg_attr(feature = "openapi", schema(example = json!(["vmbrunomaquinaa", "vmanaweb"]), min_items = 1, max_items = 100))]
    pub machines: Vec<String>,
    /// The name of the snapshots; for `snapshot`, and only there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "antes-da-prova"))]
    pub snapshot: Option<String>,
    /// The profile they shall carry; for `profile`, and only there. For administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(null)))]
    pub profile: Option<String>,
    /// Pull the plug instead of asking the machines to shut down (`stop`).
    #[serde(default)]
    pub force: bool,
}

/// What became of the command to one machine: an operation or a problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkItem {
    /// The machine, as the request named it.
    #[cfg_attr(feature = "openapi", schema(example = "vmbrunomaquinaa"))]
    pub machine: String,
    /// It was handed over.
    pub operation: Option<Operation>,
    /// It was refused: the problem that the single command would have answered.
    pub problem: Option<Problem>,
}

/// The answer to `POST /machines/bulk`, in the order of the request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BulkAnswer {
    /// One for each machine named.
    pub items: Vec<BulkItem>,
}
