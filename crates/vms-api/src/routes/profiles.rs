//! Profiles as administrators manage them.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, delete, get, post, put};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Catalog;
use vms_authz::action::{ManageProfiles, ViewProfile};
use vms_types::{NewProfile, ProfileDetail, ProfileUpdate};

use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::PathParam;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(view).service(create).service(update).service(remove);
}

/// Look at a profile
///
/// Everything of it, and every machine that carries it. For administrators.
#[utoipa::path(
    operation_id = "profile_view", tag = "catalog", security(("token" = [])),
    responses((status = 200, description = "The profile", body = ProfileDetail),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/profiles/{profile}")]
async fn view(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ViewProfile)?;
    conditional::answer(ctx.request(), &ctx.vms().profile(&proof, &path.0).await?)
}

/// Make a profile
///
/// On every server. For administrators. Keys that could harm the host are refused unless the configuration allows them.
#[utoipa::path(
    operation_id = "profile_create", tag = "catalog", security(("token" = [])),
    request_body = NewProfile,
    responses((status = 201, description = "The profile as it is now", body = ProfileDetail)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "name-taken", "validation-failed", "server-error", "server-refused", "server-unavailable"
    ])))
)]
#[post("/profiles")]
async fn create(ctx: Ctx, body: JsonBody<NewProfile>) -> Result<HttpResponse, ApiError> {
    ctx.note(Some(&body.0.name), &body.0);
    let proof = ctx.authorize(Catalog, ManageProfiles)?;
    let profile = ctx.vms().create_profile(&proof, body.0).await?;
    let place = format!("{}/profiles/{}", vms_types::API_PREFIX, profile.name);
    Ok(HttpResponse::Created().insert_header((LOCATION, place)).json(profile))
}

/// Replace a profile
///
/// Whole, on every server; the machines that carry it feel it at once. For administrators. With `If-Match` only if it is
/// still as it was seen.
#[utoipa::path(
    operation_id = "profile_update", tag = "catalog", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the profile had when it was read.")),
    request_body = ProfileUpdate,
    responses((status = 200, description = "The profile as it is now", body = ProfileDetail)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "precondition-failed", "validation-failed", "server-error", "server-refused",
        "server-unavailable"
    ])))
)]
#[put("/profiles/{profile}")]
async fn update(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<ProfileUpdate>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let proof = ctx.authorize(Catalog, ManageProfiles)?;
    let now = async { Ok(ctx.vms().profile(&ctx.authorize(Catalog, ViewProfile)?, &path.0).await?) };
    conditional::check_if_match(ctx.request(), now).await?;
    conditional::answer(ctx.request(), &ctx.vms().update_profile(&proof, &path.0, body.0).await?)
}

/// Delete a profile
///
/// From every server. For administrators. One that machines carry stays, and so does the default one.
#[utoipa::path(
    operation_id = "profile_delete", tag = "catalog", security(("token" = [])),
    responses((status = 204, description = "It is gone")),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "in-use", "server-error", "server-refused", "server-unavailable"
    ])))
)]
#[delete("/profiles/{profile}")]
async fn remove(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ManageProfiles)?;
    ctx.vms().delete_profile(&proof, &path.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
