//! One instance as the mirror keeps it: only what somebody asks for.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use lxd_api::{Instance, Lease, StatusCode};
use uuid::Uuid;
use vms_types::{Address, AddressFamily, Limits, MachineStatus, Snapshot};

use crate::limits::limits_of;

/// Keys on the instance that repeat what the `machines` table says, so that a lost database can be rebuilt.
pub mod keys {
    /// The machine's UUID.
    pub const ID: &str = "user.vms.id";
    /// The owner's login name.
    pub const OWNER: &str = "user.vms.owner";
    /// The name the owner gave.
    pub const NAME: &str = "user.vms.name";
    /// Alias of the image it was made from.
    pub const IMAGE: &str = "user.vms.image";
    /// The profile it was made with.
    pub const PROFILE: &str = "user.vms.profile";
    /// The operation that made it: what a crash left behind in the middle is known by it.
    pub const OPERATION: &str = "user.vms.operation";
}

/// A network interface: its name inside and its hardware address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nic {
    /// Name inside the machine.
    pub name: String,
    /// Hardware address, in lower case.
    pub hwaddr: String,
    /// The bridge or network it is on.
    pub network: Option<String>,
    /// Addresses that its device is given for good (`ipv4.address`, `ipv6.address`).
    pub fixed: Vec<IpAddr>,
}

/// An instance as last seen.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceView {
    /// LXD's name.
    pub name: String,
    /// Settled status, from LXD's status code.
    pub status: MachineStatus,
    /// The `user.vms.*` keys, if it is ours.
    pub config: lxd_api::Config,
    /// LXD's description.
    pub description: String,
    /// Profiles, in order.
    pub profiles: Vec<String>,
    /// What it may use.
    pub limits: Limits,
    /// The image's description.
    pub image_description: String,
    /// The image's fingerprint.
    pub image_fingerprint: String,
    /// Interfaces.
    pub nics: Vec<Nic>,
    /// Addresses; empty unless running.
    pub addresses: Vec<Address>,
    /// Snapshots, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// When it was created.
    pub created_at: Option<DateTime<Utc>>,
    /// When it was last started.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Cluster member, where there is a cluster.
    pub member: Option<String>,
}

impl InstanceView {
    /// Keeps what matters of LXD's answer (which should come with snapshots and state).
    #[must_use]
    pub fn new(instance: &Instance) -> Self {
        let get = |key: &str| instance.config.get(key).cloned().unwrap_or_default();
        let status = status_of(instance.status_code);
        let mut snapshots: Vec<Snapshot> = instance
            .snapshots
            .iter()
            .flatten()
            .map(|s| Snapshot {
                name: s.short_name().to_owned(),
                created_at: s.created_at.unwrap_or_default(),
                stateful: s.stateful,
                expires_at: s.expires_at,
            })
            .collect();
        snapshots.sort_by(|a, b| a.created_at.cmp(&b.created_at).then_with(|| a.name.cmp(&b.name)));
        let nics = nics_of(instance);
        let addresses = if has_addresses(status) { addresses_of(instance, &nics) } else { Vec::new() };
        Self {
            name: instance.name.clone(),
            status,
            config: instance
                .config
                .iter()
                .filter(|(key, _)| key.starts_with("user.vms."))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
            description: instance.description.clone(),
            profiles: instance.profiles.clone(),
            limits: limits_of(&instance.expanded_config, &instance.expanded_devices),
            image_description: get("image.description"),
            image_fingerprint: get("volatile.base_image"),
            nics,
            addresses,
            snapshots,
            created_at: instance.created_at,
            last_used_at: instance.last_used_at,
            member: Some(instance.location.clone()).filter(|l| !l.is_empty() && l != "none"),
        }
    }

    /// The machine it says to be.
    #[must_use]
    pub fn machine_id(&self) -> Option<Uuid> {
        self.config.get(keys::ID)?.parse().ok()
    }

    /// Whether it runs and a lease gives it an address that is not shown: it has been given another one.
    #[must_use]
    pub fn has_news(&self, leases: &[Lease]) -> bool {
        has_addresses(self.status)
            && self.nics.iter().any(|nic| {
                leases
                    .iter()
                    .filter(|lease| lease.hwaddr.eq_ignore_ascii_case(&nic.hwaddr))
                    .any(|lease| self.addresses.iter().all(|a| a.address != lease.address))
            })
    }

    /// Whether it runs, has an interface and no IPv4 address yet.
    #[must_use]
    pub fn lacks_address(&self) -> bool {
        self.status == MachineStatus::Running
            && !self.nics.is_empty()
            && !self.addresses.iter().any(|a| a.family == AddressFamily::Inet)
    }

    /// Keeps the addresses that were seen before, if the machine has run on since.
    pub(crate) fn keep_addresses(&mut self, before: &Self) {
        let runs_on = has_addresses(self.status)
            && has_addresses(before.status)
            && self.last_used_at == before.last_used_at
            && self.nics == before.nics;
        if runs_on {
            self.addresses.clone_from(&before.addresses);
        }
    }

    /// Adds the addresses that leases give its interfaces; `true` if that changed anything.
    pub fn apply_leases(&mut self, leases: &[Lease]) -> bool {
        if !has_addresses(self.status) {
            return false;
        }
        let before = self.addresses.len();
        for nic in &self.nics {
            for lease in leases.iter().filter(|l| l.hwaddr.eq_ignore_ascii_case(&nic.hwaddr)) {
                if self.addresses.iter().any(|a| a.address == lease.address) {
                    continue;
                }
                let v6 = lease.address.contains(':');
                self.addresses.push(Address {
                    family: if v6 { AddressFamily::Inet6 } else { AddressFamily::Inet },
                    address: lease.address.clone(),
                    interface: nic.name.clone(),
                });
            }
        }
        self.addresses.sort();
        self.addresses.len() != before
    }
}

const fn has_addresses(status: MachineStatus) -> bool {
    matches!(status, MachineStatus::Running | MachineStatus::Frozen)
}

/// LXD's status code as a settled status. Passing codes are mapped to where they lead from: what is under way is
/// known from our own operations.
fn status_of(code: StatusCode) -> MachineStatus {
    match code {
        StatusCode::RUNNING | StatusCode::STARTED | StatusCode::READY | StatusCode::THAWED => {
            MachineStatus::Running
        }
        StatusCode::STOPPED => MachineStatus::Stopped,
        StatusCode::STARTING => MachineStatus::Starting,
        StatusCode::STOPPING | StatusCode::ABORTING => MachineStatus::Stopping,
        StatusCode::FROZEN | StatusCode::FREEZING => MachineStatus::Frozen,
        StatusCode::ERROR => MachineStatus::Error,
        _ => MachineStatus::Unknown,
    }
}

/// What LXD sees within, and what the devices are given for good, which counts from the moment the machine runs.
fn addresses_of(instance: &Instance, nics: &[Nic]) -> Vec<Address> {
    let within =
        instance.state.iter().flat_map(lxd_api::InstanceState::global_addresses).map(|(interface, a)| {
            Address {
                family: if a.family == "inet6" { AddressFamily::Inet6 } else { AddressFamily::Inet },
                address: a.address.clone(),
                interface: interface.to_owned(),
            }
        });
    let fixed = nics.iter().flat_map(|nic| {
        nic.fixed.iter().map(|address| Address {
            family: if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet },
            address: address.to_string(),
            interface: nic.name.clone(),
        })
    });
    let mut addresses: Vec<Address> = within.collect();
    for address in fixed {
        if addresses.iter().all(|known| known.address != address.address) {
            addresses.push(address);
        }
    }
    addresses.sort();
    addresses
}

fn nics_of(instance: &Instance) -> Vec<Nic> {
    instance
        .expanded_devices
        .iter()
        .filter(|(_, device)| device.get("type").is_some_and(|t| t == "nic"))
        .filter_map(|(key, device)| {
            let hwaddr = device
                .get("hwaddr")
                .or_else(|| instance.config.get(&format!("volatile.{key}.hwaddr")))?
                .to_ascii_lowercase();
            Some(Nic {
                name: device.get("name").unwrap_or(key).clone(),
                hwaddr,
                network: device.get("network").or_else(|| device.get("parent")).cloned(),
                // "none" is a value, too.
                fixed: ["ipv4.address", "ipv6.address"]
                    .iter()
                    .filter_map(|key| device.get(*key)?.parse().ok())
                    .collect(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn running() -> Instance {
        serde_json::from_value(json!({
            "name": "vmbrunoa", "status_code": 103, "location": "none",
            "config": {"volatile.eth0.hwaddr": "00:16:3E:00:00:01", "user.vms.owner": "bruno", "limits.cpu": "1",
                       "image.description": "Debian"},
            "expanded_config": {"limits.memory": "256MiB"},
            "expanded_devices": {"eth0": {"type": "nic", "name": "eth0", "network": "lxdbr0"},
                                 "root": {"type": "disk", "path": "/", "size": "1GiB"}},
            "state": {"network": {"eth0": {"type": "broadcast", "addresses": [
                {"family": "inet6", "address": "fe80::1", "scope": "link"}]}}},
            "snapshots": [{"name": "b", "created_at": "2026-01-02T00:00:00Z"},
                          {"name": "a", "created_at": "2026-01-03T00:00:00Z"}]
        }))
        .unwrap()
    }

    #[test]
    fn keeps_what_matters() {
        let view = InstanceView::new(&running());
        assert_eq!(view.status, MachineStatus::Running);
        assert_eq!(view.limits.memory_bytes, Some(268_435_456));
        assert_eq!(view.limits.disk_bytes, Some(1 << 30));
        assert_eq!(view.config.get(keys::OWNER).map(String::as_str), Some("bruno"));
        assert_eq!(view.config.len(), 1);
        assert_eq!(view.snapshots.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
        assert!(view.lacks_address(), "a link-local address is none");
        assert_eq!(view.member, None);
    }

    #[test]
    fn a_lease_gives_the_address_once() {
        let mut view = InstanceView::new(&running());
        let lease =
            Lease { hwaddr: "00:16:3e:00:00:01".into(), address: "10.99.0.7".into(), ..Lease::default() };
        let other =
            Lease { hwaddr: "00:16:3e:00:00:02".into(), address: "10.99.0.8".into(), ..Lease::default() };
        assert!(view.apply_leases(&[other.clone(), lease.clone()]));
        assert!(!view.apply_leases(&[other, lease]));
        assert_eq!(view.addresses.len(), 1);
        assert!(!view.lacks_address());
    }

    #[test]
    fn a_lease_to_another_address_is_news() {
        let mut view = InstanceView::new(&running());
        let lease = |address: &str| Lease {
            hwaddr: "00:16:3e:00:00:01".into(),
            address: address.into(),
            ..Lease::default()
        };
        view.apply_leases(&[lease("10.99.0.7")]);
        assert!(!view.has_news(&[lease("10.99.0.7")]));
        assert!(view.has_news(&[lease("10.99.0.8")]));
        assert!(!view.has_news(&[]), "no lease says nothing: the address may be set within");
    }

    #[test]
    fn a_fixed_address_needs_no_lease() {
        let mut instance = running();
        let nic = instance.expanded_devices.get_mut("eth0").unwrap();
        nic.insert("ipv4.address".into(), "10.99.0.9".into());
        nic.insert("ipv6.address".into(), "none".into());
        let view = InstanceView::new(&instance);
        assert_eq!(view.addresses.iter().map(|a| a.address.as_str()).collect::<Vec<_>>(), ["10.99.0.9"]);
        assert!(!view.lacks_address());
        instance.status_code = StatusCode::STOPPED;
        assert!(InstanceView::new(&instance).addresses.is_empty());
    }

    #[test]
    fn a_stopped_machine_has_no_addresses() {
        let mut instance = running();
        instance.status_code = StatusCode::STOPPED;
        let mut view = InstanceView::new(&instance);
        let lease =
            Lease { hwaddr: "00:16:3e:00:00:01".into(), address: "10.99.0.7".into(), ..Lease::default() };
        assert!(!view.apply_leases(&[lease]));
        assert!(view.addresses.is_empty() && !view.lacks_address());
    }
}
