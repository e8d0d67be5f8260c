//! The document is held to its promises: whatever a handler forgets is found here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeSet;

use super::*;
use crate::middleware::PUBLIC;

/// Method, path and operation of everything in the document.
fn operations() -> Vec<(String, String, Value)> {
    let document = document();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((method.to_ascii_uppercase(), path.clone(), operation.clone()));
        }
    }
    all
}

#[test]
fn every_operation_says_what_it_is_who_may_and_how_it_ends() {
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let place = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(!id.is_empty() && ids.insert(id.to_owned()), "{place}: operationId {id:?}");
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{place}: one tag");
        for words in ["summary", "description"] {
            assert!(operation[words].as_str().is_some_and(|text| text.len() > 3), "{place}: {words}");
        }
        assert!(operation["security"].is_array(), "{place}: security");
        assert!(!operation["x-problem-codes"].as_array().unwrap().is_empty(), "{place}: codes");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(parameter["description"].is_string(), "{place}: {parameter}");
        }
        for name in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            let told = operation["parameters"].as_array().into_iter().flatten().any(|p| p["name"] == name);
            assert!(told, "{place}: {name}");
        }
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2') || status == "101"),
            "{place}: a good answer"
        );
    }
}

#[test]
fn every_body_has_an_example_and_every_code_its_problem() {
    for (method, path, operation) in operations() {
        let place = format!("{method} {path}");
        let mut codes: BTreeSet<&str> =
            operation["x-problem-codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap()).collect();
        if let Some(body) = operation.get("requestBody") {
            // What is no JSON is nobody's text.
            let json = body["content"].get("application/json");
            assert!(json.is_none_or(|json| json["example"].is_object()), "{place}: request example");
        }
        for (status, response) in operation["responses"].as_object().unwrap() {
            if let Some(media) = response["content"].get("application/json") {
                assert!(media["example"].is_object() || path.ends_with("openapi.json"), "{place}: {status}");
            }
            let problems = response["content"]["application/problem+json"]["examples"].as_object();
            for (code, example) in problems.into_iter().flatten() {
                let problem: Problem = serde_json::from_value(example["value"].clone()).unwrap();
                assert_eq!(problem.status.to_string(), *status, "{place}: {code}");
                assert_eq!(problem.code.as_str(), code);
                assert!(codes.remove(code.as_str()), "{place}: {code} is not in x-problem-codes");
            }
        }
        assert!(codes.is_empty(), "{place}: no response for {codes:?}");
    }
}

#[test]
fn the_public_routes_are_those_without_a_token() {
    let open: BTreeSet<(String, String)> = operations()
        .into_iter()
        .filter(|(_, _, operation)| {
            !operation["security"].as_array().unwrap().iter().any(|scheme| scheme.get("token").is_some())
        })
        .map(|(method, path, _)| (method, path))
        .collect();
    let public: BTreeSet<(String, String)> = PUBLIC
        .iter()
        .map(|(method, path)| ((*method).to_owned(), format!("{}{path}", vms_types::API_PREFIX)))
        .collect();
    assert_eq!(open, public);
}

/// A handler with a route attribute that is not mounted, or mounted past the document, is missing here.
#[test]
fn every_handler_is_in_the_document() {
    let sources = [
        include_str!("../routes/audiences.rs"),
        include_str!("../routes/audit.rs"),
        include_str!("../routes/auth.rs"),
        include_str!("../routes/bulk.rs"),
        include_str!("../routes/catalog.rs"),
        include_str!("../routes/differences.rs"),
        include_str!("../routes/events.rs"),
        include_str!("../routes/images.rs"),
        include_str!("../routes/machines.rs"),
        include_str!("../routes/networks.rs"),
        include_str!("../routes/operations.rs"),
        include_str!("../routes/overview.rs"),
        include_str!("../routes/profiles.rs"),
        include_str!("../routes/quotas.rs"),
        include_str!("../routes/site.rs"),
        include_str!("../routes/snapshots.rs"),
        include_str!("../routes/tokens.rs"),
        include_str!("../routes/users.rs"),
    ];
    let written: BTreeSet<(String, String)> = sources
        .iter()
        .flat_map(|source| source.lines())
        .filter_map(|line| {
            let (method, rest) = line.strip_prefix("#[")?.split_once("(\"/")?;
            let path = rest.strip_suffix("\")]")?;
            Some((method.to_ascii_uppercase(), format!("{}/{path}", vms_types::API_PREFIX)))
        })
        .collect();
    let documented: BTreeSet<_> = operations().into_iter().map(|(method, path, _)| (method, path)).collect();
    assert_eq!(written, documented);
    let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/routes")).unwrap().count();
    assert_eq!(files, sources.len() + 1, "a file of routes is not read by this test");
}

#[test]
fn all_references_lead_somewhere() {
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(path)) = map.get("$ref") {
                    found.insert(path.clone());
                }
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document = document();
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(found.len() > 10, "{found:?}");
    for path in found {
        let pointer = path.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{path}");
    }
}

#[test]
fn what_is_checked_in_is_what_the_code_says() {
    let kept =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/vms.json")).unwrap();
    assert!(
        kept == document_text(),
        "openapi/vms.json is out of date: run `cargo xtask openapi` and commit it"
    );
}

#[test]
fn the_table_knows_methods_and_actions() {
    let table = RouteTable::new();
    let mut methods = table.methods("/api/v1/machines/vmbrunoa");
    methods.sort_unstable();
    assert_eq!(methods, ["DELETE", "GET", "PATCH"]);
    assert!(table.methods("/api/v1/nothing").is_empty());
    assert_eq!(table.action("PUT", "/api/v1/machines/x/state").as_deref(), Some("machine.power"));
    assert_eq!(table.action("POST", "/api/v1/auth/login").as_deref(), Some("auth.login"));
}
