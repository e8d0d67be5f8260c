//! Addresses, which LXD sends no events for.
//!
//! One request shows the leases of a whole managed bridge, so that is asked first and often. A machine's own state costs
//! LXD about 7 ms each: it is asked at once only for machines on other kinds of network, and slowly for those that have
//! been without a lease for long (they may have set an address within) or whose lease is another than the one shown.

use std::collections::BTreeSet;
use std::ops::Bound;
use std::sync::Arc;

use futures::StreamExt as _;
use lxd_api::Lease;
use lxd_client::Error;

use crate::server::Server;
use crate::view::InstanceView;

/// Machines asked for their state at the same time.
const PARALLEL: usize = 4;
/// Machines without a lease that are asked for their state in one slow look: many of them take turns.
const AT_ONCE: usize = 8;

/// Looks for addresses, and knows whose turn it is.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    /// The last machine that was asked for want of a lease.
    asked_last: String,
}

impl Addresses {
    /// Looks once for the addresses of machines that lack one; returns how many still do. With `patience_over` also some
    /// of those that should have had a lease are asked themselves.
    ///
    /// # Errors
    /// Those of the client, at the first request that fails.
    pub(crate) async fn look(&mut self, server: &Server, patience_over: bool) -> Result<usize, Error> {
        let lacking: Vec<Arc<InstanceView>> = lacking(server);
        if lacking.is_empty() {
            return Ok(0);
        }
        let (by_lease, by_state): (Vec<_>, Vec<_>) =
            lacking.into_iter().partition(|view| networks_of(server, view).next().is_some());
        let leases = leases_of(server, &by_lease).await?;
        for view in &by_lease {
            // The machine may have changed since: what the lease says is put on what stands there now.
            server.amend(&view.name, |now| now.apply_leases(&leases));
        }
        let mut asked: Vec<String> = by_state.iter().map(|view| view.name.clone()).collect();
        if patience_over {
            asked.extend(self.next_turn(&by_lease.iter().map(|view| view.name.clone()).collect()));
        }
        refresh(server, asked).await?;
        Ok(lacking_count(server))
    }

    /// Some of them, beginning after those of the last turn.
    fn next_turn(&mut self, names: &BTreeSet<String>) -> Vec<String> {
        let after = (Bound::Excluded(self.asked_last.as_str()), Bound::Unbounded);
        let turn: Vec<String> =
            names.range::<str, _>(after).chain(names).take(AT_ONCE.min(names.len())).cloned().collect();
        if let Some(last) = turn.last() {
            self.asked_last.clone_from(last);
        }
        turn
    }
}

/// Compares the leases of all running machines with what is shown: a lease that ran out while a machine slept is
/// followed by another one, and no event tells of it.
///
/// # Errors
/// Those of the client, at the first request that fails.
pub(crate) async fn compare(server: &Server) -> Result<(), Error> {
    let running: Vec<_> = server.instances().into_iter().filter(|view| !view.addresses.is_empty()).collect();
    let leases = leases_of(server, &running).await?;
    let changed = running.iter().filter(|view| view.has_news(&leases)).map(|view| view.name.clone());
    refresh(server, changed.take(AT_ONCE).collect()).await
}

fn lacking(server: &Server) -> Vec<Arc<InstanceView>> {
    server.read().instances.values().filter(|view| view.lacks_address()).cloned().collect()
}

fn lacking_count(server: &Server) -> usize {
    server.read().instances.values().filter(|view| view.lacks_address()).count()
}

/// The machine's networks whose leases can be asked for.
fn networks_of<'a>(server: &Server, view: &'a InstanceView) -> impl Iterator<Item = &'a String> + use<'a> {
    let managed = server.read().managed_networks.clone();
    view.nics.iter().filter_map(|nic| nic.network.as_ref()).filter(move |network| managed.contains(*network))
}

async fn leases_of(server: &Server, machines: &[Arc<InstanceView>]) -> Result<Vec<Lease>, Error> {
    let networks: BTreeSet<&String> = machines.iter().flat_map(|view| networks_of(server, view)).collect();
    let mut leases = Vec::new();
    for network in networks {
        leases.extend(server.refresh_leases(network).await?);
    }
    Ok(leases)
}

/// Fetches instances again, some at a time.
///
/// # Errors
/// Those of the client, at the first request that fails.
pub(crate) async fn refresh(server: &Server, names: Vec<String>) -> Result<(), Error> {
    let asked: Vec<_> = names.iter().map(|name| server.refresh_with_state(name)).collect();
    let mut answers = futures::stream::iter(asked).buffer_unordered(PARALLEL);
    while let Some(answer) = answers.next().await {
        answer?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_without_a_lease_take_turns() {
        let names: BTreeSet<String> = (10..30).map(|n| format!("m{n}")).collect();
        let mut addresses = Addresses::default();
        let asked: BTreeSet<String> = (0..3).flat_map(|_| addresses.next_turn(&names)).collect();
        assert_eq!(asked, names);
        assert_eq!(addresses.next_turn(&["m10".into()].into()), ["m10"]);
        assert!(addresses.next_turn(&BTreeSet::new()).is_empty());
    }
}
