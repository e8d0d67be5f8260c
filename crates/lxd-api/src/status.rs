//! LXD's status codes: one number space for operations, instances and answers.
//!
//! 100–199 are states of resources (running, stopped, pending), 200–399 are good results, 400–599 are bad
//! ones. Source: `doc/rest-api.md`, "Return values".

use std::fmt;

use serde::{Deserialize, Serialize};

/// A status code of LXD. A newtype and not an enum: newer daemons may send codes we do not know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StatusCode(pub u16);

impl StatusCode {
    /// The operation has been created (the code of an async answer).
    pub const OPERATION_CREATED: Self = Self(100);
    /// The thing has been started.
    pub const STARTED: Self = Self(101);
    /// The instance is off.
    pub const STOPPED: Self = Self(102);
    /// The instance is on; the operation is under way.
    pub const RUNNING: Self = Self(103);
    /// The operation is being cancelled.
    pub const CANCELLING: Self = Self(104);
    /// The operation waits for its turn.
    pub const PENDING: Self = Self(105);
    /// The instance is starting.
    pub const STARTING: Self = Self(106);
    /// The instance is stopping.
    pub const STOPPING: Self = Self(107);
    /// The instance is being torn down after a failure.
    pub const ABORTING: Self = Self(108);
    /// The instance is being frozen.
    pub const FREEZING: Self = Self(109);
    /// The instance is frozen (paused).
    pub const FROZEN: Self = Self(110);
    /// The instance has been thawed.
    pub const THAWED: Self = Self(111);
    /// The instance is in an error state.
    pub const ERROR: Self = Self(112);
    /// The instance reported itself ready.
    pub const READY: Self = Self(113);
    /// The operation (or request) succeeded.
    pub const SUCCESS: Self = Self(200);
    /// The operation failed.
    pub const FAILURE: Self = Self(400);
    /// The operation was cancelled.
    pub const CANCELLED: Self = Self(401);

    /// LXD's own word for the code, as it stands in every `status` field; `None` for a code we do not know.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::OPERATION_CREATED => "Operation created",
            Self::STARTED => "Started",
            Self::STOPPED => "Stopped",
            Self::RUNNING => "Running",
            Self::CANCELLING => "Cancelling",
            Self::PENDING => "Pending",
            Self::STARTING => "Starting",
            Self::STOPPING => "Stopping",
            Self::ABORTING => "Aborting",
            Self::FREEZING => "Freezing",
            Self::FROZEN => "Frozen",
            Self::THAWED => "Thawed",
            Self::ERROR => "Error",
            Self::READY => "Ready",
            Self::SUCCESS => "Success",
            Self::FAILURE => "Failure",
            Self::CANCELLED => "Cancelled",
            _ => return None,
        })
    }

    /// True once nothing will change any more: 200 and above. For operations this means "finished".
    #[must_use]
    pub fn is_final(self) -> bool {
        self.0 >= 200
    }

    /// True for 200–399.
    #[must_use]
    pub fn is_success(self) -> bool {
        (200..400).contains(&self.0)
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "status {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::StatusCode;

    #[test]
    fn only_200_and_above_are_final() {
        assert!(!StatusCode::RUNNING.is_final());
        assert!(!StatusCode::CANCELLING.is_final());
        assert!(StatusCode::SUCCESS.is_final() && StatusCode::SUCCESS.is_success());
        assert!(StatusCode::CANCELLED.is_final() && !StatusCode::CANCELLED.is_success());
    }

    #[test]
    fn an_unknown_code_is_still_shown() {
        assert_eq!(StatusCode(199).to_string(), "status 199");
        assert_eq!(StatusCode::FROZEN.to_string(), "Frozen");
    }
}
