//! What a server and its machines use, now and lately, as the [sampler](crate::sampler) brings it in.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use vms_types::{PoolSpace, Space, UsagePoint};

use crate::exposition::Reading;
use crate::history::{MACHINE_POINTS, SERVER_POINTS, Taken, Track, float, whole};
use crate::server::Server;

/// What the host has and uses, all cluster members together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HostLoad {
    /// When LXD was asked.
    pub at: DateTime<Utc>,
    /// Processors.
    pub cpus: u32,
    /// How much of them the machines use, from 0 to 1. `None` until LXD was asked twice.
    pub cpu: Option<f64>,
    /// Load average of the last minute, where the server tells; the highest of all members.
    pub load: Option<f64>,
    /// Memory.
    pub memory: Space,
    /// Storage pools, by name.
    pub pools: Vec<PoolSpace>,
}

/// Everything that is kept of one server.
#[derive(Debug)]
pub(crate) struct Usage {
    host: Option<HostLoad>,
    server: Track,
    /// What its machines used together since we look. Not the sum of their readings: that would fall when one stops, and
    /// leap when one comes.
    counted: Reading,
    machines: BTreeMap<String, Track>,
}

impl Default for Usage {
    fn default() -> Self {
        Self {
            host: None,
            server: Track::new(None, SERVER_POINTS),
            counted: Reading::default(),
            machines: BTreeMap::new(),
        }
    }
}

/// One round of questions to LXD, answered.
#[derive(Debug)]
pub(crate) struct Sample {
    pub moment: Instant,
    /// What the host has; [`HostLoad::cpu`] is reckoned here.
    pub host: HostLoad,
    /// What each running instance used so far; `None` if LXD cannot tell.
    pub readings: Option<BTreeMap<String, Reading>>,
}

impl Server {
    /// What the host has and uses; `None` until it was asked.
    #[must_use]
    pub fn load(&self) -> Option<HostLoad> {
        self.usage.read().unwrap_or_else(PoisonError::into_inner).host.clone()
    }

    /// What it used during the last hours, oldest first.
    #[must_use]
    pub fn history(&self) -> Vec<UsagePoint> {
        self.usage.read().unwrap_or_else(PoisonError::into_inner).server.series.points()
    }

    /// What an instance used during the last hours, oldest first.
    #[must_use]
    pub fn usage_of(&self, instance: &str) -> Vec<UsagePoint> {
        let usage = self.usage.read().unwrap_or_else(PoisonError::into_inner);
        usage.machines.get(instance).map(|track| track.series.points()).unwrap_or_default()
    }

    /// What each running instance uses now, by name.
    #[must_use]
    pub fn used_now(&self) -> BTreeMap<String, UsagePoint> {
        let usage = self.usage.read().unwrap_or_else(PoisonError::into_inner);
        usage.machines.iter().filter_map(|(name, track)| Some((name.clone(), track.now()?.clone()))).collect()
    }

    /// Takes in what LXD answered.
    pub(crate) fn take_sample(&self, sample: Sample) {
        let Sample { moment, mut host, readings } = sample;
        let at = host.at;
        let instances = self.instances();
        let disks = self.read().disks.clone();
        let cpus = float(host.cpus.into());
        let mut usage = self.usage.write().unwrap_or_else(PoisonError::into_inner);
        let Usage { machines, counted, server, host: known } = &mut *usage;
        machines.retain(|name, _| instances.iter().any(|view| view.name == *name));
        for view in &instances {
            let id = view.machine_id();
            let new = || Track::new(id, MACHINE_POINTS);
            let track = machines.entry(view.name.clone()).or_insert_with(new);
            if !track.is(id) {
                *track = new();
            }
            if let Some(reading) = readings.as_ref().and_then(|all| all.get(&view.name)) {
                let may_use = view.limits.cpus.map_or(cpus, |limit| float(limit.into()).min(cpus));
                let disk_bytes = disks.get(&view.name).copied().or_else(|| own_disk(reading, &host.pools));
                let grown = track.take(Taken { moment, at, reading: *reading, disk_bytes }, may_use);
                counted.cpu_seconds += grown.cpu_seconds;
                counted.received_bytes += grown.received_bytes;
                counted.sent_bytes += grown.sent_bytes;
            } else {
                track.pause();
            }
            track.series.forget(at);
        }
        counted.memory_bytes = float(host.memory.used_bytes);
        let disk_bytes = Some(host.pools.iter().map(|pool| pool.space.used_bytes).sum());
        server.take(Taken { moment, at, reading: *counted, disk_bytes }, cpus);
        server.series.forget(at);
        host.cpu = server.now().filter(|_| readings.is_some()).map(|now| now.cpu);
        *known = Some(host);
    }
}

/// What lies on an instance's own file system. On a pool that is one file system for all, each instance sees that of
/// the whole pool, which says nothing about it.
fn own_disk(reading: &Reading, pools: &[PoolSpace]) -> Option<u64> {
    let (size, free) = reading.disk?;
    let shared = pools.iter().any(|pool| pool.space.total_bytes == whole(size));
    (!shared).then(|| whole(size - free))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::time::Duration;

    use lxd_api::{Instance, StatusCode};
    use lxd_client::{Client, ClientConfig};
    use tokio::sync::broadcast;

    use super::*;
    use crate::view::InstanceView;

    const GIB: u64 = 1 << 30;

    fn server(names: &[&str]) -> Server {
        let client = Client::new(ClientConfig::new("unix:///nowhere".parse().unwrap())).unwrap();
        let server = Server::new("lxd".into(), client, broadcast::channel(16).0);
        let view = |name: &&str| {
            InstanceView::new(&Instance {
                name: (*name).into(),
                status_code: StatusCode::RUNNING,
                expanded_config: [("limits.cpu".to_owned(), "1".to_owned())].into(),
                ..Instance::default()
            })
        };
        server.replace(server.look(), names.iter().map(view).collect());
        server
    }

    fn sample(start: Instant, seconds: u64, used: &[(&str, f64)]) -> Sample {
        let reading = |cpu_seconds| Reading {
            cpu_seconds,
            memory_bytes: 1e6,
            disk: Some((100e9, 60e9)),
            received_bytes: cpu_seconds * 1000.0,
            sent_bytes: 0.0,
        };
        Sample {
            moment: start + Duration::from_secs(seconds),
            host: HostLoad {
                at: DateTime::from_timestamp(1_800_000_000 + i64::try_from(seconds).unwrap(), 0).unwrap(),
                cpus: 4,
                memory: Space { used_bytes: 2 * GIB, total_bytes: 8 * GIB },
                pools: vec![PoolSpace {
                    name: "default".into(),
                    driver: "dir".into(),
                    space: Space { used_bytes: 40_000_000_000, total_bytes: 100_000_000_000 },
                }],
                ..HostLoad::default()
            },
            readings: Some(used.iter().map(|(name, cpu)| ((*name).to_owned(), reading(*cpu))).collect()),
        }
    }

    #[test]
    fn machines_are_measured_by_what_they_may_use_and_the_server_by_what_it_has() {
        let (server, start) = (server(&["a", "b"]), Instant::now());
        server.take_sample(sample(start, 0, &[("a", 1000.0), ("b", 5.0)]));
        assert_eq!((server.load().unwrap().cpu, server.used_now().len()), (None, 0));
        server.take_sample(sample(start, 60, &[("a", 1060.0), ("b", 35.0)]));
        let now = server.used_now();
        assert!((now["a"].cpu - 1.0).abs() < 1e-9 && (now["b"].cpu - 0.5).abs() < 1e-9, "{now:?}");
        let load = server.load().unwrap();
        assert!((load.cpu.unwrap() - 0.375).abs() < 1e-9, "a and a half of four: {load:?}");
        let history = server.history();
        assert_eq!(history.len(), 1);
        assert_eq!((history[0].memory_bytes, history[0].received_bytes_per_second), (2 * GIB, 1500));
        assert_eq!(history[0].disk_bytes, Some(40_000_000_000));
        assert_eq!(now["a"].disk_bytes, None, "the file system of a whole pool says nothing of a machine");
    }

    #[test]
    fn one_that_stops_or_comes_is_no_leap_of_the_server() {
        let (server, start) = (server(&["a", "b"]), Instant::now());
        server.take_sample(sample(start, 0, &[("a", 1000.0)]));
        server.take_sample(sample(start, 60, &[("b", 500.0)]));
        server.take_sample(sample(start, 120, &[("b", 512.0)]));
        let shares: Vec<f64> = server.history().iter().map(|point| point.cpu).collect();
        assert_eq!(shares.len(), 2, "no gap when one stops");
        assert!(shares[0].abs() < 1e-9 && (shares[1] - 0.05).abs() < 1e-9, "{shares:?}");
        assert!(server.usage_of("a").is_empty() && server.usage_of("b").len() == 1);
    }

    #[test]
    fn who_is_gone_is_forgotten_and_a_name_given_anew_begins_anew() {
        let (server, start) = (server(&["a"]), Instant::now());
        server.take_sample(sample(start, 0, &[("a", 1.0)]));
        server.take_sample(sample(start, 60, &[("a", 2.0)]));
        assert_eq!(server.usage_of("a").len(), 1);
        let other = Instance {
            name: "a".into(),
            config: [(crate::keys::ID.to_owned(), uuid_of(7))].into(),
            ..Instance::default()
        };
        server.replace(server.look(), vec![InstanceView::new(&other)]);
        server.take_sample(sample(start, 120, &[("a", 3.0)]));
        assert!(server.usage_of("a").is_empty(), "another machine's history");
        server.replace(server.look(), Vec::new());
        server.take_sample(sample(start, 180, &[("a", 4.0)]));
        assert!(server.usage.read().unwrap().machines.is_empty());
    }

    fn uuid_of(number: u128) -> String {
        uuid::Uuid::from_u128(number).to_string()
    }
}
