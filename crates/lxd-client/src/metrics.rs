//! What is counted of the requests to LXD. Endpoints are named by their template, never by what they are about, so that
//! the number of series does not grow with the number of machines.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_histogram, histogram};

use crate::error::Error;

const REQUESTS: &str = "vms_lxd_requests_total";
const DURATION: &str = "vms_lxd_request_duration_seconds";

/// Gives the recorder the words for what this crate counts.
pub fn describe_metrics() {
    describe_counter!(REQUESTS, "Requests to LXD, by method, endpoint and how they ended.");
    describe_histogram!(DURATION, "Time until LXD had answered in full, by method and endpoint, in seconds.");
}

/// Counts one request.
pub(crate) fn request<T>(method: &str, endpoint: &str, result: &Result<T, Error>, took: Duration) {
    let (method, endpoint) = (method.to_owned(), endpoint.to_owned());
    let word = result.as_ref().map_or_else(word, |_| "ok");
    counter!(REQUESTS, "method" => method.clone(), "endpoint" => endpoint.clone(), "result" => word)
        .increment(1);
    histogram!(DURATION, "method" => method, "endpoint" => endpoint).record(took);
}

const fn word(error: &Error) -> &'static str {
    match error {
        Error::Unreachable { .. } => "unreachable",
        Error::Timeout { .. } => "timeout",
        Error::Untrusted { .. } => "untrusted",
        Error::NotFound { .. } => "not_found",
        Error::Conflict { .. } => "conflict",
        Error::PreconditionFailed { .. } => "precondition_failed",
        _ => "error",
    }
}
