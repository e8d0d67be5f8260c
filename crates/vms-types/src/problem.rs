//! The one error body: a problem (RFC 9457) with a stable `code`.

use serde::{Deserialize, Serialize};

/// What every answer that is not 2xx or 304 carries, as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// A URI reference for the kind of problem; documentation stands there.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(example = "/docs/problems#name-taken"))]
    pub kind: String,
    /// The kind in a few words.
    pub title: String,
    /// The HTTP status.
    #[cfg_attr(feature = "openapi", schema(example = 409))]
    pub status: u16,
    /// What happened, to what, and what to do next.
    pub detail: String,
    /// A stable word for programs.
    pub code: ProblemCode,
    /// Find the request in the server's log by it.
    pub request_id: String,
    /// What is wrong with which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// For `quota-exceeded`: what was asked, used and allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaShortage>,
    /// Seconds after which to try again, as in the `Retry-After` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

/// What is wrong with one field of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldError {
    /// The field, as in the request's JSON.
    #[cfg_attr(feature = "openapi", schema(example = "name"))]
    pub field: String,
    /// A stable word for programs.
    #[cfg_attr(feature = "openapi", schema(example = "letter-first"))]
    pub code: String,
    /// The same in English.
    pub message: String,
}

impl FieldError {
    /// A field error.
    #[must_use]
    pub fn new(field: &str, code: &str, message: impl Into<String>) -> Self {
        Self { field: field.to_owned(), code: code.to_owned(), message: message.into() }
    }
}

/// What a `quota-exceeded` was about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuotaShortage {
    /// Which quota: `machines`, `snapshots_per_machine`…
    #[cfg_attr(feature = "openapi", schema(example = "machines"))]
    pub resource: String,
    /// How much was asked for.
    pub asked: u64,
    /// How much is in use.
    pub used: u64,
    /// How much is allowed.
    pub allowed: u64,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $status:literal, $title:literal;)*) => {
        /// The kinds of problem. The words are stable: scripts compare them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum ProblemCode {
            $($(#[$doc])* $variant,)*
            /// A code this program is too old to know.
            #[serde(other)]
            Other,
        }

        impl ProblemCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word used on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* Self::Other => "other" }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* Self::Other => 500 }
            }

            /// The kind in a few English words.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* Self::Other => "Other problem" }
            }
        }
    };
}

codes! {
    /// The body is not the JSON it should be: syntax, type, or a field that does not exist.
    MalformedBody = "malformed-body", 400, "The request body cannot be read";
    /// A query or path parameter cannot be read.
    MalformedParameter = "malformed-parameter", 400, "A parameter cannot be read";
    /// User name or password is wrong.
    InvalidCredentials = "invalid-credentials", 401, "User name or password is wrong";
    /// No valid token was sent.
    Unauthenticated = "unauthenticated", 401, "Log in first";
    /// The session has ended; log in again.
    SessionExpired = "session-expired", 401, "The session has ended";
    /// The person may not do that.
    Forbidden = "forbidden", 403, "Not allowed";
    /// The account may not use the system.
    AccountNotAllowed = "account-not-allowed", 403, "This account may not use the system";
    /// The request came from a page of another origin.
    ForeignOrigin = "foreign-origin", 403, "The request came from another site";
    /// It does not exist, or it is someone else's.
    NotFound = "not-found", 404, "Not found";
    /// The path exists, the method does not.
    MethodNotAllowed = "method-not-allowed", 405, "Method not allowed";
    /// The name is used already.
    NameTaken = "name-taken", 409, "The name is taken";
    /// The machine's state does not allow it.
    WrongState = "wrong-state", 409, "The machine is not in the right state";
    /// Another operation on the machine is under way.
    MachineBusy = "machine-busy", 409, "Another operation on the machine is under way";
    /// Something uses it, so that it cannot be removed.
    InUse = "in-use", 409, "It is in use";
    /// The image came from no other server, so that nothing newer can be asked for.
    NotRefreshable = "not-refreshable", 409, "The image cannot be refreshed";
    /// The operation has ended or cannot be stopped.
    NotCancellable = "not-cancellable", 409, "The operation cannot be cancelled";
    /// The thing changed since it was read (`If-Match`).
    PreconditionFailed = "precondition-failed", 412, "It changed in the meantime";
    /// The body is too large.
    PayloadTooLarge = "payload-too-large", 413, "The request body is too large";
    /// The body is not JSON.
    UnsupportedMediaType = "unsupported-media-type", 415, "The request body must be JSON";
    /// A field has a value that is not allowed.
    ValidationFailed = "validation-failed", 422, "A field is not valid";
    /// What was uploaded or fetched is no image, or a broken one.
    InvalidImage = "invalid-image", 422, "The image cannot be used";
    /// More than the quota allows.
    QuotaExceeded = "quota-exceeded", 422, "The quota is used up";
    /// The key was used for another request.
    IdempotencyKeyReused = "idempotency-key-reused", 422, "The idempotency key was used for another request";
    /// Too many failed logins.
    TooManyAttempts = "too-many-attempts", 429, "Too many attempts";
    /// More websockets than one person may have.
    TooManyConnections = "too-many-connections", 429, "Too many connections";
    /// The path is a websocket's, and the request asked for none.
    UpgradeRequired = "upgrade-required", 426, "This is a websocket";
    /// A defect of ours.
    Internal = "internal", 500, "Internal error";
    /// The LXD server answered with an error.
    ServerError = "server-error", 502, "The LXD server reported an error";
    /// The LXD server does not trust us.
    ServerRefused = "server-refused", 502, "The LXD server refused this system";
    /// The directory does not answer.
    DirectoryUnavailable = "directory-unavailable", 503, "The directory does not answer";
    /// The LXD server does not answer.
    ServerUnavailable = "server-unavailable", 503, "The LXD server does not answer";
    /// The database does not answer.
    DatabaseUnavailable = "database-unavailable", 503, "The database does not answer";
    /// The system is about to be restarted.
    ShuttingDown = "shutting-down", 503, "The system is restarting";
    /// Too much work is under way.
    Overloaded = "overloaded", 503, "Too much work is under way";
}

impl Problem {
    /// A problem of a kind; `detail` says what happened, to what, and what to do next.
    #[must_use]
    pub fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("/docs/problems#{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            detail: detail.into(),
            code,
            request_id: String::new(),
            errors: Vec::new(),
            quota: None,
            retry_after_seconds: None,
        }
    }

    /// The same with field errors.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_every_code_is_what_serde_writes() {
        for code in ProblemCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
            assert_eq!(serde_json::from_value::<ProblemCode>(code.as_str().into()).unwrap(), *code);
        }
        assert_eq!(serde_json::from_str::<ProblemCode>("\"from-the-future\"").unwrap(), ProblemCode::Other);
    }
}
