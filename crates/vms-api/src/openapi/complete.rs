//! Completing the document: path parameters, common headers, examples, and every problem an operation can answer.
//!
//! A handler lists in `x-problem-codes` what only it knows. That an operation with a body may answer `malformed-body`, or one
//! that needs a token `unauthenticated`, follows from the operation itself and is added here, so it cannot be forgotten.

use serde_json::{Map, Value, json};
use vms_types::{FieldError, Problem, ProblemCode, QuotaShortage};

use super::example;
use crate::error::PROBLEM_JSON;

/// A certificate's SHA-256.
const FINGERPRINT: &str = "fd200419b271f1dc2a5591b693cc5774b7f234e1ff8c6b78ad703b6888fe2b69";
/// The extension that lists the codes.
const CODES: &str = "x-problem-codes";

pub(super) fn complete(document: &mut Value) {
    let schemas = document.pointer("/components/schemas").cloned().unwrap_or_default();
    let Some(paths) = document.get_mut("paths").and_then(Value::as_object_mut) else { return };
    for (path, item) in paths {
        let Some(item) = item.as_object_mut() else { continue };
        for (method, operation) in item {
            if let Some(operation) = operation.as_object_mut() {
                add_parameters(path, operation);
                add_examples(operation, &schemas);
                add_problems(method, operation);
            }
        }
    }
}

fn add_parameters(path: &str, operation: &mut Map<String, Value>) {
    let answers = |status: &str| operation.get("responses").is_some_and(|all| all.get(status).is_some());
    let mut more = Vec::new();
    if answers("202") {
        more.push(header(
            "Idempotency-Key",
            "Your own key for this command, 1 to 200 characters: sent again with the same \
            request, it gets the first answer again and nothing is done twice.",
        ));
    }
    if answers("304") {
        more.push(header(
            "If-None-Match",
            "An `ETag` from before: 304 without a body while nothing has changed.",
        ));
    }
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
        let (description, schema, example) = match name {
            "machine" => {
                ("The machine's `id` or its `instance` name.", json!({"type": "string"}), "vmbrunomaquinaa")
            }
            "snapshot" => ("The snapshot's name.", json!({"type": "string"}), "antes-do-teste"),
            "profile" => ("The profile's name.", json!({"type": "string"}), "alunos"),
            "image" => (
                "One of the image's aliases, or its fingerprint or the beginning of it (12 characters).",
                json!({"type": "string"}),
                "debian-12",
            ),
            "username" => ("The name used to log in.", json!({"type": "string"}), "bruno"),
            "scope" => ("`role` or `group`.", json!({"type": "string", "enum": ["role", "group"]}), "group"),
            "subject" => ("The role, or the short name of the group.", json!({"type": "string"}), "turma-a"),
            "server" => ("The server's name in the configuration.", json!({"type": "string"}), "lxd1"),
            "network" => ("The network's name.", json!({"type": "string"}), "lxdbr0"),
            "fingerprint" => ("The certificate's SHA-256.", json!({"type": "string"}), FINGERPRINT),
            "operation" => ("The operation's `id`.", example::uuid_schema(), example::UUID),
            _ => ("Its `id`.", example::uuid_schema(), example::UUID),
        };
        more.push(json!({
            "name": name, "in": "path", "required": true, "description": description, "schema": schema,
            "example": example,
        }));
    }
    let known = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(known) = known.as_array_mut() {
        known.extend(more);
        if known.is_empty() {
            operation.remove("parameters");
        }
    }
}

fn header(name: &str, description: &str) -> Value {
    json!({
        "name": name, "in": "header", "required": false, "description": description, "schema": {"type": "string"},
    })
}

fn add_examples(operation: &mut Map<String, Value>, schemas: &Value) {
    let give = |content: Option<&mut Value>| {
        let Some(content) = content.and_then(Value::as_object_mut) else { return };
        for media in content.values_mut().filter_map(Value::as_object_mut) {
            let example = media.get("schema").map(|schema| example::of(schema, schemas));
            if let Some(example) = example.filter(|example| !example.is_null()) {
                media.entry("example").or_insert(example);
            }
        }
    };
    give(operation.get_mut("requestBody").and_then(|body| body.get_mut("content")));
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, response) in responses {
        give(response.get_mut("content"));
        if let Some(response) = response.as_object_mut() {
            let headers = match status.as_str() {
                "202" => {
                    json!({"Location": {"description": "Where to read what becomes of it.", "schema": {"type": "string"}}})
                }
                "304" => {
                    json!({"ETag": {"description": "The same as before.", "schema": {"type": "string"}}})
                }
                _ => continue,
            };
            response.insert("headers".to_owned(), headers);
        }
    }
}

fn add_problems(method: &str, operation: &mut Map<String, Value>) {
    let codes = codes(method, operation);
    operation.insert(CODES.to_owned(), codes.iter().map(|code| json!(code.as_str())).collect());
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    let mut statuses: Vec<u16> = codes.iter().map(|code| code.status()).collect();
    statuses.dedup();
    for status in statuses {
        let of_status: Vec<ProblemCode> =
            codes.iter().copied().filter(|code| code.status() == status).collect();
        let said: Vec<String> =
            of_status.iter().map(|c| format!("`{}`: {}", c.as_str(), c.title())).collect();
        let examples: Map<String, Value> = of_status
            .iter()
            .map(|code| {
                (code.as_str().to_owned(), json!({ "summary": code.title(), "value": problem(*code) }))
            })
            .collect();
        let mut response = json!({
            "description": said.join("; "),
            "content": { PROBLEM_JSON: { "schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples } },
        });
        if matches!(status, 429 | 503) {
            let seconds =
                json!({"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}});
            if let Some(response) = response.as_object_mut() {
                response.insert("headers".to_owned(), seconds);
            }
        }
        responses.insert(status.to_string(), response);
    }
}

/// What the handler listed and what follows, in the order of the documentation.
fn codes(method: &str, operation: &Map<String, Value>) -> Vec<ProblemCode> {
    use ProblemCode as P;
    let listed: Vec<&str> = operation
        .get(CODES)
        .and_then(Value::as_array)
        .map(|codes| codes.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let schemes: Vec<&String> = operation
        .get("security")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(Value::as_object).flat_map(Map::keys).collect())
        .unwrap_or_default();
    let needs_token = schemes.iter().any(|scheme| *scheme == "token");
    let auth = operation.get("operationId").and_then(Value::as_str).is_some_and(|id| id.starts_with("auth_"));
    let open = schemes.is_empty() && !auth;
    let has_body = operation.contains_key("requestBody");
    let has_parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .is_some_and(|all| all.iter().any(|p| p.get("name").is_none_or(|name| name != "If-None-Match")));
    let follows = |code: ProblemCode| match code {
        P::MalformedBody | P::PayloadTooLarge | P::UnsupportedMediaType => has_body,
        P::MalformedParameter => has_parameters,
        P::Unauthenticated | P::SessionExpired | P::AccountNotAllowed => needs_token,
        P::Forbidden => needs_token && method != "get",
        P::ForeignOrigin => method != "get",
        // What is handed over must be let in.
        P::Overloaded | P::ShuttingDown => {
            operation.get("responses").is_some_and(|all| all.get("202").is_some())
        }
        P::Internal => true,
        P::DatabaseUnavailable => !open,
        _ => false,
    };
    ProblemCode::ALL
        .iter()
        .copied()
        .filter(|code| listed.contains(&code.as_str()) || follows(*code))
        .collect()
}

/// What such a problem looks like.
fn problem(code: ProblemCode) -> Problem {
    let mut problem = Problem::new(code, format!("{}.", code.title()));
    example::UUID.clone_into(&mut problem.request_id);
    match code {
        ProblemCode::ValidationFailed => {
            problem.errors = vec![FieldError::new("name", "letter-first", "must start with a letter")];
        }
        ProblemCode::MalformedBody => {
            problem.errors = vec![FieldError::new("colour", "unknown-field", "unknown field `colour`")];
        }
        ProblemCode::NameTaken => problem.errors = vec![FieldError::new("name", "taken", "is taken")],
        ProblemCode::QuotaExceeded => {
            problem.quota =
                Some(QuotaShortage { resource: "machines".into(), asked: 1, used: 10, allowed: 10 });
        }
        _ => {}
    }
    if matches!(code.status(), 429 | 503) {
        problem.retry_after_seconds = Some(5);
    }
    problem
}
