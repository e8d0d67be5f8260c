//! People, for administrators: who there is, what they may, who is locked out.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::{HttpResponse, get, patch, post};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::action::{ManageUser, ViewUser};
use vms_authz::{Fleet, PersonTarget};
use vms_core::UserFilter;
use vms_types::{Page, PatchUser, Role, UserView};

use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::{Params, PathParam};
use crate::{conditional, paging};

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(view).service(edit).service(sign_out).service(check);
}

/// Which people, and how many at once.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UserQuery {
    /// Only where login name, full name or mail address contains this, ignoring case.
    #[param(example = "bruno")]
    q: Option<String>,
    /// Only who has this role now.
    #[param(inline)]
    role: Option<Role>,
    /// Only who is locked out (`true`), or who is not (`false`).
    disabled: Option<bool>,
    /// Only who was in the directory when it was asked last (`true`), or who was gone (`false`).
    in_directory: Option<bool>,
    /// At most so many, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// Where the page starts: `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List people
///
/// Everyone who ever logged in, by login name.
#[utoipa::path(
    operation_id = "user_list", tag = "users", security(("token" = [])),
    params(UserQuery),
    responses((status = 200, description = "A page of people", body = Page<UserView>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/users")]
async fn list(ctx: Ctx, query: Params<UserQuery>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewUser)?;
    let UserQuery { q, role, disabled, in_directory, limit, cursor } = query.0;
    let limit = paging::limit(limit)?;
    let filter = UserFilter { q, role, disabled, in_directory };
    let page = ctx.vms().users(&proof, filter, limit, cursor.as_deref()).await?;
    conditional::answer(ctx.request(), &page)
}

/// Look at a person
///
/// As the directory described them at their last login, and what an administrator decided about them.
#[utoipa::path(
    operation_id = "user_view", tag = "users", security(("token" = [])),
    responses((status = 200, description = "The person", body = UserView),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/users/{username}")]
async fn view(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(PersonTarget::new(path.0), ViewUser)?;
    conditional::answer(ctx.request(), &ctx.vms().user(&proof).await?)
}

/// Change a person's role, lock or quota
///
/// Only what is named changes, from the next request on. Locking an account ends its sessions at once, and its tokens are
/// refused. Nobody can lock themselves out or take their own administrator's role. With `If-Match` only if the person is
/// still as they were seen.
#[utoipa::path(
    operation_id = "user_edit", tag = "users", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the person had when they were read.")),
    request_body = PatchUser,
    responses((status = 200, description = "The person as they are now", body = UserView)),
    extensions(("x-problem-codes" = json!(["not-found", "precondition-failed", "validation-failed"])))
)]
#[patch("/users/{username}")]
async fn edit(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<PatchUser>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let person = PersonTarget::new(path.0);
    let proof = ctx.authorize(person.clone(), ManageUser)?;
    let now = async { Ok(ctx.vms().user(&ctx.authorize(person, ViewUser)?).await?) };
    conditional::check_if_match(ctx.request(), now).await?;
    conditional::answer(ctx.request(), &ctx.vms().change_user(&proof, body.0).await?)
}

/// Sign a person out
///
/// Ends all their sessions, wherever they are logged in. They can log in again; their personal access tokens go on.
#[utoipa::path(
    operation_id = "user_sign_out", tag = "users", security(("token" = [])),
    responses((status = 204, description = "No session goes on")),
    extensions(("x-problem-codes" = json!(["not-found"])))
)]
#[post("/users/{username}/sign-out")]
async fn sign_out(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(PersonTarget::new(path.0), ManageUser)?;
    ctx.vms().sign_out(&proof).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Ask the directory about a person
///
/// Whether it still has them, now. It is also asked at every login, and about everybody once a day. Where it tells nobody
/// (direct bind without a service account), the answer is what was known before.
#[utoipa::path(
    operation_id = "user_check", tag = "users", security(("token" = [])),
    responses((status = 200, description = "The person as they are now", body = UserView)),
    extensions(("x-problem-codes" = json!(["not-found", "directory-unavailable"])))
)]
#[post("/users/{username}/directory-check")]
async fn check(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(PersonTarget::new(path.0), ManageUser)?;
    conditional::answer(ctx.request(), &ctx.vms().check_user(&proof).await?)
}
