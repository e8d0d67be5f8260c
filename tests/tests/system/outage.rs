//! LXD goes away in the middle of the work, and comes back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vms_tests::real::http::operation_of;
use vms_tests::real::{Answer, Api, School, eventually};

use crate::school;

/// How long the server may take to notice that LXD is gone, or back.
const NOTICE: Duration = Duration::from_secs(20);
/// How long any one request may take, whatever LXD does.
const AT_ONCE: Duration = Duration::from_secs(5);

async fn at_once(request: impl Future<Output = Answer>) -> Answer {
    let since = Instant::now();
    let answer = request.await;
    assert!(since.elapsed() < AT_ONCE, "{} took {:?}", answer.asked, since.elapsed());
    answer
}

/// All machines of the list, each seen as it was seen last (or not).
async fn stale(who: &Api, wanted: bool) -> Vec<Value> {
    eventually(if wanted { "a stale list" } else { "a live list" }, NOTICE, async || {
        let machines = at_once(who.get("/machines")).await.expect(200)["items"].as_array().unwrap().clone();
        if machines.iter().all(|machine| machine["stale"] == wanted) {
            Ok(machines)
        } else {
            Err(format!("{machines:#?}"))
        }
    })
    .await
}

/// LXD ends, as `end` does it, while a creation is under way.
async fn goes_away(school: &School, end: impl FnOnce()) {
    let bruno = school.login("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": "velha" })).await).await;
    school.is_up("vmbrunovelha");
    let creation = operation_of(bruno.post("/machines", json!({ "name": "nova" })).await);
    eventually("LXD to be at it", NOTICE, async || {
        let operation = bruno.get(&format!("/operations/{creation}")).await.expect(200);
        if operation["status"] == "pending" { Err(format!("{operation:#}")) } else { Ok(()) }
    })
    .await;
    tokio::task::block_in_place(end);

    let shown = stale(&bruno, true).await;
    assert_eq!(shown.len(), 2, "the list forgot a machine: {shown:#?}");
    assert!(
        shown.iter().any(|machine| machine["name"] == "velha" && machine["status"] == "running"),
        "{shown:#?}"
    );
    at_once(bruno.power("vmbrunovelha", "stop")).await.problem(503, "server-unavailable");
    at_once(bruno.post("/machines/vmbrunovelha/snapshots", json!({ "name": "s" })))
        .await
        .problem(503, "server-unavailable");
    at_once(bruno.delete("/machines/vmbrunovelha")).await.problem(503, "server-unavailable");
    at_once(bruno.post("/machines", json!({ "name": "outra" }))).await.problem(503, "server-unavailable");
    assert_eq!(
        at_once(bruno.get("/me")).await.expect(200)["quota"]["machines"]["used"],
        2,
        "a refused creation took a place"
    );
    // Logging in needs the directory only.
    drop(school.login("ana").await);

    tokio::task::block_in_place(|| school.lxd.start_again()).unwrap();
    stale(&bruno, false).await;
    let end = bruno.ended(&creation).await;
    assert!(["succeeded", "failed"].iter().any(|status| end["status"] == *status), "{end:#}");
    school.assert_nothing_orphaned(&bruno).await;

    // Works again by itself, and what was refused leaves no trace.
    bruno.done(bruno.power("vmbrunovelha", "stop").await).await;
    bruno.done(bruno.post("/machines", json!({ "name": "outra", "start": false })).await).await;
    school.assert_nothing_orphaned(&bruno).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lxd_crashes_while_a_machine_is_made() {
    let school = school!();
    goes_away(&school, || school.lxd.kill9().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lxd_is_stopped_while_a_machine_is_made() {
    let school = school!();
    goes_away(&school, || school.lxd.stop().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lxd_hangs_and_nobody_waits_for_it() {
    let school = school!();
    let bruno = school.login("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": "velha" })).await).await;
    school.is_up("vmbrunovelha");

    school.lxd.freeze().unwrap();
    assert_eq!(at_once(bruno.get("/machines")).await.expect(200)["items"].as_array().unwrap().len(), 1);
    at_once(bruno.get("/me")).await.expect(200);
    // It still accepts connections: the command may be taken, but nobody waits for what becomes of it.
    let answer = at_once(bruno.power("vmbrunovelha", "stop")).await;
    let taken = match answer.status {
        202 => Some(operation_of(answer)),
        _ => {
            answer.problem(503, "server-unavailable");
            None
        }
    };
    school.lxd.thaw().unwrap();

    stale(&bruno, false).await;
    match taken {
        Some(id) => assert_eq!(bruno.ended(&id).await["status"], "succeeded"),
        None => drop(bruno.done(bruno.power("vmbrunovelha", "stop").await).await),
    }
    assert_eq!(bruno.machine("vmbrunovelha").await["status"], "stopped");
    school.assert_nothing_orphaned(&bruno).await;
}
