//! Operations: LXD's work in the background. Created by an async answer, followed by events, gone seconds
//! after they end, and lost when the daemon restarts.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    path::ResourcePath,
    status::StatusCode,
    wire::{null_default, zero_time},
};

/// `GET /1.0/operations/<id>`, and the metadata of `operation` events.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operation {
    /// UUID.
    pub id: String,
    /// `task`, `websocket` or `token`.
    pub class: String,
    /// What it does, in words ("Creating instance").
    pub description: String,
    /// When it was created.
    #[serde(with = "zero_time")]
    pub created_at: Option<DateTime<Utc>>,
    /// When it last changed.
    #[serde(with = "zero_time")]
    pub updated_at: Option<DateTime<Utc>>,
    /// Word for `status_code`.
    pub status: String,
    /// 105 pending, 103 running, 104 cancelling, 200 success, 400 failure, 401 cancelled.
    pub status_code: StatusCode,
    /// What it works on, by kind: `{"instances": ["/1.0/instances/foo"]}`.
    #[serde(deserialize_with = "null_default")]
    pub resources: BTreeMap<String, Vec<String>>,
    /// Progress and results; keys depend on the class and kind.
    #[serde(deserialize_with = "null_default")]
    pub metadata: Map<String, Value>,
    /// Whether DELETE would be accepted now.
    pub may_cancel: bool,
    /// Why it failed; empty otherwise.
    pub err: String,
    /// The cluster member it runs on; `none` without a cluster.
    pub location: String,
}

impl Operation {
    /// True once it succeeded, failed or was cancelled.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.status_code.is_final()
    }

    /// Progress in percent where LXD reports one: `progress.percent`, or the number before `%` in a
    /// `*_progress` text such as `Unpack: 40% (3.10MB/s)`.
    #[must_use]
    pub fn progress_percent(&self) -> Option<u8> {
        let structured = self.metadata.get("progress").and_then(|p| p.get("percent")).and_then(|p| match p {
            Value::String(text) => text.parse::<f64>().ok(),
            other => other.as_f64(),
        });
        let percent = structured.or_else(|| {
            let text = self.progress_text()?;
            let (before, _) = text.split_once('%')?;
            before.rsplit(|c: char| !(c.is_ascii_digit() || c == '.')).next()?.parse::<f64>().ok()
        })?;
        // Through text: `as` would be the only other way from f64, and it is denied here.
        format!("{:.0}", percent.clamp(0.0, 100.0)).parse().ok()
    }

    /// LXD's own line of progress, if any (`download_progress`, `create_instance_from_image_unpack_progress`…).
    #[must_use]
    pub fn progress_text(&self) -> Option<&str> {
        self.metadata.iter().find(|(key, _)| key.ends_with("_progress")).and_then(|(_, value)| value.as_str())
    }

    /// Names of the instances it works on, each once. LXD names them twice: also by the older kinds
    /// `containers` and `virtual-machines`.
    pub fn instances(&self) -> impl Iterator<Item = String> + use<> {
        ["instances", "containers", "virtual-machines"]
            .iter()
            .filter_map(|kind| self.resources.get(*kind))
            .flatten()
            .filter_map(|path| ResourcePath::parse(path)?.instance().map(str::to_owned))
            .collect::<BTreeSet<_>>()
            .into_iter()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Operation;
    use crate::StatusCode;
    use serde_json::json;

    #[test]
    fn progress_from_text_and_from_structure() {
        let text: Operation = serde_json::from_value(json!({
            "metadata": {"create_instance_from_image_unpack_progress": "Unpack: 40% (3.10MB/s)"}
        }))
        .unwrap();
        assert_eq!(text.progress_percent(), Some(40));
        let structured: Operation =
            serde_json::from_value(json!({"metadata": {"progress": {"percent": "73", "stage": "x"}}}))
                .unwrap();
        assert_eq!(structured.progress_percent(), Some(73));
        assert_eq!(Operation::default().progress_percent(), None);
    }

    #[test]
    fn null_maps_read_as_empty() {
        let operation: Operation = serde_json::from_value(json!({
            "id": "6916c8a6-9b7d-4abd-90b3-aedfec7ec7da", "class": "task", "status_code": 103,
            "resources": null, "metadata": null, "created_at": "2021-03-23T17:38:37.753398689-04:00"
        }))
        .unwrap();
        assert_eq!(operation.status_code, StatusCode::RUNNING);
        assert!(operation.resources.is_empty() && operation.metadata.is_empty());
        assert!(!operation.is_final());
    }

    #[test]
    fn instances_named_by_either_generation_of_paths() {
        let operation: Operation = serde_json::from_value(json!({
            "resources": {"instances": ["/1.0/instances/a?project=p"], "containers": ["/1.0/containers/b", "/1.0/containers/a"]}
        }))
        .unwrap();
        assert_eq!(operation.instances().collect::<Vec<_>>(), ["a", "b"]);
    }
}
