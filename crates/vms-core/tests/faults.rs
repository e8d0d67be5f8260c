//! Every request to LXD goes wrong once, in turn, in every use case: the connection closes before or after LXD acted,
//! or LXD answers with an error. Whatever happens, the operation ends, table and LXD agree, and nothing is left over.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod common;

use std::collections::BTreeSet;
use std::time::Duration;

use common::{PATIENCE, create, end, list, login, made, power, simulator, snapshot, target, vms};
use lxd_sim::{Action, Fault, Nth, SimHandle, Timing};
use vms_authz::{Actor, PersonTarget, action};
use vms_core::{CoreError, Vms};
use vms_types::{
    CreateSnapshot, MachineStatus, Operation, PowerAction, ProblemCode, RenameSnapshot, rules::is_passing,
};

/// More requests than any use case makes.
const REQUESTS: u64 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UseCase {
    Create,
    Stop,
    Restart,
    Freeze,
    Reset,
    Delete,
    SnapshotCreate,
    SnapshotRename,
    SnapshotRestore,
    SnapshotDelete,
}

async fn begin(vms: &Vms, bruno: &Actor, case: UseCase) -> Result<Operation, CoreError> {
    if case == UseCase::Create {
        return create(vms, bruno, "second").await;
    }
    let machine = target(vms, "vmbrunofirst").await;
    match case {
        UseCase::Create => unreachable!("handled above"),
        UseCase::Stop => power(vms, bruno, "vmbrunofirst", PowerAction::Stop).await,
        UseCase::Restart => power(vms, bruno, "vmbrunofirst", PowerAction::Restart).await,
        UseCase::Freeze => power(vms, bruno, "vmbrunofirst", PowerAction::Freeze).await,
        UseCase::Reset => vms.reset_machine(&bruno.authorize(machine, action::ResetMachine)?, None).await,
        UseCase::Delete => vms.delete_machine(&bruno.authorize(machine, action::DeleteMachine)?, None).await,
        UseCase::SnapshotCreate => {
            let request = CreateSnapshot { name: "new".into() };
            vms.create_snapshot(&bruno.authorize(machine, action::CreateSnapshot)?, request, None).await
        }
        UseCase::SnapshotRename => {
            let request = RenameSnapshot { name: "renamed".into() };
            vms.rename_snapshot(&bruno.authorize(machine, action::RenameSnapshot)?, "snap", request, None)
                .await
        }
        UseCase::SnapshotRestore => {
            vms.restore_snapshot(&bruno.authorize(machine, action::RestoreSnapshot)?, "snap", None).await
        }
        UseCase::SnapshotDelete => {
            vms.delete_snapshot(&bruno.authorize(machine, action::DeleteSnapshot)?, "snap", None).await
        }
    }
}

fn instances(sim: &SimHandle) -> BTreeSet<String> {
    sim.instances().into_iter().map(|i| i.name).collect()
}

/// Waits until the portal shows what LXD has, settled, and nothing is under way.
async fn agree(vms: &Vms, bruno: &Actor, sim: &SimHandle, when: &str) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let machines = list(vms, bruno).await;
        let rows: BTreeSet<String> = machines.iter().map(|m| m.instance.clone()).collect();
        let settled = machines.iter().all(|m| {
            m.operation.is_none() && !m.stale && !is_passing(m.status) && m.status != MachineStatus::Unknown
        });
        if settled && rows == instances(sim) {
            return;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "{when}: table {machines:#?}, LXD {:?}",
            instances(sim)
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn every_request_fails_once(case: UseCase) {
    let refusals = [
        Action::CloseConnection,
        Action::LoseAnswer,
        Action::Error { code: 500, message: "something broke".into() },
        Action::DropEvents,
    ];
    for refusal in refusals {
        for nth in 1..=REQUESTS {
            let when = format!("{case:?}, request {nth}: {refusal:?}");
            let dir = tempfile::tempdir().unwrap();
            let sim = simulator(dir.path(), Timing::instant()).await;
            let vms = vms(dir.path(), &sim, 10).await;
            let bruno = login(&vms, "bruno").await;
            made(&vms, &bruno, "first").await;
            snapshot(&vms, &bruno, "vmbrunofirst", "snap").await;

            sim.reset_requests();
            sim.inject(Fault::on("*", "/1.0/**", refusal.clone()).nth(Nth::Only(nth)));
            let operation = loop {
                match begin(&vms, &bruno, case).await {
                    Ok(operation) => break operation,
                    // The fault met the watcher: for a moment the server counts as away, and commands are refused.
                    Err(error) if error.code() == ProblemCode::ServerUnavailable => {
                        agree(&vms, &bruno, &sim, &when).await;
                    }
                    Err(error) => panic!("{when}: {error}"),
                }
            };
            let ended = end(&vms, &bruno, &operation).await;
            let met = sim.request_count() >= nth;
            sim.clear_faults();
            agree(&vms, &bruno, &sim, &format!("{when}, ended {:?}", ended.status)).await;
            let proof = bruno.authorize(PersonTarget::new("bruno"), action::ViewSelf).unwrap();
            let used = vms.me(&proof).await.unwrap().quota.machines.used;
            assert_eq!(usize::try_from(used).unwrap(), instances(&sim).len(), "{when}: quota");
            vms.shutdown().await;
            if !met {
                break;
            }
        }
    }
}

macro_rules! cases {
    ($($test:ident: $case:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                every_request_fails_once(UseCase::$case).await;
            }
        )*
    };
}

cases! {
    create_survives_every_fault: Create,
    stop_survives_every_fault: Stop,
    restart_survives_every_fault: Restart,
    freeze_survives_every_fault: Freeze,
    reset_survives_every_fault: Reset,
    delete_survives_every_fault: Delete,
    snapshot_create_survives_every_fault: SnapshotCreate,
    snapshot_rename_survives_every_fault: SnapshotRename,
    snapshot_restore_survives_every_fault: SnapshotRestore,
    snapshot_delete_survives_every_fault: SnapshotDelete,
}
