//! Machines: list, look, create, change, delete.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::{HttpResponse, delete, get, patch, post, put};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::PersonTarget;
use vms_authz::action::{
    ChangePower, ChangeProfiles, CreateMachine as MayCreate, DeleteMachine, EditMachine, HandOverMachine,
    ListMachines, ResetMachine, ViewMachine,
};
use vms_core::MachineFilter;
use vms_types::{CreateMachine, Machine, MachineStatus, Operation, Page, PatchMachine, StateChange};

use super::{accepted, idempotency_key};
use crate::body::JsonBody;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::{Params, PathParam};
use crate::{conditional, paging};

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(view).service(edit);
    config.service(remove).service(power).service(reset);
}

/// Which machines, and how many at once.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct MachineQuery {
    /// Whose; your own if absent. Teachers may name students of their groups, administrators anybody. `*` is all whom you
    /// may name, and yourself.
    #[param(example = "ana")]
    owner: Option<String>,
    /// Only in this status.
    #[param(inline)]
    status: Option<MachineStatus>,
    /// Only on this server.
    server: Option<String>,
    /// Only those made from the image with this alias.
    image: Option<String>,
    /// Only those with this profile.
    profile: Option<String>,
    /// Only where name, instance, owner, description or an address contains this.
    q: Option<String>,
    /// Machines on one page, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List machines
///
/// In the order of their creation. Answered from memory: asking every few seconds is fine, best with `If-None-Match`.
#[utoipa::path(
    operation_id = "machine_list", tag = "machines", security(("token" = [])),
    params(MachineQuery),
    responses((status = 200, description = "The machines", body = Page<Machine>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/machines")]
async fn list(ctx: Ctx, query: Params<MachineQuery>) -> Result<HttpResponse, ApiError> {
    let MachineQuery { owner, status, server, image, profile, q, limit, cursor } = query.0;
    let limit = paging::limit(limit)?;
    let filter = MachineFilter { status, server, image, profile, q };
    let machines = if owner.as_deref() == Some("*") {
        ctx.vms().all_machines(&ctx.sight(ListMachines)?, &filter).await?
    } else {
        let proof = ctx.authorize(ctx.whose(owner).await?, ListMachines)?;
        ctx.vms().machines_of(&proof, &filter).await?
    };
    conditional::answer(ctx.request(), &paging::page(machines, limit, cursor.as_deref())?)
}

/// Create a machine
///
/// Takes a place in the quota and hands the work over. The answer comes at once; what becomes of it is read from the
/// operation.
#[utoipa::path(
    operation_id = "machine_create", tag = "machines", security(("token" = [])),
    request_body = CreateMachine,
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "validation-failed", "name-taken", "quota-exceeded", "idempotency-key-reused",
        "server-unavailable", "server-refused"
    ])))
)]
#[post("/machines")]
async fn create(ctx: Ctx, body: JsonBody<CreateMachine>) -> Result<HttpResponse, ApiError> {
    ctx.note(Some(&body.0.name), &body.0);
    let owner = body.0.owner.clone().map_or_else(|| ctx.person(), PersonTarget::new);
    let proof = ctx.authorize(owner, MayCreate)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().create_machine(&proof, body.0, key).await?))
}

/// Look at a machine
///
/// Status, addresses, snapshots, limits, and the operation under way.
#[utoipa::path(
    operation_id = "machine_view", tag = "machines", security(("token" = [])),
    responses((status = 200, description = "The machine", body = Machine),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["not-found"])))
)]
#[get("/machines/{machine}")]
async fn view(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.vms().find_machine(&path.0).await?, ViewMachine)?;
    let machine = ctx.vms().machine(&proof).await?;
    conditional::answer(ctx.request(), &machine)
}

/// Change a machine's description, owner or profiles
///
/// Only what is named changes. Administrators hand a machine over by naming another `owner`: it takes a place in their
/// quota, and its name must be free among theirs. They give it other `profiles` while it runs or is off: what it may use more
/// must fit into the owner's quota, and the answer shows the operation that does it. With `If-Match` only if the machine is
/// still as it was seen.
#[utoipa::path(
    operation_id = "machine_edit", tag = "machines", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the machine had when it was read.")),
    request_body = PatchMachine,
    responses((status = 200, description = "The machine as it is now", body = Machine)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "name-taken", "wrong-state", "machine-busy", "precondition-failed",
        "validation-failed", "quota-exceeded", "overloaded", "shutting-down", "server-unavailable", "server-refused"
    ])))
)]
#[patch("/machines/{machine}")]
async fn edit(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<PatchMachine>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let target = ctx.vms().find_machine(&path.0).await?;
    let proof = ctx.authorize(target.clone(), EditMachine)?;
    let give = body.0.owner.as_ref().map(|_| ctx.authorize(target.clone(), HandOverMachine)).transpose()?;
    let assign =
        body.0.profiles.as_ref().map(|_| ctx.authorize(target.clone(), ChangeProfiles)).transpose()?;
    let now = async { Ok(ctx.vms().machine(&ctx.authorize(target, ViewMachine)?).await?) };
    conditional::check_if_match(ctx.request(), now).await?;
    let machine = ctx.vms().edit_machine(&proof, give.as_ref(), assign.as_ref(), body.0).await?;
    conditional::answer(ctx.request(), &machine)
}

/// Delete a machine
///
/// With its snapshots; a running one is turned off first. Its place in the quota is free when the operation has succeeded.
#[utoipa::path(
    operation_id = "machine_delete", tag = "machines", security(("token" = [])),
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "wrong-state", "machine-busy", "idempotency-key-reused", "server-unavailable",
        "server-refused"
    ])))
)]
#[delete("/machines/{machine}")]
async fn remove(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.vms().find_machine(&path.0).await?, DeleteMachine)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().delete_machine(&proof, key).await?))
}

/// Turn a machine on or off
///
/// Start, stop, restart, freeze or unfreeze it.
#[utoipa::path(
    operation_id = "machine_power", tag = "machines", security(("token" = [])),
    request_body = StateChange,
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "validation-failed", "quota-exceeded", "wrong-state", "machine-busy",
        "idempotency-key-reused", "server-unavailable", "server-refused"
    ])))
)]
#[put("/machines/{machine}/state")]
async fn power(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<StateChange>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let proof = ctx.authorize(ctx.vms().find_machine(&path.0).await?, ChangePower)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().change_power(&proof, body.0, key).await?))
}

/// Reset a machine
///
/// The machine as its image made it, under the same name. Its files and its snapshots go.
#[utoipa::path(
    operation_id = "machine_reset", tag = "machines", security(("token" = [])),
    responses((status = 202, description = "Handed over", body = Operation)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "wrong-state", "machine-busy", "idempotency-key-reused", "server-unavailable",
        "server-refused"
    ])))
)]
#[post("/machines/{machine}/reset")]
async fn reset(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.vms().find_machine(&path.0).await?, ResetMachine)?;
    let key = idempotency_key(ctx.request())?;
    Ok(accepted(&ctx.vms().reset_machine(&proof, key).await?))
}
