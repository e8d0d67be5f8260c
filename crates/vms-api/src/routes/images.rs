//! Images as administrators manage them.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::{HttpResponse, delete, get, patch, post, web};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Catalog;
use vms_authz::action::{ManageImages, PublishMachine, ViewImages};
use vms_core::NewUpload;
use vms_types::{ImageDetail, ImportImage, Operation, Page, PatchImage, PublishImage};

use super::{accepted, accepted_all, idempotency_key};
use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::paging::PageQuery;
use crate::params::{Params, PathParam};
use crate::upload::Incoming;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(all).service(import).service(publish).service(upload);
    config.service(view).service(edit).service(refresh).service(remove);
}

/// What is said of an upload.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct UploadQuery {
    /// The alias it shall have.
    #[param(example = "debian-12")]
    alias: String,
    /// What it is, in words; the image's own words if absent.
    description: Option<String>,
    /// Whether the alias may be another image's until now; that one loses it.
    #[serde(default)]
    replace: bool,
    /// The servers that shall have it, with commas between them; all if absent.
    servers: Option<String>,
    /// The name of the file, to be shown.
    filename: Option<String>,
}

/// Both halves of a split image, in this order.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only described: LXD reads the form")]
struct SplitImage {
    /// The tarball with `metadata.yaml`.
    #[schema(value_type = String, format = Binary)]
    metadata: Vec<u8>,
    /// The root file system: a tarball, or squashfs.
    #[schema(value_type = String, format = Binary)]
    rootfs: Vec<u8>,
}

/// Whether what machines need may go.
#[derive(Debug, Deserialize, Serialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DeleteQuery {
    /// Delete it although machines were made from it and could not be reset to it any more.
    #[serde(default)]
    force: bool,
}

/// List all images
///
/// Of all servers, with and without aliases, and who uses them. For administrators.
#[utoipa::path(
    operation_id = "image_list_all", tag = "images", security(("token" = [])), params(PageQuery),
    responses((status = 200, description = "The images, by their first alias", body = Page<ImageDetail>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/images/all")]
async fn all(ctx: Ctx, query: Params<PageQuery>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ViewImages)?;
    conditional::answer(ctx.request(), &query.0.page(ctx.vms().all_images(&proof).await?)?)
}

/// Look at an image
///
/// By alias, or by its fingerprint or the beginning of it (12 characters). For administrators.
#[utoipa::path(
    operation_id = "image_view", tag = "images", security(("token" = [])),
    responses((status = 200, description = "The image", body = ImageDetail),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found", "validation-failed"])))
)]
#[get("/images/{image}")]
async fn view(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ViewImages)?;
    conditional::answer(ctx.request(), &ctx.vms().image(&proof, &path.0).await?)
}

/// Upload an image
///
/// A unified tarball, or the two halves of a split image as a form. It is handed on to the servers as it comes in; the
/// answer has one operation for each, which ends when the server has unpacked it. For administrators.
#[utoipa::path(
    operation_id = "image_upload", tag = "images", security(("token" = [])), params(UploadQuery),
    request_body(content(
        (Vec<u8> = "application/octet-stream"),
        (SplitImage = "multipart/form-data"),
    )),
    responses((status = 202, description = "Handed over, one for each server", body = Page<Operation>)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "name-taken", "validation-failed", "idempotency-key-reused", "server-unavailable", "server-refused"
    ])))
)]
#[post("/images")]
async fn upload(ctx: Ctx, query: Params<UploadQuery>, body: web::Payload) -> Result<HttpResponse, ApiError> {
    ctx.note(Some(&query.0.alias), &query.0);
    let proof = ctx.authorize(Catalog, ManageImages)?;
    let incoming = Incoming::new(ctx.request(), ctx.state(), body).await?;
    let new = new_upload(query.0, &incoming);
    let key = idempotency_key(ctx.request())?;
    let (operations, upload) = ctx.vms().upload_image(&proof, new, key).await?;
    incoming.pour(upload).await?;
    Ok(accepted_all(operations))
}

fn new_upload(query: UploadQuery, incoming: &Incoming) -> NewUpload {
    let UploadQuery { alias, description, replace, servers, filename } = query;
    let servers = servers.unwrap_or_default();
    let names = servers.split(',').map(str::trim).filter(|name| !name.is_empty());
    // It travels in a header.
    let filename: String =
        filename.unwrap_or_default().chars().filter(|c| !c.is_control()).take(200).collect();
    NewUpload {
        alias,
        description,
        replace,
        servers: names.map(str::to_owned).collect(),
        filename: filename.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect(),
        content_type: incoming.content_type.clone(),
        length: incoming.length,
    }
}

/// Import an image
///
/// From another image server (simplestreams), which each of the servers asks by itself; one operation for each. For
/// administrators.
#[utoipa::path(
    operation_id = "image_import", tag = "images", security(("token" = [])),
    request_body = ImportImage,
    responses((status = 202, description = "Handed over, one for each server", body = Page<Operation>)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "name-taken", "validation-failed", "idempotency-key-reused", "server-unavailable", "server-refused"
    ])))
)]
#[post("/images/import")]
async fn import(ctx: Ctx, body: JsonBody<ImportImage>) -> Result<HttpResponse, ApiError> {
    ctx.note(Some(&body.0.alias), &body.0);
    let proof = ctx.authorize(Catalog, ManageImages)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted_all(ctx.vms().import_image(&proof, body.0, key).await?))
}

/// Publish a machine
///
/// A stopped machine, or one of its snapshots, becomes an image on its server, with everything that is in it. For
/// administrators.
#[utoipa::path(
    operation_id = "image_publish", tag = "images", security(("token" = [])),
    request_body = PublishImage,
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "name-taken", "validation-failed", "wrong-state", "machine-busy",
        "idempotency-key-reused", "server-unavailable", "server-refused"
    ])))
)]
#[post("/images/publish")]
async fn publish(ctx: Ctx, body: JsonBody<PublishImage>) -> Result<HttpResponse, ApiError> {
    ctx.note(Some(&body.0.alias), &body.0);
    let proof = ctx.authorize(Catalog, ManageImages)?;
    let machine = ctx.authorize(ctx.vms().find_machine(&body.0.machine).await?, PublishMachine)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().publish_image(&proof, &machine, body.0, key).await?))
}

/// Change an image
///
/// Its aliases, its description, and whether it is kept up to date, on every server that has it. For administrators.
#[utoipa::path(
    operation_id = "image_edit", tag = "images", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the image had when it was read.")),
    request_body = PatchImage,
    responses((status = 200, description = "The image as it is now", body = ImageDetail)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "name-taken", "precondition-failed", "validation-failed", "server-error",
        "server-refused", "server-unavailable"
    ])))
)]
#[patch("/images/{image}")]
async fn edit(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<PatchImage>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let proof = ctx.authorize(Catalog, ManageImages)?;
    let now = async { Ok(ctx.vms().image(&ctx.authorize(Catalog, ViewImages)?, &path.0).await?) };
    conditional::check_if_match(ctx.request(), now).await?;
    conditional::answer(ctx.request(), &ctx.vms().edit_image(&proof, &path.0, body.0).await?)
}

/// Refresh an image
///
/// Asks where it came from for a newer one, which takes its place and its aliases; one operation for each server that has
/// it. For administrators.
#[utoipa::path(
    operation_id = "image_refresh", tag = "images", security(("token" = [])),
    responses((status = 202, description = "Handed over, one for each server", body = Page<Operation>)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "not-refreshable", "validation-failed", "idempotency-key-reused",
        "server-unavailable", "server-refused"
    ])))
)]
#[post("/images/{image}/refresh")]
async fn refresh(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Catalog, ManageImages)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted_all(ctx.vms().refresh_image(&proof, &path.0, key).await?))
}

/// Delete an image
///
/// From every server that has it; one operation for each. What machines were made from, and the default image, stay unless
/// `force` is set: a machine can be reset only while its image is there. For administrators.
#[utoipa::path(
    operation_id = "image_delete", tag = "images", security(("token" = [])), params(DeleteQuery),
    responses((status = 202, description = "Handed over, one for each server", body = Page<Operation>)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "in-use", "validation-failed", "idempotency-key-reused", "server-unavailable",
        "server-refused"
    ])))
)]
#[delete("/images/{image}")]
async fn remove(
    ctx: Ctx,
    path: PathParam<String>,
    query: Params<DeleteQuery>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &query.0);
    let proof = ctx.authorize(Catalog, ManageImages)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted_all(ctx.vms().delete_image(&proof, &path.0, query.0.force, key).await?))
}
