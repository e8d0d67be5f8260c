//! How much work there may be at once, and whose turn it is, as the simulated LXD sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::time::Duration;

use common::{
    PATIENCE, create, create_with_key, end, list, login, simulator, succeed, target, until, vms_with,
};
use lxd_sim::{Action, Fault, SimHandle, Timing};
use vms_authz::{Actor, PersonTarget, action};
use vms_core::{Limits, Settings, Vms};
use vms_types::{Operation, OperationStatus, ProblemCode, Quota};

fn settings(operations: Limits) -> Settings {
    Settings { operations, quota: Quota { machines: Some(100), ..Quota::default() }, ..Settings::default() }
}

/// Creations that LXD was asked for.
fn creations(sim: &SimHandle) -> u64 {
    sim.requests().get("POST /1.0/instances").copied().unwrap_or_default()
}

async fn cancel(vms: &Vms, actor: &Actor, operation: &Operation) -> Operation {
    let target = vms.find_operation(operation.id).await.unwrap();
    let proof = actor.authorize(target, action::CancelOperation).unwrap();
    vms.cancel_operation(&proof).await.unwrap();
    end(vms, actor, operation).await
}

async fn operations(vms: &Vms, actor: &Actor) -> Vec<Operation> {
    let proof = actor.authorize(PersonTarget::new(actor.username()), action::ListOperations).unwrap();
    vms.operations_of(&proof, 200, None).await.unwrap().items
}

/// From now on creations hang, until LXD is started anew.
fn hang(sim: &SimHandle) {
    sim.inject(Fault::on("POST", "/1.0/instances", Action::Hang));
}

async fn restart(sim: &SimHandle) {
    sim.stop().await;
    sim.clear_faults();
    sim.start().await.unwrap();
}

/// Looks until LXD was asked for so many creations.
async fn asked(sim: &SimHandle, count: u64) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while creations(sim) < count {
        assert!(tokio::time::Instant::now() < deadline, "LXD was asked for {} creations", creations(sim));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn fifty_commands_of_one_student_do_not_stand_before_another() {
    let dir = tempfile::tempdir().unwrap();
    let timing = Timing { create: Duration::from_millis(100), ..Timing::instant() };
    let sim = simulator(dir.path(), timing).await;
    let limits = Limits { per_user: 1, per_server: 1, ..Limits::default() };
    let vms = vms_with(dir.path(), &[("lxd1", &sim)], settings(limits)).await;
    let (bruno, ana) = (login(&vms, "bruno").await, login(&vms, "ana").await);
    let mut brunos = Vec::new();
    for number in 1..=50 {
        brunos.push(create(&vms, &bruno, &format!("m{number}")).await.unwrap());
    }
    let anas = create(&vms, &ana, "one").await.unwrap();
    let before = creations(&sim);
    succeed(&vms, &ana, anas).await;
    let after = creations(&sim);
    // One that was under way, ana's own, and the next one of bruno's that began when hers had ended.
    assert!(after <= before + 3, "{} creations of bruno's went before ana's", after - before - 1);
    for operation in brunos {
        succeed(&vms, &bruno, operation).await;
    }
    assert_eq!(creations(&sim), 51);
    vms.shutdown().await;
}

#[tokio::test]
async fn a_full_queue_refuses_reserves_nothing_and_is_free_again() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator(dir.path(), Timing::instant()).await;
    let limits = Limits { per_user: 1, per_server: 16, queue: 3, queue_per_user: 2 };
    let vms = vms_with(dir.path(), &[("lxd1", &sim)], settings(limits)).await;
    let (bruno, ana) = (login(&vms, "bruno").await, login(&vms, "ana").await);
    hang(&sim);
    let first = create_with_key(&vms, &bruno, "a", Some("key")).await.unwrap();
    asked(&sim, 1).await;
    let second = create(&vms, &bruno, "b").await.unwrap();
    let waits = until(&vms, &bruno, "waiting", |m| {
        m.operation.as_ref().is_some_and(|o| o.id == second.id && o.message == "Waiting for its turn")
    })
    .await;
    assert_eq!(waits.operation.unwrap().status, OperationStatus::Pending);

    let refused = create(&vms, &bruno, "c").await.unwrap_err().problem();
    assert_eq!((refused.code, refused.status), (ProblemCode::Overloaded, 503));
    assert!(refused.retry_after_seconds.is_some());
    assert_eq!(list(&vms, &bruno).await.len(), 2, "no place of the quota is taken");
    assert_eq!(operations(&vms, &bruno).await.len(), 2, "nothing was written down");
    let replayed = create_with_key(&vms, &bruno, "a", Some("key")).await.unwrap();
    assert_eq!(replayed.id, first.id, "a replay asks for no place");
    let anas = create(&vms, &ana, "a").await.unwrap();
    let refused = create(&vms, &ana, "b").await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::Overloaded, "three of all people's");

    let cancelled = cancel(&vms, &bruno, &second).await;
    assert_eq!(cancelled.status, OperationStatus::Cancelled);
    assert_eq!(list(&vms, &bruno).await.len(), 1);
    let third = create(&vms, &bruno, "c").await.expect("the cancelled one's place is free");
    restart(&sim).await;
    for (actor, operation) in [(&bruno, first), (&bruno, third), (&ana, anas)] {
        succeed(&vms, actor, operation).await;
    }
    for name in ["d", "e"] {
        create(&vms, &bruno, name).await.expect("all places are free");
    }
    vms.shutdown().await;
}

#[tokio::test]
async fn who_waits_for_a_server_that_is_away_holds_up_nothing_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let lxd1 = simulator(dir.path(), Timing::instant()).await;
    let lxd2 = simulator(other.path(), Timing::instant()).await;
    let limits = Limits { per_user: 1, ..Limits::default() };
    let vms = vms_with(dir.path(), &[("lxd1", &lxd1), ("lxd2", &lxd2)], settings(limits)).await;
    let bruno = login(&vms, "bruno").await;
    hang(&lxd1);
    let first = create(&vms, &bruno, "a").await.unwrap();
    assert_eq!(first.server, "lxd1");
    asked(&lxd1, 1).await;
    lxd1.stop().await;
    until(&vms, &bruno, "stale", |m| m.stale).await;
    let second = create(&vms, &bruno, "b").await.unwrap();
    assert_eq!(second.server, "lxd2");
    succeed(&vms, &bruno, second).await;
    lxd1.clear_faults();
    lxd1.start().await.unwrap();
    succeed(&vms, &bruno, first).await;
    vms.shutdown().await;
}

#[tokio::test]
async fn what_a_crash_left_passes_the_same_gate() {
    let dir = tempfile::tempdir().unwrap();
    let sim = simulator(dir.path(), Timing::instant()).await;
    let limits = Limits { per_user: 4, per_server: 1, queue: 2, queue_per_user: 2 };
    let vms = vms_with(dir.path(), &[("lxd1", &sim)], settings(Limits::default())).await;
    let bruno = login(&vms, "bruno").await;
    for name in ["a", "b", "c"] {
        succeed(&vms, &bruno, create(&vms, &bruno, name).await.unwrap()).await;
    }
    sim.inject(Fault::on("DELETE", "/1.0/instances/*", Action::Hang));
    let mut under_way = Vec::new();
    for name in ["vmbrunoa", "vmbrunob", "vmbrunoc"] {
        let proof = bruno.authorize(target(&vms, name).await, action::DeleteMachine).unwrap();
        under_way.push(vms.delete_machine(&proof, None).await.unwrap());
    }
    vms.shutdown().await;
    drop(vms);

    let vms = vms_with(dir.path(), &[("lxd1", &sim)], settings(limits)).await;
    let bruno = login(&vms, "bruno").await;
    let waiting = || async {
        let all = operations(&vms, &bruno).await;
        all.iter().filter(|o| o.message == "Waiting for its turn").count()
    };
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while waiting().await != 2 {
        assert!(tokio::time::Instant::now() < deadline, "{:?}", operations(&vms, &bruno).await);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let refused = create(&vms, &bruno, "d").await.unwrap_err();
    assert_eq!(refused.code(), ProblemCode::Overloaded, "what is taken up counts");
    restart(&sim).await;
    for operation in under_way {
        succeed(&vms, &bruno, operation).await;
    }
    succeed(&vms, &bruno, create(&vms, &bruno, "d").await.unwrap()).await;
    vms.shutdown().await;
}
