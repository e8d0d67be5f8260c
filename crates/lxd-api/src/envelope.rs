//! The envelope around every answer: `sync` (here it is), `async` (an operation has begun), `error`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::status::StatusCode;

/// The three kinds of answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ResponseType {
    /// The result is in `metadata`.
    #[default]
    Sync,
    /// The work goes on in the background; `metadata` is the operation.
    Async,
    /// It was refused; see `error` and `error_code`.
    Error,
}

/// The envelope as it stands on the wire. [`Response::into_outcome`] makes it convenient.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// Which of the three kinds.
    #[serde(rename = "type")]
    pub kind: ResponseType,
    /// Word for `status_code`; empty in errors.
    #[serde(default)]
    pub status: String,
    /// 200 for sync, 100 for async, 0 for errors.
    #[serde(default)]
    pub status_code: StatusCode,
    /// Path of the operation (`/1.0/operations/<uuid>`), for async only.
    #[serde(default)]
    pub operation: String,
    /// The HTTP status once more, for errors only.
    #[serde(default)]
    pub error_code: u16,
    /// The message, for errors only.
    #[serde(default)]
    pub error: String,
    /// What was asked for.
    #[serde(default)]
    pub metadata: Value,
}

/// An envelope, opened.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// `metadata` of a sync answer.
    Sync(Value),
    /// An operation has begun.
    Async {
        /// Its path, `/1.0/operations/<uuid>`.
        path: String,
        /// Its first state.
        metadata: Value,
    },
    /// The request was refused.
    Error {
        /// HTTP status.
        code: u16,
        /// LXD's own words.
        message: String,
    },
}

impl Response {
    /// A sync answer, as a server sends it (with HTTP 200, or 201 where something was created).
    #[must_use]
    pub fn sync(metadata: Value) -> Self {
        Self {
            kind: ResponseType::Sync,
            status: "Success".into(),
            status_code: StatusCode::SUCCESS,
            metadata,
            ..Self::default()
        }
    }

    /// An async answer, as a server sends it (with HTTP 202). `id` is the operation's UUID.
    #[must_use]
    pub fn operation(id: &str, operation: Value) -> Self {
        Self {
            kind: ResponseType::Async,
            status: "Operation created".into(),
            status_code: StatusCode::OPERATION_CREATED,
            operation: format!("/1.0/operations/{id}"),
            metadata: operation,
            ..Self::default()
        }
    }

    /// An error answer, as a server sends it; `code` is also the HTTP status.
    #[must_use]
    pub fn error(code: u16, message: impl Into<String>) -> Self {
        Self { kind: ResponseType::Error, error_code: code, error: message.into(), ..Self::default() }
    }

    /// Opens the envelope.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        match self.kind {
            ResponseType::Sync => Outcome::Sync(self.metadata),
            ResponseType::Async => Outcome::Async { path: self.operation, metadata: self.metadata },
            ResponseType::Error => Outcome::Error { code: self.error_code, message: self.error },
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Outcome, Response};
    use serde_json::json;

    #[test]
    fn an_error_of_lxd_reads_with_its_code() {
        let text = r#"{"type":"error","status":"","status_code":0,"operation":"","error_code":404,"error":"Instance not found","metadata":null}"#;
        let response: Response = serde_json::from_str(text).unwrap();
        assert_eq!(
            response.clone().into_outcome(),
            Outcome::Error { code: 404, message: "Instance not found".into() }
        );
        assert_eq!(
            serde_json::to_string(&response).unwrap(),
            text,
            "a simulated error looks like a real one"
        );
    }

    #[test]
    fn incus_leaves_fields_out() {
        let response: Response =
            serde_json::from_value(json!({"type": "error", "error": "nope", "error_code": 403})).unwrap();
        assert_eq!(response, Response::error(403, "nope"));
    }

    #[test]
    fn async_carries_the_operation() {
        let response = Response::operation("abc", json!({"id": "abc"}));
        assert_eq!(
            response.into_outcome(),
            Outcome::Async { path: "/1.0/operations/abc".into(), metadata: json!({"id": "abc"}) }
        );
    }
}
