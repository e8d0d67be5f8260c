//! The refresh token's cookie: out of reach of scripts, sent to `/api/v1/auth` only and never from another site.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use vms_core::LoggedIn;

/// Its name.
pub(crate) const NAME: &str = "vms_refresh";
/// Where it is sent.
const PATH: &str = "/api/v1/auth";

/// The cookie of a session that begins or goes on.
pub(crate) fn keep(session: &LoggedIn, https: bool) -> Cookie<'static> {
    let seconds = i64::try_from(session.refresh_ttl.as_secs()).unwrap_or(i64::MAX);
    build(session.refresh_token.clone(), Duration::seconds(seconds), https)
}

/// The cookie that makes a browser forget.
pub(crate) fn forget(https: bool) -> Cookie<'static> {
    build(String::new(), Duration::ZERO, https)
}

fn build(value: String, max_age: Duration, https: bool) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path(PATH)
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(https)
        .max_age(max_age)
        .finish()
}

/// The refresh token that came with a request.
pub(crate) fn token(request: &HttpRequest) -> Option<String> {
    request.cookie(NAME).map(|cookie| cookie.value().to_owned()).filter(|token| !token.is_empty())
}
