//! What an administrator does with `lxc` appears in the API by itself.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vms_tests::real::{Api, School};

use crate::{address, school, snapshots};

/// LXD's event brings it in a moment; this is how long a busy machine may take.
const SOON: Duration = Duration::from_secs(5);
/// What waits for the DHCP client within.
const DHCP: Duration = Duration::from_secs(30);

/// Waits until the list is as wanted, and says how long that took.
async fn shows(who: &Api, what: &str, patience: Duration, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let since = Instant::now();
    loop {
        let machines = who.machines().await;
        if wanted(&machines) {
            xtask::ui::say(format!("{what}: shown after {} ms", since.elapsed().as_millis()));
            return machines;
        }
        assert!(since.elapsed() < patience, "{what} was not shown in {patience:?}: {machines:#?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The same for the one machine there is.
async fn machine_shows(who: &Api, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let one = |all: &[Value]| matches!(all, [machine] if wanted(machine));
    shows(who, what, SOON, one).await.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_made_with_lxc_appear() {
    let school = school!();
    let bruno = school.login("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": "maquinaa" })).await).await;
    let has_address = |all: &[Value]| all.iter().all(|machine| address(machine).is_some());
    shows(&bruno, "an address", DHCP, has_address).await;

    school.lxc(&["snapshot", "vmbrunomaquinaa", "de-fora"]);
    machine_shows(&bruno, "a snapshot", |machine| snapshots(machine) == ["de-fora"]).await;
    school.lxc(&["delete", "vmbrunomaquinaa/de-fora"]);
    machine_shows(&bruno, "no snapshot", |machine| snapshots(machine).is_empty()).await;

    school.lxc(&["stop", "--force", "vmbrunomaquinaa"]);
    machine_shows(&bruno, "stopped, without an address", |machine| {
        machine["status"] == "stopped" && machine["addresses"] == json!([])
    })
    .await;
    renamed_and_copied(&school, &bruno).await;
    school.lxc(&["start", "vmbrunomaquinaa"]);
    machine_shows(&bruno, "running", |machine| machine["status"] == "running").await;
    shows(&bruno, "an address", DHCP, has_address).await;

    // The row stays, so that the person learns of it; only they (or an administrator) give up the place.
    school.lxc(&["delete", "--force", "vmbrunomaquinaa"]);
    machine_shows(&bruno, "gone", |machine| machine["status"] == "unknown").await;
    bruno.power("vmbrunomaquinaa", "start").await.problem(409, "wrong-state");
    bruno.done(bruno.delete("/machines/vmbrunomaquinaa").await).await;
    assert_eq!((bruno.machines().await.len(), bruno.used().await), (0, 0));
    made_by_hand(&school, &bruno).await;
}

/// To another name, with a copy made there, and back.
async fn renamed_and_copied(school: &School, bruno: &Api) {
    let id = bruno.machine("vmbrunomaquinaa").await["id"].clone();
    school.lxc(&["move", "vmbrunomaquinaa", "laboratorio"]);
    machine_shows(bruno, "another name", |machine| machine["instance"] == "laboratorio").await;
    bruno.get("/machines/vmbrunomaquinaa").await.problem(404, "not-found");
    school.lxc(&["copy", "laboratorio", "copia"]);
    // Commands go to the new name.
    bruno.done(bruno.power("laboratorio", "start").await).await;
    school.is_up("laboratorio");
    bruno.done(bruno.power("laboratorio", "stop").await).await;
    school.lxc(&["move", "laboratorio", "vmbrunomaquinaa"]);
    let back = machine_shows(bruno, "its own name", |m| m["instance"] == "vmbrunomaquinaa").await;
    assert_eq!((&back["id"], &back["status"]), (&id, &json!("stopped")));
    school.lxc(&["delete", "copia"]);
}

/// A machine that nobody owns is nobody's, until its keys say whose it is.
async fn made_by_hand(school: &School, bruno: &Api) {
    school.lxc(&["init", school.lxd.image_alias(), "estranha"]);
    bruno.done(bruno.post("/machines", json!({ "name": "maquinab", "start": false })).await).await;
    machine_shows(bruno, "only the own machine", |m| m["instance"] == "vmbrunomaquinab").await;
    bruno.get("/machines/estranha").await.problem(404, "not-found");
    for (key, value) in
        [("id", "0b5ad3c4-31d8-4d62-9c39-6a3b0d6f0a11"), ("owner", "bruno"), ("name", "estranha")]
    {
        school.lxc(&["config", "set", "estranha", &format!("user.vms.{key}"), value]);
    }
    shows(bruno, "an adopted machine", SOON, |all| all.iter().any(|m| m["instance"] == "estranha")).await;
    assert_eq!(bruno.used().await, 2);
    bruno.done(bruno.delete("/machines/estranha").await).await;
    school.assert_nothing_orphaned(bruno).await;
}
