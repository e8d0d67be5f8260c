//! A simulated LXD 5.0 server or cluster: truthful for all that VMS uses, with faults as data.
//!
//! ```no_run
//! # async fn example() -> Result<(), lxd_sim::SimError> {
//! use lxd_sim::{Action, Fault, InstanceSpec, Simulator, Timing};
//!
//! let sim = Simulator::builder()
//!     .socket("/tmp/sim.socket")
//!     .timing(Timing::instant())
//!     .image("debian-12", "Debian 12 (bookworm)")
//!     .instance(InstanceSpec::new("c1").image("debian-12").running())
//!     .start()
//!     .await?;
//! sim.inject(Fault::on("POST", "/1.0/instances", Action::FailOperationMidway("disk full".into())));
//! sim.drop_event_sockets();
//! # Ok(())
//! # }
//! ```
//!
//! * Bodies, codes, words, and the order of events were taken from a real LXD 5.0.2; the conformance suite runs
//!   the same checks against both. What is not simulated answers as LXD does for what it does not know.
//! * Background work takes the time that [`Timing`] says. Machines get their address a moment after they run.
//! * What goes wrong is a value ([`Fault`]), injected while the server runs.
//! * [`SimHandle::stop`] and [`SimHandle::start`] restart the daemon: operations are lost, machines go on.
//!
//! It speaks HTTP itself (hyper) and shares only the wire types with the client, never the client's code: a
//! misunderstanding on one side must show.

mod api;
mod engine;
mod fault;
mod handle;
mod http_server;
mod names;
mod reply;
pub mod scenario;
mod spec;
mod state;
mod timing;
mod tls;
mod websocket;

pub use fault::{Action, Fault, Nth, On};
pub use handle::{SimBuilder, SimError, SimHandle};
pub use spec::InstanceSpec;
pub use timing::Timing;

/// Where it begins: [`Simulator::builder`].
#[derive(Debug)]
pub struct Simulator;

impl Simulator {
    /// A server as `lxd init` leaves it: one pool, the bridge `lxdbr0` (10.99.0.1/18), the profile `default`.
    #[must_use]
    pub fn builder() -> SimBuilder {
        SimBuilder::default()
    }
}
