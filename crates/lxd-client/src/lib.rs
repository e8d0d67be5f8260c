//! A client of the LXD and Incus REST API, over the local unix socket or over HTTPS with a client
//! certificate and a pinned server certificate.
//!
//! ```no_run
//! # async fn example() -> Result<(), lxd_client::Error> {
//! use std::time::Duration;
//! use lxd_api::{InstanceAction, InstanceStatePut};
//! use lxd_client::{Client, ClientConfig};
//!
//! let client = Client::new(ClientConfig::new("unix:///var/lib/lxd/unix.socket".parse()?))?;
//! let state = InstanceStatePut::new(InstanceAction::Start);
//! let operation = client.set_instance_state("vmbrunomaquinaa", &state).await?;
//! operation.wait(Duration::from_secs(30)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! How it is put together:
//!
//! * [`ClientConfig`] and [`Endpoint`] say where LXD is; [`Client::new`] does no I/O.
//! * One method per endpoint, in `api/`. Each names its endpoint, its errors, and the API extension it needs.
//! * Every path is built by one builder, which validates and percent-encodes each segment and adds `project`
//!   and `target`: a name that comes from a user cannot leave its place in the path.
//! * What LXD does in the background comes back as an [`OperationHandle`]. Waiting for it needs no polling:
//!   all handles of a client share one events websocket, opened when somebody waits.
//! * [`Client::events`] is that websocket for everybody else.
//! * [`Error`] tells apart what callers treat differently: unreachable, untrusted, not found, conflict…

mod api;
mod client;
mod config;
mod error;
mod events;
mod hub;
mod metrics;
mod operation;
mod path;
mod tls;
mod transport;

pub use api::{ImageUpload, RebuildSource, certificate_body};
pub use client::{Client, Tagged};
pub use config::{ClientConfig, Endpoint, Timeouts, TlsIdentity};
pub use error::{BoxError, Error};
pub use events::EventStream;
pub use lxd_api;
pub use metrics::describe_metrics;
pub use operation::OperationHandle;
