//! The outermost layer: id, log line, headers, errors.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use futures::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::Answer;
use crate::assets;
use crate::context::RequestId;
use crate::error::{ApiError, PROBLEM_JSON};
use crate::metrics;
use crate::state::AppState;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// # Errors
/// Only for a handler that panicked; the error is a problem like all others.
pub(crate) async fn every_request(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<Answer, Error> {
    let began = Instant::now();
    let id = request_id(request.headers());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let span = tracing::info_span!("request", request_id = id, %method, path, user = tracing::field::Empty);
    let in_flight = metrics::InFlight::begin();
    let inside = AssertUnwindSafe(next.call(request)).catch_unwind().instrument(span.clone()).await;
    drop(in_flight);
    let _entered = span.enter();
    let answer = match inside {
        Ok(answer) => answer?.map_into_boxed_body(),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().map(String::as_str);
            let words = words.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
            tracing::error!(panic = words, "a handler panicked");
            metrics::request(&state, &method, &path, 500, began.elapsed());
            return Err(ApiError::internal().with_request_id(&id).into());
        }
    };
    let mut answer = one_shape(answer, &id);
    set_headers(&state, &path, &id, &mut answer);
    let status = answer.status().as_u16();
    metrics::request(&state, &method, &path, status, began.elapsed());
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    // What pages ask every few seconds, and gets its answer, would drown everything else.
    if method == Method::GET && status < 400 {
        tracing::debug!(status, elapsed_ms, "answered");
    } else {
        tracing::info!(status, elapsed_ms, "answered");
    }
    Ok(answer)
}

/// The client's own id if it is a harmless one, so that a script finds its requests in our log; else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let harmless = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(harmless);
    given.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned)
}

/// Every error becomes a problem with the request's id, whoever made it.
fn one_shape(answer: Answer, id: &str) -> Answer {
    let status = answer.status();
    if status.as_u16() < 400 {
        return answer;
    }
    let problem = match answer.response().error() {
        Some(error) => error
            .as_error::<ApiError>()
            .cloned()
            .unwrap_or_else(|| ApiError::of_status(status, &framework_words(status, error))),
        None if is_json(answer.headers()) => return answer,
        None => ApiError::of_status(status, ""),
    };
    metrics::problem(&problem);
    let (request, _) = answer.into_parts();
    ServiceResponse::new(request, HttpResponse::from_error(problem.with_request_id(id)))
}

/// What the framework says of a 4xx is about the request; of a 5xx it is for the log.
fn framework_words(status: StatusCode, error: &Error) -> String {
    if status.is_server_error() {
        tracing::error!(%error, "the request failed");
        String::new()
    } else {
        format!("{error}.")
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.starts_with("application/json") || kind.starts_with(PROBLEM_JSON)
}

fn set_headers(state: &AppState, path: &str, id: &str, answer: &mut Answer) {
    let status = answer.status();
    let is_html =
        answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let headers = answer.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, state.policy().header());
    let cache = if path.starts_with("/api/") || status.as_u16() >= 400 {
        "no-store"
    } else if is_html || !assets::is_hashed(path) {
        "no-cache"
    } else {
        "public, max-age=31536000, immutable"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    // The next request of this client goes to whoever takes the place of this process.
    if state.vms().is_stopping() && status != StatusCode::SWITCHING_PROTOCOLS {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
