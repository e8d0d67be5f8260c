//! Who asks, from where, and under which id: what nearly every handler extracts first.

use std::future::{Ready, ready};
use std::net::IpAddr;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::USER_AGENT;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, ResponseError, web};
use chrono::Utc;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;
use vms_authz::{Action, Actor, Allowed, Fleet, Permits, PersonTarget, Resource, Sight, Students};
use vms_core::{AuditEntry, Peer, Vms};

use crate::error::ApiError;
use crate::state::AppState;

/// Longest target in the audit log, in characters.
pub(crate) const TARGET_CHARS: usize = 200;

/// The id of a request, kept in its extensions.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(pub(crate) String);

/// What a handler tells the audit log beyond what the path says.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditNote {
    /// Who it is, where no token says so (login).
    pub(crate) actor: Option<String>,
    /// What it is about, where the path does not say so.
    pub(crate) target: Option<String>,
    /// What was asked for.
    pub(crate) detail: Option<Value>,
}

/// Somebody who may be nobody yet: for the public routes.
pub(crate) struct Caller {
    state: web::Data<AppState>,
    request: HttpRequest,
}

impl Caller {
    pub(crate) fn vms(&self) -> &Vms {
        self.state.vms()
    }

    pub(crate) fn state(&self) -> &AppState {
        &self.state
    }

    pub(crate) const fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// Where the request came from.
    pub(crate) fn peer(&self) -> Peer {
        let agent = self.request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok());
        Peer {
            address: client_address(&self.state, &self.request),
            user_agent: agent.unwrap_or_default().chars().take(200).collect(),
        }
    }

    /// Tells the audit log who it is and what it is about.
    pub(crate) fn note_person(&self, username: &str) {
        let name: String = username.chars().take(64).collect();
        let note = AuditNote { actor: Some(name.clone()), target: Some(name), detail: None };
        self.request.extensions_mut().insert(note);
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let state = request.app_data::<web::Data<AppState>>().cloned().ok_or_else(ApiError::internal);
        ready(state.map(|state| Self { state, request: request.clone() }))
    }
}

/// Somebody who is logged in.
pub(crate) struct Ctx {
    caller: Caller,
    actor: Actor,
}

impl Ctx {
    pub(crate) fn vms(&self) -> &Vms {
        self.caller.vms()
    }

    pub(crate) fn state(&self) -> &AppState {
        self.caller.state()
    }

    pub(crate) const fn request(&self) -> &HttpRequest {
        self.caller.request()
    }

    /// The person as something that actions are done to: their list of machines, their tokens.
    pub(crate) fn person(&self) -> PersonTarget {
        PersonTarget::new(self.actor.username())
    }

    /// Asks whether this person may; the answer is the proof that the use cases want.
    pub(crate) fn authorize<R: Resource, A: Permits<R> + Action>(
        &self,
        resource: R,
        action: A,
    ) -> Result<Allowed<R, A>, ApiError> {
        Ok(self.actor.authorize(resource, action)?)
    }

    /// Asks how far this person may look.
    pub(crate) fn sight<A>(&self, action: A) -> Result<Sight<A>, ApiError>
    where
        A: Permits<Fleet> + Permits<Students> + Copy,
    {
        Ok(self.actor.sight(action)?)
    }

    /// The person whom a query names; oneself if it names nobody.
    pub(crate) async fn whose(&self, name: Option<String>) -> Result<PersonTarget, ApiError> {
        match name {
            Some(name) => Ok(self.vms().find_person(&name).await?),
            None => Ok(self.person()),
        }
    }

    /// Tells the audit log what was asked for. Never call it with a secret.
    pub(crate) fn note(&self, target: Option<&str>, asked: &impl Serialize) {
        let note = AuditNote {
            actor: None,
            target: target.map(str::to_owned),
            detail: serde_json::to_value(asked).ok(),
        };
        self.request().extensions_mut().insert(note);
    }

    /// The error with the id of this request, for an answer that carries problems inside.
    pub(crate) fn identify(&self, error: ApiError) -> ApiError {
        error.with_request_id(&self.request_id())
    }

    /// Writes a line of the audit log for one part of a request that does several things.
    pub(crate) async fn audit_part(
        &self,
        action: &str,
        target: String,
        refused: Option<&ApiError>,
        detail: Option<Value>,
    ) {
        let entry = AuditEntry {
            id: Uuid::new_v4(),
            at: Utc::now(),
            actor: self.actor.username().to_owned(),
            action: action.to_owned(),
            target: target.chars().take(TARGET_CHARS).collect(),
            outcome: refused.map_or(StatusCode::ACCEPTED, ResponseError::status_code).as_u16(),
            code: refused.map(|error| error.code().as_str().to_owned()),
            address: client_address(self.caller.state(), self.request()),
            request_id: self.request_id(),
            detail,
        };
        self.vms().audit(entry).await;
    }

    fn request_id(&self) -> String {
        self.request().extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default()
    }
}

impl FromRequest for Ctx {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        // The scope's middleware put it there; a route outside of the scope has no actor and gets no further.
        let actor = request.extensions().get::<Actor>().cloned();
        ready(caller.and_then(|caller| match actor {
            Some(actor) => Ok(Self { caller, actor }),
            None => Err(vms_core::CoreError::Unauthenticated.into()),
        }))
    }
}

/// The client's address: the connection's, or what a trusted proxy says.
pub(crate) fn client_address(state: &AppState, request: &HttpRequest) -> String {
    let Some(peer) = request.peer_addr().map(|address| address.ip()) else { return String::new() };
    if !state.trusts_proxy(peer) {
        return peer.to_string();
    }
    // The list grows to the right; the rightmost address that is no proxy of ours is the client.
    let forwarded = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let hops: Vec<IpAddr> =
        forwarded.flat_map(|line| line.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| !state.trusts_proxy(*hop)).unwrap_or(peer).to_string()
}
