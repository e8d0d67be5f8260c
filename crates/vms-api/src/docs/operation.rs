//! One operation as a piece of the page.

use maud::{Markup, html};
use serde_json::Value;

use super::page::{inline, prose};

/// Methods in the order in which people think of them.
const ORDER: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// One operation of the document.
pub(super) struct Operation<'a> {
    pub(super) id: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) summary: &'a str,
    body: &'a Value,
}

/// The operations with this tag, by path.
pub(super) fn of_tag<'a>(document: &'a Value, tag: &str) -> Vec<Operation<'a>> {
    let mut found = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for method in ORDER {
            let Some(body) = item.get(method) else { continue };
            let tags = body.get("tags").and_then(Value::as_array);
            if tags.into_iter().flatten().any(|t| t == tag) {
                found.push(Operation {
                    id: text(body, "operationId"),
                    method,
                    path,
                    summary: text(body, "summary"),
                    body,
                });
            }
        }
    }
    found
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn article(document: &Value, operation: &Operation<'_>) -> Markup {
    let body = operation.body;
    let parameters: Vec<&Value> =
        body.get("parameters").and_then(Value::as_array).into_iter().flatten().collect();
    let request = body.pointer("/requestBody/content/application~1json");
    html! {
        article id=(operation.id) {
            h3 { (operation.summary) }
            p.line { span.method.(operation.method) { (operation.method) } " " code { (operation.path) } }
            (prose(text(body, "description")))
            p.muted { (who(body)) }
            @if !parameters.is_empty() {
                h4 { "Parameters" }
                table {
                    thead { tr { th { "Name" } th { "In" } th { "Meaning" } } }
                    tbody { @for one in parameters {
                        tr { td { code { (text(one, "name")) } } td { (text(one, "in")) } td { (inline(text(one, "description"))) } }
                    } }
                }
            }
            @if let Some(request) = request {
                h4 { "Request body" }
                (fields(document, request))
                (example(request))
            }
            h4 { "Answers" }
            (answers(document, body))
        }
    }
}

fn who(body: &Value) -> &'static str {
    let has = |scheme: &str| {
        body.get("security")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .any(|one| one.get(scheme).is_some())
    };
    match (has("token"), has("cookie")) {
        (true, _) => "Needs a Bearer token.",
        (false, true) => "Needs the session cookie of the login.",
        (false, false) => "Open to everyone.",
    }
}

fn answers(document: &Value, body: &Value) -> Markup {
    html! {
        @for (status, response) in body.get("responses").and_then(Value::as_object).into_iter().flatten() {
            @let good = status.starts_with('2') || status.starts_with('3');
            details open[good] {
                summary { span.status { (status) } " " (inline(text(response, "description"))) }
                @if let Some(media) = response.pointer("/content/application~1json") {
                    (fields(document, media))
                    (example(media))
                }
                @let problems = response.pointer("/content/application~1problem+json/examples").and_then(Value::as_object);
                @for (code, _) in problems.into_iter().flatten() {
                    p { a href={ "/docs/problems#" (code) } { (code) } }
                }
            }
        }
    }
}

fn example(media: &Value) -> Markup {
    html! { @if let Some(example) = media.get("example") { pre { code { (format!("{example:#}")) } } } }
}

/// The fields of a body, one level deep: the example shows the rest.
fn fields(document: &Value, media: &Value) -> Markup {
    let schema = media.get("schema").unwrap_or(&Value::Null);
    let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
    let schema =
        name.and_then(|name| document.pointer(&format!("/components/schemas/{name}"))).unwrap_or(schema);
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return html! {} };
    html! {
        table {
            thead { tr { th { "Field" } th { "Type" } th { "Meaning" } } }
            tbody { @for (field, about) in properties {
                tr {
                    td { code { (field) } @if required.contains(&field.as_str()) { " " span.muted { "required" } } }
                    td { (kind(about)) }
                    td { (inline(text(about, "description"))) }
                }
            } }
        }
    }
}

fn kind(schema: &Value) -> String {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return name.to_owned();
    }
    if let Some(all) = schema.get("oneOf").or_else(|| schema.get("allOf")).and_then(Value::as_array) {
        return all.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let one = |name: &str| match (name, schema.get("items")) {
        ("array", Some(items)) => format!("list of {}", kind(items)),
        _ => name.to_owned(),
    };
    match schema.get("type") {
        Some(Value::String(name)) => one(name),
        Some(Value::Array(names)) => {
            names.iter().filter_map(Value::as_str).map(one).collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}
