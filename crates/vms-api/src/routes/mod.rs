//! The handlers. Each extracts, authorizes, makes one call into the use cases and answers.
//!
//! Above each stands its description for the OpenAPI document. What a reader can work out (that a secured operation may
//! answer 401, that a path has a parameter) is added by [`crate::openapi`]; `x-problem-codes` lists the rest.

mod audiences;
mod audit;
mod auth;
mod bulk;
mod catalog;
mod differences;
mod events;
mod images;
mod machines;
mod networks;
mod operations;
mod overview;
mod profiles;
mod quotas;
mod site;
mod snapshots;
mod tokens;
mod users;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use utoipa_actix_web::service_config::ServiceConfig;
use vms_types::{Operation, Page};

use crate::error::ApiError;
use crate::state::AppState;

/// Mounts every handler below the prefix, and so puts it into the document.
pub(crate) fn mount(config: &mut ServiceConfig<'_>) {
    auth::mount(config);
    tokens::mount(config);
    bulk::mount(config);
    differences::mount(config);
    machines::mount(config);
    snapshots::mount(config);
    operations::mount(config);
    events::mount(config);
    catalog::mount(config);
    images::mount(config);
    profiles::mount(config);
    overview::mount(config);
    networks::mount(config);
    audiences::mount(config);
    audit::mount(config);
    users::mount(config);
    quotas::mount(config);
    site::mount(config);
}

/// Whatever is left: 405 if the path exists with another method, else 404.
pub(crate) async fn unknown(
    state: web::Data<AppState>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let allowed = state.routes().methods(request.path());
    if allowed.is_empty() {
        Err(ApiError::not_found())
    } else {
        Err(ApiError::method_not_allowed(request.method().as_str(), allowed.join(", ")))
    }
}

/// 202: handed over. `Location` is where to read what becomes of it.
fn accepted(operation: &Operation) -> HttpResponse {
    HttpResponse::Accepted()
        .insert_header((LOCATION, format!("{}/operations/{}", vms_types::API_PREFIX, operation.id)))
        .json(operation)
}

/// The same for a command that became several operations; `Location` is that of the first.
fn accepted_all(operations: Vec<Operation>) -> HttpResponse {
    let mut response = HttpResponse::Accepted();
    if let Some(first) = operations.first() {
        let place = format!("{}/operations/{}", vms_types::API_PREFIX, first.id);
        response.insert_header((LOCATION, place));
    }
    response.json(Page::whole(operations))
}

/// The key that makes a repeated command harmless, from `Idempotency-Key`.
fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let Some(value) = request.headers().get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=200).contains(&key.trim().len()) => Ok(Some(key.trim().to_owned())),
        _ => Err(ApiError::parameter("Idempotency-Key", "must be 1 to 200 ASCII characters")),
    }
}
