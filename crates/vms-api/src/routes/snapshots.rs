//! Snapshots: list, take, rename, go back to, remove.

use actix_web::{HttpResponse, delete, get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::action::{
    CreateSnapshot as MayCreate, DeleteSnapshot, ListSnapshots, RenameSnapshot as MayRename, RestoreSnapshot,
};
use vms_types::{CreateSnapshot, Operation, Page, RenameSnapshot, Snapshot};

use super::{accepted, idempotency_key};
use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::PathParam;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(rename).service(remove).service(restore);
}

/// List a machine's snapshots
///
/// Oldest first. They also stand in the machine itself.
#[utoipa::path(
    operation_id = "snapshot_list", tag = "snapshots", security(("token" = [])),
    responses((status = 200, description = "The snapshots", body = Page<Snapshot>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["not-found"])))
)]
#[get("/machines/{machine}/snapshots")]
async fn list(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.vms().find_machine(&path.0).await?, ListSnapshots)?;
    conditional::answer(ctx.request(), &Page::whole(ctx.vms().snapshots(&proof).await?))
}

/// Take a snapshot
///
/// Of the machine as it is now, running or not.
#[utoipa::path(
    operation_id = "snapshot_create", tag = "snapshots", security(("token" = [])),
    request_body = CreateSnapshot,
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "validation-failed", "name-taken", "quota-exceeded", "wrong-state", "machine-busy",
        "idempotency-key-reused", "server-unavailable", "server-refused"
    ])))
)]
#[post("/machines/{machine}/snapshots")]
async fn create(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<CreateSnapshot>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let proof = ctx.authorize(ctx.vms().find_machine(&path.0).await?, MayCreate)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().create_snapshot(&proof, body.0, key).await?))
}

/// Rename a snapshot
///
/// What is in it stays as it is.
#[utoipa::path(
    operation_id = "snapshot_rename", tag = "snapshots", security(("token" = [])),
    request_body = RenameSnapshot,
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "validation-failed", "name-taken", "wrong-state", "machine-busy",
        "idempotency-key-reused", "server-unavailable", "server-refused"
    ])))
)]
#[patch("/machines/{machine}/snapshots/{snapshot}")]
async fn rename(
    ctx: Ctx,
    path: PathParam<(String, String)>,
    body: JsonBody<RenameSnapshot>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let (machine, snapshot) = path.0;
    let proof = ctx.authorize(ctx.vms().find_machine(&machine).await?, MayRename)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().rename_snapshot(&proof, &snapshot, body.0, key).await?))
}

/// Remove a snapshot
///
/// The machine itself stays as it is.
#[utoipa::path(
    operation_id = "snapshot_delete", tag = "snapshots", security(("token" = [])),
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "wrong-state", "machine-busy", "idempotency-key-reused", "server-unavailable",
        "server-refused"
    ])))
)]
#[delete("/machines/{machine}/snapshots/{snapshot}")]
async fn remove(ctx: Ctx, path: PathParam<(String, String)>) -> Result<HttpResponse, ApiError> {
    let (machine, snapshot) = path.0;
    let proof = ctx.authorize(ctx.vms().find_machine(&machine).await?, DeleteSnapshot)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().delete_snapshot(&proof, &snapshot, key).await?))
}

/// Go back to a snapshot
///
/// The machine becomes what it was when the snapshot was taken; what was changed since is lost.
#[utoipa::path(
    operation_id = "snapshot_restore", tag = "snapshots", security(("token" = [])),
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "wrong-state", "machine-busy", "idempotency-key-reused", "server-unavailable",
        "server-refused"
    ])))
)]
#[post("/machines/{machine}/snapshots/{snapshot}/restore")]
async fn restore(ctx: Ctx, path: PathParam<(String, String)>) -> Result<HttpResponse, ApiError> {
    let (machine, snapshot) = path.0;
    let proof = ctx.authorize(ctx.vms().find_machine(&machine).await?, RestoreSnapshot)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().restore_snapshot(&proof, &snapshot, key).await?))
}
