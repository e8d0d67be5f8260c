//! A machine's life, its snapshots, its operations, and what makes asking often and asking twice harmless.

use std::time::Duration;

use lxd_sim::{Action, Fault, Timing};
use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_made_used_and_removed() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let made = bruno.machine("maquinaa").await;
    assert_eq!(made["instance"], "vmbrunomaquinaa");
    assert_eq!(made["image"]["alias"], "debian-12");
    let path = "/machines/vmbrunomaquinaa";
    let address = |m: &serde_json::Value| m["addresses"][0]["address"].as_str().is_some();
    bruno.until(path, "it has an address", address).await;
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["machines"]["used"], 1);

    bruno.power("vmbrunomaquinaa", "start").await.problem(409, "wrong-state");
    for (action, status) in [
        ("freeze", "frozen"),
        ("unfreeze", "running"),
        ("restart", "running"),
        ("stop", "stopped"),
        ("start", "running"),
    ] {
        bruno.done(bruno.power("vmbrunomaquinaa", action).await).await;
        let now = bruno.until(path, status, |machine| machine["status"] == status).await;
        assert!(status != "stopped" || now["addresses"] == json!([]), "{now:#}");
    }
    bruno.done(bruno.send(Method::POST, &format!("{path}/reset"), None).await).await;
    // By its id it is the same machine as before.
    let by_id = format!("/machines/{}", made["id"].as_str().unwrap());
    bruno.until(&by_id, "it runs again", |machine| machine["status"] == "running").await;
    bruno.done(bruno.delete(path).await).await;
    bruno.get(&by_id).await.problem(404, "not-found");
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["machines"]["used"], 0);
    assert!(app.sim.instances().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_taken_renamed_restored_and_removed() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    bruno.machine("a").await;
    let path = "/machines/vmbrunoa/snapshots";
    bruno.done(bruno.post(path, json!({ "name": "antes" })).await).await;
    bruno.post(path, json!({ "name": "antes" })).await.problem(409, "name-taken");
    let rename = json!({ "name": "depois" });
    bruno.done(bruno.send(Method::PATCH, &format!("{path}/antes"), Some(rename.clone())).await).await;
    let names = bruno.get(path).await.expect(200)["items"].clone();
    assert_eq!((names[0]["name"].as_str(), names.as_array().unwrap().len()), (Some("depois"), 1));
    bruno.send(Method::PATCH, &format!("{path}/antes"), Some(rename)).await.problem(404, "not-found");
    bruno.done(bruno.send(Method::POST, &format!("{path}/depois/restore"), None).await).await;
    bruno.done(bruno.delete(&format!("{path}/depois")).await).await;
    assert_eq!(bruno.get("/machines/vmbrunoa").await.expect(200)["snapshots"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_what_changed_is_refused() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    bruno.machine("a").await;
    bruno.until("/machines/vmbrunoa", "it has an address", |m| m["addresses"] != json!([])).await;
    let tag = bruno.get("/machines/vmbrunoa").await.header("etag").to_owned();
    let edit = |text: &str| Some(json!({ "description": text }));
    let careful = bruno.with("if-match", &tag);
    let edited = careful.send(Method::PATCH, "/machines/vmbrunoa", edit("one")).await;
    assert_ne!(edited.header("etag"), tag);
    edited.expect(200);
    let late = careful.send(Method::PATCH, "/machines/vmbrunoa", edit("two")).await;
    late.problem(412, "precondition-failed");
    assert_eq!(bruno.get("/machines/vmbrunoa").await.expect(200)["description"], "one");
    assert_eq!(bruno.with("if-none-match", &tag).get("/machines/vmbrunoa").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_sent_twice_is_done_once() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await.with("idempotency-key", "my-key-1");
    let first = bruno.post("/machines", json!({ "name": "a" })).await;
    bruno.done(first.clone()).await;
    let second = bruno.post("/machines", json!({ "name": "a" })).await.expect(202);
    assert_eq!(second["id"], first.body["id"]);
    bruno.post("/machines", json!({ "name": "b" })).await.problem(422, "idempotency-key-reused");
    assert_eq!(app.sim.instances().len(), 1);
    // Another person's key is another key.
    let ana = app.as_student("ana").await.with("idempotency-key", "my-key-1");
    ana.done(ana.post("/machines", json!({ "name": "a" })).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_is_waited_for_and_no_longer_than_asked() {
    let slow = Timing { create: Duration::from_secs(3), ..Timing::instant() };
    let app = TestApp::builder().timing(slow).start().await;
    let bruno = app.as_student("bruno").await;
    let accepted = bruno.post("/machines", json!({ "name": "a" })).await;
    let path = format!("/operations/{}", accepted.body["id"].as_str().unwrap());
    let early = bruno.get(&format!("{path}/wait?timeout_seconds=0")).await.expect(200);
    assert!(["pending", "running"].contains(&early["status"].as_str().unwrap()), "{early:#}");
    assert_eq!(bruno.get("/machines/vmbrunoa").await.expect(200)["status"], "creating");
    bruno.power("vmbrunoa", "start").await.problem(409, "machine-busy");
    bruno.get(&format!("{path}/wait?timeout_seconds=61")).await.problem(400, "malformed-parameter");
    bruno.done(accepted).await;
    bruno.delete(&path).await.problem(409, "not-cancellable");
    let listed = bruno.get("/operations?limit=1").await.expect(200);
    assert_eq!(listed["items"][0]["status"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lxd_was_not_asked_for_yet_can_be_cancelled() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    app.sim.inject(Fault::on("*", "/1.0/instances/**", Action::CloseConnection));
    let accepted = bruno.post("/machines", json!({ "name": "a" })).await;
    let path = format!("/operations/{}", accepted.body["id"].as_str().unwrap());
    bruno.delete(&path).await.expect(200);
    assert_eq!(bruno.end(accepted).await["status"], "cancelled");
    app.sim.clear_faults();
    assert!(app.sim.instances().is_empty());
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["machines"]["used"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages_and_can_be_narrowed() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    for name in ["a", "b", "c"] {
        bruno.machine(name).await;
    }
    for path in ["/machines", "/operations"] {
        let first = bruno.get(&format!("{path}?limit=2")).await.expect(200);
        let cursor = first["next_cursor"].as_str().unwrap();
        let second = bruno.get(&format!("{path}?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!(
            (first["items"].as_array().unwrap().len(), second["items"].as_array().unwrap().len()),
            (2, 1)
        );
        assert_eq!(second["next_cursor"], json!(null));
        bruno.get(&format!("{path}?limit=0")).await.problem(400, "malformed-parameter");
        bruno.get(&format!("{path}?limit=501")).await.problem(400, "malformed-parameter");
    }
    let count = async |query: &str| bruno.get(query).await.expect(200)["items"].as_array().unwrap().len();
    assert_eq!(count("/machines?q=VMBRUNOB").await, 1);
    assert_eq!(count("/machines?status=stopped").await, 0);
    assert_eq!(count("/machines?server=lxd1&status=running").await, 3);
    let everyone = app.as_admin().await.get("/machines?owner=*").await.expect(200);
    assert_eq!(everyone["items"].as_array().unwrap().len(), 3);
}
