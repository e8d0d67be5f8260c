//! Personal access tokens: how a script logs in.

use actix_web::{HttpResponse, delete, get, post};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use vms_authz::action::ManageTokens;
use vms_types::{NewToken, Page, TokenCreated, TokenView};

use crate::body::JsonBody;
use crate::conditional;
use crate::context::Ctx;
use crate::error::ApiError;
use crate::params::PathParam;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(remove);
}

/// List my tokens
///
/// Newest first, without their secrets. Needs a login: a token cannot manage tokens.
#[utoipa::path(
    operation_id = "token_list", tag = "tokens", security(("token" = [])),
    responses((status = 200, description = "The tokens", body = Page<TokenView>),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!(["forbidden"])))
)]
#[get("/tokens")]
async fn list(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.person(), ManageTokens)?;
    conditional::answer(ctx.request(), &Page::whole(ctx.vms().tokens(&proof).await?))
}

/// Make a token
///
/// The secret is in this answer and nowhere else.
#[utoipa::path(
    operation_id = "token_create", tag = "tokens", security(("token" = [])),
    request_body = NewToken,
    responses((status = 201, description = "The token with its secret", body = TokenCreated)),
    extensions(("x-problem-codes" = json!(["validation-failed", "quota-exceeded"])))
)]
#[post("/tokens")]
async fn create(ctx: Ctx, body: JsonBody<NewToken>) -> Result<HttpResponse, ApiError> {
    ctx.note(None, &body.0);
    let proof = ctx.authorize(ctx.person(), ManageTokens)?;
    Ok(HttpResponse::Created().json(ctx.vms().create_token(&proof, body.0).await?))
}

/// End a token
///
/// It is refused from the next request on.
#[utoipa::path(
    operation_id = "token_delete", tag = "tokens", security(("token" = [])),
    responses((status = 204, description = "The token has ended")),
    extensions(("x-problem-codes" = json!(["not-found"])))
)]
#[delete("/tokens/{token}")]
async fn remove(ctx: Ctx, path: PathParam<Uuid>) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.person(), ManageTokens)?;
    ctx.vms().delete_token(&proof, path.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
