//! What comes in and what goes out, before and after HTTP.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, Method};
use lxd_api::{Operation, Requestor};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A request, read whole.
#[derive(Debug)]
pub(crate) struct ApiRequest {
    pub(crate) method: Method,
    /// Segments of the path, percent-decoded: `["1.0", "instances", "foo"]`.
    pub(crate) segments: Vec<String>,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) requestor: Requestor,
    /// Over the unix socket, or with a certificate in the trust store.
    pub(crate) trusted: bool,
    /// The operation this request begins fails halfway with this message.
    pub(crate) midway: Option<String>,
}

impl ApiRequest {
    /// `?recursion=`.
    pub(crate) fn recursion(&self) -> u8 {
        self.query.get("recursion").and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// `?target=`, if it is not empty.
    pub(crate) fn target(&self) -> Option<&str> {
        self.query.get("target").map(String::as_str).filter(|name| !name.is_empty())
    }

    /// The body as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| Failure::bad(error.to_string()))
    }

    /// Refuses when `If-Match` names another version than `tag`.
    pub(crate) fn check_etag(&self, tag: &str) -> Result<(), Failure> {
        let Some(given) = self.headers.get(http::header::IF_MATCH) else { return Ok(()) };
        let given = given.to_str().unwrap_or_default().trim_matches('"');
        if given.is_empty() || given == tag {
            return Ok(());
        }
        Err(Failure::new(412, format!("ETag doesn't match: {tag} vs {given}")))
    }
}

/// A good answer.
#[derive(Debug)]
pub(crate) enum Reply {
    /// 200 with metadata, and an ETag where LXD sends one.
    Sync { metadata: Value, etag: Option<String> },
    /// 201, empty.
    Created { location: Option<String> },
    /// 202: an operation has begun.
    Operation(Box<Operation>),
    /// 200 with text (metrics).
    Text(String),
}

impl Reply {
    /// 200 with any value.
    pub(crate) fn sync(value: &impl Serialize) -> Result<Self, Failure> {
        Ok(Self::Sync { metadata: to_value(value)?, etag: None })
    }

    /// 200 with a value and the ETag `tag`.
    pub(crate) fn tagged(value: &impl Serialize, tag: String) -> Result<Self, Failure> {
        Ok(Self::Sync { metadata: to_value(value)?, etag: Some(tag) })
    }

    /// 200 with LXD's empty object.
    pub(crate) fn done() -> Self {
        Self::Sync { metadata: json!({}), etag: None }
    }

    /// A list: paths, or with `?recursion=1` the things themselves.
    pub(crate) fn list<T: Serialize>(
        request: &ApiRequest,
        items: impl IntoIterator<Item = (String, T)>,
    ) -> Result<Self, Failure> {
        let mut list = Vec::new();
        for (path, item) in items {
            list.push(if request.recursion() == 0 { Value::String(path) } else { to_value(&item)? });
        }
        Ok(Self::Sync { metadata: Value::Array(list), etag: None })
    }
}

/// A bad answer: HTTP status and LXD's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: u16,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(code: u16, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(500, message)
    }
}

pub(crate) fn to_value(value: &impl Serialize) -> Result<Value, Failure> {
    serde_json::to_value(value).map_err(|error| Failure::internal(error.to_string()))
}

/// LXD's ETag: a hash of what a PUT would replace.
pub(crate) fn etag(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_vec(value).map_err(|error| Failure::internal(error.to_string()))?;
    Ok(sha256_hex(&text))
}

/// SHA-256, hexadecimal.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(bytes).iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
