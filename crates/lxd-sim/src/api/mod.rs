//! The endpoints: which there are, and which function answers each.

mod catalog;
mod certificates;
mod cluster;
mod images;
pub(crate) mod instances;
mod metrics;
mod operations;
mod profiles;
mod server;
mod snapshots;
pub(crate) mod states;
mod uploads;

use std::sync::Arc;

use http::Method;

use crate::{
    engine::Core,
    reply::{ApiRequest, Failure, Reply},
};

/// All paths there are. A name stands for any one segment.
const PATHS: &[&str] = &[
    "",
    "1.0",
    "1.0/certificates",
    "1.0/certificates/{fingerprint}",
    "1.0/cluster",
    "1.0/cluster/members",
    "1.0/cluster/members/{member}",
    "1.0/events",
    "1.0/images",
    "1.0/images/aliases",
    "1.0/images/aliases/{alias}",
    "1.0/images/{fingerprint}",
    "1.0/images/{fingerprint}/refresh",
    "1.0/instances",
    "1.0/instances/{instance}",
    "1.0/instances/{instance}/rebuild",
    "1.0/instances/{instance}/snapshots",
    "1.0/instances/{instance}/snapshots/{snapshot}",
    "1.0/instances/{instance}/state",
    "1.0/metrics",
    "1.0/networks",
    "1.0/networks/{network}",
    "1.0/networks/{network}/leases",
    "1.0/operations",
    "1.0/operations/{operation}",
    "1.0/operations/{operation}/wait",
    "1.0/profiles",
    "1.0/profiles/{profile}",
    "1.0/resources",
    "1.0/storage-pools",
    "1.0/storage-pools/{pool}",
    "1.0/storage-pools/{pool}/resources",
];

/// The pattern that the path of a request follows: `/1.0/instances/{instance}/state`.
pub(crate) fn pattern(segments: &[String]) -> Option<&'static str> {
    PATHS.iter().copied().find(|path| {
        let mut names = path.split('/').filter(|name| !name.is_empty());
        let mut segments = segments.iter();
        loop {
            match (names.next(), segments.next()) {
                (None, None) => return true,
                (Some(name), Some(segment)) if name.starts_with('{') || name == segment => {}
                _ => return false,
            }
        }
    })
}

/// Answers a request (all but the events websocket).
pub(crate) async fn answer(core: &Arc<Core>, request: &ApiRequest) -> Result<Reply, Failure> {
    let Some(pattern) = pattern(&request.segments) else {
        return Err(Failure::not_found("not found"));
    };
    if !request.trusted && !matches!((&request.method, pattern), (&Method::GET, "" | "1.0" | "1.0/images")) {
        return Err(Failure::new(403, "not authorized"));
    }
    check_project(request)?;
    // The names in the path, in their order.
    let mut names = pattern.split('/').zip(&request.segments).filter(|(name, _)| name.starts_with('{'));
    let first = names.next().map_or("", |(_, value)| value.as_str());
    let second = names.next().map_or("", |(_, value)| value.as_str());
    match (request.method.as_str(), pattern) {
        ("GET", "") => Reply::sync(&["/1.0"]),
        ("GET", "1.0") => server::get(core, request),
        ("GET", "1.0/resources") => server::resources(core, request),
        ("GET", "1.0/metrics") => metrics::get(core, request),
        ("GET", "1.0/certificates") => certificates::list(core, request),
        ("POST", "1.0/certificates") => certificates::create(core, request),
        ("GET", "1.0/certificates/{fingerprint}") => certificates::get(core, first),
        ("DELETE", "1.0/certificates/{fingerprint}") => certificates::delete(core, request, first),
        ("GET", "1.0/cluster") => cluster::get(core),
        ("GET", "1.0/cluster/members") => cluster::members(core, request),
        ("GET", "1.0/cluster/members/{member}") => cluster::member(core, first),
        ("GET", "1.0/images") => images::list(core, request),
        ("POST", "1.0/images") => images::create(core, request),
        ("GET", "1.0/images/{fingerprint}") => images::get(core, first),
        ("PUT" | "PATCH", "1.0/images/{fingerprint}") => images::update(core, request, first),
        ("DELETE", "1.0/images/{fingerprint}") => images::delete(core, request, first),
        ("POST", "1.0/images/{fingerprint}/refresh") => images::refresh(core, request, first),
        ("GET", "1.0/images/aliases") => images::aliases(core, request),
        ("POST", "1.0/images/aliases") => images::create_alias(core, request),
        ("GET", "1.0/images/aliases/{alias}") => images::alias(core, first),
        ("PUT", "1.0/images/aliases/{alias}") => images::update_alias(core, request, first),
        ("POST", "1.0/images/aliases/{alias}") => images::rename_alias(core, request, first),
        ("DELETE", "1.0/images/aliases/{alias}") => images::delete_alias(core, request, first),
        ("GET", "1.0/instances") => instances::list(core, request),
        ("POST", "1.0/instances") => instances::create(core, request),
        ("GET", "1.0/instances/{instance}") => instances::get(core, request, first),
        ("PUT", "1.0/instances/{instance}") => instances::put(core, request, first),
        ("PATCH", "1.0/instances/{instance}") => instances::patch(core, request, first),
        ("POST", "1.0/instances/{instance}") => instances::rename(core, request, first),
        ("DELETE", "1.0/instances/{instance}") => instances::delete(core, request, first),
        ("POST", "1.0/instances/{instance}/rebuild") => instances::rebuild(core, request, first),
        ("GET", "1.0/instances/{instance}/state") => states::get(core, first),
        ("PUT", "1.0/instances/{instance}/state") => states::put(core, request, first),
        ("GET", "1.0/instances/{instance}/snapshots") => snapshots::list(core, request, first),
        ("POST", "1.0/instances/{instance}/snapshots") => snapshots::create(core, request, first),
        ("GET", "1.0/instances/{instance}/snapshots/{snapshot}") => snapshots::get(core, first, second),
        ("PUT", "1.0/instances/{instance}/snapshots/{snapshot}") => {
            snapshots::update(core, request, first, second)
        }
        ("POST", "1.0/instances/{instance}/snapshots/{snapshot}") => {
            snapshots::rename(core, request, first, second)
        }
        ("DELETE", "1.0/instances/{instance}/snapshots/{snapshot}") => {
            snapshots::delete(core, request, first, second)
        }
        ("GET", "1.0/networks") => catalog::networks(core, request),
        ("GET", "1.0/networks/{network}") => catalog::network(core, first),
        ("PUT", "1.0/networks/{network}") => catalog::put_network(core, request, first),
        ("GET", "1.0/networks/{network}/leases") => catalog::leases(core, first),
        ("GET", "1.0/storage-pools") => catalog::pools(core, request),
        ("GET", "1.0/storage-pools/{pool}") => catalog::pool(core, first),
        ("GET", "1.0/storage-pools/{pool}/resources") => catalog::pool_resources(core, first),
        ("GET", "1.0/operations") => operations::list(core, request),
        ("GET", "1.0/operations/{operation}") => operations::get(core, first),
        ("DELETE", "1.0/operations/{operation}") => operations::cancel(core, first),
        ("GET", "1.0/operations/{operation}/wait") => operations::wait(core, request, first).await,
        ("GET", "1.0/profiles") => profiles::list(core, request),
        ("POST", "1.0/profiles") => profiles::create(core, request),
        ("GET", "1.0/profiles/{profile}") => profiles::get(core, first),
        ("PUT", "1.0/profiles/{profile}") => profiles::put(core, request, first),
        ("PATCH", "1.0/profiles/{profile}") => profiles::patch(core, request, first),
        ("POST", "1.0/profiles/{profile}") => profiles::rename(core, request, first),
        ("DELETE", "1.0/profiles/{profile}") => profiles::delete(core, request, first),
        _ => Err(Failure::new(501, "not implemented")),
    }
}

/// There is one project here, `default`.
fn check_project(request: &ApiRequest) -> Result<(), Failure> {
    match request.query.get("project").map(String::as_str) {
        None | Some("" | "default") => Ok(()),
        Some(other) => {
            Err(Failure::not_found(format!("Failed loading project \"{other}\": Project not found")))
        }
    }
}

pub(crate) use certificates::entry as certificate_entry;
pub(crate) use snapshots::take as snapshots_take;
