//! Profiles: made, changed and removed by administrators, felt by the machines that carry them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{TestApp, eventually};

const MIB: u64 = 1 << 20;

fn fields(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect()
}

/// The thesis' profile: so much memory, and five interfaces.
fn alunos(memory: &str) -> Value {
    let mut devices: serde_json::Map<String, Value> = (0..5)
        .map(|n| format!("eth{n}"))
        .map(|name| (name.clone(), json!({ "type": "nic", "name": name, "network": "lxdbr0" })))
        .collect();
    devices.insert("root".into(), json!({ "type": "disk", "path": "/", "pool": "default" }));
    json!({ "description": "Class", "config": { "limits.memory": memory }, "devices": devices })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_made_carried_changed_and_removed() {
    let app = TestApp::start().await;
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    let mut new = alunos("256MiB");
    new["name"] = "alunos".into();
    let made = admin.post("/profiles", new.clone()).await;
    assert_eq!(made.header("location"), "/api/v1/profiles/alunos");
    let made = made.expect(201);
    assert_eq!((&made["interfaces"], &made["limits"]["memory_bytes"]), (&json!(5), &json!(256 * MIB)));
    assert_eq!((&made["servers"], &made["differs"]), (&json!(["lxd1"]), &json!(false)));
    assert_eq!((&made["used_by"], &made["dangerous_keys"]), (&json!([]), &json!([])));
    assert_eq!(made["config"], new["config"]);
    assert_eq!(made["devices"], new["devices"]);
    admin.post("/profiles", new).await.problem(409, "name-taken");

    // Everybody may choose it; the machine has what it says.
    let all = bruno.get("/profiles").await.expect(200);
    assert!(all["items"].as_array().unwrap().iter().any(|profile| profile["name"] == "alunos"), "{all}");
    let created = bruno.post("/machines", json!({ "name": "a", "profile": "alunos" })).await;
    let id = bruno.done(created).await["machine"]["id"].as_str().unwrap().to_owned();
    let machine = format!("/machines/{id}");
    bruno.until(&machine, "256 MiB", |m| m["limits"]["memory_bytes"] == 256 * MIB).await;
    let seen = admin.get("/profiles/alunos").await;
    let tag = seen.header("etag").to_owned();
    let user = json!([{ "id": id, "name": "a", "instance": "vmbrunoa", "owner": "bruno", "server": "lxd1" }]);
    assert_eq!(seen.expect(200)["used_by"], user);

    // A change is felt by the machine, and refused to who saw an older state.
    let change = async |tag: &str, memory: &str| {
        admin.with("if-match", tag).send(Method::PUT, "/profiles/alunos", Some(alunos(memory))).await
    };
    change("\"older\"", "512MiB").await.problem(412, "precondition-failed");
    let changed = change(&tag, "512MiB").await;
    assert_eq!(changed.header("etag"), admin.get("/profiles/alunos").await.header("etag"));
    assert_eq!(changed.expect(200)["limits"]["memory_bytes"], 512 * MIB);
    change(&tag, "1GiB").await.problem(412, "precondition-failed");
    bruno.until(&machine, "512 MiB", |m| m["limits"]["memory_bytes"] == 512 * MIB).await;

    // While it is carried it stays; then it goes.
    let kept = admin.delete("/profiles/alunos").await.problem(409, "in-use");
    assert!(kept["detail"].as_str().unwrap().contains("vmbrunoa (bruno)"), "{kept}");
    bruno.done(bruno.delete(&machine).await).await;
    eventually("nobody to carry it", async || {
        let seen = admin.get("/profiles/alunos").await.expect(200);
        if seen["used_by"] == json!([]) { Ok(()) } else { Err(seen.to_string()) }
    })
    .await;
    admin.delete("/profiles/alunos").await.expect(204);
    admin.get("/profiles/alunos").await.problem(404, "not-found");
    admin.delete("/profiles/alunos").await.problem(404, "not-found");
    admin.send(Method::PUT, "/profiles/alunos", Some(alunos("1GiB"))).await.problem(404, "not-found");
    admin.delete("/profiles/default").await.problem(409, "in-use");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_could_harm_the_host_is_refused_key_by_key_unless_the_school_wants_it() {
    let dangerous = json!({
        "name": "risky",
        "config": { "raw.lxc": "lxc.apparmor.profile=unconfined", "security.privileged": "true", "user.a": "b" },
        "devices": { "host": { "type": "disk", "path": "/host", "source": "/" } },
    });
    let keys = ["config.raw.lxc", "config.security.privileged", "devices.host.source"];

    let app = TestApp::start().await;
    let admin = app.as_admin().await;
    let refused = admin.post("/profiles", dangerous.clone()).await.problem(422, "validation-failed");
    assert_eq!(fields(&refused), keys);
    admin.get("/profiles/risky").await.problem(404, "not-found");
    let thesis = json!({ "name": "thesis", "config": { "limits.memory": "256M" } });
    let spelt = admin.post("/profiles", thesis).await.expect(201);
    assert_eq!(spelt["config"]["limits.memory"], "256MiB", "LXD does not read the bare letter");
    for name in ["", "a/b", "-a", "a b", "ç", &"a".repeat(64)] {
        let refused =
            admin.post("/profiles", json!({ "name": name })).await.problem(422, "validation-failed");
        assert_eq!(fields(&refused), ["name"], "{name:?}");
    }

    let app = TestApp::builder().http("[machines]\nallow_dangerous_profiles = true").start().await;
    let admin = app.as_admin().await;
    let made = admin.post("/profiles", dangerous).await.expect(201);
    assert_eq!(made["dangerous_keys"], json!(keys));
}
