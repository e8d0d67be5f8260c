//! The datastore: who people are, which machines they own, what is being done, over SQLite or PostgreSQL.
//!
//! * **One code for both.** [`Datastore`] runs diesel queries on a connection that is either backend; what differs
//!   (opening, beginning a transaction, upserts, migrations) is in `connection` and `migrations`.
//! * **Proofs.** What touches someone's things takes an [`Allowed`](vms_authz::Allowed) of `vms-authz`, and takes owner
//!   and actor *from the proof*: a method cannot be called for a machine nobody was asked about.
//! * **Invariants live here**, each in one transaction: a quota is never overdrawn, a machine does one thing at a
//!   time, a used refresh token ends its session, an idempotency key stands for one request.
//! * **Rows are private.** What comes out are plain structs with real types; a word the code does not know is
//!   [`DbError::Corrupt`], never a guess.
//!
//! Methods are async; the work runs on tokio's blocking threads, with a connection out of a pool.

mod audiences;
mod audit;
mod connection;
mod convert;
mod datastore;
mod error;
mod holdings;
mod idempotency;
mod image_operations;
mod machines;
mod migrations;
mod operation_lists;
mod operations;
mod page;
mod people;
mod presence;
mod quotas;
mod reserve;
mod schema;
mod sessions;
mod students;
mod tokens;
mod users;

pub use audit::{AuditEntry, AuditFilter};
pub use datastore::Datastore;
pub use error::{BeginError, DbError, HandOverError, RefreshError, ReserveError};
pub use holdings::{Admit, Holdings, UnderWay};
pub use idempotency::IdempotencyKey;
pub use image_operations::NewImageOperation;
pub use machines::{MachineRow, NewMachine};
pub use operations::{Finish, NewOperation, OperationRow};
pub use people::{Person, UserFilter};
pub use reserve::Reserved;
pub use sessions::{NewRefresh, Session};
pub use tokens::{MAX_TOKENS_PER_USER, NewPersonalToken, TokenOwner};
pub use users::{LoginRecord, User};
