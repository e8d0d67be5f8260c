//! `/1.0`, `/1.0/resources`.

use lxd_api::{
    Resources, ResourcesCpu, ResourcesCpuCore, ResourcesCpuSocket, ResourcesDisk, ResourcesMemory,
    ResourcesStorage, ResourcesSystem, ServerEnvironment, ServerInfo,
};
use serde_json::{Map, Value};

use crate::{
    api::{metrics::HOST_MEMORY, states},
    engine::Core,
    reply::{ApiRequest, Failure, Reply, etag, sha256_hex},
};

/// Version of LXD that is simulated.
pub(crate) const VERSION: &str = "5.0.2";

pub(crate) fn get(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    let mut info = ServerInfo {
        api_extensions: state.extensions.clone(),
        api_status: "stable".into(),
        api_version: "1.0".into(),
        auth: if request.trusted { "trusted" } else { "untrusted" }.into(),
        auth_methods: vec!["tls".into()],
        ..ServerInfo::default()
    };
    if !request.trusted {
        return Reply::sync(&info);
    }
    let https = *core.https.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let addresses: Vec<String> = https.iter().map(ToString::to_string).collect();
    info.config = addresses
        .first()
        .map(|address| Map::from_iter([("core.https_address".to_owned(), Value::String(address.clone()))]))
        .unwrap_or_default();
    let der = pem::parse(&core.certificate).map(pem::Pem::into_contents).unwrap_or_default();
    let pool = state.pools.values().next();
    info.environment = ServerEnvironment {
        addresses,
        architectures: vec!["x86_64".into(), "i686".into()],
        certificate: core.certificate.clone(),
        certificate_fingerprint: sha256_hex(&der),
        driver: "lxc".into(),
        driver_version: "5.0.2".into(),
        kernel: "Linux".into(),
        kernel_architecture: "x86_64".into(),
        kernel_version: "6.1.0-18-amd64".into(),
        os_name: "Debian GNU/Linux".into(),
        os_version: "12".into(),
        project: "default".into(),
        server: "lxd".into(),
        server_clustered: !state.members.is_empty(),
        server_name: state.members.first().cloned().unwrap_or_else(|| "lxd-sim".into()),
        server_pid: i64::from(std::process::id()),
        server_version: VERSION.into(),
        storage: pool.map(|pool| pool.driver.clone()).unwrap_or_default(),
        storage_version: "1".into(),
        ..ServerEnvironment::default()
    };
    let tag = etag(&info.config)?;
    Reply::tagged(&info, tag)
}

/// Eight cores, 16 GiB, one disk, for every member.
pub(crate) fn resources(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    if let Some(target) = request.target()
        && !state.members.iter().any(|member| member == target)
    {
        return Err(Failure::not_found("Cluster member not found"));
    }
    let here = request.target().map_or_else(|| state.own_member(), str::to_owned);
    let used = state
        .instances
        .values()
        .filter(|record| record.is_on() && record.location == here)
        .map(|record| u64::try_from(states::memory_usage(&state, record)).unwrap_or(0))
        .fold(1_500_000_000_u64, u64::saturating_add);
    Reply::sync(&Resources {
        cpu: ResourcesCpu {
            architecture: "x86_64".into(),
            sockets: vec![ResourcesCpuSocket {
                name: "Simulated CPU".into(),
                vendor: "GenuineIntel".into(),
                socket: 0,
                cores: (0..8).map(|core| ResourcesCpuCore { core, frequency: 2400 }).collect(),
                frequency: 2400,
            }],
            total: 8,
        },
        memory: ResourcesMemory { used, total: HOST_MEMORY },
        storage: ResourcesStorage {
            disks: vec![ResourcesDisk {
                id: "vda".into(),
                kind: "virtio".into(),
                size: 250_000_000_000,
                ..ResourcesDisk::default()
            }],
            total: 1,
        },
        system: ResourcesSystem { kind: "virtual-machine".into(), ..ResourcesSystem::default() },
        load: None,
    })
}
