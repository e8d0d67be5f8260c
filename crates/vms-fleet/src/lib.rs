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
//!
//! What is used (CPU, memory, disk, network) no event tells either: a [sampler] asks for it at its own pace, all machines in
//! one request, and keeps a short [history].

mod addresses;
mod catalog;
mod exposition;
mod fleet;
mod history;
mod limits;
mod metrics;
mod networks;
mod sampler;
mod server;
mod usage;
mod view;
mod watcher;

pub use catalog::{CatalogImage, CatalogPool, CatalogProfile, StoredImage};
pub use fleet::{Fleet, FleetChange};
pub use history::STEP;
pub use limits::{limits_of, parse_cpus, parse_size};
pub use metrics::describe_metrics;
pub use networks::Leases;
pub use server::{Hold, Server, ServerSummary};
pub use view::{InstanceView, Nic, keys};
