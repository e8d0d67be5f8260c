//! What a job saw of a machine a moment before its lease was seen must not leave it without an address.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use std::time::Duration;

use common::{PATIENCE, simulator};
use lxd_client::{Client, ClientConfig};
use lxd_sim::{InstanceSpec, Timing};
use vms_fleet::{Fleet, InstanceView, Server};

/// Waits until the mirror shows the machine as wanted.
async fn until(fleet: &Fleet, server: &Server, what: &str, wanted: impl Fn(&InstanceView) -> bool) {
    let mut changes = fleet.changes();
    let seen = async {
        while !server.instance("a").is_some_and(|view| wanted(&view)) {
            changes.recv().await.expect("the fleet goes on");
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_| panic!("{what}: in vain"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_an_older_look_took_away_comes_back() {
    let dir = tempfile::tempdir().unwrap();
    // A lease outlives a stop, so that the machine is shown with it long before it has asked for it again.
    let timing = Timing { address: Duration::from_secs(3), ..Timing::instant() };
    let sim = simulator(dir.path(), timing).await;
    sim.create_instance(InstanceSpec::new("a").image("debian-12")).unwrap();
    let client = Client::new(ClientConfig::new(sim.endpoint().parse().unwrap())).unwrap();
    let fleet = Fleet::start([("lxd".to_owned(), client)]);
    let server = fleet.server("lxd").unwrap();
    let addressed = |view: &InstanceView| !view.addresses.is_empty();

    sim.start_instance("a").unwrap();
    until(&fleet, server, "its first address", addressed).await;
    sim.stop_instance("a").unwrap();
    until(&fleet, server, "its end", |view| !addressed(view)).await;
    sim.start_instance("a").unwrap();
    until(&fleet, server, "its lease", addressed).await;

    // As a job does at its end: the machine itself does not show the address yet.
    server.refresh("a").await.unwrap();
    until(&fleet, server, "its lease again", addressed).await;
}
