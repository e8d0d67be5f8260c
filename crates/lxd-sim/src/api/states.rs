//! `/1.0/instances/<name>/state`: what an instance uses, and turning it on and off.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use lxd_api::{
    InstanceState, InstanceStateCpu, InstanceStateMemory, InstanceStateNetwork, InstanceStateNetworkAddress,
    InstanceStateNetworkCounters, StatusCode,
};
use serde::Deserialize;

use crate::{
    api::instances::{acquire, not_found, remove},
    engine::{Core, Plan, Task},
    names,
    reply::{ApiRequest, Failure, Reply},
    state::{InstanceRecord, State},
};

pub(crate) fn get(core: &Core, name: &str) -> Result<Reply, Failure> {
    let mut state = core.lock();
    state.settle();
    let record = state.instances.get(name).ok_or_else(not_found)?;
    Reply::sync(&render(&state, record))
}

/// What `GET …/state` answers.
pub(crate) fn render(state: &State, record: &InstanceRecord) -> InstanceState {
    let mut shown =
        InstanceState { status: record.status.to_string(), status_code: record.status, ..Default::default() };
    if !record.is_on() {
        return shown;
    }
    let usage = memory_usage(state, record);
    shown.memory =
        InstanceStateMemory { usage, usage_peak: usage.saturating_add(1 << 20), ..Default::default() };
    shown.pid = record.pid;
    shown.processes = 11;
    shown.cpu = InstanceStateCpu {
        usage: Duration::try_from_secs_f64(cpu_seconds(record))
            .ok()
            .and_then(|used| i64::try_from(used.as_nanos()).ok())
            .unwrap_or(i64::MAX),
    };
    let address = |family: &str, address: String, netmask: &str, scope: &str| InstanceStateNetworkAddress {
        family: family.into(),
        address,
        netmask: netmask.into(),
        scope: scope.into(),
    };
    let lo = InstanceStateNetwork {
        addresses: vec![
            address("inet", "127.0.0.1".into(), "8", "local"),
            address("inet6", "::1".into(), "128", "local"),
        ],
        mtu: 65536,
        state: "up".into(),
        kind: "loopback".into(),
        ..Default::default()
    };
    let (config, devices) = state.expand(&record.profiles, &record.config, &record.devices);
    let leased = state.address(record);
    let mut network = std::collections::BTreeMap::from([("lo".to_owned(), lo)]);
    for (device, nic) in devices.iter().filter(|(_, nic)| nic.get("type").is_some_and(|kind| kind == "nic")) {
        let name = nic.get("name").unwrap_or(device);
        let hwaddr = nic.get("hwaddr").or_else(|| config.get(&format!("volatile.{device}.hwaddr")));
        let prefix = state
            .bridge_of(nic)
            .and_then(|bridge| Some(bridge.config.get("ipv4.address")?.split_once('/')?.1.to_owned()))
            .unwrap_or_default();
        let addresses: Vec<_> = leased
            .iter()
            .filter(|(interface, ..)| interface == name)
            .map(|(_, _, ip)| address("inet", ip.to_string(), &prefix, "global"))
            .collect();
        let traffic = if addresses.is_empty() { (0, 0) } else { traffic(record) };
        network.insert(
            name.clone(),
            InstanceStateNetwork {
                addresses,
                counters: InstanceStateNetworkCounters {
                    bytes_received: traffic.0,
                    bytes_sent: traffic.1,
                    packets_received: traffic.0 / 343,
                    packets_sent: traffic.1 / 190,
                },
                hwaddr: hwaddr.cloned().unwrap_or_default(),
                host_name: config.get(&format!("volatile.{device}.host_name")).cloned().unwrap_or_default(),
                mtu: 1500,
                state: "up".into(),
                kind: "broadcast".into(),
            },
        );
    }
    shown.network = Some(network);
    shown
}

/// A number that differs from one instance to the next, and stays.
fn seed(record: &InstanceRecord) -> u64 {
    record.name.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)))
}

fn up(record: &InstanceRecord) -> Duration {
    record.started_at.map_or(Duration::ZERO, |at| at.elapsed())
}

/// CPU time since it was started: its boot, then up to a tenth of a CPU, now more and now less.
pub(crate) fn cpu_seconds(record: &InstanceRecord) -> f64 {
    let share = f64::from(u32::try_from(seed(record) % 100).unwrap_or(0)) / 2000.0;
    let up = up(record).as_secs_f64();
    // The integral of `share * (1 + sin)`, so that it never falls.
    let waves = share * (up + (1.0 - (up / 60.0).cos()) * 60.0);
    waves + up * 0.002 + 0.18
}

/// Bytes received and sent since it has an address: asking for it, then a steady trickle.
pub(crate) fn traffic(record: &InstanceRecord) -> (i64, i64) {
    let up = i64::try_from(up(record).as_secs()).unwrap_or(0);
    let rate = i64::try_from(seed(record) % 2000).unwrap_or(0);
    (up.saturating_mul(rate).saturating_add(686), up.saturating_mul(rate / 2).saturating_add(954))
}

/// The most memory it may use.
pub(crate) fn memory_limit(state: &State, record: &InstanceRecord) -> Option<u64> {
    let (config, _) = state.expand(&record.profiles, &record.config, &record.devices);
    config.get("limits.memory").and_then(|text| names::bytes(text))
}

/// A believable, steady figure: between an eighth and three eighths of the limit (of 256 MiB without one).
pub(crate) fn memory_usage(state: &State, record: &InstanceRecord) -> i64 {
    let limit = memory_limit(state, record).unwrap_or(256 << 20);
    let usage = (limit / 8).saturating_add(seed(record) % (limit / 4).max(1));
    i64::try_from(usage).unwrap_or(i64::MAX)
}

/// Body of `PUT …/state`. The action stays text: LXD names an unknown one in its refusal.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatePut {
    action: String,
    timeout: i64,
    force: bool,
    stateful: bool,
}

pub(crate) fn put(core: &Arc<Core>, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let body: StatePut = request.json()?;
    if !core.lock().instances.contains_key(name) {
        return Err(not_found());
    }
    let name = name.to_owned();
    let plan = |words: &'static str| Plan::of(words, "instances", vec![format!("/1.0/instances/{name}")]);
    let patience = u64::try_from(body.timeout).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    let (force, stateful) = (body.force, body.stateful);
    Ok(match body.action.as_str() {
        "start" => {
            core.run(request, plan("Starting instance"), |task| async move {
                // There never is one: containers need CRIU for it.
                if stateful {
                    return Err("Container has no existing state to restore".into());
                }
                start(&task, &name).await
            })
        }
        "stop" => core.run(request, plan("Stopping instance"), |task| async move {
            if stateful && look(&task, &name)?.is_on() {
                return Err("Unable to perform container live migration. CRIU isn't installed".into());
            }
            stop(&task, &name, force, patience).await
        }),
        "restart" => core.run(request, plan("Restarting instance"), |task| async move {
            restart(&task, &name, force, patience).await
        }),
        "freeze" => {
            core.run(request, plan("Freezing instance"), |task| async move { freeze(&task, &name).await })
        }
        "unfreeze" => {
            core.run(request, plan("Unfreezing instance"), |task| async move { unfreeze(&task, &name).await })
        }
        other => return Err(Failure::bad(format!("Unknown action: '{other}'"))),
    })
}

/// Someone else is already doing the same: wait for that one and share its end. `None`: nobody is.
async fn join(task: &Task, name: &str, action: &str) -> Option<Result<(), String>> {
    let (holder, mut done) = {
        let state = task.core.lock();
        let (busy, holder) = state.instances.get(name)?.busy.as_ref()?;
        let record = state.operations.get(holder).filter(|_| *busy == action)?;
        (holder.clone(), record.done.clone())
    };
    // An error means that it was aborted: then there is nothing left to wait for.
    let _ = done.wait_for(|done| *done).await;
    let state = task.core.lock();
    let ended = state.operations.get(&holder).map(|record| record.operation.err.clone()).unwrap_or_default();
    Some(if ended.is_empty() { Ok(()) } else { Err(ended) })
}

/// Turns an instance on in the state, without event. Its address comes later.
pub(crate) fn switch_on(core: &Core, state: &mut State, name: &str) {
    state.next_pid = state.next_pid.saturating_add(17);
    let pid = state.next_pid;
    let Some(record) = state.instances.get_mut(name) else { return };
    let nics: Vec<String> = record
        .config
        .keys()
        .filter_map(|key| Some(key.strip_prefix("volatile.")?.strip_suffix(".hwaddr")?.to_owned()))
        .collect();
    for nic in nics {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let host = format!("veth{}", id.get(..8).unwrap_or("0"));
        record.config.insert(format!("volatile.{nic}.host_name"), host);
    }
    if let Some(idmap) = record.config.get("volatile.idmap.next").cloned() {
        record.config.insert("volatile.idmap.current".into(), idmap);
    }
    record.config.remove("volatile.apply_template");
    record.config.insert("volatile.last_state.power".into(), "RUNNING".into());
    record.pid = pid;
    record.status = StatusCode::RUNNING;
    record.last_used_at = Some(Utc::now());
    record.started_at = Some(Instant::now());
    record.address_at = Instant::now().checked_add(core.timing.address);
}

/// Turns an instance off in the state, without event.
pub(crate) fn switch_off(state: &mut State, name: &str) {
    state.settle();
    let Some(record) = state.instances.get_mut(name) else { return };
    record.config.retain(|key, _| !(key.starts_with("volatile.") && key.ends_with(".host_name")));
    record.config.insert("volatile.last_state.power".into(), "STOPPED".into());
    record.status = StatusCode::STOPPED;
    record.pid = 0;
    record.started_at = None;
    record.address_at = None;
}

/// A copy of the record, for events.
fn look(task: &Task, name: &str) -> Result<InstanceRecord, String> {
    task.core.lock().instances.get(name).cloned().ok_or_else(|| "Instance not found".into())
}

pub(crate) async fn start(task: &Task, name: &str) -> Result<(), String> {
    if look(task, name)?.is_on() {
        return Err("The instance is already running".into());
    }
    if let Some(shared) = join(task, name, "start").await {
        return shared;
    }
    // Starting within its own creation: the instance is already taken.
    if look(task, name)?.busy.is_none_or(|(_, holder)| holder != task.id) {
        acquire(&mut task.core.lock(), name, "start", task)?;
    }
    task.pause(task.core.timing.start).await?;
    switch_on(&task.core, &mut task.core.lock(), name);
    task.instance_event("instance-started", &look(task, name)?);
    Ok(())
}

/// Waits as long as a clean stop takes, or less if that is too long for `patience`.
async fn shut_down(task: &Task, force: bool, patience: Option<Duration>) -> Result<(), String> {
    let needed = if force { Duration::ZERO } else { task.core.timing.stop };
    match patience {
        Some(limit) if limit < needed => {
            task.pause(limit).await?;
            Err("Failed shutting down instance, status is \"Running\": shutting down the container failed"
                .into())
        }
        _ => task.pause(needed).await,
    }
}

async fn stop(task: &Task, name: &str, force: bool, patience: Option<Duration>) -> Result<(), String> {
    if !look(task, name)?.is_on() {
        return Err("The instance is already stopped".into());
    }
    if let Some(shared) = join(task, name, "stop").await {
        return shared;
    }
    acquire(&mut task.core.lock(), name, "stop", task)?;
    shut_down(task, force, patience).await?;
    switch_off(&mut task.core.lock(), name);
    let record = look(task, name)?;
    task.instance_event(if force { "instance-stopped" } else { "instance-shutdown" }, &record);
    if record.ephemeral {
        remove(&task.core, name);
    }
    Ok(())
}

async fn restart(task: &Task, name: &str, force: bool, patience: Option<Duration>) -> Result<(), String> {
    if !look(task, name)?.is_on() {
        return Err("The instance is already stopped".into());
    }
    acquire(&mut task.core.lock(), name, "restart", task)?;
    shut_down(task, force, patience).await?;
    switch_off(&mut task.core.lock(), name);
    tokio::time::sleep(task.core.timing.start).await;
    switch_on(&task.core, &mut task.core.lock(), name);
    task.instance_event("instance-restarted", &look(task, name)?);
    Ok(())
}

async fn freeze(task: &Task, name: &str) -> Result<(), String> {
    match look(task, name)?.status {
        StatusCode::RUNNING => set_frozen(task, name, StatusCode::FROZEN, "instance-paused").await,
        StatusCode::FROZEN => Err("The container is already frozen".into()),
        _ => Err("The container isn't running".into()),
    }
}

async fn unfreeze(task: &Task, name: &str) -> Result<(), String> {
    match look(task, name)?.status {
        StatusCode::FROZEN => set_frozen(task, name, StatusCode::RUNNING, "instance-resumed").await,
        StatusCode::RUNNING => Err("The container is already running".into()),
        _ => Err("The container isn't running".into()),
    }
}

async fn set_frozen(task: &Task, name: &str, status: StatusCode, action: &str) -> Result<(), String> {
    task.pause(task.core.timing.freeze).await?;
    let mut state = task.core.lock();
    let record = state.instances.get_mut(name).filter(|record| record.is_on());
    let record = record.ok_or("The container isn't running")?;
    record.status = status;
    task.instance_event(action, record);
    Ok(())
}
