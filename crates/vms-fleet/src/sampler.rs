//! The task that asks one server what it and its machines use, now and then.
//!
//! It keeps away from everything else. Nobody waits for it: who looks is answered from what it brought last. What LXD
//! refuses or cannot tell costs a figure, never the mirror. And it is cheap, because it counts what it costs: LXD looks
//! at every running instance for its metrics (about 4 ms each), so that the pause is at least [`SHARE`] times as long as
//! the asking took, and a server with two hundred machines is simply asked a little less often.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use futures::future::join_all;
use lxd_api::Resources;
use lxd_client::Error;
use tokio::time::{Instant, sleep};
use vms_types::{PoolSpace, Space};

use crate::catalog::CatalogPool;
use crate::exposition::readings;
use crate::server::Server;
use crate::usage::{HostLoad, Sample};

/// Of the time, at most one part in so many goes to asking: 2 %.
const SHARE: u32 = 50;
/// The members of a cluster hardly ever change, and are asked for this often.
const LAYOUT: Duration = Duration::from_secs(300);
/// Pools of these kinds are the same space on every cluster member.
const SHARED_POOLS: [&str; 3] = ["ceph", "cephfs", "cephobject"];

/// Runs until it is dropped.
pub(crate) async fn sample(server: Arc<Server>, interval: Duration) {
    let mut connected = server.watch_connected();
    let mut layout = None;
    let mut well = true;
    loop {
        // An error says that the server is dropped, and we with it.
        if connected.wait_for(|connected| *connected).await.is_err() {
            return;
        }
        let began = Instant::now();
        match ask(&server, &mut layout).await {
            Ok(sample) => {
                server.take_sample(sample);
                well = true;
                // Leases are what else no event tells of.
                if let Err(error) = server.refresh_all_leases().await {
                    tracing::debug!(server = server.name(), %error, "LXD does not show its leases");
                }
            }
            // Once, not every quarter of a minute.
            Err(error) => {
                if std::mem::take(&mut well) {
                    tracing::warn!(server = server.name(), %error, "LXD does not say what is used");
                }
            }
        }
        sleep(pause(interval, began.elapsed())).await;
    }
}

/// How long to wait after asking took so long.
fn pause(interval: Duration, cost: Duration) -> Duration {
    interval.max(cost.saturating_mul(SHARE))
}

/// What is there to be asked about.
#[derive(Debug)]
struct Layout {
    since: Instant,
    /// What to put into `?target=`: each member of a cluster, or nothing.
    targets: Vec<Option<String>>,
}

async fn ask(server: &Server, known: &mut Option<Layout>) -> Result<Sample, Error> {
    if known.as_ref().is_none_or(|layout| layout.since.elapsed() >= LAYOUT) {
        *known = None;
    }
    let layout = match known {
        Some(layout) => layout,
        None => known.insert(lay_out(server).await?),
    };
    let (client, moment) = (server.client(), Instant::now());
    let mut host = HostLoad { at: Utc::now(), ..HostLoad::default() };
    let mut all = None;
    for target in &layout.targets {
        let target = target.as_deref();
        match client.resources(target).await {
            Ok(resources) => add_host(&mut host, &resources),
            // One member may be off while the others work.
            Err(error) if target.is_some() => {
                tracing::debug!(?target, %error, "a member does not say what it has");
            }
            Err(error) => return Err(error),
        }
        match client.metrics(target).await {
            Ok(text) => all
                .get_or_insert_with(std::collections::BTreeMap::new)
                .extend(readings(&text, client.project().unwrap_or("default"))),
            Err(error) if error.is_unreachable() || error.is_timeout() => return Err(error),
            // It is too old for that, or we may not: what the host has is known all the same.
            Err(error) => tracing::debug!(server = server.name(), ?target, %error, "no metrics"),
        }
    }
    let pools = server.pools();
    let pools = pools.iter().map(|of| pool(server, of, &layout.targets));
    host.pools = join_all(pools).await.into_iter().flatten().collect();
    Ok(Sample { moment, host, readings: all })
}

async fn lay_out(server: &Server) -> Result<Layout, Error> {
    let client = server.client();
    let targets = if client.has_extension("clustering").await? && client.cluster().await?.enabled {
        client.cluster_members().await?.into_iter().map(|member| Some(member.server_name)).collect()
    } else {
        vec![None]
    };
    Ok(Layout { since: Instant::now(), targets })
}

fn add_host(host: &mut HostLoad, resources: &Resources) {
    host.cpus = host.cpus.saturating_add(u32::try_from(resources.cpu.total).unwrap_or(u32::MAX));
    host.memory = plus(host.memory, resources.memory.used, resources.memory.total);
    let load = resources.load.as_ref().map(|load| load.average_1_min);
    host.load = host.load.into_iter().chain(load).reduce(f64::max);
}

const fn plus(space: Space, used: u64, total: u64) -> Space {
    Space {
        used_bytes: space.used_bytes.saturating_add(used),
        total_bytes: space.total_bytes.saturating_add(total),
    }
}

/// How full a pool is; `None` if nobody says.
async fn pool(server: &Server, of: &CatalogPool, targets: &[Option<String>]) -> Option<PoolSpace> {
    let mut space = None;
    for target in targets {
        match server.client().storage_pool_resources(&of.name, target.as_deref()).await {
            Ok(found) => {
                space = Some(plus(space.unwrap_or_default(), found.space.used, found.space.total));
                if SHARED_POOLS.contains(&of.driver.as_str()) {
                    break;
                }
            }
            Err(error) => {
                tracing::debug!(server = server.name(), pool = of.name, %error, "it does not say how full");
            }
        }
    }
    Some(PoolSpace { name: of.name.clone(), driver: of.driver.clone(), space: space? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn asking_takes_at_most_a_fiftieth_of_the_time() {
        let seconds = Duration::from_secs;
        assert_eq!(pause(seconds(15), Duration::from_millis(80)), seconds(15));
        assert_eq!(pause(seconds(15), Duration::from_millis(800)), seconds(40));
    }
}
