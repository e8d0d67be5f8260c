//! Events: what happens to a person's machines and operations, as it happens (`GET /events`).
//!
//! A websocket carries one [`EventMessage`] per text frame. Sequence numbers only grow, also over a restart of the
//! server; they are not consecutive for one person, because other people's events have numbers too. Who was away
//! connects again with `since=` the last number seen and gets what was missed, or [`Event::Resync`] if the server no
//! longer has it: then everything is to be read again by the ordinary requests.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Machine, Operation};

/// A pass for one websocket (`POST /events/ticket`): a browser cannot send an `Authorization` header with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventTicket {
    /// The value for `ticket=` of `GET /events`. Good for one connection.
    #[cfg_attr(feature = "openapi", schema(example = "vmst_Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmE"))]
    pub ticket: String,
    /// Seconds until it is worth nothing.
    #[cfg_attr(feature = "openapi", schema(example = 30))]
    pub expires_in: u64,
}

impl std::fmt::Debug for EventTicket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventTicket").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

/// One frame of the websocket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EventMessage {
    /// Sequence number, for `since=`.
    #[cfg_attr(feature = "openapi", schema(example = 1_764_072_000_000_017_u64))]
    pub seq: u64,
    /// When the server saw it.
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// The first frame: from here on nothing is missed.
    Hello,
    /// A machine is new or looks different now: this is how `GET /machines/{machine}` shows it.
    Machine {
        /// The machine.
        machine: Box<Machine>,
    },
    /// A machine is no longer in the list.
    MachineRemoved {
        /// Its identity.
        id: Uuid,
        /// LXD's name for it.
        instance: String,
    },
    /// An operation began, went on or ended: this is how `GET /operations/{id}` shows it.
    Operation {
        /// The operation.
        operation: Box<Operation>,
    },
    /// Something was missed: read everything again. What follows is complete from here on.
    Resync,
    /// The last frame before the server closes the connection in an orderly way; connect again after a moment.
    GoAway,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_frame_is_one_flat_object_with_its_type() {
        let removed = r#"{"seq":7,"at":"2026-11-25T10:00:00Z","type":"machine-removed","id":"00000000-0000-0000-0000-000000000001","instance":"vmbrunoa"}"#;
        let message: EventMessage = serde_json::from_str(removed).unwrap();
        let id = Uuid::from_u128(1);
        assert_eq!(message.event, Event::MachineRemoved { id, instance: "vmbrunoa".into() });
        assert_eq!(serde_json::to_string(&message).unwrap(), removed);
        for (event, word) in [(Event::Hello, "hello"), (Event::Resync, "resync"), (Event::GoAway, "go-away")]
        {
            let frame = serde_json::to_value(EventMessage { event, ..message.clone() }).unwrap();
            assert_eq!(frame.get("type").unwrap(), word);
        }
    }
}
