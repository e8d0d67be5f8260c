//! Quotas of roles and groups, for administrators. A person's own stands with the person.

use actix_web::{HttpResponse, delete, get, put};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Fleet;
use vms_authz::action::{ManageQuotas, ViewQuotas};
use vms_types::{Page, Quota, QuotaRule, QuotaScope, StoragePool};

use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::PathParam;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(put_one).service(remove).service(pools);
}

/// List the quotas
///
/// What the school's configuration, roles and groups allow. Each number is decided by the most specific level that has
/// one: the person, the largest of their groups, their role, the school. What no level says is not limited.
#[utoipa::path(
    operation_id = "quota_list", tag = "quotas", security(("token" = [])),
    responses((status = 200, description = "The quotas", body = Page<QuotaRule>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/quotas")]
async fn list(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewQuotas)?;
    conditional::answer(ctx.request(), &ctx.vms().quotas(&proof).await?)
}

/// Decide a quota
///
/// What everyone of a role or group may use, instead of what was decided before. `null` leaves a number to the next level.
/// Allowing less than somebody uses takes nothing away: it ends growth.
#[utoipa::path(
    operation_id = "quota_put", tag = "quotas", security(("token" = [])),
    request_body = Quota,
    responses((status = 200, description = "The quota as it is now", body = QuotaRule)),
    extensions(("x-problem-codes" = json!(["not-found", "validation-failed"])))
)]
#[put("/quotas/{scope}/{subject}")]
async fn put_one(
    ctx: Ctx,
    path: PathParam<(String, String)>,
    body: JsonBody<Quota>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let proof = ctx.authorize(Fleet, ManageQuotas)?;
    let (scope, subject) = path.0;
    let rule = QuotaRule { scope: read_scope(&scope)?, subject, quota: body.0 };
    conditional::answer(ctx.request(), &ctx.vms().put_quota(&proof, rule).await?)
}

/// Take a quota back
///
/// The next level decides again.
#[utoipa::path(
    operation_id = "quota_delete", tag = "quotas", security(("token" = [])),
    responses((status = 204, description = "It is decided no more")),
    extensions(("x-problem-codes" = json!(["not-found", "validation-failed"])))
)]
#[delete("/quotas/{scope}/{subject}")]
async fn remove(ctx: Ctx, path: PathParam<(String, String)>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ManageQuotas)?;
    let (scope, subject) = path.0;
    ctx.vms().delete_quota(&proof, read_scope(&scope)?, &subject).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// List the storage pools
///
/// And whether each keeps a machine from using more disk than its profile allows (`enforces_size`). In a pool that does not,
/// a quota of disk is counted by what the profiles say, and nothing stops a machine from using more.
#[utoipa::path(
    operation_id = "pool_list", tag = "quotas", security(("token" = [])),
    responses((status = 200, description = "The storage pools", body = Page<StoragePool>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/storage-pools")]
async fn pools(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewQuotas)?;
    conditional::answer(ctx.request(), &ctx.vms().storage_pools(&proof))
}

/// `role` or `group`; whatever else is a path that does not exist.
fn read_scope(word: &str) -> Result<QuotaScope, ApiError> {
    QuotaScope::parse(word).ok_or_else(ApiError::not_found)
}
