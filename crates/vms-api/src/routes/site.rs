//! What anyone may read: the school's words, and the description of this API.

use actix_web::{HttpResponse, get};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_types::Site;

use crate::conditional;
use crate::context::Caller;
use crate::error::ApiError;

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(site).service(openapi);
}

/// The login page's words
///
/// Name of the system and of the school, welcome, contact and logo, from the configuration.
#[utoipa::path(
    operation_id = "site_view", tag = "site", security(()),
    responses((status = 200, description = "The school's words", body = Site),
              (status = 304, description = "Nothing new since `If-None-Match`")),
    extensions(("x-problem-codes" = json!([])))
)]
#[get("/site")]
async fn site(caller: Caller) -> Result<HttpResponse, ApiError> {
    conditional::answer(caller.request(), caller.state().site())
}

/// This document
///
/// The OpenAPI description of all operations.
#[utoipa::path(
    operation_id = "openapi_view", tag = "site", security(()),
    responses((status = 200, description = "An OpenAPI 3.1 document", body = Object)),
    extensions(("x-problem-codes" = json!([])))
)]
#[get("/openapi.json")]
async fn openapi(caller: Caller) -> Result<HttpResponse, ApiError> {
    Ok(HttpResponse::Ok().content_type("application/json").body(caller.state().routes().text().to_owned()))
}
