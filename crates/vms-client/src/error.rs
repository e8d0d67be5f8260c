//! What can go wrong with a call.

use vms_types::{Problem, ProblemCode};

/// Why a call gave no answer that could be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The server answered with a problem (RFC 9457).
    #[error("{}: {}", .0.code.as_str(), .0.detail)]
    Problem(Box<Problem>),
    /// No answer came: the network is down, the server is not there, or it took too long.
    #[error("the server could not be reached: {0}; check the network and try again")]
    Network(String),
    /// An answer came that is not what the API promises, for example from a proxy in between or another version.
    #[error(
        "the answer to {what} (HTTP {status}) cannot be read: {reason}; client and server may differ in version"
    )]
    Decode {
        /// Method and path of the request.
        what: String,
        /// The HTTP status of the answer.
        status: u16,
        /// What the JSON reader said.
        reason: String,
    },
}

impl ClientError {
    /// The problem's code, if the server sent a problem.
    #[must_use]
    pub fn code(&self) -> Option<ProblemCode> {
        match self {
            Self::Problem(problem) => Some(problem.code),
            Self::Network(_) | Self::Decode { .. } => None,
        }
    }

    /// Whether the person must log in again before the call can succeed.
    #[must_use]
    pub fn is_session_ended(&self) -> bool {
        matches!(self.code(), Some(ProblemCode::SessionExpired | ProblemCode::Unauthenticated))
    }

    /// Whether the same call may succeed later without any change: the network or a server is away for now.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Network(_) => true,
            // A proxy that answers for a server that is away sends 502, 503 or 504 with a page of its own.
            Self::Decode { status, .. } => (502..=504).contains(status),
            Self::Problem(problem) => matches!(problem.status, 429 | 503),
        }
    }
}
