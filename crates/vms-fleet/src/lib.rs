//! The live mirror of what runs on every LXD server.
//!
//! Thousands may look; LXD only hears what happens. One [watcher](watcher) per server opens LXD's event stream, lists
//! everything once, and from then on fetches only what an event names. Everybody else reads [`Fleet`] from memory:
//! machines with their state, snapshots and addresses ([`InstanceView`]), images and profiles. LXD replays nothing,
//! so after every reconnect the watcher lists everything again; while a server does not answer, what was last seen
//! stays, marked as stale.
//!
//! Addresses need care: LXD sends no event for a DHCP lease. While a running machine lacks one, the watcher asks the
//! managed bridges for their leases, one cheap request for all machines ([`addresses`]); later now and then.

mod addresses;
mod catalog;
mod fleet;
mod limits;
mod metrics;
mod server;
mod view;
mod watcher;

pub use catalog::{CatalogImage, CatalogPool, CatalogProfile};
pub use fleet::{Fleet, FleetChange};
pub use limits::{limits_of, parse_cpus, parse_size};
pub use metrics::describe_metrics;
pub use server::{Hold, Server, ServerSummary};
pub use view::{InstanceView, Nic, keys};
