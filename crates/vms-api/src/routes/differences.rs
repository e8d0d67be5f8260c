//! Where table and servers do not match, and taking in what has no owner. For administrators.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, get, post};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Fleet;
use vms_authz::action::{AdoptInstance as MayAdopt, ViewDifferences};
use vms_types::{AdoptInstance, Difference, Machine, Page};

use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::paging::PageQuery;
use crate::params::Params;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(adopt);
}

/// List what does not match
///
/// Instances that are no machine of the system, and machines whose instance is gone, on the servers that answer. What can
/// be put right without asking anybody (a renamed instance, keys that differ, a machine that the table has lost) is put right by
/// itself; `vms reconcile` does so at once. A missing machine is given up with `DELETE /machines/{machine}`.
#[utoipa::path(
    operation_id = "difference_list", tag = "machines", security(("token" = [])), params(PageQuery),
    responses((status = 200, description = "What does not match, by server and instance", body = Page<Difference>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/differences")]
async fn list(ctx: Ctx, query: Params<PageQuery>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewDifferences)?;
    conditional::answer(ctx.request(), &query.0.page(ctx.vms().differences(&proof).await?)?)
}

/// Adopt an instance
///
/// Gives an instance that was made outside of the system to a person, who then has it among their machines. Its name on the
/// server stays, and so does whatever is in it.
#[utoipa::path(
    operation_id = "machine_adopt", tag = "machines", security(("token" = [])),
    request_body = AdoptInstance,
    responses((status = 201, description = "The machine that it is now", body = Machine)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "validation-failed", "not-found", "in-use", "name-taken", "server-unavailable", "server-refused",
        "server-error"
    ])))
)]
#[post("/machines/adopt")]
async fn adopt(ctx: Ctx, body: JsonBody<AdoptInstance>) -> Result<HttpResponse, ApiError> {
    ctx.note(Some(&body.0.instance), &body.0);
    let proof = ctx.authorize(Fleet, MayAdopt)?;
    let machine = ctx.vms().adopt_instance(&proof, body.0).await?;
    let place = format!("{}/machines/{}", vms_types::API_PREFIX, machine.id);
    Ok(HttpResponse::Created().insert_header((LOCATION, place)).json(machine))
}
