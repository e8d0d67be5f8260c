//! What machines can be made from.

use actix_web::{HttpResponse, get};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Catalog;
use vms_authz::action::ViewCatalog;
use vms_types::{Image, Page, Profile};

use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(images).service(profiles);
}

/// List images
///
/// Those you may make machines from.
#[utoipa::path(
    operation_id = "image_list", tag = "catalog", security(("token" = [])),
    responses((status = 200, description = "The images", body = Page<Image>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!([])))
)]
#[get("/images")]
async fn images(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ViewCatalog)?;
    conditional::answer(ctx.request(), &Page::whole(ctx.vms().images(&proof).await?))
}

/// List profiles
///
/// Sets of limits and network interfaces for new machines.
#[utoipa::path(
    operation_id = "profile_list", tag = "catalog", security(("token" = [])),
    responses((status = 200, description = "The profiles", body = Page<Profile>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!([])))
)]
#[get("/profiles")]
async fn profiles(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ViewCatalog)?;
    conditional::answer(ctx.request(), &Page::whole(ctx.vms().profiles(&proof).await?))
}
