//! Operations: what became of commands.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use std::time::Duration;

use actix_web::{HttpResponse, delete, get};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use vms_authz::action::{CancelOperation, ListOperations, ViewOperation};
use vms_types::{Operation, Page};

use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::paging;
use crate::params::{Params, PathParam};

/// Longest wait that may be asked for, in seconds.
const MAX_WAIT: u64 = 60;
/// The wait if the request does not say, in seconds.
const DEFAULT_WAIT: u64 = 30;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(view).service(wait).service(cancel);
}

/// Whose operations, and how many at once.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct OperationQuery {
    /// Whose; your own if absent. Teachers may name students of their groups, administrators anybody. `*` is all whom you
    /// may name, and yourself.
    owner: Option<String>,
    /// Operations on one page, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// How long to wait.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct WaitQuery {
    /// Seconds, 0 to 60; 30 if absent.
    #[param(minimum = 0, maximum = 60)]
    timeout_seconds: Option<u64>,
}

/// List operations
///
/// Newest first: those you asked for, and those on your machines.
#[utoipa::path(
    operation_id = "operation_list", tag = "operations", security(("token" = [])),
    params(OperationQuery),
    responses((status = 200, description = "The operations", body = Page<Operation>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/operations")]
async fn list(ctx: Ctx, query: Params<OperationQuery>) -> Result<HttpResponse, ApiError> {
    let OperationQuery { owner, limit, cursor } = query.0;
    let limit = paging::limit(limit)?;
    let page = if owner.as_deref() == Some("*") {
        ctx.vms().all_operations(&ctx.sight(ListOperations)?, limit, cursor.as_deref()).await?
    } else {
        let proof = ctx.authorize(ctx.whose(owner).await?, ListOperations)?;
        ctx.vms().operations_of(&proof, limit, cursor.as_deref()).await?
    };
    conditional::answer(ctx.request(), &page)
}

/// Look at an operation
///
/// How far it is, and if it failed, why.
#[utoipa::path(
    operation_id = "operation_view", tag = "operations", security(("token" = [])),
    responses((status = 200, description = "The operation", body = Operation),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["not-found"])))
)]
#[get("/operations/{operation}")]
async fn view(ctx: Ctx, path: PathParam<Uuid>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.vms().find_operation(path.0).await?, ViewOperation)?;
    conditional::answer(ctx.request(), &ctx.vms().operation(&proof).await?)
}

/// Wait for an operation
///
/// Answers when it has ended, or with the operation as it is when the time is over.
#[utoipa::path(
    operation_id = "operation_wait", tag = "operations", security(("token" = [])),
    params(WaitQuery),
    responses((status = 200, description = "The operation", body = Operation)),
    extensions(("x-problem-codes" = json!(["not-found"])))
)]
#[get("/operations/{operation}/wait")]
async fn wait(ctx: Ctx, path: PathParam<Uuid>, query: Params<WaitQuery>) -> Result<HttpResponse, ApiError> {
    let seconds = query.0.timeout_seconds.unwrap_or(DEFAULT_WAIT);
    if seconds > MAX_WAIT {
        return Err(ApiError::parameter("timeout_seconds", format!("must be from 0 to {MAX_WAIT}")));
    }
    let proof = ctx.authorize(ctx.vms().find_operation(path.0).await?, ViewOperation)?;
    Ok(HttpResponse::Ok().json(ctx.vms().wait_operation(&proof, Duration::from_secs(seconds)).await?))
}

/// Cancel an operation
///
/// Where LXD can, or while LXD has not been asked yet. Answers with the operation as it is then.
#[utoipa::path(
    operation_id = "operation_cancel", tag = "operations", security(("token" = [])),
    responses((status = 200, description = "Cancelling", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "not-cancellable", "server-unavailable", "server-refused"
    ])))
)]
#[delete("/operations/{operation}")]
async fn cancel(ctx: Ctx, path: PathParam<Uuid>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.vms().find_operation(path.0).await?, CancelOperation)?;
    Ok(HttpResponse::Ok().json(ctx.vms().cancel_operation(&proof).await?))
}
