//! Who may use which profile and image, for administrators. Both kinds answer alike.

use actix_web::{HttpResponse, get, put};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Catalog;
use vms_authz::action::{ManageAudience, ViewAudience};
use vms_types::{Audience, CatalogKind};

use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::PathParam;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(of_profile).service(put_profile).service(of_image).service(put_image);
}

/// See who may use a profile
///
/// And whose default it is. Everybody may as long as nothing was stated; administrators always may.
#[utoipa::path(
    operation_id = "profile_audience_view", tag = "catalog", security(("token" = [])),
    responses((status = 200, description = "Who may use it", body = Audience),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/profiles/{profile}/audience")]
async fn of_profile(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    view(&ctx, CatalogKind::Profile, &path.0).await
}

/// State who may use a profile
///
/// Whole, instead of what was stated before: everybody, or only some roles, groups and people; and whose machines get it when
/// they name none. The most specific default wins: the person's, a group's, the role's, the configuration's. Somebody whose
/// default it becomes has no other. It counts from the next request on; machines that exist stay as they are. To who may not
/// use a profile it looks as if it did not exist.
#[utoipa::path(
    operation_id = "profile_audience_put", tag = "catalog", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the audience had when it was read.")),
    request_body = Audience,
    responses((status = 200, description = "Who may use it now", body = Audience)),
    extensions(("x-problem-codes" = json!(["not-found", "precondition-failed", "validation-failed"])))
)]
#[put("/profiles/{profile}/audience")]
async fn put_profile(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<Audience>,
) -> Result<HttpResponse, ApiError> {
    state(&ctx, CatalogKind::Profile, &path.0, body.0).await
}

/// See who may use an image
///
/// And whose default it is. Everybody may as long as nothing was stated; administrators always may.
#[utoipa::path(
    operation_id = "image_audience_view", tag = "catalog", security(("token" = [])),
    responses((status = 200, description = "Who may use it", body = Audience),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/images/{image}/audience")]
async fn of_image(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    view(&ctx, CatalogKind::Image, &path.0).await
}

/// State who may use an image
///
/// As for profiles. What `allowed_images` of the configuration leaves out nobody may use, whatever is stated here.
#[utoipa::path(
    operation_id = "image_audience_put", tag = "catalog", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the audience had when it was read.")),
    request_body = Audience,
    responses((status = 200, description = "Who may use it now", body = Audience)),
    extensions(("x-problem-codes" = json!(["not-found", "precondition-failed", "validation-failed"])))
)]
#[put("/images/{image}/audience")]
async fn put_image(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<Audience>,
) -> Result<HttpResponse, ApiError> {
    state(&ctx, CatalogKind::Image, &path.0, body.0).await
}

async fn view(ctx: &Ctx, kind: CatalogKind, name: &str) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ViewAudience)?;
    conditional::answer(ctx.request(), &ctx.vms().audience(&proof, kind, name).await?)
}

async fn state(
    ctx: &Ctx,
    kind: CatalogKind,
    name: &str,
    audience: Audience,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &audience);
    let proof = ctx.authorize(Catalog, ManageAudience)?;
    let now = async { Ok(ctx.vms().audience(&ctx.authorize(Catalog, ViewAudience)?, kind, name).await?) };
    conditional::check_if_match(ctx.request(), now).await?;
    conditional::answer(ctx.request(), &ctx.vms().put_audience(&proof, kind, name, audience).await?)
}
