//! The use cases of VMS: what happens when somebody logs in, creates a machine, or asks what became of it.
//!
//! [`Vms`] is the one facade; the HTTP layer holds nothing else. Its methods follow one pattern:
//!
//! 1. **Look**: answered from the [`Fleet`](vms_fleet::Fleet)'s mirror and the datastore, never by asking LXD.
//! 2. **Command**: checked, written down as an operation, handed to a [job](jobs), answered at once. No request waits
//!    for LXD to finish its work; what became of it is read from the operation afterwards.
//!
//! Who looks at a page is told what happens by [events](events).
//!
//! Whatever touches someone's things takes the proof ([`Allowed`](vms_authz::Allowed)) that it was asked whether this
//! person may; code that forgot to ask does not compile. Jobs are written as *look, then do what is missing*, so that
//! after a crash of ours or of LXD's the same job simply runs again.

mod assign;
mod audience;
mod audit;
mod catalog;
mod commands;
mod create;
mod differences;
mod error;
mod events;
mod images;
mod jobs;
mod machines;
mod metrics;
mod networks;
mod operations;
mod overview;
mod people;
mod presence;
mod profiles;
mod quota;
mod reconcile;
mod sessions;
mod settings;
mod snapshots;
mod tokens;
mod uploads;
mod users;
mod vms;

pub use error::CoreError;
pub use events::{EventStream, Frame};
pub use jobs::Limits;
pub use machines::MachineFilter;
pub use metrics::describe_metrics;
pub use reconcile::ReconcileReport;
pub use sessions::{LoggedIn, Peer};
pub use settings::Settings;
pub use uploads::{NewUpload, Upload};
pub use vms::{Readiness, Vms};
pub use vms_db::{AuditEntry, AuditFilter, UserFilter};
