//! The OpenAPI document: made from the handlers' own descriptions, then completed with what follows from them.

mod complete;
mod example;
mod table;

pub(crate) use table::RouteTable;

use serde_json::{Map, Value, json};
use utoipa_actix_web::UtoipaApp;
use vms_types::Problem;

use crate::routes;

/// The document as JSON, with every key in alphabetical order, so that it is the same whoever builds it.
#[must_use]
pub fn document() -> Value {
    let (_, generated) = UtoipaApp::from(actix_web::App::new())
        .service(utoipa_actix_web::scope(vms_types::API_PREFIX).configure(routes::mount))
        .split_for_parts();
    let mut document = serde_json::to_value(generated).unwrap_or_default();
    if let Some(root) = document.as_object_mut() {
        root.insert("info".to_owned(), info());
        root.insert("tags".to_owned(), tags());
    }
    add_components(&mut document);
    complete::complete(&mut document);
    sorted(document)
}

/// The document as text, indented: what `vms openapi` prints and what is checked in.
#[must_use]
pub fn document_text() -> String {
    format!("{:#}\n", document())
}

fn info() -> Value {
    json!({
        "title": "VMS",
        "version": env!("CARGO_PKG_VERSION"),
        "description": "Virtual Machine System: everyone's own Linux machines.\n\n\
            A command is answered at once with 202 and an operation; what became of it is read afterwards, from the operation \
            or from the machine. Every answer that is not 2xx or 304 is a problem (RFC 9457) with a stable `code`; \
            `/docs/problems` explains them all. Someone else's machine and one that does not exist give the same 404.\n\n\
            Times are RFC 3339 in UTC, sizes are bytes. `{machine}` is a machine's `id` or its `instance` name. \
            Outside of this document: `/healthz` and `/readyz`.",
        "license": { "name": "Apache-2.0 OR MIT", "identifier": "Apache-2.0 OR MIT" },
    })
}

fn tags() -> Value {
    json!([
        { "name": "auth", "description": "Logging in and out, and who I am." },
        { "name": "machines", "description": "The machines themselves." },
        { "name": "snapshots", "description": "Named copies of a machine's state." },
        { "name": "operations", "description": "What became of commands." },
        { "name": "events", "description": "What happens, as it happens: a websocket." },
        { "name": "catalog", "description": "What machines can be made from." },
        { "name": "servers", "description": "The servers, and how everything is. For administrators." },
        { "name": "images", "description": "Images as they are stored, for administrators." },
        { "name": "users", "description": "People, for administrators." },
        { "name": "quotas", "description": "What roles and groups may use, for administrators." },
        { "name": "tokens", "description": "Personal access tokens for scripts." },
        { "name": "audit", "description": "Who did what, when, from where, and how it ended. For administrators." },
        { "name": "site", "description": "What anyone may read." },
    ])
}

/// How to authenticate, and the schema of problems, which no handler names.
fn add_components(document: &mut Value) {
    let mut schemas = Vec::new();
    <Problem as utoipa::ToSchema>::schemas(&mut schemas);
    schemas.push((
        <Problem as utoipa::ToSchema>::name().into_owned(),
        <Problem as utoipa::PartialSchema>::schema(),
    ));
    let Some(root) = document.as_object_mut() else { return };
    let components = root.entry("components").or_insert_with(|| json!({}));
    let Some(components) = components.as_object_mut() else { return };
    components.insert(
        "securitySchemes".to_owned(),
        json!({
            "token": {
                "type": "http", "scheme": "bearer",
                "description": "An access token of a login, or a personal access token (`vmsp_…`).",
            },
            "ticket": {
                "type": "apiKey", "in": "query", "name": "ticket",
                "description": "A ticket of `POST /events/ticket`, good once and for 30 seconds.",
            },
            "cookie": {
                "type": "apiKey", "in": "cookie", "name": crate::cookie::NAME,
                "description": "The refresh token that the login leaves in the browser.",
            },
        }),
    );
    let known = components.entry("schemas").or_insert_with(|| json!({}));
    if let Some(known) = known.as_object_mut() {
        for (name, schema) in schemas {
            known.insert(name, serde_json::to_value(schema).unwrap_or_default());
        }
    }
}

/// Objects with their keys in order, whatever the map's own order is.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<(String, Value)> = map.into_iter().collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
