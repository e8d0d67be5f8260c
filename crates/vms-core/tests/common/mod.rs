//! What the tests of the use cases share: a simulated LXD, everyone's password, and the common steps.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    dead_code,
    missing_docs
)]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lxd_client::{Client, ClientConfig};
use lxd_sim::{SimHandle, Simulator, Timing};
use vms_auth::{AccessTokens, AuthError, Authenticator, Identity, Presence, SigningKey, TokenSettings};
use vms_authz::{Actor, MachineTarget, PersonTarget, action};
use vms_core::{CoreError, MachineFilter, Peer, Settings, Vms};
use vms_db::Datastore;
use vms_fleet::Fleet;
use vms_types::{
    CreateMachine, CreateSnapshot, LoginRequest, Machine, Operation, OperationStatus, PowerAction, Quota,
    Role, StateChange,
};

pub const PATIENCE: Duration = Duration::from_secs(20);

/// Everyone's password is the user name.
pub struct School;

#[async_trait]
impl Authenticator for School {
    async fn authenticate(&self, username: &str, password: &str) -> Result<Identity, AuthError> {
        if username != password {
            return Err(AuthError::InvalidCredentials);
        }
        Ok(Identity {
            username: username.into(),
            display_name: username.into(),
            email: None,
            groups: Vec::new(),
            role: Role::Student,
        })
    }

    async fn presence(&self, _: &str) -> Result<Presence, AuthError> {
        Ok(Presence::Untold)
    }

    async fn health(&self) -> Result<(), AuthError> {
        Ok(())
    }
}

pub async fn simulator(dir: &Path, timing: Timing) -> SimHandle {
    let socket = dir.join("lxd.socket");
    Simulator::builder().socket(socket).timing(timing).image("debian-12", "Debian 12").start().await.unwrap()
}

pub async fn vms(dir: &Path, sim: &SimHandle, quota: u32) -> Vms {
    vms_with(
        dir,
        &[("lxd1", sim)],
        Settings {
            quota: Quota { machines: Some(quota), ..Quota::default() },
            sample_every: None,
            ..Settings::default()
        },
    )
    .await
}

pub async fn vms_with(dir: &Path, servers: &[(&str, &SimHandle)], settings: Settings) -> Vms {
    let db = Datastore::open(&format!("sqlite://{}", dir.join("vms.db").display())).await.unwrap();
    let clients = servers.iter().map(|(name, sim)| {
        ((*name).to_owned(), Client::new(ClientConfig::new(sim.endpoint().parse().unwrap())).unwrap())
    });
    let fleet = Fleet::start(clients);
    let tokens = AccessTokens::new(TokenSettings::default(), SigningKey::generate().unwrap()).unwrap();
    let vms = Vms::new(settings, db, fleet.clone(), Arc::new(School), tokens);
    vms.begin().await.unwrap();
    for (name, _) in servers {
        let mut watch = fleet.server(name).unwrap().watch_connected();
        tokio::time::timeout(PATIENCE, watch.wait_for(|c| *c)).await.expect("in time").unwrap();
    }
    vms
}

pub async fn login(vms: &Vms, username: &str) -> Actor {
    let request = LoginRequest { username: username.into(), password: username.into() };
    let session = vms.login(request, &Peer::default()).await.unwrap();
    vms.actor(&session.tokens.access_token).await.unwrap()
}

pub async fn create(vms: &Vms, actor: &Actor, name: &str) -> Result<Operation, CoreError> {
    create_with_key(vms, actor, name, None).await
}

pub async fn create_with_key(
    vms: &Vms,
    actor: &Actor,
    name: &str,
    key: Option<&str>,
) -> Result<Operation, CoreError> {
    let proof = actor.authorize(PersonTarget::new(actor.username()), action::CreateMachine)?;
    let request = CreateMachine {
        name: name.into(),
        image: None,
        profile: None,
        description: None,
        start: true,
        owner: None,
        server: None,
    };
    vms.create_machine(&proof, request, key.map(str::to_owned)).await
}

/// Waits for the operation's end.
pub async fn end(vms: &Vms, actor: &Actor, operation: &Operation) -> Operation {
    let target = vms.find_operation(operation.id).await.unwrap();
    let proof = actor.authorize(target, action::ViewOperation).unwrap();
    let ended = vms.wait_operation(&proof, PATIENCE).await.unwrap();
    assert!(ended.status.is_finished(), "still {ended:?}");
    ended
}

pub async fn succeed(vms: &Vms, actor: &Actor, operation: Operation) {
    let ended = end(vms, actor, &operation).await;
    assert_eq!(ended.status, OperationStatus::Succeeded, "{ended:?}");
}

/// A machine of the person's, made and turned on.
pub async fn made(vms: &Vms, actor: &Actor, name: &str) {
    succeed(vms, actor, create(vms, actor, name).await.unwrap()).await;
}

/// A snapshot of a machine, taken.
pub async fn snapshot(vms: &Vms, actor: &Actor, machine: &str, name: &str) {
    let proof = actor.authorize(target(vms, machine).await, action::CreateSnapshot).unwrap();
    let request = CreateSnapshot { name: name.into() };
    succeed(vms, actor, vms.create_snapshot(&proof, request, None).await.unwrap()).await;
}

pub async fn list(vms: &Vms, actor: &Actor) -> Vec<Machine> {
    let proof = actor.authorize(PersonTarget::new(actor.username()), action::ListMachines).unwrap();
    vms.machines_of(&proof, &MachineFilter::default()).await.unwrap()
}

pub async fn target(vms: &Vms, key: &str) -> MachineTarget {
    vms.find_machine(key).await.unwrap()
}

/// Looks until the first machine is as wanted.
pub async fn until(vms: &Vms, actor: &Actor, what: &str, wanted: impl Fn(&Machine) -> bool) -> Machine {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let seen = list(vms, actor).await;
        if let Some(machine) = seen.iter().find(|m| wanted(m)) {
            return machine.clone();
        }
        assert!(tokio::time::Instant::now() < deadline, "never {what}: {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn power(
    vms: &Vms,
    actor: &Actor,
    machine: &str,
    action: PowerAction,
) -> Result<Operation, CoreError> {
    let proof = actor.authorize(target(vms, machine).await, action::ChangePower)?;
    vms.change_power(&proof, StateChange { action, force: true, timeout_seconds: None }, None).await
}
