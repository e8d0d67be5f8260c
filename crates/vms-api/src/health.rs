//! `/healthz`: the process lives. `/readyz`: each part, and whether work can be done.

use actix_web::{HttpResponse, web};
use serde::Serialize;

use crate::state::AppState;

pub(crate) fn mount(config: &mut web::ServiceConfig) {
    config.route("/healthz", web::get().to(healthz)).route("/readyz", web::get().to(readyz));
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().json(serde_json::json!({ "status": "ok" }))
}

/// How the parts are. Why one is down is for the log: this is open to everyone.
#[derive(Serialize)]
struct ReadyView {
    ready: bool,
    /// The process is about to end and takes no more commands.
    stopping: bool,
    database: Part,
    directory: Part,
    servers: Vec<ServerPart>,
}

#[derive(Serialize)]
struct Part {
    ok: bool,
    message: &'static str,
}

#[derive(Serialize)]
struct ServerPart {
    name: String,
    #[serde(flatten)]
    part: Part,
}

async fn readyz(state: web::Data<AppState>) -> HttpResponse {
    let now = state.vms().ready().await;
    let part = |name: &str, state: &Result<(), String>| match state {
        Ok(()) => Part { ok: true, message: "answers" },
        Err(why) => {
            tracing::warn!(part = name, why, "not ready");
            Part { ok: false, message: "does not answer" }
        }
    };
    let servers = now.servers.iter().map(|server| {
        let message = match (server.connected, server.refused) {
            (true, _) => "answers",
            (false, true) => "refuses this system",
            (false, false) => "does not answer",
        };
        ServerPart { name: server.name.clone(), part: Part { ok: server.connected, message } }
    });
    let stopping = state.vms().is_stopping();
    let view = ReadyView {
        ready: now.is_ready() && !stopping,
        stopping,
        database: part("database", &now.database),
        directory: part("directory", &now.directory),
        servers: servers.collect(),
    };
    if view.ready { HttpResponse::Ok().json(view) } else { HttpResponse::ServiceUnavailable().json(view) }
}
