//! What is counted of the use cases, and what is measured when somebody asks. No label holds a person or a machine.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use vms_types::{OperationKind, OperationStatus};

use crate::error::CoreError;
use crate::vms::Vms;

const OPERATIONS: &str = "vms_operations_total";
const DURATION: &str = "vms_operation_duration_seconds";
const UNDER_WAY: &str = "vms_operations_under_way";
const LOGINS: &str = "vms_logins_total";
const LISTENERS: &str = "vms_websocket_clients";

/// Gives the recorder the words for what this crate and those below it count.
pub fn describe_metrics() {
    vms_fleet::describe_metrics();
    describe_counter!(OPERATIONS, "Operations that have ended, by kind and status.");
    describe_histogram!(
        DURATION,
        "Time from an operation's command to its end, in seconds, by kind; the wait included."
    );
    describe_gauge!(
        UNDER_WAY,
        "Operations that have not ended: waiting for a turn or a server, or running at LXD."
    );
    describe_counter!(LOGINS, "Logins with a password, by result: ok, or the problem's code.");
    describe_gauge!(LISTENERS, "Open websockets that are told events.");
}

/// An operation has ended.
pub(crate) fn operation(kind: OperationKind, status: OperationStatus, took: Duration) {
    counter!(OPERATIONS, "kind" => kind.as_str(), "status" => status.as_str()).increment(1);
    histogram!(DURATION, "kind" => kind.as_str()).record(took);
}

/// Somebody tried to log in.
pub(crate) fn login<T>(result: &Result<T, CoreError>) {
    let word = result.as_ref().map_or_else(|error| error.code().as_str(), |_| "ok");
    counter!(LOGINS, "result" => word).increment(1);
}

impl Vms {
    /// Brings the gauges up to now. To be called before they are read.
    pub fn measure(&self) {
        self.parts.fleet.measure();
        let (waiting, running) = self.parts.jobs.count();
        gauge!(UNDER_WAY, "state" => "waiting").set(number(waiting));
        gauge!(UNDER_WAY, "state" => "running").set(number(running));
        gauge!(LISTENERS).set(number(self.event_listeners()));
    }
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
