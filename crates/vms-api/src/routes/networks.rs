//! Networks of a server, and whom it trusts.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::{HttpResponse, delete, get, patch, post};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::Fleet;
use vms_authz::action::{ManageCertificates, ManageNetworks, ViewServers};
use vms_types::{
    CertificateAdded, CertificateView, LeaseView, NetworkView, NewCertificate, Page, PatchNetwork,
};

use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::paging::PageQuery;
use crate::params::{Params, PathParam};

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(view).service(edit).service(leases);
    config.service(certificates).service(add_certificate).service(remove_certificate);
}

/// List the networks of a server
///
/// Those that LXD manages first. For administrators.
#[utoipa::path(
    operation_id = "network_list", tag = "servers", security(("token" = [])),
    responses((status = 200, description = "The networks", body = Page<NetworkView>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/servers/{server}/networks")]
async fn list(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewServers)?;
    conditional::answer(ctx.request(), &Page::whole(ctx.vms().networks(&proof, &path.0).await?))
}

/// Look at a network
///
/// Its subnet, and the addresses that machines are given. For administrators.
#[utoipa::path(
    operation_id = "network_view", tag = "servers", security(("token" = [])),
    responses((status = 200, description = "The network", body = NetworkView),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/servers/{server}/networks/{network}")]
async fn view(ctx: Ctx, path: PathParam<(String, String)>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewServers)?;
    conditional::answer(ctx.request(), &ctx.vms().network(&proof, &path.0.0, &path.0.1).await?)
}

/// Change the addresses of a network
///
/// The subnet, and the ranges that machines are given addresses of. Machines that run keep the addresses they have until
/// they ask again. For administrators. With `If-Match` only if it is still as it was seen.
#[utoipa::path(
    operation_id = "network_edit", tag = "servers", security(("token" = [])),
    params(("If-Match" = Option<String>, Header, description = "The `ETag` the network had when it was read.")),
    request_body = PatchNetwork,
    responses((status = 200, description = "The network as it is now", body = NetworkView)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "in-use", "precondition-failed", "validation-failed", "server-error",
        "server-refused", "server-unavailable"
    ])))
)]
#[patch("/servers/{server}/networks/{network}")]
async fn edit(
    ctx: Ctx,
    path: PathParam<(String, String)>,
    body: JsonBody<PatchNetwork>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let proof = ctx.authorize(Fleet, ManageNetworks)?;
    let (server, name) = path.0;
    let now = async { Ok(ctx.vms().network(&ctx.authorize(Fleet, ViewServers)?, &server, &name).await?) };
    conditional::check_if_match(ctx.request(), now).await?;
    conditional::answer(ctx.request(), &ctx.vms().change_network(&proof, &server, &name, body.0).await?)
}

/// List the addresses that a network gave away
///
/// Each with the machine that holds it, and its owner. For administrators.
#[utoipa::path(
    operation_id = "network_leases", tag = "servers", security(("token" = [])), params(PageQuery),
    responses((status = 200, description = "The addresses, in their order", body = Page<LeaseView>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/servers/{server}/networks/{network}/leases")]
async fn leases(
    ctx: Ctx,
    path: PathParam<(String, String)>,
    query: Params<PageQuery>,
) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewServers)?;
    let found = ctx.vms().leases(&proof, &path.0.0, &path.0.1).await?;
    conditional::answer(ctx.request(), &query.0.page(found)?)
}

/// List the certificates that a server trusts
///
/// For administrators.
#[utoipa::path(
    operation_id = "certificate_list", tag = "servers", security(("token" = [])),
    responses((status = 200, description = "The certificates", body = Page<CertificateView>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden", "not-found"])))
)]
#[get("/servers/{server}/certificates")]
async fn certificates(ctx: Ctx, path: PathParam<String>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ViewServers)?;
    conditional::answer(ctx.request(), &Page::whole(ctx.vms().certificates(&proof, &path.0).await?))
}

/// Let a server trust a certificate
///
/// The one that is sent; or, without one, a token is made, with which a client adds its own. Who is trusted may do
/// everything on that server. For administrators.
#[utoipa::path(
    operation_id = "certificate_add", tag = "servers", security(("token" = [])),
    request_body = NewCertificate,
    responses((status = 201, description = "It is trusted, or this is the token", body = CertificateAdded)),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "in-use", "validation-failed", "server-error", "server-refused",
        "server-unavailable"
    ])))
)]
#[post("/servers/{server}/certificates")]
async fn add_certificate(
    ctx: Ctx,
    path: PathParam<String>,
    body: JsonBody<NewCertificate>,
) -> Result<HttpResponse, ApiError> {
    ctx.note(Some(&body.0.name), &body.0);
    let proof = ctx.authorize(Fleet, ManageCertificates)?;
    let added = ctx.vms().add_certificate(&proof, &path.0, body.0).await?;
    Ok(HttpResponse::Created().json(added))
}

/// End a server's trust in a certificate
///
/// Connections made with it end at once. The certificate of this system itself stays. For administrators.
#[utoipa::path(
    operation_id = "certificate_remove", tag = "servers", security(("token" = [])),
    responses((status = 204, description = "It is trusted no more")),
    extensions(("x-problem-codes" = json!([
        "forbidden", "not-found", "in-use", "server-error", "server-refused", "server-unavailable"
    ])))
)]
#[delete("/servers/{server}/certificates/{fingerprint}")]
async fn remove_certificate(ctx: Ctx, path: PathParam<(String, String)>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(Fleet, ManageCertificates)?;
    ctx.vms().delete_certificate(&proof, &path.0.0, &path.0.1).await?;
    Ok(HttpResponse::NoContent().finish())
}
