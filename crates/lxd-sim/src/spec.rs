//! What a simulated server begins with: images, profiles, instances.

use std::net::Ipv4Addr;

use chrono::{DateTime, TimeDelta, Utc};
use lxd_api::{
    Config, Devices, Image, ImageAliasEntry, Network, Profile, SnapshotsPost, StatusCode, StoragePool,
};

use crate::{
    api::{instances::complete, snapshots_take, states::switch_on},
    engine::Core,
    reply::sha256_hex,
    state::{InstanceRecord, State},
};

/// The one managed bridge.
pub(crate) const BRIDGE: &str = "lxdbr0";

/// An instance that is there from the beginning.
#[derive(Clone, Debug, Default)]
pub struct InstanceSpec {
    name: String,
    image: Option<String>,
    profiles: Option<Vec<String>>,
    config: Config,
    description: String,
    running: bool,
    address: Option<Ipv4Addr>,
    snapshots: Vec<String>,
    member: Option<String>,
    age: TimeDelta,
}

impl InstanceSpec {
    /// A stopped instance without an image, with the profile `default`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Made from the image with this alias.
    #[must_use]
    pub fn image(mut self, alias: impl Into<String>) -> Self {
        self.image = Some(alias.into());
        self
    }

    /// With these profiles in place of `default`.
    #[must_use]
    pub fn profiles<S: Into<String>>(mut self, profiles: impl IntoIterator<Item = S>) -> Self {
        self.profiles = Some(profiles.into_iter().map(Into::into).collect());
        self
    }

    /// With this key in its configuration.
    #[must_use]
    pub fn config(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.config.insert(key.into(), value.into());
        self
    }

    /// With this description.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// Running.
    #[must_use]
    pub fn running(mut self) -> Self {
        self.running = true;
        self
    }

    /// With this address whenever it runs.
    #[must_use]
    pub fn address(mut self, address: Ipv4Addr) -> Self {
        self.address = Some(address);
        self
    }

    /// With a snapshot of this name.
    #[must_use]
    pub fn snapshot(mut self, name: impl Into<String>) -> Self {
        self.snapshots.push(name.into());
        self
    }

    /// On this cluster member.
    #[must_use]
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.member = Some(name.into());
        self
    }

    /// Created so many days ago.
    #[must_use]
    pub fn days_old(mut self, days: u32) -> Self {
        self.age = TimeDelta::days(i64::from(days));
        self
    }
}

/// A server with a pool, a bridge and the default profile, as `lxd init` leaves it.
pub(crate) fn fresh() -> State {
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut state = State { next_pid: 4000, ..State::default() };
    state.extensions = include_str!("extensions.txt").lines().map(str::to_owned).collect();
    state.pools.insert(
        "default".into(),
        StoragePool {
            name: "default".into(),
            driver: "dir".into(),
            config: [pair("source", "/var/lib/lxd/storage-pools/default")].into(),
            status: "Created".into(),
            locations: vec!["none".into()],
            ..StoragePool::default()
        },
    );
    state.networks.insert(
        BRIDGE.into(),
        Network {
            name: BRIDGE.into(),
            kind: "bridge".into(),
            managed: true,
            config: [
                pair("ipv4.address", "10.99.0.1/18"),
                pair("ipv4.nat", "true"),
                pair("ipv6.address", "none"),
            ]
            .into(),
            status: "Created".into(),
            locations: vec!["none".into()],
            ..Network::default()
        },
    );
    state
        .networks
        .insert("lo".into(), Network { name: "lo".into(), kind: "loopback".into(), ..Network::default() });
    let devices: Devices = [("root".to_owned(), root_disk()), ("eth0".to_owned(), nic("eth0"))].into();
    state.profiles.insert(
        "default".into(),
        Profile {
            name: "default".into(),
            description: "Default LXD profile".into(),
            devices,
            ..Profile::default()
        },
    );
    state
}

/// The root disk on the one pool.
pub(crate) fn root_disk() -> Config {
    [("path", "/"), ("pool", "default"), ("type", "disk")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// A NIC of this name on the one bridge.
pub(crate) fn nic(name: &str) -> Config {
    [("name", name), ("network", BRIDGE), ("type", "nic")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
}

/// Adds an image with its alias. Operating system and release are read out of the alias (`debian-12`).
pub(crate) fn add_image(state: &mut State, alias: &str, description: &str) {
    let (os, release) = alias.split_once(['-', '/']).unwrap_or((alias, ""));
    let fingerprint = sha256_hex(alias.as_bytes());
    let properties =
        [("description", description), ("os", os), ("release", release), ("architecture", "amd64")];
    let image = Image {
        fingerprint: fingerprint.clone(),
        properties: properties.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
        architecture: "x86_64".into(),
        kind: "container".into(),
        size: 118_243_328,
        filename: format!("{alias}.tar.gz"),
        created_at: DateTime::from_timestamp(1_760_000_000, 0),
        uploaded_at: Some(Utc::now()),
        profiles: vec!["default".into()],
        ..Image::default()
    };
    state.images.insert(fingerprint.clone(), image);
    let entry = ImageAliasEntry {
        name: alias.to_owned(),
        description: description.to_owned(),
        target: fingerprint,
        kind: "container".into(),
    };
    state.aliases.insert(alias.to_owned(), entry);
}

/// Adds an instance. Returns what is wrong with it, if something is.
pub(crate) fn add_instance(core: &Core, state: &mut State, spec: InstanceSpec) -> Result<(), String> {
    let mut config = spec.config;
    if let Some(alias) = spec.image {
        let target = state.aliases.get(&alias).map(|entry| entry.target.clone());
        let image = target.and_then(|target| state.images.get(&target));
        let image = image.ok_or_else(|| format!("instance {}: there is no image {alias}", spec.name))?;
        config.extend(image.properties.iter().map(|(key, value)| (format!("image.{key}"), value.clone())));
        config.insert("volatile.base_image".into(), image.fingerprint.clone());
    }
    let profiles = spec.profiles.unwrap_or_else(|| vec!["default".into()]);
    if let Some(missing) = profiles.iter().find(|name| !state.profiles.contains_key(*name)) {
        return Err(format!("instance {}: there is no profile {missing}", spec.name));
    }
    let created_at = Utc::now().checked_sub_signed(spec.age);
    let mut record = InstanceRecord {
        name: spec.name.clone(),
        description: spec.description,
        config,
        profiles,
        status: StatusCode::STOPPED,
        created_at,
        location: spec.member.unwrap_or_else(|| state.idlest_member()),
        ..InstanceRecord::default()
    };
    complete(state, &mut record);
    let taken = Utc::now();
    for (number, name) in (1_i32..).zip(spec.snapshots) {
        let mut snapshot =
            snapshots_take(state, &record, &SnapshotsPost { name, ..SnapshotsPost::default() });
        // Between its creation and now, in their order.
        snapshot.created_at = taken.checked_sub_signed(spec.age / 2_i32.saturating_add(number));
        record.snapshots.push(snapshot);
    }
    if let (Some(address), Some((_, mac, _))) = (spec.address, state.first_nic(&record)) {
        state.reserved.insert(mac, address);
    }
    state.instances.insert(spec.name.clone(), record);
    if spec.running {
        switch_on(core, state, &spec.name);
        // It was there before: its address came long ago.
        if let Some(record) = state.instances.get_mut(&spec.name) {
            record.address_at = record.started_at;
        }
        state.settle();
    }
    Ok(())
}
