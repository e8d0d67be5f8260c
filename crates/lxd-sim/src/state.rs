//! Everything the simulated server knows, in one struct behind one mutex.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::Ipv4Addr,
    time::Instant,
};

use chrono::{DateTime, Utc};
use lxd_api::{
    Certificate, Config, Devices, Image, ImageAlias, ImageAliasEntry, Network, Operation, Profile, Snapshot,
    StatusCode, StoragePool,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::{sync::watch, task::AbortHandle};

use crate::{fault::Faults, reply::sha256_hex};

/// The whole state.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) instances: BTreeMap<String, InstanceRecord>,
    pub(crate) images: BTreeMap<String, Image>,
    pub(crate) aliases: BTreeMap<String, ImageAliasEntry>,
    /// What other image servers offer: a description by URL and alias.
    pub(crate) offered: BTreeMap<(String, String), String>,
    pub(crate) profiles: BTreeMap<String, Profile>,
    pub(crate) networks: BTreeMap<String, Network>,
    pub(crate) pools: BTreeMap<String, StoragePool>,
    pub(crate) certificates: BTreeMap<String, Certificate>,
    /// Names of cluster members; empty without a cluster.
    pub(crate) members: Vec<String>,
    pub(crate) operations: HashMap<String, OperationRecord>,
    /// Addresses that DHCP gave away, by MAC. They outlive a stop, as real leases do.
    pub(crate) leases: BTreeMap<String, Ipv4Addr>,
    /// Addresses a MAC will get when it asks (scenarios fix some).
    pub(crate) reserved: BTreeMap<String, Ipv4Addr>,
    pub(crate) faults: Faults,
    pub(crate) requests: BTreeMap<String, u64>,
    pub(crate) extensions: Vec<String>,
    pub(crate) next_pid: i64,
}

/// One instance.
#[derive(Clone, Debug, Default)]
pub(crate) struct InstanceRecord {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) config: Config,
    pub(crate) devices: Devices,
    pub(crate) profiles: Vec<String>,
    pub(crate) ephemeral: bool,
    pub(crate) status: StatusCode,
    pub(crate) created_at: Option<DateTime<Utc>>,
    pub(crate) last_used_at: Option<DateTime<Utc>>,
    pub(crate) location: String,
    pub(crate) snapshots: Vec<Snapshot>,
    /// The operation that holds the instance: what it does, and which it is.
    pub(crate) busy: Option<(&'static str, String)>,
    /// When it gets (or got) its address; `None` while it is off.
    pub(crate) address_at: Option<Instant>,
    pub(crate) started_at: Option<Instant>,
    pub(crate) pid: i64,
}

/// An operation and who can end or await it.
#[derive(Debug)]
pub(crate) struct OperationRecord {
    pub(crate) operation: Operation,
    pub(crate) done: watch::Receiver<bool>,
    pub(crate) task: Option<AbortHandle>,
}

impl InstanceRecord {
    pub(crate) fn is_on(&self) -> bool {
        matches!(self.status, StatusCode::RUNNING | StatusCode::FROZEN)
    }

    /// What a PUT would replace; its hash is the ETag.
    pub(crate) fn editable(&self) -> (&Config, &Devices, &Vec<String>, bool, &str) {
        (&self.config, &self.devices, &self.profiles, self.ephemeral, &self.description)
    }
}

impl State {
    /// Configuration with that of the profiles, and devices likewise. Later profiles win, the instance's own last.
    pub(crate) fn expand(
        &self,
        profiles: &[String],
        config: &Config,
        devices: &Devices,
    ) -> (Config, Devices) {
        let mut all_config = Config::new();
        let mut all_devices = Devices::new();
        for profile in profiles.iter().filter_map(|name| self.profiles.get(name)) {
            all_config.extend(profile.config.clone());
            all_devices.extend(profile.devices.clone());
        }
        all_config.extend(config.clone());
        all_devices.extend(devices.clone());
        (all_config, all_devices)
    }

    /// The managed bridge a NIC is connected to, if any.
    pub(crate) fn bridge_of(&self, nic: &Config) -> Option<&Network> {
        let name = nic.get("network").or_else(|| nic.get("parent"))?;
        self.networks.get(name).filter(|network| network.managed)
    }

    /// The NIC that asks for an address: the first one, as cloud images do. Its name inside and its MAC.
    pub(crate) fn first_nic(&self, record: &InstanceRecord) -> Option<(String, String, &Network)> {
        let (config, devices) = self.expand(&record.profiles, &record.config, &record.devices);
        devices.iter().filter(|(_, device)| device.get("type").is_some_and(|kind| kind == "nic")).find_map(
            |(device, nic)| {
                let network = self.bridge_of(nic)?;
                let mac = nic.get("hwaddr").or_else(|| config.get(&format!("volatile.{device}.hwaddr")))?;
                Some((nic.get("name").unwrap_or(device).clone(), mac.clone(), network))
            },
        )
    }

    /// Gives the addresses that are due by now.
    pub(crate) fn settle(&mut self) {
        let now = Instant::now();
        let due: Vec<(String, Ipv4Addr)> = self
            .instances
            .values()
            .filter(|record| record.is_on() && record.address_at.is_some_and(|at| at <= now))
            .filter_map(|record| {
                let (_, mac, network) = self.first_nic(record)?;
                (!self.leases.contains_key(&mac)).then_some(())?;
                let address =
                    self.reserved.get(&mac).copied().or_else(|| self.free_address(&mac, network))?;
                Some((mac, address))
            })
            .collect();
        for (mac, address) in due {
            // Two that are due at once may have got the same one: the later asks again.
            if self.leases.values().all(|taken| *taken != address) {
                self.leases.insert(mac, address);
            }
        }
    }

    /// The same address for the same MAC, unless another has it.
    fn free_address(&self, mac: &str, network: &Network) -> Option<Ipv4Addr> {
        let (gateway, base, size) = subnet(network.config.get("ipv4.address")?)?;
        let whole = vec![(base.saturating_add(2), base.saturating_add(size.checked_sub(2)?))];
        let ranges = network.config.get("ipv4.dhcp.ranges").and_then(|text| ranges(text)).unwrap_or(whole);
        let usable = ranges.iter().map(|(first, last)| last - first + 1).sum::<u32>().max(1);
        let seed = u32::from_str_radix(sha256_hex(mac.as_bytes()).get(..8)?, 16).ok()?;
        let taken: BTreeSet<u32> =
            self.leases.values().chain(self.reserved.values()).map(|a| u32::from(*a)).collect();
        let nth = |number: u32| {
            let mut left = number;
            ranges.iter().find_map(|(first, last)| match left.checked_sub(last - first + 1) {
                None => Some(first.saturating_add(left)),
                Some(rest) => {
                    left = rest;
                    None
                }
            })
        };
        (0..usable)
            .filter_map(|step| nth(seed.wrapping_add(step) % usable))
            .find(|candidate| *candidate != gateway && !taken.contains(candidate))
            .map(Ipv4Addr::from)
    }

    /// The address an instance has now.
    pub(crate) fn address(&self, record: &InstanceRecord) -> Option<(String, String, Ipv4Addr)> {
        let due = record.address_at.is_some_and(|at| at <= Instant::now());
        let (interface, mac, _) = self.first_nic(record).filter(|_| due && record.is_on())?;
        let address = self.leases.get(&mac)?;
        Some((interface, mac, *address))
    }

    /// MACs of all NICs of an instance.
    pub(crate) fn macs(record: &InstanceRecord) -> Vec<String> {
        record
            .config
            .iter()
            .filter(|(key, _)| key.starts_with("volatile.") && key.ends_with(".hwaddr"))
            .map(|(_, mac)| mac.clone())
            .collect()
    }

    /// Paths of the instances that use a profile.
    pub(crate) fn profile_users(&self, profile: &str) -> Vec<String> {
        self.instances
            .values()
            .filter(|record| record.profiles.iter().any(|name| name == profile))
            .map(|record| instance_path(&record.name))
            .collect()
    }

    /// Paths of the profiles and instances that have a device for which `uses` is true.
    pub(crate) fn device_users(&self, uses: impl Fn(&Config) -> bool) -> Vec<String> {
        let profiles = self
            .profiles
            .values()
            .filter(|profile| profile.devices.values().any(&uses))
            .map(|profile| format!("/1.0/profiles/{}", encode(&profile.name)));
        let instances = self
            .instances
            .values()
            .filter(|record| {
                self.expand(&record.profiles, &record.config, &record.devices).1.values().any(&uses)
            })
            .map(|record| instance_path(&record.name));
        profiles.chain(instances).collect()
    }

    /// An image with the aliases that point to it.
    pub(crate) fn image_with_aliases(&self, image: &Image) -> Image {
        let aliases = self
            .aliases
            .values()
            .filter(|alias| alias.target == image.fingerprint)
            .map(|alias| ImageAlias { name: alias.name.clone(), description: alias.description.clone() })
            .collect();
        Image { aliases, ..image.clone() }
    }

    /// The one image whose fingerprint begins so.
    pub(crate) fn image_by_prefix(&self, prefix: &str) -> Option<&Image> {
        let mut found = self.images.values().filter(|image| image.fingerprint.starts_with(prefix));
        match (found.next(), found.next()) {
            (Some(image), None) if !prefix.is_empty() => Some(image),
            _ => None,
        }
    }

    /// Where new things are when nobody says: the member with the fewest instances, `none` without a cluster.
    pub(crate) fn idlest_member(&self) -> String {
        self.members
            .iter()
            .min_by_key(|member| self.instances.values().filter(|record| record.location == **member).count())
            .map_or_else(|| "none".to_owned(), Clone::clone)
    }

    /// The member that answers: the first; `none` without a cluster.
    pub(crate) fn own_member(&self) -> String {
        self.members.first().map_or_else(|| "none".to_owned(), Clone::clone)
    }

    pub(crate) fn has_extension(&self, name: &str) -> bool {
        self.extensions.iter().any(|extension| extension == name)
    }
}

/// The gateway of `10.99.0.1/18`, the subnet's first address, and how many it has.
pub(crate) fn subnet(text: &str) -> Option<(u32, u32, u32)> {
    let (gateway, prefix) = text.split_once('/')?;
    let gateway = u32::from(gateway.parse::<Ipv4Addr>().ok()?);
    let size = 1_u32.checked_shl(32_u32.checked_sub(prefix.parse().ok()?)?)?;
    Some((gateway, gateway & !(size.checked_sub(1)?), size))
}

/// First and last address of each of `10.99.0.2-10.99.0.9,10.99.1.0-10.99.1.9`.
pub(crate) fn ranges(text: &str) -> Option<Vec<(u32, u32)>> {
    let range = |one: &str| {
        let (first, last) = one.trim().split_once('-')?;
        let number = |text: &str| text.trim().parse::<Ipv4Addr>().ok().map(u32::from);
        Some((number(first)?, number(last)?)).filter(|(first, last)| first <= last)
    };
    text.split(',').map(range).collect()
}

/// Everything but RFC 3986's unreserved characters is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as it stands in a path.
pub(crate) fn encode(name: &str) -> String {
    utf8_percent_encode(name, ENCODED).to_string()
}

/// `/1.0/instances/<name>`.
pub(crate) fn instance_path(name: &str) -> String {
    format!("/1.0/instances/{}", encode(name))
}

/// `/1.0/instances/<name>/snapshots/<snapshot>`.
pub(crate) fn snapshot_path(instance: &str, snapshot: &str) -> String {
    format!("{}/snapshots/{}", instance_path(instance), encode(snapshot))
}
