//! A full queue, as a script meets it: refused with words and a time to wait, nothing reserved; a repeated request is
//! answered all the same, also by the next start.

use lxd_sim::{Action, Fault};
use serde_json::json;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_new_commands_and_answers_repeated_ones() {
    let mut app = TestApp::builder().http("[operations]\nqueue = 1").start().await;
    let bruno = app.as_student("bruno").await;
    app.sim.inject(Fault::on("POST", "/1.0/instances", Action::Hang));
    let with_key = bruno.with("idempotency-key", "once");
    let first = with_key.post("/machines", json!({ "name": "a" })).await.expect(202);

    let refused = bruno.post("/machines", json!({ "name": "b" })).await.problem(503, "overloaded");
    assert!(refused["retry_after_seconds"].as_u64().is_some());
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["machines"]["used"], 1, "no place was taken");
    assert_eq!(bruno.get("/operations").await.expect(200)["items"].as_array().unwrap().len(), 1);
    let again = with_key.post("/machines", json!({ "name": "a" })).await.expect(202);
    assert_eq!(again["id"], first["id"]);

    app.stop_server().await;
    app.start_server().await;
    let bruno = app.as_student("bruno").await;
    let with_key = bruno.with("idempotency-key", "once");
    bruno.post("/machines", json!({ "name": "b" })).await.problem(503, "overloaded");
    let again = with_key.post("/machines", json!({ "name": "a" })).await;
    assert_eq!(again.body["id"], first["id"], "{}", again.text);
    // LXD is started anew; what hung is sent again, and the queue is free.
    app.sim.stop().await;
    app.sim.clear_faults();
    app.sim.start().await.unwrap();
    bruno.done(again).await;
    bruno.machine("b").await;
    assert_eq!(app.sim.instances().len(), 2);
}
