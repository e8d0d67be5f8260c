//! Which pages may make a browser send its cookie here (OWASP: verify the origin with standard headers).
//!
//! `SameSite=Strict` already keeps the cookie from other sites; this is the second lock, and the one that also counts for a
//! sibling subdomain. Programs that are no browser send no `Origin`, and are not what this is about.

use actix_web::HttpRequest;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{HOST, ORIGIN};
use url::Url;
use vms_types::ProblemCode;

use crate::cookie;
use crate::error::ApiError;
use crate::state::AppState;

/// Refuses a request that changes something with a cookie and was made by a page of another origin.
pub(crate) fn check(state: &AppState, request: &ServiceRequest) -> Result<(), ApiError> {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let cookie_route =
        request.path().strip_prefix(vms_types::API_PREFIX).is_some_and(|p| p.starts_with("/auth/"));
    if reads || !(cookie_route || request.cookie(cookie::NAME).is_some()) {
        return Ok(());
    }
    check_page(state, request.request())
}

/// Refuses what a page of another origin sent. For websockets too, which no browser keeps pages from opening.
pub(crate) fn check_page(state: &AppState, request: &HttpRequest) -> Result<(), ApiError> {
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or("null"));
    let own = match header(&ORIGIN) {
        None => request.headers().get("sec-fetch-site").is_none_or(|site| site != "cross-site"),
        Some(origin) => {
            let known = Url::parse(origin).is_ok_and(|url| state.knows_origin(&url.origin()));
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            known || (authority.is_some() && authority == header(&HOST))
        }
    };
    if own {
        return Ok(());
    }
    Err(ApiError::new(
        ProblemCode::ForeignOrigin,
        "The request came from a page of another site. If that page is yours, add its origin to allowed_origins in [http].",
    ))
}
