//! The simulator's faults, restarts and interventions by hand, as the client meets them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::time::Duration;

use futures::StreamExt;
use lxd_api::{
    EventPayload, EventType, InstanceAction, InstanceSource, InstanceStatePut, InstancesPost, SnapshotsPost,
    StatusCode,
};
use lxd_client::{Client, ClientConfig, Error, EventStream, RebuildSource, Timeouts};
use lxd_sim::{Action, Fault, InstanceSpec, Nth, SimBuilder, SimHandle, Simulator, Timing, scenario};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(10);

struct Lab {
    sim: SimHandle,
    client: Client,
    _dir: TempDir,
}

async fn lab(builder: SimBuilder) -> Lab {
    let dir = tempfile::tempdir().unwrap();
    let sim = builder.socket(dir.path().join("unix.socket")).start().await.unwrap();
    let timeouts = Timeouts { request: Duration::from_millis(400), ..Timeouts::default() };
    let config = ClientConfig::new(sim.endpoint().parse().unwrap()).with_timeouts(timeouts);
    Lab { sim, client: Client::new(config).unwrap(), _dir: dir }
}

/// One image, one running instance `c1`.
fn simple() -> SimBuilder {
    Simulator::builder()
        .image("debian-12", "Debian 12")
        .instance(InstanceSpec::new("c1").image("debian-12").running())
}

fn post(name: &str) -> InstancesPost {
    InstancesPost {
        name: name.into(),
        source: InstanceSource::alias("debian-12"),
        ..InstancesPost::default()
    }
}

fn stop() -> InstanceStatePut {
    InstanceStatePut { force: true, ..InstanceStatePut::new(InstanceAction::Stop) }
}

async fn next_action(events: &mut EventStream) -> String {
    let event = tokio::time::timeout(PATIENCE, events.next()).await.unwrap().unwrap().unwrap();
    match event.payload().unwrap() {
        EventPayload::Lifecycle(lifecycle) => format!("{} {}", lifecycle.action, lifecycle.source),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_delay_is_felt_and_the_request_still_done() {
    let lab = lab(simple()).await;
    lab.sim.inject(
        Fault::on("POST", "/1.0/instances", Action::Delay(Duration::from_millis(800))).nth(Nth::Only(1)),
    );
    let error = lab.client.create_instance(&post("c2"), None).await.unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_executed(), "{error}");
    // The client hung up before the delay was over: nothing was created, and the second attempt is as usual.
    lab.client.create_instance(&post("c2"), None).await.unwrap().wait(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn an_error_meets_only_the_request_it_names() {
    let lab = lab(simple()).await;
    let fault = Action::Error { code: 500, message: "database is locked".into() };
    lab.sim.inject(Fault::on("GET", "/1.0/instances/*", fault).nth(Nth::Only(2)));
    lab.client.instance("c1").await.unwrap();
    let error = lab.client.instance("c1").await.unwrap_err();
    assert!(
        matches!(&error, Error::Api { code: 500, message } if message == "database is locked"),
        "{error}"
    );
    lab.client.instance("c1").await.unwrap();
    lab.client.instances().await.unwrap();
}

#[tokio::test]
async fn a_request_that_hangs_does_not_hold_up_others() {
    let lab = lab(simple()).await;
    lab.sim.inject(Fault::on("GET", "/1.0/networks/*/leases", Action::Hang));
    let (hung, fine) = tokio::join!(lab.client.leases("lxdbr0"), lab.client.instances());
    assert!(hung.unwrap_err().is_timeout());
    assert_eq!(fine.unwrap().len(), 1);
    lab.sim.clear_faults();
    assert_eq!(lab.client.leases("lxdbr0").await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_closed_connection_did_nothing_a_lost_answer_did() {
    let lab = lab(simple()).await;
    lab.sim.inject(Fault::on("POST", "/1.0/instances", Action::CloseConnection).nth(Nth::Only(1)));
    let error = lab.client.create_instance(&post("c2"), None).await.unwrap_err();
    assert!(error.is_unreachable() && error.may_have_been_executed(), "{error}");
    assert!(lab.sim.instance("c2").is_none());
    lab.sim.clear_faults();
    lab.sim.inject(Fault::on("POST", "/1.0/instances", Action::LoseAnswer).nth(Nth::Only(1)));
    let mut events = lab.client.events(&[EventType::Lifecycle]).await.unwrap();
    let error = lab.client.create_instance(&post("c2"), None).await.unwrap_err();
    assert!(error.is_unreachable() && error.may_have_been_executed(), "{error}");
    assert_eq!(next_action(&mut events).await, "instance-created /1.0/instances/c2");
    assert!(lab.sim.instance("c2").is_some());
}

#[tokio::test]
async fn a_creation_that_fails_midway_leaves_nothing() {
    let lab = lab(simple()).await;
    let fault = Action::FailOperationMidway("no space left on device".into());
    lab.sim.inject(Fault::on("POST", "/1.0/instances", fault).nth(Nth::Only(1)));
    let mut events = lab.client.events(&[EventType::Lifecycle]).await.unwrap();
    let handle = lab.client.create_instance(&post("c2"), None).await.unwrap();
    let error = handle.wait(PATIENCE).await.unwrap_err();
    assert!(error.is_operation_failed() && error.to_string().contains("no space left"), "{error}");
    assert_eq!(next_action(&mut events).await, "instance-created /1.0/instances/c2");
    assert_eq!(next_action(&mut events).await, "instance-deleted /1.0/instances/c2");
    assert!(lab.client.instance("c2").await.unwrap_err().is_not_found());
    lab.client.create_instance(&post("c2"), None).await.unwrap().wait(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn what_fails_midway_frees_the_instance() {
    let lab = lab(simple()).await;
    let snapshot = SnapshotsPost { name: "s1".into(), ..SnapshotsPost::default() };
    lab.client.create_snapshot("c1", &snapshot).await.unwrap().wait(PATIENCE).await.unwrap();
    lab.sim.inject(
        Fault::on("PUT", "/1.0/instances/c1", Action::FailOperationMidway("rsync: broken pipe".into()))
            .nth(Nth::First(1)),
    );
    let error = lab.client.restore_snapshot("c1", "s1").await.unwrap().wait(PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("rsync"), "{error}");
    // LXD had stopped it for the restore and leaves it so.
    assert_eq!(lab.client.instance("c1").await.unwrap().value.status_code, StatusCode::STOPPED);
    lab.client.restore_snapshot("c1", "s1").await.unwrap().wait(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn operations_are_followed_over_dropped_event_sockets() {
    let timing = Timing { create: Duration::from_millis(600), ..Timing::instant() };
    let lab = lab(simple().timing(timing)).await;
    let mut events = lab.client.events(&[EventType::Lifecycle]).await.unwrap();
    let handle = lab.client.create_instance(&post("c2"), None).await.unwrap();
    let (end, ()) = tokio::join!(handle.wait(PATIENCE), async {
        next_action(&mut events).await;
        lab.sim.drop_event_sockets();
    });
    assert_eq!(end.unwrap().status_code, StatusCode::SUCCESS);
    assert!(events.next().await.unwrap().unwrap_err().is_unreachable());
    // As a fault: a request that takes the sockets with it.
    let mut events = lab.client.events(&[EventType::Lifecycle]).await.unwrap();
    lab.sim.inject(Fault::on("GET", "/1.0/instances", Action::DropEvents));
    lab.client.instances().await.unwrap();
    assert!(events.next().await.unwrap().unwrap_err().is_unreachable());
}

#[tokio::test]
async fn a_restart_loses_operations_and_keeps_machines() {
    let timing = Timing { stop: Duration::from_secs(30), ..Timing::instant() };
    let lab = lab(simple().timing(timing)).await;
    let stopping = InstanceStatePut::new(InstanceAction::Stop);
    let handle = lab.client.set_instance_state("c1", &stopping).await.unwrap();
    assert_eq!(lab.sim.running_operations(), 1);
    let (end, ()) = tokio::join!(handle.wait(PATIENCE), lab.sim.stop());
    assert!(end.unwrap_err().is_unreachable());
    assert!(lab.client.instances().await.unwrap_err().is_unreachable());
    assert!(!lab.sim.socket().unwrap().exists());
    lab.sim.start().await.unwrap();
    assert!(lab.client.operation(handle.id()).await.unwrap_err().is_not_found());
    assert!(handle.wait(PATIENCE).await.unwrap_err().is_operation_lost());
    assert_eq!(lab.client.instance("c1").await.unwrap().value.status_code, StatusCode::RUNNING);
    lab.client.set_instance_state("c1", &stop()).await.unwrap().wait(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn what_happens_by_hand_is_told_too() {
    let lab = lab(simple()).await;
    let mut events = lab.client.events(&[EventType::Lifecycle]).await.unwrap();
    lab.sim.stop_instance("c1").unwrap();
    assert_eq!(next_action(&mut events).await, "instance-shutdown /1.0/instances/c1");
    assert_eq!(lab.client.instance("c1").await.unwrap().value.status_code, StatusCode::STOPPED);
    lab.sim.start_instance("c1").unwrap();
    assert_eq!(next_action(&mut events).await, "instance-started /1.0/instances/c1");
    lab.sim.set_instance_config("c1", "user.vms.owner", "ana").unwrap();
    assert_eq!(next_action(&mut events).await, "instance-updated /1.0/instances/c1");
    assert_eq!(lab.client.instance("c1").await.unwrap().value.config["user.vms.owner"], "ana");
    lab.sim.create_instance(InstanceSpec::new("c2").image("debian-12")).unwrap();
    assert_eq!(next_action(&mut events).await, "instance-created /1.0/instances/c2");
    lab.sim.delete_instance("c1").unwrap();
    assert_eq!(next_action(&mut events).await, "instance-deleted /1.0/instances/c1");
    assert!(lab.sim.stop_instance("c1").is_err());
}

#[tokio::test]
async fn requests_are_counted_by_endpoint() {
    let lab = lab(simple()).await;
    lab.client.instances().await.unwrap();
    lab.client.instances_full().await.unwrap();
    lab.client.instance("c1").await.unwrap();
    lab.client.instance_state("c1").await.unwrap();
    lab.client.instance_state("c1").await.unwrap();
    let requests = lab.sim.requests();
    assert_eq!(requests["GET /1.0/instances?recursion=1"], 1);
    assert_eq!(requests["GET /1.0/instances?recursion=2"], 1);
    assert_eq!(requests["GET /1.0/instances/{instance}"], 1);
    assert_eq!(requests["GET /1.0/instances/{instance}/state"], 2);
    assert_eq!(lab.sim.request_count(), 5);
    lab.sim.reset_requests();
    assert_eq!(lab.sim.request_count(), 0);
}

#[tokio::test]
async fn a_busy_instance_refuses_a_second_operation() {
    let timing = Timing { start: Duration::from_millis(500), ..Timing::instant() };
    let lab = lab(simple().timing(timing).instance(InstanceSpec::new("c2").image("debian-12"))).await;
    let start = InstanceStatePut::new(InstanceAction::Start);
    let mut events = lab.client.events(&[EventType::Operation]).await.unwrap();
    let starting = lab.client.set_instance_state("c2", &start).await.unwrap();
    // Pending and running: now it holds the instance, or is about to.
    for _ in 0..2 {
        events.next().await.unwrap().unwrap();
    }
    let deleting = lab.client.delete_instance("c2").await.unwrap();
    let error = deleting.wait(PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("Instance is busy running a \"start\" operation"), "{error}");
    starting.wait(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_cluster_places_and_moves() {
    let lab = lab(simple().members(["node1", "node2"])).await;
    assert_eq!(lab.client.instance("c1").await.unwrap().value.location, "node1");
    let cluster = lab.client.cluster().await.unwrap();
    assert!(cluster.enabled && cluster.server_name == "node1");
    let members: Vec<String> =
        lab.client.cluster_members().await.unwrap().into_iter().map(|member| member.server_name).collect();
    assert_eq!(members, ["node1", "node2"]);
    // Nobody says where: the idlest.
    lab.client.create_instance(&post("c2"), None).await.unwrap().wait(PATIENCE).await.unwrap();
    assert_eq!(lab.client.instance("c2").await.unwrap().value.location, "node2");
    lab.client.create_instance(&post("c3"), Some("node2")).await.unwrap().wait(PATIENCE).await.unwrap();
    assert_eq!(lab.client.instance("c3").await.unwrap().value.location, "node2");
    assert!(lab.client.create_instance(&post("c4"), Some("node9")).await.unwrap_err().is_not_found());
    let error = lab.client.move_instance("c1", "node2", false).await.unwrap_err();
    assert!(matches!(error, Error::Api { code: 400, .. }), "{error}");
    lab.client.set_instance_state("c1", &stop()).await.unwrap().wait(PATIENCE).await.unwrap();
    lab.client.move_instance("c1", "node2", false).await.unwrap().wait(PATIENCE).await.unwrap();
    assert_eq!(lab.client.instance("c1").await.unwrap().value.location, "node2");
    lab.client.resources(Some("node2")).await.unwrap();
}

#[tokio::test]
async fn newer_extensions_can_be_switched_on() {
    let old = lab(simple()).await;
    let source = RebuildSource::Alias("debian-12".into());
    assert!(old.client.rebuild_instance("c1", &source).await.unwrap_err().is_missing_extension());
    let new = lab(simple().extension("instances_rebuild").extension("instance_create_start")).await;
    let started = InstancesPost { start: true, ..post("c2") };
    new.client.create_instance(&started, None).await.unwrap().wait(PATIENCE).await.unwrap();
    assert_eq!(new.client.instance("c2").await.unwrap().value.status_code, StatusCode::RUNNING);
    new.client.set_instance_state("c1", &stop()).await.unwrap().wait(PATIENCE).await.unwrap();
    new.client.rebuild_instance("c1", &source).await.unwrap().wait(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn the_demo_is_brunos_three_machines() {
    let lab = lab(scenario::demo()).await;
    let machines = lab.client.instances_full().await.unwrap();
    let seen: Vec<_> = machines
        .iter()
        .map(|machine| {
            let state = machine.state.as_ref().unwrap();
            let address = state.global_addresses().first().map(|(_, address)| address.address.clone());
            (
                machine.name.as_str(),
                machine.config["user.vms.name"].as_str(),
                machine.status.as_str(),
                address,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("vmbrunomaquinaa", "maquinaa", "Running", Some("10.99.13.228".to_owned())),
            ("vmbrunomaquinab", "maquinab", "Running", Some("10.99.9.113".to_owned())),
            ("vmbrunomaquinac", "maquinac", "Stopped", None),
        ]
    );
    assert!(machines.iter().all(|machine| machine.config["user.vms.owner"] == "bruno"));
    assert_eq!(lab.client.snapshots("vmbrunomaquinaa").await.unwrap().len(), 2);
    assert_eq!(lab.client.images().await.unwrap().len(), 3);
    let profile = lab.client.profile("alunos").await.unwrap().value;
    assert_eq!(profile.devices.values().filter(|device| device["type"] == "nic").count(), 5);
    assert_eq!(profile.config["limits.memory"], "256MiB");
}
