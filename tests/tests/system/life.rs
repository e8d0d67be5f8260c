//! The life of a machine, from its creation to its deletion, with each database and over each way to LXD.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use vms_tests::real::{Api, School, SchoolOptions, eventually};
use xtask::lab::Postgres;

use crate::{address, foreign, school, snapshots};

const INSTANCE: &str = "vmbrunomaquinaa";
const MACHINE: &str = "/machines/vmbrunomaquinaa";
/// Longest that DHCP may take, and the server to see it.
const DHCP: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_from_its_creation_to_its_deletion() {
    let school = school!();
    let (bruno, ana) = (school.login("bruno").await, school.login("ana").await);
    assert_eq!(bruno.get("/machines").await.expect(200), json!({ "items": [], "next_cursor": null }));

    let id = created(&school, &bruno).await;
    foreign::sees_nothing(&school, &ana, &id).await;
    snapshots_come_and_go(&school, &bruno).await;
    power(&school, &bruno).await;
    reset(&school, &bruno, &id).await;
    deleted(&school, &bruno).await;
    assert_eq!(ana.machines().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_with_postgresql() {
    if !vms_tests::real::need(&["postgres"]) {
        return;
    }
    let postgres = Postgres::start().unwrap();
    let database = Some(postgres.create_database("vms").unwrap());
    let school = school!(SchoolOptions { database, ..SchoolOptions::default() });
    short_life(&school).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_over_https_with_a_client_certificate() {
    let school = school!(SchoolOptions { https: true, ..SchoolOptions::default() });
    short_life(&school).await;
}

async fn short_life(school: &School) {
    let bruno = school.login("bruno").await;
    let id = created(school, &bruno).await;
    snapshots_come_and_go(school, &bruno).await;
    reset(school, &bruno, &id).await;
    deleted(school, &bruno).await;
}

async fn created(school: &School, bruno: &Api) -> String {
    let answer = bruno.post("/machines", json!({ "name": "maquinaa", "description": "para a aula" })).await;
    let begun = answer.clone().expect(202);
    assert_eq!(begun["kind"], "machine.create");
    assert_eq!(begun["machine"]["instance"], INSTANCE);
    assert_eq!(begun["requested_by"], "bruno");
    let operation = bruno.done(answer).await;
    assert_eq!(operation["machine"]["name"], "maquinaa");

    let machine = running_with_address(school, bruno).await;
    for (field, value) in
        [("name", "maquinaa"), ("owner", "bruno"), ("description", "para a aula"), ("server", "lab")]
    {
        assert_eq!(machine[field], value, "{machine:#}");
    }
    assert_eq!(machine["image"]["alias"], school.lxd.image_alias());
    assert_eq!(machine["operation"], Value::Null);
    assert_eq!(machine["stale"], false);
    assert_eq!(school.column("ns"), [format!("{INSTANCE},RUNNING")]);
    assert_eq!(bruno.used().await, 1);
    assert_eq!(
        bruno.machines().await,
        std::slice::from_ref(&machine),
        "the list shows something else than the machine itself"
    );
    let id = machine["id"].as_str().unwrap().to_owned();
    assert_eq!(bruno.machine(&id).await, machine, "by its id");
    // The facts stand on the instance too, so that a lost database can be rebuilt.
    for (key, value) in
        [("user.vms.id", id.as_str()), ("user.vms.owner", "bruno"), ("user.vms.name", "maquinaa")]
    {
        assert_eq!(school.lxc(&["config", "get", INSTANCE, key]).trim(), value);
    }
    bruno.post("/machines", json!({ "name": "maquinaa" })).await.problem(409, "name-taken");
    assert_eq!(bruno.used().await, 1, "a refused creation took a place");
    id
}

/// Waits for an address, and finds it to be one of the bridge.
async fn running_with_address(school: &School, bruno: &Api) -> Value {
    let machine = eventually("an address", DHCP, async || {
        let machine = bruno.machine(INSTANCE).await;
        if address(&machine).is_some() { Ok(machine) } else { Err(format!("{machine:#}")) }
    })
    .await;
    assert_eq!(machine["status"], "running");
    let shown = address(&machine).unwrap();
    assert!(shown.starts_with(&school.lxd.address_prefix()), "{shown} is not of the bridge");
    // A machine that had a lease before is shown with it a moment before it asks for it again.
    eventually("the same address in the machine", DHCP, async || {
        let there = school.lxc(&["list", "--format", "csv", "--columns", "4"]);
        if there.contains(&format!("{shown} (eth0)")) {
            Ok(())
        } else {
            Err(format!("shown {shown}, there {there}"))
        }
    })
    .await;
    machine
}

async fn snapshots_come_and_go(school: &School, bruno: &Api) {
    let path = format!("{MACHINE}/snapshots");
    bruno.done(bruno.post(&path, json!({ "name": "antes" })).await).await;
    assert_eq!(snapshots(&bruno.machine(INSTANCE).await), ["antes"]);
    school.write_file(INSTANCE, "/perdido");

    let restored = bruno.done(bruno.post_empty(&format!("{path}/antes/restore")).await).await;
    assert_eq!(restored["kind"], "snapshot.restore");
    assert_eq!(bruno.machine(INSTANCE).await["status"], "running", "it ran before, so it runs after");
    assert!(!school.has_file(INSTANCE, "/perdido"), "the file survived the restore");

    bruno.post(&path, json!({ "name": "antes" })).await.problem(409, "name-taken");
    let renamed =
        bruno.send(Method::PATCH, &format!("{path}/antes"), Some(json!({ "name": "depois" }))).await;
    bruno.done(renamed).await;
    assert_eq!(snapshots(&bruno.machine(INSTANCE).await), ["depois"]);
    assert_eq!(bruno.get(&path).await.expect(200)["items"][0]["name"], "depois");
    bruno.post_empty(&format!("{path}/antes/restore")).await.problem(404, "not-found");

    bruno.done(bruno.delete(&format!("{path}/depois")).await).await;
    assert!(snapshots(&bruno.machine(INSTANCE).await).is_empty());
    school.assert_nothing_orphaned(bruno).await;
}

async fn power(school: &School, bruno: &Api) {
    bruno.power(INSTANCE, "start").await.problem(409, "wrong-state");

    bruno.done(bruno.power(INSTANCE, "stop").await).await;
    // Whoever read "succeeded" finds the machine as it is now: no waiting here.
    let machine = bruno.machine(INSTANCE).await;
    assert_eq!((&machine["status"], &machine["addresses"]), (&json!("stopped"), &json!([])));
    assert_eq!(school.column("ns"), [format!("{INSTANCE},STOPPED")]);
    bruno.power(INSTANCE, "freeze").await.problem(409, "wrong-state");

    bruno.done(bruno.power(INSTANCE, "start").await).await;
    running_with_address(school, bruno).await;

    let before = school.column("p");
    bruno.done(bruno.power(INSTANCE, "restart").await).await;
    assert_ne!(school.column("p"), before, "a restarted machine has a new init");
    running_with_address(school, bruno).await;

    bruno.done(bruno.power(INSTANCE, "freeze").await).await;
    assert_eq!(bruno.machine(INSTANCE).await["status"], "frozen");
    assert_eq!(school.column("s"), ["FROZEN"]);
    bruno.done(bruno.power(INSTANCE, "unfreeze").await).await;
    assert_eq!(bruno.machine(INSTANCE).await["status"], "running");
    assert_eq!(school.column("s"), ["RUNNING"]);
}

async fn reset(school: &School, bruno: &Api, id: &str) {
    let hardware_address = || school.lxc(&["config", "get", INSTANCE, "volatile.eth0.hwaddr"]);
    bruno.done(bruno.post(&format!("{MACHINE}/snapshots"), json!({ "name": "velho" })).await).await;
    school.write_file(INSTANCE, "/perdido");
    let before = hardware_address();
    assert!(before.contains(':'), "{before:?}");

    bruno.done(bruno.post_empty(&format!("{MACHINE}/reset")).await).await;
    let machine = running_with_address(school, bruno).await;
    assert_eq!(machine["id"], *id, "a reset machine is the same machine");
    assert!(snapshots(&machine).is_empty(), "{machine:#}");
    assert!(!school.has_file(INSTANCE, "/perdido"), "the file survived the reset");
    assert_eq!(hardware_address(), before);
    school.assert_nothing_orphaned(bruno).await;
}

async fn deleted(school: &School, bruno: &Api) {
    bruno.done(bruno.delete(MACHINE).await).await;
    assert_eq!(bruno.machines().await, Vec::<Value>::new());
    assert_eq!(school.instances(), Vec::<String>::new());
    assert_eq!(bruno.used().await, 0);
    bruno.get(MACHINE).await.problem(404, "not-found");
    // The name is free again, and so is what LXD knew by it.
    let operations = bruno.get("/operations").await.expect(200);
    assert!(operations["items"].as_array().unwrap().len() >= 4, "{operations:#}");
}
