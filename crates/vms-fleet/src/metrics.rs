//! What is counted of the mirror, and what is measured when somebody asks.

use chrono::Utc;
use metrics::{counter, describe_counter, describe_gauge, gauge};

use crate::fleet::Fleet;

const EVENTS: &str = "vms_lxd_events_total";
const LISTINGS: &str = "vms_mirror_listings_total";
const CONNECTED: &str = "vms_lxd_connected";
const AGE: &str = "vms_mirror_age_seconds";
const INSTANCES: &str = "vms_mirror_instances";

/// Gives the recorder the words for what this crate and those below it count.
pub fn describe_metrics() {
    lxd_client::describe_metrics();
    describe_counter!(EVENTS, "Lifecycle events of LXD, by server and kind.");
    describe_counter!(
        LISTINGS,
        "How often a server was listed whole: at each connection, and on a slow timer."
    );
    describe_gauge!(
        CONNECTED,
        "1 while the server's event stream stands and the mirror shows what is, else 0."
    );
    describe_gauge!(AGE, "Seconds since the server was last listed whole. Absent until it was once.");
    describe_gauge!(INSTANCES, "Instances in the mirror, by server.");
}

/// LXD told of a change. Its kinds are a short fixed list (`instance-started`…).
pub(crate) fn event(server: &str, kind: &str) {
    counter!(EVENTS, "server" => server.to_owned(), "kind" => kind.to_owned()).increment(1);
}

/// A server was listed whole.
pub(crate) fn listed(server: &str) {
    counter!(LISTINGS, "server" => server.to_owned()).increment(1);
}

impl Fleet {
    /// Brings the gauges up to now. To be called before they are read.
    pub fn measure(&self) {
        for server in self.servers() {
            let now = server.summary();
            let name = now.name;
            gauge!(CONNECTED, "server" => name.clone()).set(if now.connected { 1.0 } else { 0.0 });
            if let Some(age) = now.listed_at.and_then(|at| (Utc::now() - at).to_std().ok()) {
                gauge!(AGE, "server" => name.clone()).set(age.as_secs_f64());
            }
            let instances = u32::try_from(now.instances).unwrap_or(u32::MAX);
            gauge!(INSTANCES, "server" => name).set(f64::from(instances));
        }
    }
}
