//! `/1.0/cluster` and its members.

use lxd_api::{Cluster, ClusterMember, ClusterMemberConfigKey};

use crate::{
    engine::Core,
    reply::{ApiRequest, Failure, Reply, etag},
    state::{State, encode},
};

pub(crate) fn get(core: &Core) -> Result<Reply, Failure> {
    let state = core.lock();
    let member_config = state
        .pools
        .keys()
        .map(|pool| ClusterMemberConfigKey {
            entity: "storage-pool".into(),
            name: pool.clone(),
            key: "source".into(),
            value: String::new(),
            description: format!("\"source\" property for storage pool \"{pool}\""),
        })
        .collect();
    let cluster = Cluster {
        server_name: state.members.first().cloned().unwrap_or_default(),
        enabled: !state.members.is_empty(),
        member_config,
    };
    Reply::tagged(&cluster, etag(&cluster)?)
}

fn shown(state: &State, name: &str) -> ClusterMember {
    let number = state.members.iter().position(|member| member == name).unwrap_or(0);
    let role = if number == 0 { "database-leader" } else { "database-standby" };
    ClusterMember {
        server_name: name.to_owned(),
        url: format!("https://10.1.1.{}:8443", number.saturating_add(101)),
        database: number == 0,
        status: "Online".into(),
        message: "Fully operational".into(),
        roles: vec![role.into()],
        failure_domain: "default".into(),
        architecture: "x86_64".into(),
        groups: vec!["default".into()],
        ..ClusterMember::default()
    }
}

fn alone(state: &State) -> Result<(), Failure> {
    if state.members.is_empty() { Err(Failure::internal("Server is not clustered")) } else { Ok(()) }
}

pub(crate) fn members(core: &Core, request: &ApiRequest) -> Result<Reply, Failure> {
    let state = core.lock();
    alone(&state)?;
    Reply::list(
        request,
        state
            .members
            .iter()
            .map(|name| (format!("/1.0/cluster/members/{}", encode(name)), shown(&state, name))),
    )
}

pub(crate) fn member(core: &Core, name: &str) -> Result<Reply, Failure> {
    let state = core.lock();
    alone(&state)?;
    if !state.members.iter().any(|member| member == name) {
        return Err(Failure::not_found("Cluster member not found"));
    }
    let member = shown(&state, name);
    Reply::tagged(&member, etag(&member)?)
}
