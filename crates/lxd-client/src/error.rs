//! What can go wrong with LXD, sorted by what a caller does about it.
//!
//! Two questions matter most to callers: is it LXD that is away (try later), and may the request have been
//! carried out although we saw no answer ([`Error::may_have_been_executed`])?

use std::{error::Error as StdError, time::Duration};

use lxd_api::Response;

use crate::transport::Reply;

/// A cause, for logs.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// Everything the client can fail with.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No connection, or it broke, or LXD said that it is starting or shutting down (503).
    #[error("LXD at {endpoint} cannot be reached: {}; is the daemon running there?", chain(.source.as_ref()))]
    Unreachable {
        /// Which LXD.
        endpoint: String,
        /// The request had begun to travel: LXD may have acted on it.
        sent: bool,
        /// Why.
        source: BoxError,
    },
    /// LXD did not answer (or the operation did not end) in time.
    #[error("LXD at {endpoint} did not finish within {} ms: {what}", .after.as_millis())]
    Timeout {
        /// Which LXD.
        endpoint: String,
        /// What we waited for.
        what: String,
        /// For how long.
        after: Duration,
    },
    /// LXD does not trust our certificate (401, 403), or it showed another certificate than the pinned one.
    #[error("no trust between us and LXD at {endpoint}: {reason}")]
    Untrusted {
        /// Which LXD.
        endpoint: String,
        /// Which of the two, and what to do.
        reason: String,
    },
    /// 404: what the request names does not exist.
    #[error("LXD does not know {path}: {message}")]
    NotFound {
        /// Path of the request.
        path: String,
        /// LXD's words.
        message: String,
    },
    /// 409: the name is taken, or the thing is busy or in use.
    #[error("LXD refused because of a conflict: {message}")]
    Conflict {
        /// LXD's words.
        message: String,
    },
    /// 412: it changed since its ETag was read. Read it again.
    #[error("it was changed by someone else meanwhile ({message}); read it again and repeat the change")]
    PreconditionFailed {
        /// LXD's words.
        message: String,
    },
    /// Any other refusal.
    #[error("LXD refused ({code}): {message}")]
    Api {
        /// HTTP status.
        code: u16,
        /// LXD's words.
        message: String,
    },
    /// LXD's answer is not what its API promises. The request was carried out, or refused; we cannot tell.
    #[error("the answer of LXD to {path} makes no sense: {reason}")]
    Decode {
        /// Path of the request.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A name that cannot be one; nothing was sent.
    #[error("{name:?} is not a valid {what}: {reason}")]
    InvalidName {
        /// What it should name.
        what: &'static str,
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The configuration of the client is wrong; nothing was sent.
    #[error("LXD client configuration: {0}")]
    InvalidConfig(String),
    /// The operation ended with a failure.
    #[error("LXD could not do it: {message}")]
    OperationFailed {
        /// Operation's UUID.
        id: String,
        /// LXD's words.
        message: String,
    },
    /// The operation was cancelled.
    #[error("operation {id} was cancelled")]
    Cancelled {
        /// Operation's UUID.
        id: String,
    },
    /// LXD no longer knows the operation: it ended more than a few seconds ago, or the daemon was restarted.
    #[error("LXD no longer knows operation {id}; how it ended must be read from what it worked on")]
    OperationLost {
        /// Operation's UUID.
        id: String,
    },
    /// This LXD is too old for it; nothing was sent.
    #[error("this LXD lacks the API extension {0:?}; it needs a newer version")]
    MissingExtension(&'static str),
}

impl Error {
    /// LXD is away: no connection, a broken one, or 503.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// It took too long.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout { .. })
    }

    /// One of the two sides does not trust the other.
    #[must_use]
    pub fn is_untrusted(&self) -> bool {
        matches!(self, Self::Untrusted { .. })
    }

    /// The thing does not exist.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// The name is taken, or the thing is busy.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict { .. })
    }

    /// `If-Match` did not match.
    #[must_use]
    pub fn is_precondition_failed(&self) -> bool {
        matches!(self, Self::PreconditionFailed { .. })
    }

    /// The operation was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Cancelled { .. })
    }

    /// The operation failed.
    #[must_use]
    pub fn is_operation_failed(&self) -> bool {
        matches!(self, Self::OperationFailed { .. })
    }

    /// LXD forgot the operation.
    #[must_use]
    pub fn is_operation_lost(&self) -> bool {
        matches!(self, Self::OperationLost { .. })
    }

    /// This LXD is too old for it.
    #[must_use]
    pub fn is_missing_extension(&self) -> bool {
        matches!(self, Self::MissingExtension(_))
    }

    /// True if LXD may have carried out the request although we have no answer: before sending it again,
    /// look whether it was done.
    #[must_use]
    pub fn may_have_been_executed(&self) -> bool {
        matches!(self, Self::Unreachable { sent: true, .. } | Self::Timeout { .. } | Self::Decode { .. })
    }

    /// Sorts an answer that is not a success.
    pub(crate) fn from_refusal(endpoint: &str, path: &str, code: u16, message: String) -> Self {
        match code {
            401 | 403 => Self::Untrusted {
                endpoint: endpoint.to_owned(),
                reason: format!(
                    "it refuses us ({code}: {message}); add our certificate with `lxc config trust add`"
                ),
            },
            404 => Self::NotFound { path: path.to_owned(), message },
            409 => Self::Conflict { message },
            412 => Self::PreconditionFailed { message },
            503 => Self::Unreachable {
                endpoint: endpoint.to_owned(),
                sent: false,
                source: format!("it says so itself (503: {message})").into(),
            },
            // LXD 5.0 says it with a 500 to commands that come while it waits for its operations to end.
            500 if ["LXD is shutting down", "Incus is shutting down"].contains(&message.as_str()) => {
                Self::Unreachable {
                    endpoint: endpoint.to_owned(),
                    sent: false,
                    source: format!("it says so itself (500: {message})").into(),
                }
            }
            // LXD 4.0 and some paths of 5.0 answer 400 or 500 where newer versions say 409.
            400 | 500 if message.contains("already exists") => Self::Conflict { message },
            _ => Self::Api { code, message },
        }
    }

    /// Sorts an HTTP answer outside 2xx, envelope or not.
    pub(crate) fn from_reply(endpoint: &str, path: &str, reply: &Reply) -> Self {
        let message = match serde_json::from_slice::<Response>(&reply.body) {
            Ok(envelope) if !envelope.error.is_empty() => envelope.error,
            _ => String::from_utf8_lossy(&reply.body).chars().take(200).collect(),
        };
        Self::from_refusal(endpoint, path, reply.status, message)
    }

    /// A connection that failed or broke. TLS mistrust hides deep in the causes and is brought up here.
    pub(crate) fn from_connection(endpoint: &str, sent: bool, source: BoxError) -> Self {
        match tls_cause(source.as_ref()) {
            Some(rustls::Error::InvalidCertificate(_)) => Self::Untrusted {
                endpoint: endpoint.to_owned(),
                reason: "its certificate is not the pinned one; if the server was really set up anew, \
                         pin its new server.crt"
                    .to_owned(),
            },
            Some(rustls::Error::AlertReceived(alert)) => Self::Untrusted {
                endpoint: endpoint.to_owned(),
                reason: format!("it refused our certificate in the TLS handshake ({alert:?})"),
            },
            _ => Self::Unreachable { endpoint: endpoint.to_owned(), sent, source },
        }
    }
}

/// Looks for rustls' error among the causes. An `io::Error` hides what it wraps from `source()`.
fn tls_cause<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref::<rustls::Error>() {
            return Some(found);
        }
        next = match current.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => Some(inner),
            None => current.source(),
        };
    }
    None
}

/// All causes in one line. Wrappers repeat their cause's words: each is said once.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.contains(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Error;
    use crate::transport::Reply;

    fn refusal(code: u16, message: &str) -> Error {
        Error::from_refusal("unix:///s", "/1.0/instances/a", code, message.to_owned())
    }

    #[test]
    fn refusals_are_sorted_by_code() {
        assert!(refusal(500, "LXD is shutting down").is_unreachable());
        assert!(refusal(403, "not authorized").is_untrusted());
        assert!(refusal(404, "Instance not found").is_not_found());
        assert!(refusal(409, "busy").is_conflict());
        assert!(refusal(400, "Instance \"a\" already exists").is_conflict());
        assert!(refusal(412, "Precondition failed").is_precondition_failed());
        assert!(refusal(503, "LXD is starting").is_unreachable());
        assert!(matches!(refusal(400, "Bad name"), Error::Api { code: 400, .. }));
    }

    #[test]
    fn an_answer_that_is_no_envelope_is_shown_in_part() {
        let reply = Reply { status: 502, etag: None, body: vec![b'x'; 5000].into() };
        let Error::Api { code, message } = Error::from_reply("e", "/1.0", &reply) else {
            unreachable!("502 is no special case")
        };
        assert_eq!((code, message.len()), (502, 200));
    }

    #[test]
    fn only_unanswered_requests_may_have_been_executed() {
        let broken = Error::from_connection("e", true, "reset".into());
        assert!(broken.is_unreachable() && broken.may_have_been_executed());
        let refused = Error::from_connection("e", false, "refused".into());
        assert!(refused.is_unreachable() && !refused.may_have_been_executed());
        assert!(!refusal(409, "busy").may_have_been_executed());
    }

    #[test]
    fn tls_mistrust_is_found_inside_io_errors() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure);
        let wrapped = std::io::Error::other(std::io::Error::other(tls));
        assert!(Error::from_connection("e", false, Box::new(wrapped)).is_untrusted());
    }
}
