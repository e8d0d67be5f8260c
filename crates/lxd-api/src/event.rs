//! Events: what happens on the daemon, as JSON text frames of the websocket `/1.0/events`.
//!
//! Nothing is replayed: who connects late or loses the connection must read the state again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    operation::Operation,
    path::{ResourcePath, instance_of, snapshot_of},
    wire::{null_default, zero_time},
};

/// The kinds of event we ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EventType {
    /// An operation changed.
    Operation,
    /// Something was created, started, renamed, deleted…
    Lifecycle,
    /// A line of the daemon's log.
    Logging,
    /// A kind of newer daemons (`ovn`, `network-acl`).
    #[default]
    #[serde(other)]
    Other,
}

impl EventType {
    /// The word on the wire, also in `/1.0/events?type=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operation => "operation",
            Self::Lifecycle => "lifecycle",
            Self::Logging => "logging",
            Self::Other => "other",
        }
    }
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its kind.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// When it happened.
    #[serde(default, with = "zero_time")]
    pub timestamp: Option<DateTime<Utc>>,
    /// What happened; see [`Event::payload`].
    #[serde(default)]
    pub metadata: Value,
    /// The cluster member; extension `event_location`. Empty or `none` without a cluster.
    #[serde(default)]
    pub location: String,
    /// The project; extension `event_project`. Empty for events that belong to none.
    #[serde(default)]
    pub project: String,
}

/// An event's metadata, typed.
#[derive(Clone, Debug, PartialEq)]
pub enum EventPayload {
    /// The operation's new state.
    Operation(Box<Operation>),
    /// What happened to which resource.
    Lifecycle(Lifecycle),
    /// A line of the log.
    Logging(Logging),
    /// Of another kind, left as it came.
    Other(Value),
}

impl Event {
    /// Types the metadata.
    ///
    /// # Errors
    /// If the metadata does not have the shape its kind promises.
    pub fn payload(self) -> Result<EventPayload, serde_json::Error> {
        Ok(match self.kind {
            EventType::Operation => EventPayload::Operation(serde_json::from_value(self.metadata)?),
            EventType::Lifecycle => EventPayload::Lifecycle(serde_json::from_value(self.metadata)?),
            EventType::Logging => EventPayload::Logging(serde_json::from_value(self.metadata)?),
            EventType::Other => EventPayload::Other(self.metadata),
        })
    }
}

/// Metadata of a `lifecycle` event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lifecycle {
    /// What happened: `instance-created`, `instance-started`, `instance-snapshot-deleted`, …
    pub action: String,
    /// Path of what it happened to, after it happened (a renamed instance has its new name here).
    pub source: String,
    /// More about it; a rename carries `old_name`.
    #[serde(deserialize_with = "null_default", skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
    /// Who asked for it; extension `event_lifecycle_requestor`. Absent for what the daemon did by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requestor: Option<Requestor>,
    /// Name of the resource; extension `event_lifecycle_name_and_project` (LXD 5.12, Incus). Else empty.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Project of the resource; same extension.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub project: String,
}

impl Lifecycle {
    /// Name of the instance it is about, if it is about one (or about a snapshot of it).
    #[must_use]
    pub fn instance(&self) -> Option<String> {
        instance_of(&self.source)
    }

    /// Names of instance and snapshot, if it is about a snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<(String, String)> {
        snapshot_of(&self.source)
    }

    /// The path in parts.
    #[must_use]
    pub fn path(&self) -> Option<ResourcePath> {
        ResourcePath::parse(&self.source)
    }

    /// The name before a rename.
    #[must_use]
    pub fn old_name(&self) -> Option<&str> {
        self.context.get("old_name").and_then(Value::as_str)
    }
}

/// Who caused a lifecycle event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Requestor {
    /// A user on the unix socket, or a certificate's fingerprint.
    pub username: String,
    /// `unix`, `tls`, `cluster`, …
    pub protocol: String,
    /// Where it came from; extension `event_lifecycle_requestor_address`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub address: String,
}

/// Metadata of a `logging` event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Logging {
    /// The line.
    pub message: String,
    /// `debug`, `info`, `warning`, `error`, …
    pub level: String,
    /// Its fields.
    #[serde(deserialize_with = "null_default")]
    pub context: Map<String, Value>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::{Event, EventPayload, EventType, Lifecycle};

    fn lifecycle(text: &str) -> Lifecycle {
        match serde_json::from_str::<Event>(text).unwrap().payload().unwrap() {
            EventPayload::Lifecycle(lifecycle) => lifecycle,
            other => panic!("{other:?}"),
        }
    }

    // All samples were sent by LXD 5.0.2.

    #[test]
    fn a_start_names_instance_and_requestor() {
        let started = lifecycle(
            r#"{"location":"none","metadata":{"action":"instance-started","requestor":{"address":"@","protocol":"unix","username":"root"},"source":"/1.0/instances/t4"},"project":"default","timestamp":"2026-11-25T03:51:27.0041784Z","type":"lifecycle"}"#,
        );
        assert_eq!(started.action, "instance-started");
        assert_eq!(started.instance().as_deref(), Some("t4"));
        assert_eq!(started.requestor.unwrap().username, "root");
        assert!(started.context.is_empty());
    }

    #[test]
    fn a_rename_has_the_new_name_as_source_and_the_old_one_in_its_context() {
        let renamed = lifecycle(
            r#"{"location":"none","metadata":{"action":"instance-renamed","context":{"old_name":"t4"},"source":"/1.0/instances/t5"},"project":"default","timestamp":"2026-11-25T03:51:27.86382152Z","type":"lifecycle"}"#,
        );
        assert_eq!((renamed.old_name(), renamed.instance().as_deref()), (Some("t4"), Some("t5")));
        assert_eq!(renamed.requestor, None);
    }

    #[test]
    fn a_snapshot_is_named_with_its_instance() {
        let taken = lifecycle(
            r#"{"location":"none","metadata":{"action":"instance-snapshot-created","source":"/1.0/instances/t5/snapshots/s1"},"project":"default","timestamp":"2026-11-25T03:51:27.893142204Z","type":"lifecycle"}"#,
        );
        assert_eq!(taken.snapshot(), Some(("t5".into(), "s1".into())));
        assert_eq!(taken.instance().as_deref(), Some("t5"));
    }

    #[test]
    fn an_operation_tells_its_progress() {
        let text = r#"{"location":"none","metadata":{"class":"task","created_at":"2026-11-25T03:51:26.640439367Z","description":"Creating instance","err":"","id":"bbf3e5e2-be12-4337-a0fd-37485164294a","location":"none","may_cancel":false,"metadata":{"create_instance_from_image_unpack_progress":"Unpack: 10% (538.27MB/s)","progress":{"percent":"10","speed":"538265683","stage":"create_instance_from_image_unpack"}},"resources":{"containers":["/1.0/containers/t4"],"instances":["/1.0/instances/t4"]},"status":"Running","status_code":103,"updated_at":"2026-11-25T03:51:26.669023994Z"},"project":"default","timestamp":"2026-11-25T03:51:26.669042361Z","type":"operation"}"#;
        let event: Event = serde_json::from_str(text).unwrap();
        assert_eq!((event.kind, event.project.as_str()), (EventType::Operation, "default"));
        let EventPayload::Operation(operation) = event.payload().unwrap() else { panic!("no operation") };
        assert_eq!(operation.progress_percent(), Some(10));
        assert_eq!(operation.instances().collect::<Vec<_>>(), ["t4"]);
    }

    #[test]
    fn a_kind_that_we_do_not_know_is_no_error() {
        let event: Event = serde_json::from_str(r#"{"type":"network-acl","metadata":{"a":1}}"#).unwrap();
        assert_eq!(event.kind, EventType::Other);
        assert!(matches!(event.payload(), Ok(EventPayload::Other(_))));
    }
}
