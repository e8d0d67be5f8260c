//! `/1.0/metrics`: what every running instance uses, in the text of Prometheus.
//!
//! The same figures as `…/state` shows, under LXD's names and labels. A cluster answers for one member only: the one
//! that is asked, or `?target=`.

use std::fmt::Write as _;

use crate::{
    api::states,
    engine::Core,
    reply::{ApiRequest, Failure, Reply},
    state::{InstanceRecord, State},
};

/// Memory of the host, as `/1.0/resources` shows it.
pub(crate) const HOST_MEMORY: u64 = 16 << 30;
/// Size of the one pool, which is a directory: every instance sees the whole of it.
pub(crate) const POOL_SIZE: u64 = 250_000_000_000;

/// Name, kind, what it is, and what to write for an instance: further labels and the value.
type Family =
    (&'static str, &'static str, &'static str, fn(&State, &InstanceRecord, &mut dyn FnMut(&str, f64)));

const FAMILIES: &[Family] = &[
    (
        "lxd_cpu_seconds_total",
        "counter",
        "The total number of CPU time used in seconds.",
        |_, record, write| {
            let seconds = states::cpu_seconds(record);
            write("cpu=\"0\",mode=\"system\",", seconds * 0.25);
            write("cpu=\"0\",mode=\"user\",", seconds * 0.75);
        },
    ),
    ("lxd_cpu_effective_total", "gauge", "The total number of effective CPUs.", |state, record, write| {
        let (config, _) = state.expand(&record.profiles, &record.config, &record.devices);
        write("", config.get("limits.cpu").and_then(|text| text.parse().ok()).unwrap_or(8.0));
    }),
    ("lxd_filesystem_size_bytes", "gauge", "The size of the filesystem in bytes.", |_, _, write| {
        write("device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\",", float(POOL_SIZE));
    }),
    ("lxd_filesystem_avail_bytes", "gauge", "The number of available space in bytes.", |_, _, write| {
        write("device=\"/dev/vda1\",fstype=\"ext4\",mountpoint=\"/\",", float(POOL_SIZE) * 0.9);
    }),
    ("lxd_memory_MemTotal_bytes", "gauge", "The amount of used memory.", |state, record, write| {
        write("", float(states::memory_limit(state, record).unwrap_or(HOST_MEMORY)));
    }),
    ("lxd_memory_MemAvailable_bytes", "gauge", "The amount of available memory.", |state, record, write| {
        let total = states::memory_limit(state, record).unwrap_or(HOST_MEMORY);
        write("", float(total) - usage(state, record));
    }),
    (
        "lxd_memory_RSS_bytes",
        "gauge",
        "The amount of anonymous and swap cache memory.",
        |state, record, write| write("", usage(state, record)),
    ),
    (
        "lxd_network_receive_bytes_total",
        "counter",
        "The amount of received bytes on a given interface.",
        |state, record, write| write_traffic(state, record, |(received, _)| received, write),
    ),
    (
        "lxd_network_transmit_bytes_total",
        "counter",
        "The amount of transmitted bytes on a given interface.",
        |state, record, write| write_traffic(state, record, |(_, sent)| sent, write),
    ),
];

pub(crate) fn get(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let mut state = core.lock();
    state.settle();
    if let Some(target) = request.target()
        && !state.members.iter().any(|member| member == target)
    {
        return Err(Failure::not_found("Cluster member not found"));
    }
    let here = request.target().map_or_else(|| state.own_member(), str::to_owned);
    let running: Vec<&InstanceRecord> =
        state.instances.values().filter(|record| record.is_on() && record.location == here).collect();
    let mut text = String::new();
    for (name, kind, help, values) in FAMILIES {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for record in &running {
            let of = format!("name=\"{}\",project=\"default\",type=\"container\"", record.name);
            values(&state, record, &mut |labels, value| {
                let _ = writeln!(text, "{name}{{{labels}{of}}} {value:e}");
            });
        }
    }
    text.push_str("# EOF\n");
    Ok(Reply::Text(text))
}

fn write_traffic(
    state: &State,
    record: &InstanceRecord,
    which: fn((i64, i64)) -> i64,
    write: &mut dyn FnMut(&str, f64),
) {
    write("device=\"lo\",", 0.0);
    if let Some((interface, ..)) = state.address(record) {
        let bytes = u64::try_from(which(states::traffic(record))).unwrap_or(0);
        write(&format!("device=\"{interface}\","), float(bytes));
    }
}

fn usage(state: &State, record: &InstanceRecord) -> f64 {
    float(u64::try_from(states::memory_usage(state, record)).unwrap_or(0))
}

/// Exact below 2^53, which all figures here are.
fn float(value: u64) -> f64 {
    let (high, low) = (value >> 32, value & 0xffff_ffff);
    f64::from(u32::try_from(high).unwrap_or(u32::MAX)) * 4_294_967_296.0
        + f64::from(u32::try_from(low).unwrap_or(u32::MAX))
}
