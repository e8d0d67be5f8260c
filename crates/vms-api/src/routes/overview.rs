//! How everything is, and what was used lately.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::{HttpResponse, get};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Fleet;
use vms_authz::action::{ViewMachineUsage, ViewOverview, ViewServers};
use vms_types::{MachineUsage, Overview, Page, ServerUsage, ServerView};

use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::{Params, PathParam};

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(view).service(history).service(servers).service(machine_usage);
}

/// Look at how everything is
///
/// Machines by status, each server's load, the busiest machines, operations under way and lately failed, and whether
/// database and directory answer. For administrators. Answered from memory, however many ask.
#[utoipa::path(
    operation_id = "overview_view", tag = "servers", security(("token" = [])),
    responses((status = 200, description = "How everything is", body = Overview),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/overview")]
async fn view(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewOverview)?;
    conditional::answer(ctx.request(), &ctx.vms().overview(&proof).await?)
}

/// Whose history.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HistoryQuery {
    /// Only of this server; of each if absent.
    #[param(example = "lxd1")]
    server: Option<String>,
}

/// Look at what servers used lately
///
/// A point for each minute of the last four hours. For administrators.
#[utoipa::path(
    operation_id = "overview_history", tag = "servers", security(("token" = [])),
    params(HistoryQuery),
    responses((status = 200, description = "The servers, each with its points", body = Page<ServerUsage>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/overview/history")]
async fn history(ctx: Ctx, query: Params<HistoryQuery>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewOverview)?;
    let found = ctx.vms().server_usage(&proof, query.0.server.as_deref()).await?;
    conditional::answer(ctx.request(), &Page::whole(found))
}

/// List servers
///
/// Each with whether it answers and how busy it is. For administrators.
#[utoipa::path(
    operation_id = "server_list", tag = "servers", security(("token" = [])),
    responses((status = 200, description = "The servers", body = Page<ServerView>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/servers")]
async fn servers(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewServers)?;
    conditional::answer(ctx.request(), &Page::whole(ctx.vms().servers(&proof).await?))
}

/// Look at what a machine used lately
///
/// CPU, memory, disk and network, a point for each minute of the last two hours in which it was on.
#[utoipa::path(
    operation_id = "machine_usage", tag = "machines", security(("token" = [])),
    responses((status = 200, description = "What it may use, and what it used", body = MachineUsage),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["not-found"])))
)]
#[get("/machines/{machine}/usage")]
async fn machine_usage(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.vms().find_machine(&path.0).await?, ViewMachineUsage)?;
    conditional::answer(ctx.request(), &ctx.vms().machine_usage(&proof).await?)
}
