//! What no client should send: each is answered with a problem that says what is wrong, and nothing changes on LXD.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use vms_tests::real::{Answer, Api, School};

use crate::school;

const JSON: &str = "application/json";

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_is_a_problem_and_nothing_changes() {
    let school = school!();
    let bruno = school.login("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": "maquinaa", "start": false })).await).await;
    bruno.done(bruno.post("/machines/vmbrunomaquinaa/snapshots", json!({ "name": "antes" })).await).await;
    let before = everything(&school);

    names(&bruno).await;
    bodies(&bruno).await;
    values(&bruno).await;
    paths(&bruno).await;
    strangers(&school).await;

    assert_eq!(everything(&school), before, "something changed on LXD");
    school.assert_nothing_orphaned(&bruno).await;
    // And it still works.
    bruno.done(bruno.delete("/machines/vmbrunomaquinaa").await).await;
}

/// Instances, images and profiles, with all that can be said of them.
fn everything(school: &School) -> Vec<String> {
    ["instances?recursion=2", "images?recursion=1", "profiles?recursion=1", "networks"]
        .iter()
        .map(|path| school.lxc(&["query", &format!("/1.0/{path}")]))
        .collect()
}

fn field_of(answer: Answer, field: &str) {
    let asked = answer.asked.clone();
    let problem = answer.problem(422, "validation-failed");
    let errors = problem["errors"].as_array().unwrap();
    assert!(errors.iter().any(|error| error["field"] == field), "{asked}: {problem:#}");
    assert!(
        errors.iter().all(|error| !error["message"].as_str().unwrap().is_empty()),
        "{asked}: {problem:#}"
    );
}

async fn names(bruno: &Api) {
    let long = "a".repeat(200);
    let wrong = [
        "",
        " ",
        long.as_str(),
        "máquina",
        "机器",
        "🙂",
        "../etc",
        "..",
        "a/b",
        "a b",
        "1abc",
        "-a",
        "a-",
        "a_b",
        "a.b",
        "a\0",
        "a\n",
        "<script>",
        "a'; drop table machines; --",
        "%2e%2e",
        "a\u{200b}",
    ];
    for name in wrong {
        field_of(bruno.post("/machines", json!({ "name": name })).await, "name");
    }
    let wrong = ["", " ", long.as_str(), "máquina", "../antes", "..", "a/b", "a b", "-a", "a\0", "🙂"];
    for name in wrong {
        field_of(bruno.post("/machines/vmbrunomaquinaa/snapshots", json!({ "name": name })).await, "name");
        let renaming = "/machines/vmbrunomaquinaa/snapshots/antes";
        field_of(bruno.send(Method::PATCH, renaming, Some(json!({ "name": name }))).await, "name");
    }
}

async fn bodies(bruno: &Api) {
    let deep = "[".repeat(20_000);
    let broken: [&[u8]; 13] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\"maquinab\"",
        b"{\"name\":}",
        b"{\"name\":\"x\"",
        b"{\"name\":\"x\"} trailing",
        b"{'name':'x'}",
        b"name=x",
        b"\xff\xfe",
        b"{\"name\":\"\\ud800\"}",
        deep.as_bytes(),
    ];
    for body in broken {
        bruno.raw(Method::POST, "/machines", JSON, body.to_vec()).await.problem(400, "malformed-body");
    }
    for body in [
        json!({}),
        json!({ "name": 5 }),
        json!({ "name": null }),
        json!({ "name": ["maquinab"] }),
        json!({ "name": "maquinab", "start": "yes" }),
        json!({ "name": "maquinab", "image": 7 }),
        json!({ "name": "maquinab", "nome": "x" }),
        json!({ "name": "maquinab", "config": { "security.privileged": "true" } }),
        json!({ "name": "maquinab", "devices": { "root": { "type": "disk", "path": "/", "source": "/" } } }),
        json!({ "name": "maquinab", "type": "virtual-machine" }),
        json!({ "name": "maquinab", "profiles": ["default"] }),
    ] {
        bruno.post("/machines", body).await.problem(400, "malformed-body");
    }
    for body in [
        json!({}),
        json!({ "action": "explode" }),
        json!({ "action": "stop", "timeout_seconds": -1 }),
        json!({ "action": "stop", "timeout_seconds": 1.5 }),
        json!({ "action": "stop", "force": "yes" }),
        json!({ "action": "start", "stateful": true }),
    ] {
        bruno
            .send(Method::PUT, "/machines/vmbrunomaquinaa/state", Some(body))
            .await
            .problem(400, "malformed-body");
    }
    let good = json!({ "name": "maquinab" }).to_string().into_bytes();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml"] {
        bruno.raw(Method::POST, "/machines", kind, good.clone()).await.problem(415, "unsupported-media-type");
    }
    let huge = json!({ "name": "maquinab", "description": "x".repeat(4 << 20) });
    bruno.post("/machines", huge).await.problem(413, "payload-too-large");
}

async fn values(bruno: &Api) {
    let create = |field: &str, value: Value| {
        let mut body = json!({ "name": "maquinab" });
        body[field] = value;
        body
    };
    for (field, value) in [
        ("image", "não-existe".into()),
        ("image", "../../etc/passwd".into()),
        ("image", Value::from("")),
        ("profile", "não-existe".into()),
        ("profile", "../default".into()),
        ("description", "x".repeat(501).into()),
    ] {
        field_of(bruno.post("/machines", create(field, value)).await, field);
    }
    // What only administrators may choose.
    field_of(bruno.post("/machines", create("server", "lab".into())).await, "server");
    bruno.post("/machines", create("owner", "ana".into())).await.problem(403, "forbidden");
    for seconds in [0, 601, u32::MAX] {
        let body = json!({ "action": "start", "timeout_seconds": seconds });
        let answer = bruno.send(Method::PUT, "/machines/vmbrunomaquinaa/state", Some(body)).await;
        field_of(answer, "timeout_seconds");
    }
    let description = json!({ "description": "x".repeat(501) });
    field_of(bruno.send(Method::PATCH, "/machines/vmbrunomaquinaa", Some(description)).await, "description");
}

async fn paths(bruno: &Api) {
    let long = "a".repeat(200);
    for machine in [
        "..%2f..%2fetc%2fpasswd",
        "%00",
        "%2e%2e%2f",
        "a%20b",
        "m%C3%A1quina",
        "%F0%9F%99%82",
        "-",
        "1",
        long.as_str(),
    ] {
        for rest in ["", "/snapshots"] {
            bruno.get(&format!("/machines/{machine}{rest}")).await.problem(404, "not-found");
        }
        bruno.delete(&format!("/machines/{machine}")).await.problem(404, "not-found");
        let snapshot = format!("/machines/vmbrunomaquinaa/snapshots/{machine}");
        bruno.delete(&snapshot).await.problem(404, "not-found");
        bruno.post_empty(&format!("{snapshot}/restore")).await.problem(404, "not-found");
    }
    for path in [
        "/machines?limit=0",
        "/machines?limit=-1",
        "/machines?limit=muitos",
        "/machines?status=dancing",
        "/operations?cursor=%00",
    ] {
        bruno.get(path).await.problem(400, "malformed-parameter");
    }
    let operation = bruno.get("/operations/not-an-id").await;
    assert!([400, 404].contains(&operation.status), "{operation:?}");
    let bytes = bruno.get("/machines/%ff%fe").await;
    assert!([400, 404].contains(&bytes.status), "{bytes:?}");
    bruno.get("/nothing/here").await.problem(404, "not-found");
    bruno.post("/me", json!({})).await.problem(405, "method-not-allowed");
    bruno.send(Method::PUT, "/machines", None).await.problem(405, "method-not-allowed");
}

/// Who has not logged in, or says so wrongly.
async fn strangers(school: &School) {
    let nobody = Api::anonymous(&school.server.url());
    for path in ["/me", "/machines", "/machines/vmbrunomaquinaa", "/operations", "/images", "/profiles"] {
        nobody.get(path).await.problem(401, "unauthenticated");
    }
    nobody.delete("/machines/vmbrunomaquinaa").await.problem(401, "unauthenticated");
    for (username, password) in [
        ("bruno", "errada"),
        ("bruno", ""),
        ("", ""),
        ("*", "bruno"),
        ("ninguém", "x"),
        ("bruno)(uid=*", "bruno"),
    ] {
        let body = json!({ "username": username, "password": password });
        nobody.post("/auth/login", body).await.problem(401, "invalid-credentials");
    }
    for body in [json!({}), json!({ "username": "bruno" }), json!({ "username": 1, "password": 2 })] {
        nobody.post("/auth/login", body).await.problem(400, "malformed-body");
    }
    // A URL library would tidy this path up before sending it, so it is sent by hand.
    let address = school.server.url().trim_start_matches("http://").to_owned();
    let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
    let request =
        format!("GET /../../../../etc/passwd HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 ") && !answer.contains("root:"), "{answer}");
}
