//! Coverage by difference: every operation of the document × everyone who may ask has a row here, and a new operation
//! makes this fail until it has one. Also: what is someone else's looks like what does not exist, everywhere.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, IMAGE, Person, TestApp};
use crate::tarballs;

/// Statuses for: nobody, another student, the owner (bruno), a teacher of theirs, an administrator. What another teacher
/// may is in teachers.rs.
const ROWS: &[(&str, [u16; 5])] = &[
    ("auth_login", [200, 200, 200, 200, 200]),
    // Without the cookie, whoever asks.
    ("auth_refresh", [401, 401, 401, 401, 401]),
    ("auth_logout", [204, 204, 204, 204, 204]),
    ("site_view", [200, 200, 200, 200, 200]),
    ("openapi_view", [200, 200, 200, 200, 200]),
    ("me_view", [401, 200, 200, 200, 200]),
    ("token_list", [401, 200, 200, 200, 200]),
    ("token_create", [401, 201, 201, 201, 201]),
    // Of the owner's token; everyone else has no such token, administrators too.
    ("token_delete", [401, 404, 204, 404, 404]),
    ("machine_list", [401, 403, 200, 200, 200]),
    ("machine_create", [401, 403, 202, 403, 202]),
    // Each machine has its own answer inside: see bulk.rs.
    ("machine_bulk", [401, 200, 200, 200, 200]),
    ("machine_view", [401, 404, 200, 200, 200]),
    ("machine_edit", [401, 404, 200, 403, 200]),
    ("machine_delete", [401, 404, 202, 403, 202]),
    ("machine_power", [401, 404, 202, 403, 202]),
    ("machine_reset", [401, 404, 202, 403, 202]),
    ("snapshot_list", [401, 404, 200, 200, 200]),
    ("snapshot_create", [401, 404, 202, 403, 202]),
    ("snapshot_rename", [401, 404, 202, 403, 202]),
    ("snapshot_delete", [401, 404, 202, 403, 202]),
    ("snapshot_restore", [401, 404, 202, 403, 202]),
    ("operation_list", [401, 403, 200, 200, 200]),
    ("operation_view", [401, 404, 200, 200, 200]),
    ("operation_wait", [401, 404, 200, 200, 200]),
    // It has ended: who may cancel learns that.
    ("operation_cancel", [401, 404, 409, 403, 409]),
    ("event_ticket", [401, 201, 201, 201, 201]),
    // Needs a ticket, whoever asks, and a websocket: see events.rs.
    ("event_watch", [400, 400, 400, 400, 400]),
    ("image_list", [401, 200, 200, 200, 200]),
    ("image_list_all", [401, 403, 403, 403, 200]),
    ("image_view", [401, 403, 403, 403, 200]),
    ("image_upload", [401, 403, 403, 403, 202]),
    ("image_import", [401, 403, 403, 403, 202]),
    // Of a machine that runs; see images.rs for others.
    ("image_publish", [401, 403, 403, 403, 409]),
    ("image_edit", [401, 403, 403, 403, 200]),
    // Of an image that came from nowhere, and of the default one; see images.rs for others.
    ("image_refresh", [401, 403, 403, 403, 409]),
    ("image_delete", [401, 403, 403, 403, 409]),
    ("profile_list", [401, 200, 200, 200, 200]),
    ("profile_view", [401, 403, 403, 403, 200]),
    ("profile_create", [401, 403, 403, 403, 201]),
    ("profile_update", [401, 403, 403, 403, 200]),
    // Of the profile `default`, which stays; see profiles.rs for others.
    ("profile_delete", [401, 403, 403, 403, 409]),
    ("difference_list", [401, 403, 403, 403, 200]),
    // Of an instance that does not exist: see differences.rs for others.
    ("machine_adopt", [401, 403, 403, 403, 404]),
    ("machine_usage", [401, 404, 200, 200, 200]),
    ("overview_view", [401, 403, 403, 403, 200]),
    ("overview_history", [401, 403, 403, 403, 200]),
    ("server_list", [401, 403, 403, 403, 200]),
    ("network_list", [401, 403, 403, 403, 200]),
    ("network_view", [401, 403, 403, 403, 200]),
    ("network_edit", [401, 403, 403, 403, 200]),
    ("network_leases", [401, 403, 403, 403, 200]),
    ("certificate_list", [401, 403, 403, 403, 200]),
    ("certificate_add", [401, 403, 403, 403, 201]),
    ("certificate_remove", [401, 403, 403, 403, 204]),
    ("profile_audience_view", [401, 403, 403, 403, 200]),
    ("profile_audience_put", [401, 403, 403, 403, 200]),
    ("image_audience_view", [401, 403, 403, 403, 200]),
    ("image_audience_put", [401, 403, 403, 403, 200]),
    ("audit_list", [401, 403, 403, 403, 200]),
    ("audit_export", [401, 403, 403, 403, 200]),
    ("user_list", [401, 403, 403, 403, 200]),
    ("user_view", [401, 403, 403, 403, 200]),
    ("user_edit", [401, 403, 403, 403, 200]),
    ("user_sign_out", [401, 403, 403, 403, 204]),
    ("user_check", [401, 403, 403, 403, 200]),
    ("pool_list", [401, 403, 403, 403, 200]),
    ("quota_list", [401, 403, 403, 403, 200]),
    ("quota_put", [401, 403, 403, 403, 200]),
    ("quota_delete", [401, 403, 403, 403, 204]),
];

/// Whether the owner of a machine, who is a student, may do it at all.
pub(crate) fn for_students(id: &str) -> bool {
    ROWS.iter().any(|(known, [_, _, owner, _, _])| *known == id && *owner != 403)
}

pub(crate) struct Described {
    pub id: String,
    pub method: Method,
    pub path: String,
    has_body: bool,
    mutates: bool,
}

pub(crate) fn described() -> Vec<Described> {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/vms.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push(Described {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_ascii_uppercase().parse().unwrap(),
                path: path.strip_prefix("/api/v1").unwrap().to_owned(),
                has_body: operation.get("requestBody").is_some(),
                mutates: method != "get",
            });
        }
    }
    all
}

/// The body that makes the request a good one.
fn body(id: &str, number: usize) -> Value {
    match id {
        "auth_login" => json!({ "username": "bruno", "password": "bruno" }),
        "token_create" => json!({ "name": "script" }),
        "machine_create" => json!({ "name": format!("new{number}"), "owner": "bruno" }),
        "machine_bulk" => json!({ "action": "stop", "machines": ["vmbrunonothing"] }),
        "machine_adopt" => json!({ "server": "lxd1", "instance": "nothing", "owner": "bruno" }),
        "machine_edit" => json!({ "description": "changed" }),
        "machine_power" => json!({ "action": "stop", "force": true }),
        "profile_create" => json!({ "name": format!("p{number}"), "config": { "limits.memory": "256MiB" } }),
        "profile_update" => json!({ "description": "as before", "config": {}, "devices": {
            "root": { "type": "disk", "path": "/", "pool": "default" },
            "eth0": { "type": "nic", "name": "eth0", "network": "lxdbr0" },
        } }),
        "network_edit" => json!({ "dhcp_ranges": [] }),
        "certificate_add" => json!({ "name": format!("c{number}") }),
        "profile_audience_put" | "image_audience_put" => json!({ "everyone": true }),
        "image_import" => json!({ "url": "https://x", "source_alias": "x", "alias": format!("i{number}") }),
        "image_publish" => json!({ "machine": "vmbrunotemplate", "alias": format!("i{number}") }),
        "image_edit" => json!({ "description": "Debian" }),
        "user_edit" => json!({ "quota": { "machines": 7 } }),
        "quota_put" => json!({ "machines": 7 }),
        "snapshot_create" => json!({ "name": "second" }),
        "snapshot_rename" => json!({ "name": "renamed" }),
        other => panic!("{other} has a body that this test does not know"),
    }
}

/// Things of the owner that a path can name.
pub(crate) struct Things {
    pub machine: String,
    operation: String,
    token: String,
    /// Somebody whose sessions nobody here needs.
    person: &'static str,
}

/// A machine with the snapshot `snap`, as far as the path needs one.
pub(crate) async fn things(owner: &Person, path: &str, number: usize) -> Things {
    let mut things = Things {
        machine: String::new(),
        operation: String::new(),
        token: String::new(),
        person: "aluno0001",
    };
    if path.contains("{machine}") || path.contains("{operation}") {
        let created =
            owner.done(owner.post("/machines", json!({ "name": format!("m{number}") })).await).await;
        things.machine = created["machine"]["instance"].as_str().unwrap().to_owned();
        things.operation = created["id"].as_str().unwrap().to_owned();
        owner.until(&format!("/machines/{}", things.machine), "it runs", |m| m["status"] == "running").await;
    }
    if path.contains("{snapshot}") {
        let snapshots = format!("/machines/{}/snapshots", things.machine);
        owner.done(owner.post(&snapshots, json!({ "name": "snap" })).await).await;
    }
    if path.contains("{token}") {
        let token = owner.post("/tokens", json!({ "name": "mine" })).await.expect(201);
        things.token = token["id"].as_str().unwrap().to_owned();
    }
    things
}

pub(crate) fn fill(path: &str, things: &Things) -> String {
    let path = path.replace("{machine}", &things.machine).replace("{snapshot}", "snap");
    let path = path.replace("{username}", things.person).replace("{scope}/{subject}", "group/turma-z");
    path.replace("{operation}", &things.operation)
        .replace("{token}", &things.token)
        .replace("{profile}", "default")
        .replace("{server}", "lxd1")
        .replace("{network}", "lxdbr0")
        .replace("{image}", IMAGE)
}

/// A certificate that the server trusts; its fingerprint.
async fn certificate(admin: &Person) -> String {
    let pem = rcgen::generate_simple_self_signed(vec!["somebody".to_owned()]).unwrap().cert.pem();
    let new = json!({ "name": "somebody", "certificate": pem });
    let added = admin.post("/servers/lxd1/certificates", new).await.expect(201);
    added["certificate"]["fingerprint"].as_str().unwrap().to_owned()
}

async fn ask(person: &Person, operation: &Described, path: &str, number: usize) -> Answer {
    if operation.id == "image_upload" {
        let (path, words) = (format!("/api/v1{path}?alias=u{number}"), number.to_string());
        let tarball = Some(("application/octet-stream", tarballs::unified(&words)));
        return person.raw(operation.method.clone(), &path, tarball).await;
    }
    let body = operation.has_body.then(|| body(&operation.id, number));
    person.send(operation.method.clone(), path, body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_may_exactly_what_the_table_says_and_every_change_is_written_down() {
    let app = TestApp::builder().quota(1000).start().await;
    let owner = app.as_student("bruno").await;
    let people = [
        app.nobody(),
        app.as_student("ana").await,
        owner.clone(),
        app.as_teacher().await,
        app.as_admin().await,
    ];
    app.log_in("aluno0001").await;
    owner.machine("template").await;
    let names = ["nobody", "ana", "bruno", "prof", "admin"];
    let rows: BTreeMap<&str, [u16; 5]> = ROWS.iter().copied().collect();
    let all = described();
    let documented: BTreeSet<&str> = all.iter().map(|operation| operation.id.as_str()).collect();
    assert_eq!(documented, rows.keys().copied().collect(), "the document and the table differ");

    let mut number = 0;
    for operation in &all {
        let expected = rows[operation.id.as_str()];
        for ((person, name), status) in people.iter().zip(names).zip(expected) {
            number += 1;
            let things = things(&owner, &operation.path, number).await;
            let mut path = fill(&operation.path, &things);
            if matches!(operation.id.as_str(), "machine_list" | "operation_list") {
                path.push_str("?owner=bruno");
            }
            if operation.id == "quota_delete" {
                people[4].send(Method::PUT, &path, Some(json!({}))).await.expect(200);
            }
            if operation.id == "certificate_remove" {
                path = path.replace("{fingerprint}", &certificate(&people[4]).await);
            }
            let request = format!("cell-{number}");
            let answer = ask(&person.with("x-request-id", &request), operation, &path, number).await;
            assert_eq!(answer.status, status, "{name}: {} {}: {}", operation.id, answer.asked, answer.text);

            let changes_nothing = ["auth_logout", "event_ticket"].contains(&operation.id.as_str());
            let audited = operation.mutates && status != 401 && !changes_nothing;
            let line = app.audit().await.into_iter().find(|line| line.request_id == request);
            assert_eq!(line.is_some(), audited, "{name}: {}: {line:?}", operation.id);
            let Some(line) = line else { continue };
            let by = if operation.id == "auth_login" { "bruno" } else { name };
            assert_eq!((line.actor.as_str(), line.outcome), (by, status), "{}", operation.id);
            assert_eq!(line.action, operation.id.replacen('_', ".", 1));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_someone_elses_looks_like_what_does_not_exist() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let ana = app.as_student("ana").await;
    let theirs = things(&bruno, "{machine}{snapshot}{operation}{token}", 1).await;
    let nothing = Things {
        machine: "vmbrunonothing".into(),
        operation: uuid::Uuid::new_v4().to_string(),
        token: uuid::Uuid::new_v4().to_string(),
        person: "nobody",
    };
    let rows: BTreeMap<&str, [u16; 5]> = ROWS.iter().copied().collect();
    app.log_in("aluno0001").await;
    let mut compared = 0;
    // Profiles, images and servers are nobody's own.
    let owned = |operation: &&Described| {
        let shared = ["{profile}", "{image}", "{server}"];
        operation.path.contains('{') && !shared.iter().any(|name| operation.path.contains(name))
    };
    for operation in described().iter().filter(owned) {
        let mut bodies = Vec::new();
        for things in [&theirs, &nothing] {
            let answer = ask(&ana, operation, &fill(&operation.path, things), 1).await;
            // What only administrators may is refused whatever it is about.
            let refused = rows[operation.id.as_str()][1] == 403;
            let (status, code) = if refused { (403, "forbidden") } else { (404, "not-found") };
            let mut body = answer.problem(status, code);
            body["request_id"] = Value::Null;
            bodies.push(body);
        }
        assert_eq!(bodies[0], bodies[1], "{}", operation.id);
        compared += 1;
    }
    assert!(compared > 10, "{compared}");
    // And the machine is as it was.
    let machine = bruno.get(&format!("/machines/{}", theirs.machine)).await.expect(200);
    assert_eq!(
        (machine["status"].as_str(), machine["snapshots"][0]["name"].as_str()),
        (Some("running"), Some("snap"))
    );
}
