//! LXD stops, fails or loses the connection; the portal itself is restarted. Nothing hangs, nothing is lost.

use std::time::{Duration, Instant};

use lxd_sim::{Action, Fault, Timing};
use serde_json::json;

use crate::app::TestApp;

/// "In seconds": far below the time that a person would take for a hang.
const SOON: Duration = Duration::from_secs(5);

#[tokio::test(flavor = "multi_thread")]
async fn lxd_stops_while_work_is_under_way_and_all_is_well_when_it_is_back() {
    let slow = Timing { create: Duration::from_secs(1), ..Timing::instant() };
    let app = TestApp::builder().timing(slow).start().await;
    let bruno = app.as_student("bruno").await;
    bruno.machine("a").await;
    let under_way = bruno.post("/machines", json!({ "name": "b" })).await;
    app.sim.stop().await;
    bruno.until("/machines/vmbrunoa", "it is stale", |machine| machine["stale"] == true).await;

    let began = Instant::now();
    bruno.post("/machines", json!({ "name": "c" })).await.problem(503, "server-unavailable");
    bruno.power("vmbrunoa", "stop").await.problem(503, "server-unavailable");
    bruno.delete("/machines/vmbrunoa").await.problem(503, "server-unavailable");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let seen = bruno.get("/machines").await.expect(200);
    assert_eq!(seen["items"].as_array().unwrap().len(), 2, "what was last seen is still shown");
    let ready = app.nobody().at(reqwest::Method::GET, "/readyz").await;
    assert_eq!((ready.status, ready.body["servers"][0]["ok"].as_bool()), (503, Some(false)));

    app.sim.start().await.unwrap();
    app.ready().await;
    bruno.done(under_way).await;
    bruno.until("/machines/vmbrunob", "it runs", |machine| machine["status"] == "running").await;
    bruno.machine("c").await;
    assert_eq!(app.sim.instances().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lxd_says_of_a_failure_stands_in_the_operation() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    app.sim.inject(Fault::on(
        "POST",
        "/1.0/instances",
        Action::FailOperationMidway("no space left on device".into()),
    ));
    let ended = bruno.end(bruno.post("/machines", json!({ "name": "a" })).await).await;
    assert_eq!(ended["status"], "failed");
    assert!(ended["error"]["message"].as_str().unwrap().contains("no space left on device"), "{ended:#}");
    app.sim.clear_faults();
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["machines"]["used"], 0, "the place is free again");
    bruno.machine("a").await;

    app.sim.inject(Fault::on(
        "PUT",
        "/1.0/instances/*/state",
        Action::Error { code: 500, message: "cgroups".into() },
    ));
    let ended = bruno.end(bruno.power("vmbrunoa", "stop").await).await;
    assert_eq!(
        (ended["status"].as_str(), ended["error"]["code"].as_str()),
        (Some("failed"), Some("server-error"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_of_a_creation_loses_nothing() {
    let slow =
        Timing { create: Duration::from_secs(1), start: Duration::from_millis(500), ..Timing::instant() };
    let mut app = TestApp::builder().timing(slow).start().await;
    let bruno = app.as_student("bruno").await;
    let accepted = bruno.post("/machines", json!({ "name": "a" })).await;
    let path = format!("/operations/{}", accepted.body["id"].as_str().unwrap());
    bruno.until(&path, "LXD is at it", |operation| operation["status"] == "running").await;
    app.stop_server().await;
    app.start_server().await;
    // The signing key is a file: the token is still good, the session too.
    let token_again = app.as_student("bruno").await;
    let ended = token_again.get(&format!("{path}/wait?timeout_seconds=15")).await.expect(200);
    assert_eq!(ended["status"], "succeeded", "{ended:#}");
    token_again.until("/machines/vmbrunoa", "it runs", |machine| machine["status"] == "running").await;
    assert_eq!(app.sim.instances().len(), 1);
    assert_eq!(token_again.get("/machines").await.expect(200)["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_portal_that_starts_while_lxd_is_away_forgets_no_machine() {
    let mut app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    bruno.machine("a").await;
    bruno.machine("b").await;
    app.stop_server().await;
    app.sim.stop().await;
    app.start_server_unready().await;

    let bruno = app.as_student("bruno").await;
    let machines = bruno.get("/machines").await.expect(200)["items"].clone();
    let seen: Vec<_> = machines.as_array().unwrap().iter().map(|m| (&m["status"], &m["stale"])).collect();
    assert_eq!(seen, [(&json!("unknown"), &json!(true)); 2], "{machines:#}");
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["machines"]["used"], 2);
    bruno.delete("/machines/vmbrunoa").await.problem(503, "server-unavailable");

    app.sim.start().await.unwrap();
    for machine in ["/machines/vmbrunoa", "/machines/vmbrunob"] {
        bruno.until(machine, "seen again", |m| m["status"] == "running" && m["stale"] == false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_tokens_outlive_a_restart() {
    let mut app = TestApp::start().await;
    let login = app.nobody().post("/auth/login", json!({ "username": "ana", "password": "ana" })).await;
    let token = login.expect(200)["access_token"].as_str().unwrap().to_owned();
    app.stop_server().await;
    app.start_server().await;
    app.nobody().with_token(&token).get("/me").await.expect(200);
}
