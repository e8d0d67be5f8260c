//! Two real LXD servers: what is for everybody is on both, and a machine goes where there is room and what it needs.

use reqwest::Method;
use serde_json::{Value, json};
use vms_tests::real::http::operation_of;
use vms_tests::real::school::{LXD, SECOND};
use vms_tests::real::{Api, School, SchoolOptions, eventually};
use xtask::lab::Lxd;

use crate::school;

const SOON: std::time::Duration = std::time::Duration::from_secs(10);

fn second(school: &School) -> &Lxd {
    school.second.as_ref().unwrap()
}

/// What `lxc` says of both, the first one first.
fn both(school: &School, args: &[&str]) -> [String; 2] {
    [school.lxc(args), second(school).lxc(args).unwrap()]
}

/// Makes a machine and gives where it went.
async fn server_of(person: &Api, body: Value) -> String {
    let machine = person.done(person.post("/machines", body).await).await["machine"]["id"].clone();
    let seen = person.get(&format!("/machines/{}", machine.as_str().unwrap())).await.expect(200);
    seen["server"].as_str().unwrap().to_owned()
}

async fn ended_well(admin: &Api, operation: &Value) {
    let ended = admin.ended(operation["id"].as_str().unwrap()).await;
    assert_eq!(ended["status"], "succeeded", "{ended:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn profiles_and_images_are_on_both_and_machines_are_spread() {
    let school = school!(SchoolOptions { second: true, ..SchoolOptions::default() });
    let (admin, bruno) = (school.login("admin").await, school.login("bruno").await);
    eventually("both servers to answer", SOON, async || {
        let all = admin.get("/servers").await.expect(200);
        let reachable =
            all["items"].as_array().unwrap().iter().filter(|one| one["reachable"] == true).count();
        if reachable == 2 { Ok(()) } else { Err(format!("{all:#}")) }
    })
    .await;

    // A profile is written to both, changed on both.
    let profile = |memory: &str| {
        json!({ "description": "Aula", "config": { "limits.memory": memory },
            "devices": { "root": { "type": "disk", "path": "/", "pool": "default" } } })
    };
    let mut new = profile("256MiB");
    new["name"] = "alunos".into();
    let made = admin.post("/profiles", new).await.expect(201);
    assert_eq!((&made["servers"], &made["differs"]), (&json!([SECOND, LXD]), &json!(false)));
    let memory = ["profile", "get", "alunos", "limits.memory"];
    assert_eq!(both(&school, &memory).map(|said| said.trim().to_owned()), ["256MiB", "256MiB"]);
    admin.send(Method::PUT, "/profiles/alunos", Some(profile("128MiB"))).await.expect(200);
    assert_eq!(both(&school, &memory).map(|said| said.trim().to_owned()), ["128MiB", "128MiB"]);
    // Changed by hand on one of them: it is said.
    second(&school).lxc(&["profile", "set", "alunos", "limits.memory=64MiB"]).unwrap();
    eventually("the difference to show", SOON, async || {
        let seen = admin.get("/profiles/alunos").await.expect(200);
        if seen["differs"] == true { Ok(()) } else { Err(format!("{seen:#}")) }
    })
    .await;
    admin.send(Method::PUT, "/profiles/alunos", Some(profile("128MiB"))).await.expect(200);
    assert_eq!(admin.get("/profiles/alunos").await.expect(200)["differs"], false);

    // What only one of them can do is said, with what was done.
    let bridge = school.lxc(&["profile", "device", "get", "default", "eth0", "network"]).trim().to_owned();
    let mut with_bridge = profile("128MiB");
    with_bridge["devices"]["eth0"] = json!({ "type": "nic", "name": "eth0", "network": bridge });
    let refused =
        admin.send(Method::PUT, "/profiles/alunos", Some(with_bridge)).await.problem(502, "server-error");
    let detail = refused["detail"].as_str().unwrap();
    assert!(
        detail.contains(&format!("The server \"{SECOND}\" reported")) && detail.contains(&bridge),
        "{detail}"
    );
    admin.send(Method::PUT, "/profiles/alunos", Some(profile("128MiB"))).await.expect(200);

    // Machines go where fewer run.
    let first = server_of(&bruno, json!({ "name": "um", "profile": "alunos" })).await;
    let other = server_of(&bruno, json!({ "name": "dois", "profile": "alunos" })).await;
    assert_ne!(first, other, "both are on {first}");
    let names = both(&school, &["list", "--format", "csv", "--columns", "n"]);
    let at = |server: &str| if server == LXD { names[0].trim() } else { names[1].trim() };
    assert_eq!((at(&first), at(&other)), ("vmbrunoum", "vmbrunodois"));

    // In use, wherever that is.
    let used = admin.delete("/profiles/alunos").await.problem(409, "in-use");
    let detail = used["detail"].as_str().unwrap();
    assert!(detail.contains("vmbrunoum") && detail.contains("vmbrunodois"), "{detail}");

    // An image is uploaded to both at once.
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lab.tar.gz");
    xtask::lab::image::write(&file).unwrap();
    let tarball = std::fs::read(&file).unwrap();
    // The lab has this very content already.
    both(&school, &["image", "delete", school.lxd.image_alias()]);
    let begun =
        admin.raw(Method::POST, "/images?alias=aula", "application/octet-stream", tarball).await.expect(202);
    let operations = begun["items"].as_array().unwrap();
    assert_eq!(operations.len(), 2, "{begun:#}");
    for operation in operations {
        ended_well(&admin, operation).await;
    }
    for listed in both(&school, &["image", "list", "--format", "csv", "--columns", "l"]) {
        assert_eq!(listed.trim(), "aula");
    }
    for server in [LXD, SECOND] {
        let body =
            json!({ "name": format!("em-{server}"), "image": "aula", "server": server, "owner": "bruno" });
        assert_eq!(server_of(&admin, body).await, server);
    }

    // One that is published is where its machine is; new machines of it go there.
    admin.done(admin.power(&format!("vmbrunoem-{SECOND}"), "stop").await).await;
    let publish = json!({ "machine": format!("vmbrunoem-{SECOND}"), "alias": "modelo" });
    ended_well(&admin, &json!({ "id": operation_of(admin.post("/images/publish", publish).await) })).await;
    for number in 1..=2 {
        let body = json!({ "name": format!("copia{number}"), "image": "modelo" });
        assert_eq!(server_of(&bruno, body).await, SECOND);
    }

    // And everything goes from both.
    for machine in bruno.machines().await {
        let path = format!("/machines/{}", machine["id"].as_str().unwrap());
        bruno.done(bruno.delete(&path).await).await;
    }
    admin.delete("/profiles/alunos").await.expect(204);
    let deleted = admin.delete("/images/aula").await.expect(202);
    assert_eq!(deleted["items"].as_array().unwrap().len(), 2, "{deleted:#}");
    for operation in deleted["items"].as_array().unwrap() {
        ended_well(&admin, operation).await;
    }
    for left in both(&school, &["profile", "list", "--format", "csv"]) {
        assert!(!left.contains("alunos"), "{left}");
    }
    for left in both(&school, &["image", "list", "--format", "csv", "--columns", "l"]) {
        assert!(!left.contains("aula"), "{left}");
    }
}
