//! The audit log as administrators read it (`GET /audit`).

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Whether what was asked for was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AuditOutcome {
    /// Done, or handed over: a status below 400.
    Ok,
    /// Not done: a status of 400 or more.
    Refused,
}

impl AuditOutcome {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Refused => "refused",
        }
    }

    /// The outcome of an answer with this HTTP status.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        if status < 400 { Self::Ok } else { Self::Refused }
    }
}

/// One line of the audit log: a login, or a request that meant to change something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AuditLine {
    /// Identity.
    pub id: Uuid,
    /// When the answer was given.
    pub at: DateTime<Utc>,
    /// Who asked: a login name, or what was given as one.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub actor: String,
    /// What was asked for, as a stable word.
    #[cfg_attr(feature = "openapi", schema(example = "machine.delete"))]
    pub action: String,
    /// To what.
    #[cfg_attr(feature = "openapi", schema(example = "machines/vmbrunomaquinaa"))]
    pub target: String,
    /// Whether it was taken.
    pub outcome: AuditOutcome,
    /// The HTTP status of the answer.
    #[cfg_attr(feature = "openapi", schema(example = 202))]
    pub status: u16,
    /// The problem code of the answer, if it was a problem.
    pub code: Option<String>,
    /// The client's address.
    #[cfg_attr(feature = "openapi", schema(example = "10.99.0.17"))]
    pub address: String,
    /// The id of the request, as in the server's log.
    pub request_id: String,
    /// What else the request said; never a secret.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub detail: Option<serde_json::Value>,
}

/// As what the audit log is exported (`GET /audit/export`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AuditFormat {
    /// Comma-separated values (RFC 4180).
    #[default]
    Csv,
    /// One JSON object a line.
    Jsonl,
}

impl AuditFormat {
    /// The word on the wire, and how such a file's name ends.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }

    /// The media type (RFC 4180 for CSV).
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Jsonl => "application/jsonl",
        }
    }
}
