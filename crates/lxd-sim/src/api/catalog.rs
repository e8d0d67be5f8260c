//! Networks with their leases, and storage pools.

use lxd_api::{Config, Lease, Network, NetworkPut, StoragePool, StoragePoolResources, Usage};
use serde_json::Map;

use crate::{
    api::metrics::POOL_SIZE,
    engine::Core,
    reply::{ApiRequest, Failure, Reply, etag},
    state::{State, encode, ranges, subnet},
};

fn uses(key: &'static str, name: &str) -> impl Fn(&Config) -> bool {
    let name = name.to_owned();
    move |device: &Config| device.get(key).is_some_and(|value| *value == name)
}

fn shown_network(state: &State, network: &Network) -> Network {
    let by_name = uses("network", &network.name);
    let by_parent = uses("parent", &network.name);
    let used_by = state.device_users(|device| by_name(device) || by_parent(device));
    Network { used_by, ..network.clone() }
}

pub(crate) fn networks(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    let items = state.networks.values();
    Reply::list(
        request,
        items.map(|network| {
            (format!("/1.0/networks/{}", encode(&network.name)), shown_network(&state, network))
        }),
    )
}

pub(crate) fn network(core: &Core, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let network = state.networks.get(name).ok_or_else(|| Failure::not_found("Network not found"))?;
    Reply::tagged(&shown_network(&state, network), network_tag(network)?)
}

fn network_tag(network: &Network) -> Result<String, Failure> {
    etag(&(&network.name, network.managed, &network.kind, &network.description, &network.config))
}

/// Replaces the configuration of a bridge. Leases that lie outside of its new range stay until they are asked for anew.
pub(crate) fn put_network(core: &Core, request: &ApiRequest, name: &str) -> Result<Reply, Failure> {
    let put: NetworkPut = request.json()?;
    let mut state = core.lock();
    let network = state.networks.get(name).filter(|network| network.managed);
    let network = network.ok_or_else(|| Failure::not_found("Network not found"))?;
    request.check_etag(&network_tag(network)?)?;
    let mut config = put.config;
    config.retain(|_, value| !value.is_empty());
    let wrong = |key: &str, why: String| {
        Failure::bad(format!("Invalid value for network \"{name}\" option \"{key}\": {why}"))
    };
    if let Some(address) =
        config.get("ipv4.address").filter(|address| !["none", "auto"].contains(&address.as_str()))
        && subnet(address).is_none()
    {
        return Err(wrong("ipv4.address", format!("invalid CIDR address: {address}")));
    }
    if let Some(text) = config.get("ipv4.dhcp.ranges")
        && ranges(text).is_none()
    {
        return Err(wrong("ipv4.dhcp.ranges", format!("Invalid IP range: {text}")));
    }
    if let Some(network) = state.networks.get_mut(name) {
        network.config = config;
        network.description = put.description;
    }
    let by = Some(request.requestor.clone());
    let path = format!("/1.0/networks/{}", encode(name));
    core.lifecycle("network-updated", path, Map::new(), by, &state.own_member());
    Ok(Reply::done())
}

/// The gateway, then every address that was given away: of stopped instances too.
pub(crate) fn leases(core: &Core, name: &str) -> Result<Reply, Failure> {
    let mut state = core.lock();
    state.settle();
    let network = state.networks.get(name).filter(|network| network.managed);
    let network = network.ok_or_else(|| Failure::not_found("Failed loading network: Network not found"))?;
    let gateway = network.config.get("ipv4.address").and_then(|range| range.split_once('/'));
    let gateway = gateway.map_or_else(String::new, |(address, _)| address.to_owned());
    let mut leases = vec![Lease {
        hostname: format!("{name}.gw"),
        address: gateway,
        kind: "gateway".into(),
        ..Lease::default()
    }];
    for record in state.instances.values() {
        let Some((_, mac, bridge)) = state.first_nic(record) else { continue };
        if bridge.name != name {
            continue;
        }
        if let Some(address) = state.leases.get(&mac) {
            leases.push(Lease {
                hostname: record.name.clone(),
                hwaddr: mac,
                address: address.to_string(),
                kind: "dynamic".into(),
                location: record.location.clone(),
                project: String::new(),
            });
        }
    }
    Reply::sync(&leases)
}

fn shown_pool(state: &State, pool: &StoragePool) -> StoragePool {
    StoragePool { used_by: state.device_users(uses("pool", &pool.name)), ..pool.clone() }
}

fn pool_missing() -> Failure {
    Failure::not_found("Storage pool not found")
}

pub(crate) fn pools(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    let items = state.pools.values();
    Reply::list(
        request,
        items.map(|pool| (format!("/1.0/storage-pools/{}", encode(&pool.name)), shown_pool(&state, pool))),
    )
}

pub(crate) fn pool(core: &Core, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    let pool = state.pools.get(name).ok_or_else(pool_missing)?;
    Reply::sync(&shown_pool(&state, pool))
}

/// 400 MB for each instance, 50 MB for each snapshot.
pub(crate) fn pool_resources(core: &Core, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    if !state.pools.contains_key(name) {
        return Err(Failure::internal("Storage pool not found"));
    }
    let each = |record: &crate::state::InstanceRecord| {
        let snapshots = u64::try_from(record.snapshots.len()).unwrap_or(0);
        snapshots.saturating_mul(50_000_000).saturating_add(400_000_000)
    };
    let used = state.instances.values().map(each).fold(8_000_000_000_u64, u64::saturating_add);
    Reply::sync(&StoragePoolResources {
        space: Usage { used, total: POOL_SIZE },
        inodes: Usage { used: 180_000, total: 16_777_216 },
    })
}
