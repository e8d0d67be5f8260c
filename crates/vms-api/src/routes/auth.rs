//! Logging in and out, and who I am.

use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::action::ViewSelf;
use vms_core::{CoreError, LoggedIn};
use vms_types::{LoginRequest, Me, TokenResponse};

use crate::body::JsonBody;
use crate::conditional;
use crate::context::{Caller, Ctx};
use crate::cookie;
use crate::error::ApiError;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(login).service(refresh).service(logout).service(me);
}

/// Log in
///
/// Checks the account with the school's directory. The answer has the access token; the refresh token comes as an HttpOnly
/// cookie that is sent to `/api/v1/auth` only.
#[utoipa::path(
    operation_id = "auth_login", tag = "auth", security(()),
    request_body = LoginRequest,
    responses((status = 200, description = "Logged in", body = TokenResponse)),
    extensions(("x-problem-codes" = json!([
        "invalid-credentials", "account-not-allowed", "too-many-attempts", "directory-unavailable"
    ])))
)]
#[post("/auth/login")]
async fn login(caller: Caller, body: JsonBody<LoginRequest>) -> Result<HttpResponse, ApiError> {
    let username = body.0.username.clone();
    let session = caller.vms().login(body.0, &caller.peer()).await;
    // Refusals that cost nothing are not written down: anyone could fill the audit log with them.
    if !matches!(session, Err(CoreError::TooManyAttempts { .. })) {
        caller.note_person(session.as_ref().map_or(&username, |session| &session.username));
    }
    Ok(begun(&caller, session?))
}

/// Get a new access token
///
/// Takes the cookie of the login and replaces it. A cookie that is used twice was stolen, or its answer was lost: the whole
/// session ends.
#[utoipa::path(
    operation_id = "auth_refresh", tag = "auth", security(("cookie" = [])),
    responses((status = 200, description = "A new access token; the cookie is replaced", body = TokenResponse)),
    extensions(("x-problem-codes" = json!(["session-expired", "account-not-allowed"])))
)]
#[post("/auth/refresh")]
async fn refresh(caller: Caller) -> Result<HttpResponse, ApiError> {
    let token = cookie::token(caller.request()).ok_or(CoreError::SessionExpired)?;
    let session = caller.vms().refresh(&token, &caller.peer()).await?;
    caller.note_person(&session.username);
    Ok(begun(&caller, session))
}

/// Log out
///
/// Ends the session of the cookie, with all its tokens. Without a session there is nothing to do, and that is fine.
#[utoipa::path(
    operation_id = "auth_logout", tag = "auth", security(("cookie" = [])),
    responses((status = 204, description = "Logged out")),
    extensions(("x-problem-codes" = json!([])))
)]
#[post("/auth/logout")]
async fn logout(caller: Caller) -> Result<HttpResponse, ApiError> {
    if let Some(token) = cookie::token(caller.request()) {
        // The cookie does not say whose it is; the token it ends does, in the log of its login.
        caller.note_person("session");
        caller.vms().logout(&token).await?;
    }
    let https = caller.state().is_https();
    Ok(HttpResponse::NoContent().cookie(cookie::forget(https)).finish())
}

/// Who am I
///
/// Name, role and groups as the directory says, and what of the quota is used.
#[utoipa::path(
    operation_id = "me_view", tag = "auth", security(("token" = [])),
    responses((status = 200, description = "The person behind the request", body = Me),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!([])))
)]
#[get("/me")]
async fn me(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.person(), ViewSelf)?;
    let me = ctx.vms().me(&proof).await?;
    conditional::answer(ctx.request(), &me)
}

fn begun(caller: &Caller, session: LoggedIn) -> HttpResponse {
    let cookie = cookie::keep(&session, caller.state().is_https());
    HttpResponse::Ok().cookie(cookie).json(session.tokens)
}
