//! The use cases against a simulated LXD, without HTTP: a machine's life, the quota, faults, and taking up what an
//! earlier run left.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::time::Duration;

use common::{create, end, list, login, made, power, simulator, snapshot, succeed, target, until, vms};
use lxd_sim::{Action, Fault, Nth, SimHandle, Timing};
use vms_authz::action;
use vms_types::{CreateSnapshot, MachineStatus, OperationStatus, PowerAction, ProblemCode};

#[tokio::test]
async fn the_life_of_a_machine() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator(dir.path(), Timing::instant()).await;
    let vms = vms(dir.path(), &sim, 10).await;
    let bruno = login(&vms, "bruno").await;

    let operation = create(&vms, &bruno, "maquinaa").await.unwrap();
    assert_eq!(list(&vms, &bruno).await[0].status, MachineStatus::Creating, "shown from the first moment");
    succeed(&vms, &bruno, operation).await;
    let machine = until(&vms, &bruno, "an address", |m| !m.addresses.is_empty()).await;
    assert_eq!((machine.instance.as_str(), machine.status), ("vmbrunomaquinaa", MachineStatus::Running));

    let proof = bruno.authorize(target(&vms, "vmbrunomaquinaa").await, action::CreateSnapshot).unwrap();
    let operation = vms.create_snapshot(&proof, CreateSnapshot { name: "antes".into() }, None).await.unwrap();
    succeed(&vms, &bruno, operation).await;
    assert_eq!(list(&vms, &bruno).await[0].snapshots[0].name, "antes");
    let again = vms.create_snapshot(&proof, CreateSnapshot { name: "antes".into() }, None).await.unwrap_err();
    assert_eq!(again.code(), ProblemCode::NameTaken);

    let proof = bruno.authorize(target(&vms, "vmbrunomaquinaa").await, action::RestoreSnapshot).unwrap();
    let operation = vms.restore_snapshot(&proof, "antes", None).await.unwrap();
    succeed(&vms, &bruno, operation).await;

    let wrong = power(&vms, &bruno, "vmbrunomaquinaa", PowerAction::Start).await.unwrap_err();
    assert_eq!(wrong.code(), ProblemCode::WrongState);
    let operation = power(&vms, &bruno, "vmbrunomaquinaa", PowerAction::Stop).await.unwrap();
    succeed(&vms, &bruno, operation).await;
    let machine = list(&vms, &bruno).await.remove(0);
    assert_eq!((machine.status, machine.addresses.len()), (MachineStatus::Stopped, 0));
    let operation = power(&vms, &bruno, "vmbrunomaquinaa", PowerAction::Start).await.unwrap();
    succeed(&vms, &bruno, operation).await;

    let hwaddr = |sim: &SimHandle| {
        sim.instance("vmbrunomaquinaa").unwrap().config.get("volatile.eth0.hwaddr").cloned().unwrap()
    };
    let before = hwaddr(&sim);
    let proof = bruno.authorize(target(&vms, "vmbrunomaquinaa").await, action::ResetMachine).unwrap();
    let operation = vms.reset_machine(&proof, None).await.unwrap();
    succeed(&vms, &bruno, operation).await;
    let machine = until(&vms, &bruno, "running again", |m| m.status == MachineStatus::Running).await;
    assert!(machine.snapshots.is_empty(), "a reset machine is as its image made it");
    assert_eq!(hwaddr(&sim), before, "a reset machine keeps its place on the network");
    assert_eq!(sim.instances().len(), 1);

    let proof = bruno.authorize(target(&vms, "vmbrunomaquinaa").await, action::DeleteMachine).unwrap();
    let operation = vms.delete_machine(&proof, None).await.unwrap();
    succeed(&vms, &bruno, operation).await;
    assert!(list(&vms, &bruno).await.is_empty() && sim.instances().is_empty());
    assert_eq!(vms.find_machine("vmbrunomaquinaa").await.unwrap_err().code(), ProblemCode::NotFound);
    vms.shutdown().await;
}

#[tokio::test]
async fn a_failed_creation_leaves_nothing_and_frees_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator(dir.path(), Timing::instant()).await;
    let vms = vms(dir.path(), &sim, 1).await;
    let bruno = login(&vms, "bruno").await;
    sim.inject(
        Fault::on("POST", "/1.0/instances", Action::FailOperationMidway("disk full".into()))
            .nth(Nth::Only(1)),
    );
    let operation = create(&vms, &bruno, "a").await.unwrap();
    let full = create(&vms, &bruno, "b").await.unwrap_err();
    assert_eq!(full.code(), ProblemCode::QuotaExceeded);
    let ended = end(&vms, &bruno, &operation).await;
    assert_eq!(ended.status, OperationStatus::Failed);
    assert!(ended.error.unwrap().message.contains("disk full"));
    assert!(list(&vms, &bruno).await.is_empty() && sim.instances().is_empty());
    made(&vms, &bruno, "b").await;
    vms.shutdown().await;
}

/// LXD shows an instance as stopped while it still tidies up after it, and then refuses other work on it.
#[tokio::test]
async fn a_machine_that_lxd_is_busy_with_is_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator(dir.path(), Timing::instant()).await;
    let vms = vms(dir.path(), &sim, 1).await;
    let bruno = login(&vms, "bruno").await;
    made(&vms, &bruno, "a").await;
    let words = "Failed to create instance delete operation: Instance is busy running a \"stop\" operation";
    sim.inject(
        Fault::on("DELETE", "/1.0/instances/*", Action::FailOperationMidway(words.into())).nth(Nth::First(3)),
    );
    sim.reset_requests();
    let proof = bruno.authorize(target(&vms, "vmbrunoa").await, action::ResetMachine).unwrap();
    let operation = vms.reset_machine(&proof, None).await.unwrap();
    succeed(&vms, &bruno, operation).await;
    // Only what was refused is asked for again: the new machine is made once.
    let asked = sim.requests();
    let count = |what: &str| asked.get(what).copied().unwrap_or_default();
    assert_eq!(count("POST /1.0/instances"), 1, "{asked:?}");
    assert_eq!(count("DELETE /1.0/instances/{instance}"), 4, "{asked:?}");
    vms.shutdown().await;
}

#[tokio::test]
async fn names_that_give_one_instance_name_do_not_meet() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator(dir.path(), Timing::instant()).await;
    let vms = vms(dir.path(), &sim, 10).await;
    let (bruno, brunom) = (login(&vms, "bruno").await, login(&vms, "brunom").await);
    let first = create(&vms, &bruno, "maquinaa").await.unwrap();
    let second = create(&vms, &brunom, "aquinaa").await.unwrap();
    succeed(&vms, &bruno, first).await;
    succeed(&vms, &brunom, second).await;
    assert_eq!(list(&vms, &bruno).await[0].instance, "vmbrunomaquinaa");
    assert_eq!(list(&vms, &brunom).await[0].instance, "vmbrunomaquinaa-2");
    let denied = brunom.authorize(target(&vms, "vmbrunomaquinaa").await, action::DeleteMachine);
    assert_eq!(denied.unwrap_err(), vms_authz::Denied::NotFound);
    vms.shutdown().await;
}

#[tokio::test]
async fn a_restart_of_either_side_in_the_middle_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    // Long enough to be seen in the middle of it.
    let slow = Timing { create: Duration::from_secs(2), ..Timing::default() };
    let sim = simulator(dir.path(), slow).await;
    let first_run = vms(dir.path(), &sim, 10).await;
    let bruno = login(&first_run, "bruno").await;
    let operation = create(&first_run, &bruno, "a").await.unwrap();
    until(&first_run, &bruno, "at LXD", |m| {
        m.operation.as_ref().is_some_and(|o| o.status == OperationStatus::Running)
    })
    .await;
    // Ours first, as by a power cut: nothing is told to LXD.
    first_run.shutdown().await;
    drop(first_run);
    let vms = vms(dir.path(), &sim, 10).await;
    let bruno = login(&vms, "bruno").await;
    succeed(&vms, &bruno, operation).await;
    assert_eq!(list(&vms, &bruno).await.len(), 1);
    assert_eq!(sim.instances().len(), 1);

    // Then LXD's, while it deletes.
    let proof = bruno.authorize(target(&vms, "vmbrunoa").await, action::DeleteMachine).unwrap();
    let operation = vms.delete_machine(&proof, None).await.unwrap();
    sim.stop().await;
    until(&vms, &bruno, "stale", |m| m.stale).await;
    let refused = create(&vms, &bruno, "b").await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::ServerUnavailable);
    sim.start().await.unwrap();
    succeed(&vms, &bruno, operation).await;
    assert!(list(&vms, &bruno).await.is_empty() && sim.instances().is_empty());
    vms.shutdown().await;
}

/// LXD turns a machine off to restore it. If it dies then, it leaves it off, with half of its files.
#[tokio::test]
async fn a_restore_that_lxd_died_in_is_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let slow = Timing { restore: Duration::from_secs(2), ..Timing::instant() };
    let sim = simulator(dir.path(), slow).await;
    let vms = vms(dir.path(), &sim, 1).await;
    let bruno = login(&vms, "bruno").await;
    made(&vms, &bruno, "a").await;
    snapshot(&vms, &bruno, "vmbrunoa", "antes").await;
    let proof = bruno.authorize(target(&vms, "vmbrunoa").await, action::RestoreSnapshot).unwrap();
    let operation = vms.restore_snapshot(&proof, "antes", None).await.unwrap();
    let deadline = tokio::time::Instant::now() + common::PATIENCE;
    while sim.instance("vmbrunoa").unwrap().status != "Stopped" {
        assert!(tokio::time::Instant::now() < deadline, "the restore never began");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sim.stop().await;
    sim.reset_requests();
    sim.start().await.unwrap();
    succeed(&vms, &bruno, operation).await;
    assert_eq!(list(&vms, &bruno).await[0].status, MachineStatus::Running);
    assert_eq!(sim.requests().get("PUT /1.0/instances/{instance}"), Some(&1), "asked once more");
    vms.shutdown().await;
}

#[tokio::test]
async fn a_lost_database_is_rebuilt_from_the_instances() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator(dir.path(), Timing::instant()).await;
    let first_run = vms(dir.path(), &sim, 10).await;
    let bruno = login(&first_run, "bruno").await;
    made(&first_run, &bruno, "a").await;
    let before = list(&first_run, &bruno).await.remove(0);
    first_run.shutdown().await;
    drop(first_run);
    std::fs::remove_file(dir.path().join("vms.db")).unwrap();
    for rest in ["vms.db-wal", "vms.db-shm"] {
        drop(std::fs::remove_file(dir.path().join(rest)));
    }
    let vms = vms(dir.path(), &sim, 10).await;
    let bruno = login(&vms, "bruno").await;
    let after = until(&vms, &bruno, "adopted", |_| true).await;
    assert_eq!((after.id, after.name, after.owner), (before.id, before.name, before.owner));
    vms.shutdown().await;
}
