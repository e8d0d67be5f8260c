//! What an administrator does with `lxc` behind the portal's back: the machines table follows the machines by their id.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeMap;

use common::{PATIENCE, list, login, made, power, simulator, succeed, target, until, vms};
use lxd_client::{Client, ClientConfig};
use lxd_sim::{InstanceSpec, SimHandle, Timing};
use vms_authz::{Actor, action};
use vms_core::{CoreError, Vms};
use vms_types::{MachineStatus, PowerAction};

struct Lab {
    _dir: tempfile::TempDir,
    sim: SimHandle,
    admin: Client,
    vms: Vms,
    bruno: Actor,
}

impl Lab {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sim = simulator(dir.path(), Timing::instant()).await;
        let admin = Client::new(ClientConfig::new(sim.endpoint().parse().unwrap())).unwrap();
        let vms = vms(dir.path(), &sim, 10).await;
        let bruno = login(&vms, "bruno").await;
        Self { _dir: dir, sim, admin, vms, bruno }
    }

    async fn create(&self, name: &str) {
        made(&self.vms, &self.bruno, name).await;
    }

    async fn rename(&self, from: &str, to: &str) {
        self.sim.stop_instance(from).unwrap();
        self.admin.rename_instance(from, to).await.unwrap().wait(PATIENCE).await.unwrap();
    }

    /// `lxc copy`, which takes the keys along.
    fn copy(&self, from: &str, to: &str) {
        let keys = self.sim.instance(from).unwrap().config.into_iter();
        let keys = keys.filter(|(key, _)| key.starts_with("user."));
        let spec =
            keys.fold(InstanceSpec::new(to).image("debian-12"), |spec, (key, value)| spec.config(key, value));
        self.sim.create_instance(spec).unwrap();
    }

    /// Waits until the portal has seen everything that was done so far: a machine made by hand is taken in only after
    /// what happened before it.
    async fn settled(&self, mark: &str) {
        let id = uuid::Uuid::new_v4().to_string();
        let keys = [("user.vms.id", id.as_str()), ("user.vms.owner", "bruno"), ("user.vms.name", mark)];
        let spec = InstanceSpec::new(mark).image("debian-12");
        self.sim.create_instance(keys.into_iter().fold(spec, |s, (k, v)| s.config(k, v))).unwrap();
        until(&self.vms, &self.bruno, "taken in", |machine| machine.instance == mark).await;
    }

    /// Instance names with their statuses, without the marks.
    async fn shown(&self) -> BTreeMap<String, MachineStatus> {
        let all = list(&self.vms, &self.bruno).await.into_iter();
        all.filter(|m| !m.name.starts_with("mark")).map(|m| (m.instance, m.status)).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_was_renamed_is_followed() {
    let lab = Lab::open().await;
    lab.create("a").await;
    let before = list(&lab.vms, &lab.bruno).await[0].clone();
    lab.rename("vmbrunoa", "velha").await;
    let after = until(&lab.vms, &lab.bruno, "renamed", |machine| machine.instance == "velha").await;
    assert_eq!((after.id, &after.name, after.status), (before.id, &before.name, MachineStatus::Stopped));
    assert!(matches!(lab.vms.find_machine("vmbrunoa").await, Err(CoreError::NotFound(_))));
    // Commands go to the new name.
    succeed(&lab.vms, &lab.bruno, power(&lab.vms, &lab.bruno, "velha", PowerAction::Start).await.unwrap())
        .await;
    assert_eq!(lab.shown().await, [("velha".to_owned(), MachineStatus::Running)].into());
    // The old name is free again.
    lab.create("a2").await;
    assert_eq!(lab.shown().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_hands_takes_no_machine_along() {
    let lab = Lab::open().await;
    lab.create("a").await;
    lab.create("b").await;
    lab.sim.delete_instance("vmbrunoa").unwrap();
    lab.rename("vmbrunob", "vmbrunoa").await;
    lab.settled("mark1").await;
    // The row of the deleted one has the name still, so neither is what stands there now.
    let unknown = MachineStatus::Unknown;
    assert_eq!(
        lab.shown().await,
        [("vmbrunoa".to_owned(), unknown), ("vmbrunob".to_owned(), unknown)].into()
    );
    // Deleting the first frees its row and its name, and touches nothing on the server.
    let proof = lab.bruno.authorize(target(&lab.vms, "vmbrunoa").await, action::DeleteMachine).unwrap();
    succeed(&lab.vms, &lab.bruno, lab.vms.delete_machine(&proof, None).await.unwrap()).await;
    assert!(lab.sim.instance("vmbrunoa").is_some(), "somebody else's instance was deleted");
    lab.sim.start_instance("vmbrunoa").unwrap();
    let b = until(&lab.vms, &lab.bruno, "followed", |machine| {
        machine.name == "b" && machine.instance == "vmbrunoa"
    });
    b.await;
    assert_eq!(lab.shown().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_are_left_alone() {
    let lab = Lab::open().await;
    lab.create("a").await;
    lab.copy("vmbrunoa", "copia");
    lab.settled("mark1").await;
    assert_eq!(lab.shown().await, [("vmbrunoa".to_owned(), MachineStatus::Running)].into());
    let report = lab.vms.reconcile().await.unwrap();
    assert_eq!(report.foreign, ["copia"]);
    assert!(report.adopted.is_empty() && report.missing.is_empty() && report.renamed.is_empty());

    // The machine is deleted; its copy does not bring it back.
    let proof = lab.bruno.authorize(target(&lab.vms, "vmbrunoa").await, action::DeleteMachine).unwrap();
    succeed(&lab.vms, &lab.bruno, lab.vms.delete_machine(&proof, None).await.unwrap()).await;
    lab.sim.start_instance("copia").unwrap();
    lab.settled("mark2").await;
    assert!(lab.shown().await.is_empty());
    assert!(lab.sim.instance("copia").is_some());
    // With an id of its own it is taken in.
    lab.sim.set_instance_config("copia", "user.vms.id", &uuid::Uuid::new_v4().to_string()).unwrap();
    until(&lab.vms, &lab.bruno, "adopted", |machine| machine.instance == "copia").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_adopted_once_its_keys_are_complete() {
    let lab = Lab::open().await;
    lab.sim
        .create_instance(InstanceSpec::new("feita").image("debian-12").running().snapshot("antes"))
        .unwrap();
    let id = uuid::Uuid::new_v4();
    for (key, value) in [("user.vms.id", id.to_string().as_str()), ("user.vms.name", "feita")] {
        lab.sim.set_instance_config("feita", key, value).unwrap();
    }
    lab.settled("mark1").await;
    assert!(lab.shown().await.is_empty(), "nobody's yet");
    lab.sim.set_instance_config("feita", "user.vms.owner", "bruno").unwrap();
    let machine = until(&lab.vms, &lab.bruno, "adopted", |machine| machine.instance == "feita").await;
    assert_eq!((machine.id, machine.status), (id, MachineStatus::Running));
    // Whose it is the table says, from then on.
    lab.sim.set_instance_config("feita", "user.vms.owner", "ana").unwrap();
    lab.settled("mark2").await;
    assert_eq!(lab.shown().await.len(), 1);

    // Its snapshot is older than the keys: going back to it does not lose the machine.
    let proof = lab.bruno.authorize(target(&lab.vms, "feita").await, action::RestoreSnapshot).unwrap();
    succeed(&lab.vms, &lab.bruno, lab.vms.restore_snapshot(&proof, "antes", None).await.unwrap()).await;
    let after =
        until(&lab.vms, &lab.bruno, "itself again", |m| m.status == MachineStatus::Running && m.id == id)
            .await;
    assert_eq!(after.instance, "feita");
    assert_eq!(lab.sim.instance("feita").unwrap().config["user.vms.owner"], "bruno");
}
