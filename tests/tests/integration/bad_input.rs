//! Whatever comes in, the answer says what was wrong with it, and nothing reaches LXD.

use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn names_follow_the_rules_of_host_names() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let long = "a".repeat(200);
    for (name, code) in [
        ("", "required"),
        (long.as_str(), "too-long"),
        ("1a", "letter-first"),
        ("a-", "dash-last"),
        ("-a", "letter-first"),
        ("máquina", "host-character"),
        ("a\u{202e}b", "host-character"),
        ("a b", "host-character"),
        ("../a", "host-character"),
        ("a/../../b", "host-character"),
        ("a\0", "host-character"),
    ] {
        let problem =
            bruno.post("/machines", json!({ "name": name })).await.problem(422, "validation-failed");
        let error = &problem["errors"][0];
        assert_eq!((error["field"].as_str(), error["code"].as_str()), (Some("name"), Some(code)), "{name:?}");
    }
    assert!(app.sim.instances().is_empty());
    // Host names ignore case.
    assert_eq!(bruno.machine("MinhaVM").await["name"], "minhavm");
    for name in ["", "../x", "a/b", "é"] {
        let answer = bruno.post("/machines/vmbrunominhavm/snapshots", json!({ "name": name })).await;
        answer.problem(422, "validation-failed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_told_where() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let long = json!({ "name": "a", "description": "x".repeat(70_000) }).to_string();
    for (kind, body, status, code) in [
        ("application/json", "{\"name\": ", 400, "malformed-body"),
        ("application/json", "", 400, "malformed-body"),
        ("application/json", "[]", 400, "malformed-body"),
        ("application/json", "{\"name\": 7}", 400, "malformed-body"),
        ("application/json", "{\"name\": \"a\", \"start\": \"yes\"}", 400, "malformed-body"),
        ("application/json", "{\"name\": \"a\", \"config\": {\"raw.lxc\": \"x\"}}", 400, "malformed-body"),
        ("application/json", "{\"name\": \"a\"} {}", 400, "malformed-body"),
        ("application/json", long.as_str(), 413, "payload-too-large"),
        ("text/plain", "{\"name\": \"a\"}", 415, "unsupported-media-type"),
        ("application/x-www-form-urlencoded", "name=a", 415, "unsupported-media-type"),
    ] {
        let answer =
            bruno.raw(Method::POST, "/api/v1/machines", Some((kind, body.as_bytes().to_vec()))).await;
        answer.problem(status, code);
    }
    let invalid_utf8 = Some(("application/json", vec![b'{', 0xff, b'}']));
    bruno.raw(Method::POST, "/api/v1/machines", invalid_utf8).await.problem(400, "malformed-body");
    let unknown =
        bruno.post("/machines", json!({ "name": "a", "colour": "red" })).await.problem(400, "malformed-body");
    assert_eq!(unknown["errors"][0]["field"], "colour");
    assert_eq!(unknown["errors"][0]["code"], "unknown-field");
    assert!(app.sim.instances().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_wrong_is_said_at_once() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let body = json!({ "name": "1", "image": "windows", "profile": "root", "server": "lxd1", "description": "x".repeat(501) });
    let problem = bruno.post("/machines", body).await.problem(422, "validation-failed");
    let fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    for field in ["name", "image", "profile", "server", "description"] {
        assert!(fields.contains(&field), "{field} is not in {fields:?}");
    }
    bruno.post("/machines", json!({ "name": "a", "owner": "ana" })).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_parameters_and_headers_are_checked() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    for path in ["/nothing", "/machines/", "/machines/..%2f..%2f1.0", "/machines/%ff", "/machines/vmbruno%00"]
    {
        bruno.get(path).await.problem(404, "not-found");
    }
    for path in [
        "/machines?colour=1",
        "/machines?status=flying",
        "/operations/7",
        "/machines?cursor=%3f",
        "/operations?cursor=x",
    ] {
        let answer = bruno.get(path).await;
        assert!(matches!(answer.status, 400 | 422), "{}: {}", answer.asked, answer.text);
    }
    let refused = bruno.send(Method::PUT, "/machines", Some(json!({}))).await;
    assert_eq!(refused.header("allow"), "GET, POST");
    refused.problem(405, "method-not-allowed");
    let key = "k".repeat(201);
    let answer = bruno.with("idempotency-key", &key).post("/machines", json!({ "name": "a" })).await;
    answer.problem(400, "malformed-parameter");
    let timeout = json!({ "action": "stop", "timeout_seconds": 0 });
    bruno.machine("a").await;
    let answer = bruno.send(Method::PUT, "/machines/vmbrunoa/state", Some(timeout)).await;
    answer.problem(422, "validation-failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clients_request_id_is_kept_if_it_is_harmless() {
    let app = TestApp::start().await;
    let answer = app.nobody().with("x-request-id", "script-7.a_b").get("/me").await;
    assert_eq!(answer.problem(401, "unauthenticated")["request_id"], "script-7.a_b");
    let answer = app.nobody().with("x-request-id", "a b\" c").get("/me").await;
    assert_eq!(answer.header("x-request-id").len(), 36, "a new one");
    for token in ["", "x", "vmsp_x", "a.b.c"] {
        app.nobody().with_token(token).get("/me").await.problem(401, "unauthenticated");
    }
}
