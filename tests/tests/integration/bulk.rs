//! One command to many machines: each is judged alone, and written down alone.

use serde_json::{Value, json};

use crate::app::{Person, TestApp};

/// For each machine: the status of its problem, or 202.
async fn bulk(person: &Person, body: Value) -> Vec<(String, u64)> {
    let answer = person.post("/machines/bulk", body).await.expect(200);
    let items = answer["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| {
            assert!(item["operation"].is_null() != item["problem"].is_null(), "{item}");
            let status = item["problem"]["status"].as_u64().unwrap_or(202);
            (item["machine"].as_str().unwrap().to_owned(), status)
        })
        .collect()
}

fn items(list: &[(&str, u64)]) -> Vec<(String, u64)> {
    list.iter().map(|(machine, status)| ((*machine).to_owned(), *status)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_commands_many_and_learns_what_became_of_each() {
    let app = TestApp::start().await;
    let (bruno, ana) = (app.as_student("bruno").await, app.as_student("ana").await);
    bruno.machine("maquinaa").await;
    ana.machine("web").await;
    let admin = app.as_admin().await;
    let both = json!(["vmbrunomaquinaa", "vmnothing", "vmanaweb"]);
    let expected = items(&[("vmbrunomaquinaa", 202), ("vmnothing", 404), ("vmanaweb", 202)]);

    let stop = json!({ "action": "stop", "machines": both, "force": true });
    let stopping = admin.with("x-request-id", "many").post("/machines/bulk", stop).await.expect(200);
    assert_eq!(stopping["items"][1]["problem"]["code"], "not-found");
    assert_eq!(stopping["items"][1]["problem"]["request_id"], "many");
    for machine in ["vmbrunomaquinaa", "vmanaweb"] {
        admin.until(&format!("/machines/{machine}"), "it is off", |m| m["status"] == "stopped").await;
    }
    // As if each had come alone, and the request itself.
    let lines: Vec<_> = app.audit().await.into_iter().filter(|line| line.request_id == "many").collect();
    let words: Vec<_> =
        lines.iter().map(|line| (line.action.as_str(), line.target.as_str(), line.outcome)).collect();
    assert_eq!(
        words,
        [
            ("machine.bulk", "machines/bulk", 200),
            ("machine.power", "machines/vmanaweb/state", 202),
            ("machine.power", "machines/vmnothing/state", 404),
            ("machine.power", "machines/vmbrunomaquinaa/state", 202),
        ]
    );
    assert!(lines.iter().all(|line| line.actor == "admin" && line.address == "127.0.0.1"));
    assert_eq!(lines[2].code.as_deref(), Some("not-found"));
    assert_eq!(lines[1].detail.as_ref().unwrap()["action"], "stop");

    let snapshot = json!({ "action": "snapshot", "machines": both, "snapshot": "antes" });
    assert_eq!(bulk(&admin, snapshot).await, expected);
    for machine in ["vmbrunomaquinaa", "vmanaweb"] {
        let done = |m: &Value| m["snapshots"][0]["name"] == "antes" && m["operation"].is_null();
        admin.until(&format!("/machines/{machine}"), "the snapshot is there", done).await;
    }
    // One that is in the wrong state does not keep the other from starting.
    admin.done(admin.power("vmanaweb", "start").await).await;
    let start = json!({ "action": "start", "machines": both });
    assert_eq!(
        bulk(&admin, start).await,
        items(&[("vmbrunomaquinaa", 202), ("vmnothing", 404), ("vmanaweb", 409)])
    );
    let rests = |m: &Value| m["status"] == "running" && m["operation"].is_null();
    admin.until("/machines/vmbrunomaquinaa", "it runs", rests).await;
    assert_eq!(bulk(&admin, json!({ "action": "delete", "machines": both })).await, expected);
    let gone = |list: &Value| list["items"] == json!([]);
    admin.until("/machines?owner=*", "they are gone", gone).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_further_with_many_than_with_one() {
    let app = TestApp::start().await;
    let (bruno, ana) = (app.as_student("bruno").await, app.as_student("ana").await);
    bruno.machine("maquinaa").await;
    let delete = json!({ "action": "delete", "machines": ["vmbrunomaquinaa", "vmbrunonothing"] });
    // What is someone else's looks like what does not exist.
    let answer = ana.post("/machines/bulk", delete.clone()).await.expect(200);
    let problems: Vec<Value> =
        answer["items"].as_array().unwrap().iter().map(|item| item["problem"].clone()).collect();
    assert_eq!(problems[0], problems[1]);
    assert_eq!(problems[0]["code"], "not-found");
    let expected = items(&[("vmbrunomaquinaa", 403), ("vmbrunonothing", 404)]);
    assert_eq!(bulk(&app.as_teacher().await, delete).await, expected);
    let machine = bruno.get("/machines/vmbrunomaquinaa").await.expect(200);
    assert_eq!((machine["status"].as_str(), machine["operation"].is_null()), (Some("running"), true));
    // One's own one may.
    let stop = json!({ "action": "stop", "machines": ["vmbrunomaquinaa"], "force": true });
    assert_eq!(bulk(&bruno, stop).await, items(&[("vmbrunomaquinaa", 202)]));

    let many: Vec<String> = (0..101).map(|n| format!("vm{n}")).collect();
    for (body, field) in [
        (json!({ "action": "stop", "machines": [] }), "machines"),
        (json!({ "action": "stop", "machines": many }), "machines"),
        (json!({ "action": "snapshot", "machines": ["vma"] }), "snapshot"),
        (json!({ "action": "stop", "machines": ["vma"], "snapshot": "a" }), "snapshot"),
    ] {
        let problem = bruno.post("/machines/bulk", body).await.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    bruno
        .post("/machines/bulk", json!({ "action": "format", "machines": ["vma"] }))
        .await
        .problem(400, "malformed-body");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybodys_machines_are_found_by_image_and_profile() {
    let app = TestApp::start().await;
    app.as_student("bruno").await.machine("maquinaa").await;
    let admin = app.as_admin().await;
    for (query, found) in [
        ("image=debian-12", 1),
        ("image=debian", 0),
        ("profile=default", 1),
        ("profile=big", 0),
        ("image=debian-12&profile=default&status=running&server=lxd1&q=BRUNO", 1),
    ] {
        let page = admin.get(&format!("/machines?owner=*&{query}")).await.expect(200);
        assert_eq!(page["items"].as_array().unwrap().len(), found, "{query}");
    }
}
