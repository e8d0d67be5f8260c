//! How everything is, and what was used lately. All of it is known already: nobody who looks makes LXD work.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use tokio::time::{Instant, timeout};
use vms_authz::{
    Allowed, Fleet, MachineTarget,
    action::{ListMachines, ListOperations, ViewMachineUsage, ViewOverview, ViewServers},
};
use vms_fleet::{STEP, Server};
use vms_types::{
    Busiest, BusyMachine, Health, Machine, MachineCount, MachineRef, MachineStatus, MachineUsage,
    OperationsNow, Overview, PartHealth, ServerUsage, ServerView, StatusCount,
};

use crate::error::CoreError;
use crate::machines::MachineFilter;
use crate::operations::show;
use crate::vms::Vms;

/// How many of the busiest machines are named.
const BUSIEST: usize = 5;
/// How many operations under way, and how many failed ones, are shown.
const OPERATIONS: u32 = 20;
/// Failures older than that are for the list of operations.
const LATELY: TimeDelta = TimeDelta::days(1);
/// The directory is asked at most this often, however many look.
const HEALTH_KEPT: Duration = Duration::from_secs(10);
/// A part that takes longer than this to say that it is well, is not.
const HEALTH_PATIENCE: Duration = Duration::from_secs(3);

/// What was found last, and when.
pub(crate) type KnownHealth = tokio::sync::Mutex<Option<(Instant, Health)>>;

impl Vms {
    /// How everything is now.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn overview(&self, proof: &Allowed<Fleet, ViewOverview>) -> Result<Overview, CoreError> {
        let all = proof.actor().sight(ListMachines)?;
        let machines = self.all_machines(&all, &MachineFilter::default()).await?;
        Ok(Overview {
            machines: by_status(&machines),
            servers: self.parts.fleet.servers().map(server_view).collect(),
            busiest: self.busiest(&machines),
            operations: self.operations_now(proof).await?,
            health: self.health().await,
        })
    }

    /// Every server with its load, by name.
    ///
    /// # Errors
    /// None so far.
    pub async fn servers(&self, _proof: &Allowed<Fleet, ViewServers>) -> Result<Vec<ServerView>, CoreError> {
        Ok(self.parts.fleet.servers().map(server_view).collect())
    }

    /// What one server, or each, used during the last hours.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] for a server that is not in the configuration.
    pub async fn server_usage(
        &self,
        _proof: &Allowed<Fleet, ViewOverview>,
        server: Option<&str>,
    ) -> Result<Vec<ServerUsage>, CoreError> {
        match server {
            Some(name) => {
                let server = self.parts.fleet.server(name).ok_or(CoreError::NotFound("server"))?;
                Ok(vec![server_usage(server)])
            }
            None => Ok(self.parts.fleet.servers().map(server_usage).collect()),
        }
    }

    /// What a machine used during the last hours.
    ///
    /// # Errors
    /// None so far: what is not known is empty.
    pub async fn machine_usage(
        &self,
        proof: &Allowed<MachineTarget, ViewMachineUsage>,
    ) -> Result<MachineUsage, CoreError> {
        let target = proof.resource();
        let view = self.seen(target);
        let server = self.parts.fleet.server(&target.server);
        let load = server.and_then(|server| server.load());
        let limits = view.as_ref().map(|view| view.limits).unwrap_or_default();
        Ok(MachineUsage {
            interval_seconds: interval(),
            cpus: limits.cpus.or(load.as_ref().map(|load| load.cpus)),
            memory_limit_bytes: limits.memory_bytes.or(load.as_ref().map(|load| load.memory.total_bytes)),
            disk_limit_bytes: limits.disk_bytes,
            // The name may be another instance's by now: then nothing is shown of it.
            points: match (server, view) {
                (Some(server), Some(_)) => server.usage_of(&target.instance),
                _ => Vec::new(),
            },
        })
    }

    fn busiest(&self, machines: &[Machine]) -> Busiest {
        let mut busy = Vec::new();
        for server in self.parts.fleet.servers() {
            let now = server.used_now();
            let here = machines.iter().filter(|machine| machine.server == server.name());
            busy.extend(here.filter_map(|machine| {
                let used = now.get(&machine.instance)?;
                Some(BusyMachine {
                    machine: MachineRef {
                        id: machine.id,
                        name: machine.name.clone(),
                        instance: machine.instance.clone(),
                    },
                    owner: machine.owner.clone(),
                    server: machine.server.clone(),
                    cpu: used.cpu,
                    memory_bytes: used.memory_bytes,
                })
            }));
        }
        busy.sort_by(|a, b| b.cpu.total_cmp(&a.cpu));
        let cpu = busy.iter().take(BUSIEST).cloned().collect();
        busy.sort_by_key(|machine| std::cmp::Reverse(machine.memory_bytes));
        busy.truncate(BUSIEST);
        Busiest { cpu, memory: busy }
    }

    async fn operations_now(&self, proof: &Allowed<Fleet, ViewOverview>) -> Result<OperationsNow, CoreError> {
        let all = proof.actor().authorize(Fleet, ListOperations)?;
        let failed = self.parts.db.failed_operations(&all, Utc::now() - LATELY, OPERATIONS).await?;
        let (waiting, running) = self.parts.jobs.count();
        Ok(OperationsNow {
            under_way_count: count(waiting.saturating_add(running)),
            under_way: self.parts.jobs.oldest(usize::try_from(OPERATIONS).unwrap_or_default()),
            failed: failed.into_iter().map(show).collect(),
        })
    }

    /// Asks database and directory, or says what they answered a moment ago.
    async fn health(&self) -> Health {
        // Who comes while somebody asks waits for that answer.
        let mut known = self.parts.health.lock().await;
        if let Some((since, health)) = known.as_ref()
            && since.elapsed() < HEALTH_KEPT
        {
            return health.clone();
        }
        let (database, directory) = tokio::join!(
            timeout(HEALTH_PATIENCE, self.parts.db.health()),
            timeout(HEALTH_PATIENCE, self.parts.directory.health()),
        );
        let health = Health {
            database: part(database.map(|answer| answer.map_err(|error| error.to_string()))),
            directory: part(directory.map(|answer| answer.map_err(|error| error.to_string()))),
        };
        *known = Some((Instant::now(), health.clone()));
        health
    }
}

fn part<E>(answer: Result<Result<(), String>, E>) -> PartHealth {
    match answer {
        Ok(Ok(())) => PartHealth { ok: true, trouble: None },
        Ok(Err(trouble)) => PartHealth { ok: false, trouble: Some(trouble) },
        Err(_) => PartHealth { ok: false, trouble: Some("it does not answer in time".into()) },
    }
}

fn by_status(machines: &[Machine]) -> Vec<StatusCount> {
    let of = |status| count(machines.iter().filter(|machine| machine.status == status).count());
    let counted = MachineStatus::ALL.into_iter().map(|status| StatusCount { status, count: of(status) });
    counted.filter(|counted| counted.count > 0).collect()
}

fn server_view(server: &Arc<Server>) -> ServerView {
    let summary = server.summary();
    let load = server.load();
    let ours: Vec<_> = server.instances().into_iter().filter(|view| view.machine_id().is_some()).collect();
    let running = ours.iter().filter(|view| view.status == MachineStatus::Running).count();
    ServerView {
        name: summary.name,
        endpoint: summary.endpoint,
        reachable: summary.connected,
        since: summary.since,
        trouble: summary.trouble,
        machines: MachineCount { running: count(running), total: count(ours.len()) },
        sampled_at: load.as_ref().map(|load| load.at),
        cpus: load.as_ref().map(|load| load.cpus),
        cpu: load.as_ref().and_then(|load| load.cpu),
        load: load.as_ref().and_then(|load| load.load),
        memory: load.as_ref().map(|load| load.memory),
        pools: load.map(|load| load.pools).unwrap_or_default(),
    }
}

fn server_usage(server: &Arc<Server>) -> ServerUsage {
    let load = server.load();
    ServerUsage {
        server: server.name().to_owned(),
        interval_seconds: interval(),
        memory_limit_bytes: load.as_ref().map(|load| load.memory.total_bytes),
        disk_limit_bytes: load.map(|load| load.pools.iter().map(|pool| pool.space.total_bytes).sum()),
        points: server.history(),
    }
}

fn interval() -> u32 {
    u32::try_from(STEP.as_secs()).unwrap_or(u32::MAX)
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
