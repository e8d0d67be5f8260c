//! Events: what happens, as it happens.
// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use actix_web::{HttpResponse, get, post, web};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;
use vms_authz::PersonTarget;
use vms_authz::action::WatchEvents;
use vms_types::{EventMessage, EventTicket};

use crate::context::{Caller, Ctx};
use crate::error::ApiError;
use crate::params::Params;
use crate::{origin, websocket};

pub(super) fn mount(config: &mut ServiceConfig<'_>) {
    config.service(make_ticket).service(watch);
}

/// What to listen to.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct EventQuery {
    /// A ticket of `POST /events/ticket`, made in the last 30 seconds and not used yet.
    ticket: String,
    /// The last `seq` you have seen: you get what came after it, or `resync` if that is no longer known. From now on if
    /// absent.
    since: Option<u64>,
    /// Everybody's events in place of your own. For administrators; teachers get those of the students of their groups, and
    /// their own.
    #[serde(default)]
    all: bool,
}

/// Make a ticket for the websocket
///
/// A browser cannot send an `Authorization` header with a websocket; this stands in for it, once.
#[utoipa::path(
    operation_id = "event_ticket", tag = "events", security(("token" = [])),
    responses((status = 201, description = "The ticket", body = EventTicket)),
    extensions(("x-problem-codes" = json!(["overloaded"])))
)]
#[post("/events/ticket")]
async fn make_ticket(ctx: Ctx) -> Result<HttpResponse, ApiError> {
    let proof = ctx.authorize(ctx.person(), WatchEvents)?;
    Ok(HttpResponse::Created().json(ctx.vms().event_ticket(&proof)?))
}

/// Listen to events
///
/// A websocket. Each text frame is one `EventMessage`; what the client sends is ignored. The server pings every 20 seconds.
/// It closes with 1001 when it restarts (after `go-away`), with 4401 when the session has ended, and with 1008 when a client
/// does not take its frames.
#[utoipa::path(
    operation_id = "event_watch", tag = "events", security(("ticket" = [])),
    params(EventQuery),
    responses(
        (status = 101, description = "The websocket begins; the frames", body = EventMessage),
    ),
    extensions(("x-problem-codes" = json!([
        "unauthenticated", "session-expired", "account-not-allowed", "forbidden", "foreign-origin", "upgrade-required",
        "too-many-connections", "shutting-down"
    ])))
)]
#[get("/events")]
async fn watch(
    caller: Caller,
    query: Params<EventQuery>,
    payload: web::Payload,
) -> Result<HttpResponse, ApiError> {
    origin::check_page(caller.state(), caller.request())?;
    let EventQuery { ticket, since, all } = query.0;
    let socket = websocket::accept(caller.request(), payload)?;
    let actor = caller.vms().redeem_ticket(&ticket).await?;
    let events = if all {
        caller.vms().watch_all_events(&actor.sight(WatchEvents)?, since).await?
    } else {
        let person = PersonTarget::new(actor.username());
        caller.vms().watch_events(&actor.authorize(person, WatchEvents)?, since)?
    };
    Ok(socket.serve(caller.vms().clone(), actor, all, events))
}
