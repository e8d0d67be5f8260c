//! The gate of the API: who is not authenticated gets no further, whatever the path.

use actix_web::body::MessageBody;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::AUTHORIZATION;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpResponse, web};
use vms_authz::Actor;
use vms_core::CoreError;

use crate::context::RequestId;
use crate::error::ApiError;
use crate::state::AppState;
use crate::{Answer, origin};

/// What can be asked without logging in: method and path below the prefix. Everything else needs a Bearer token.
pub(crate) const PUBLIC: &[(&str, &str)] = &[
    ("POST", "/auth/login"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/logout"),
    ("GET", "/site"),
    ("GET", "/openapi.json"),
    // Its ticket says who it is.
    ("GET", "/events"),
];

/// Refuses foreign origins, then whoever is nobody. The actor is left in the request's extensions.
///
/// # Errors
/// Those of the services inside.
pub(crate) async fn authenticate(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<Answer, Error> {
    if let Err(error) = origin::check(&state, &request) {
        return Ok(refuse(request, error));
    }
    if !is_public(&request) {
        match actor(&state, &request).await {
            Ok(actor) => {
                tracing::Span::current().record("user", actor.username());
                request.extensions_mut().insert(actor);
            }
            Err(error) => return Ok(refuse(request, error.into())),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

fn is_public(request: &ServiceRequest) -> bool {
    let path = request.path().strip_prefix(vms_types::API_PREFIX).unwrap_or_default();
    PUBLIC.contains(&(request.method().as_str(), path))
}

async fn actor(state: &AppState, request: &ServiceRequest) -> Result<Actor, CoreError> {
    let token = bearer(request).ok_or(CoreError::Unauthenticated)?;
    state.vms().actor(token).await
}

/// The token of `Authorization: Bearer …` (RFC 6750); the scheme's case does not matter.
fn bearer(request: &ServiceRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn refuse(request: ServiceRequest, error: ApiError) -> Answer {
    let id = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    request.into_response(HttpResponse::from_error(error.with_request_id(&id)))
}
