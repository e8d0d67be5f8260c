//! The audit log: every request that changes something, and every login, with who, what and how it ended.
//!
//! What came from nobody and was refused at the gate is not in it: it changed nothing, and anyone could fill the log that
//! way. The server's own log has it.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};
use chrono::Utc;
use uuid::Uuid;
use vms_authz::Actor;
use vms_core::AuditEntry;

use crate::Answer;
use crate::context::{AuditNote, RequestId, TARGET_CHARS, client_address};
use crate::error::ApiError;
use crate::state::AppState;

/// Changes nothing, and is asked for by every page whenever its connection was lost.
const TICKET: &str = "/events/ticket";

/// Writes the line once the answer is known, before it goes out.
///
/// # Errors
/// Those of the services inside.
pub(crate) async fn audit(
    state: web::Data<AppState>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<Answer, Error> {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS)
        && request.path().strip_prefix(vms_types::API_PREFIX) != Some(TICKET);
    let answer = next.call(request).await?.map_into_boxed_body();
    if changes && let Some(entry) = entry(&state, &answer) {
        state.vms().audit(entry).await;
    }
    Ok(answer)
}

fn entry(state: &AppState, answer: &ServiceResponse) -> Option<AuditEntry> {
    let request = answer.request();
    let extensions = request.extensions();
    let note = extensions.get::<AuditNote>().cloned().unwrap_or_default();
    let actor = extensions.get::<Actor>().map(|actor| actor.username().to_owned()).or(note.actor)?;
    let path = request.path();
    let error = answer.response().error().and_then(|error| error.as_error::<ApiError>());
    Some(AuditEntry {
        id: Uuid::new_v4(),
        at: Utc::now(),
        actor,
        action: state
            .routes()
            .action(request.method().as_str(), path)
            .unwrap_or_else(|| "unknown".to_owned()),
        target: note.target.unwrap_or_else(|| target(path)),
        outcome: answer.status().as_u16(),
        code: error.map(|error| error.code().as_str().to_owned()),
        address: client_address(state, request),
        request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        detail: note.detail,
    })
}

/// What the path is about: `/machines/vmbrunoa/snapshots/antes` becomes `machines/vmbrunoa/snapshots/antes`.
fn target(path: &str) -> String {
    let path = path.strip_prefix(vms_types::API_PREFIX).unwrap_or(path);
    path.trim_start_matches('/').chars().take(TARGET_CHARS).collect()
}
