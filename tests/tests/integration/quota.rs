//! The last place in the quota goes to exactly one of two who want it at the same moment.

use serde_json::json;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_cannot_both_take_the_last_place() {
    let app = TestApp::builder().quota(1).start().await;
    let bruno = app.as_student("bruno").await;
    for _ in 0..20 {
        let (a, b) = tokio::join!(
            bruno.post("/machines", json!({ "name": "a" })),
            bruno.post("/machines", json!({ "name": "b" })),
        );
        let (won, lost) = if a.status == 202 { (a, b) } else { (b, a) };
        let quota = lost.problem(422, "quota-exceeded")["quota"].clone();
        assert_eq!(quota, json!({ "resource": "machines", "asked": 1, "used": 1, "allowed": 1 }));
        let machine = bruno.done(won).await["machine"]["instance"].as_str().unwrap().to_owned();
        assert_eq!(app.sim.instances().len(), 1);
        bruno.done(bruno.delete(&format!("/machines/{machine}")).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_name_and_one_instance_name_are_given_once() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    bruno.machine("web").await;
    bruno.post("/machines", json!({ "name": "WEB" })).await.problem(409, "name-taken");
    // Two machines of one person at once: one operation each, both are made.
    let (c, d) = tokio::join!(
        bruno.post("/machines", json!({ "name": "c" })),
        bruno.post("/machines", json!({ "name": "d" })),
    );
    bruno.done(c).await;
    bruno.done(d).await;
}
