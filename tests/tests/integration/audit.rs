//! The audit log: what stands in it, how it is found, how it is taken away.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

fn words<'a>(page: &'a Value, field: &str) -> Vec<&'a str> {
    page["items"].as_array().unwrap().iter().map(|line| line[field].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_what_is_found_by_person_action_outcome_target_and_time() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let machine = bruno.machine("maquinaa").await;
    let instance = machine["instance"].as_str().unwrap();
    let ana = app.as_student("ana").await;
    ana.delete(&format!("/machines/{instance}")).await.problem(404, "not-found");
    bruno.done(bruno.delete(&format!("/machines/{instance}")).await).await;
    let admin = app.as_admin().await;

    let all = admin.get("/audit").await.expect(200);
    assert_eq!(
        words(&all, "action"),
        ["auth.login", "machine.delete", "machine.delete", "auth.login", "machine.create", "auth.login"]
    );
    assert_eq!(words(&all, "actor"), ["admin", "bruno", "ana", "ana", "bruno", "bruno"]);

    let refused = admin.get("/audit?outcome=refused").await.expect(200);
    let line = &refused["items"][0];
    assert_eq!(refused["items"].as_array().unwrap().len(), 1);
    assert_eq!((line["actor"].as_str(), line["status"].as_u64()), (Some("ana"), Some(404)));
    assert_eq!((line["outcome"].as_str(), line["code"].as_str()), (Some("refused"), Some("not-found")));
    assert_eq!(line["target"], format!("machines/{instance}"));
    assert_eq!(line["address"], "127.0.0.1");
    assert!(uuid::Uuid::parse_str(line["id"].as_str().unwrap()).is_ok());

    let theirs = admin.get("/audit?actor=bruno&action=machine.delete&outcome=ok").await.expect(200);
    assert_eq!(words(&theirs, "actor"), ["bruno"]);
    let created = admin.get("/audit?action=machine.create").await.expect(200);
    assert_eq!(created["items"][0]["detail"]["name"], "maquinaa");
    assert_eq!(
        words(&admin.get("/audit?target=maquinaa").await.expect(200), "actor"),
        ["bruno", "ana", "bruno"]
    );
    // From the creation on, and before it: together everything, and nothing twice.
    let at = created["items"][0]["at"].as_str().unwrap();
    let later = admin.get(&format!("/audit?from={at}")).await.expect(200);
    let earlier = admin.get(&format!("/audit?until={at}")).await.expect(200);
    assert_eq!((words(&later, "id").len(), words(&earlier, "action")), (5, vec!["auth.login"]));

    let mut seen = Vec::new();
    let mut path = "/audit?limit=2".to_owned();
    loop {
        let page = admin.get(&path).await.expect(200);
        seen.extend(words(&page, "id").into_iter().map(str::to_owned));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/audit?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, words(&all, "id"));
    for bad in ["limit=0", "limit=201", "cursor=x", "outcome=maybe", "from=yesterday", "colour=red"] {
        admin.get(&format!("/audit?{bad}")).await.problem(400, "malformed-parameter");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_can_be_taken_away_and_opened_without_danger() {
    let app = TestApp::start().await;
    // More than one page of the database, and a name that a spreadsheet would run.
    let formula = json!({ "username": "=cmd|' /C calc'!A0", "password": "x" });
    app.nobody().post("/auth/login", formula).await.problem(401, "invalid-credentials");
    let admin = app.as_admin().await;
    for _ in 0..210 {
        admin.delete("/machines/vmnothing").await.problem(404, "not-found");
    }
    let csv = admin.get("/audit/export").await;
    assert!(csv.header("content-type").starts_with("text/csv"), "{}", csv.header("content-type"));
    assert!(csv.header("content-disposition").starts_with("attachment; filename=\"audit-"));
    let lines: Vec<&str> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 1 + 210 + 2, "{}", csv.text);
    assert_eq!(lines[0], "id,at,actor,action,target,outcome,status,code,address,request_id,detail");
    assert!(lines[1].contains(",admin,machine.delete,machines/vmnothing,refused,404,not-found,127.0.0.1,"));
    assert!(lines[212].contains(",'=cmd|' /C calc'!A0,auth.login,"), "{}", lines[212]);

    let jsonl = admin.get("/audit/export?format=jsonl&action=machine.delete").await;
    assert_eq!(jsonl.header("content-type"), "application/jsonl");
    let lines: Vec<Value> = jsonl.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 210);
    assert!(lines.iter().all(|line| line["action"] == "machine.delete"));
    assert_eq!(admin.get("/audit/export?format=jsonl&actor=nobody").await.text, "");
    for bad in ["format=xls", "limit=5", "actor=%00"] {
        admin.get(&format!("/audit/export?{bad}")).await.problem(400, "malformed-parameter");
    }
    // Looking is not a change: it is not written down.
    assert_eq!(admin.get("/audit?limit=1").await.expect(200)["items"][0]["action"], "machine.delete");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_administrators_read_it() {
    let app = TestApp::start().await;
    for person in [app.as_student("bruno").await, app.as_teacher().await] {
        person.get("/audit").await.problem(403, "forbidden");
        person.get("/audit?actor=bruno").await.problem(403, "forbidden");
        person.get("/audit/export").await.problem(403, "forbidden");
    }
    app.nobody().get("/audit").await.problem(401, "unauthenticated");
    app.as_admin().await.send(Method::DELETE, "/audit", None).await.problem(405, "method-not-allowed");
}
