//! Example bodies, made from the schemas: the example of a field where it has one, else a plain value of its type.

use serde_json::{Map, Value, json};

/// The id that stands in all examples.
pub(super) const UUID: &str = "0192f0c1-7a53-7c1e-9d0e-3f1f5d0c8a77";
/// The time that stands in all examples.
const TIME: &str = "2026-03-02T12:34:56Z";

pub(super) fn uuid_schema() -> Value {
    json!({"type": "string", "format": "uuid"})
}

/// An example of what `schema` describes.
pub(super) fn of(schema: &Value, schemas: &Value) -> Value {
    // Deeper than any body of this API; a schema that contains itself ends here.
    build(schema, schemas, 16)
}

fn build(schema: &Value, schemas: &Value, depth: u8) -> Value {
    let Some(depth) = depth.checked_sub(1) else { return Value::Null };
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(first) = schema.get("examples").and_then(Value::as_array).and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return schemas.get(name).map(|schema| build(schema, schemas, depth)).unwrap_or_default();
    }
    if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|all| all.first()) {
        return first.clone();
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let objects = parts.iter().map(|part| build(part, schemas, depth));
        let merged = objects.filter_map(|part| part.as_object().cloned()).flatten();
        return Value::Object(merged.collect());
    }
    if let Some(all) = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key)).and_then(Value::as_array) {
        let nullable = all.iter().any(|one| one.get("type").is_some_and(|kind| kind == "null"));
        // An optional part is left out: the example of a machine without an operation is the usual one.
        return if nullable {
            Value::Null
        } else {
            all.first().map(|one| build(one, schemas, depth)).unwrap_or_default()
        };
    }
    let kinds: Vec<&str> = match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if kinds.contains(&"null") {
        return Value::Null;
    }
    match kinds.first().copied() {
        Some("object") => object(schema, schemas, depth),
        Some("array") => {
            schema.get("items").map(|item| json!([build(item, schemas, depth)])).unwrap_or_default()
        }
        Some("string") => match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => json!(UUID),
            Some("date-time") => json!(TIME),
            _ => json!("text"),
        },
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(false),
        _ => Value::Null,
    }
}

fn object(schema: &Value, schemas: &Value, depth: u8) -> Value {
    let properties = schema.get("properties").and_then(Value::as_object);
    let example: Map<String, Value> = properties
        .into_iter()
        .flatten()
        .map(|(name, field)| (name.clone(), build(field, schemas, depth)))
        .collect();
    Value::Object(example)
}
