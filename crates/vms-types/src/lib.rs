//! The words of the VMS API, shared by the server, the browser and scripts written in Rust.
//!
//! Everything that crosses the wire is defined here once: request and response bodies ([`machine`], [`bulk`], [`difference`], [`operation`],
//! [`auth`], [`user`], [`quota`], [`catalog`], [`audience`], [`image`], [`profile`], [`profile_yaml`], [`audit`], [`overview`],
//! [`network`], [`certificate`], [`site`]), the one error body ([`problem`]), the names people may give
//! ([`names`]) and the rules that both sides must judge alike ([`rules`]). The crate does no I/O and builds for
//! wasm32, so a button in the browser is enabled by the same function that makes the server accept its command.

pub mod audience;
pub mod audit;
pub mod auth;
pub mod bulk;
pub mod catalog;
pub mod certificate;
pub mod difference;
pub mod event;
pub mod image;
pub mod machine;
pub mod names;
pub mod network;
pub mod operation;
pub mod overview;
pub mod page;
pub mod problem;
pub mod profile;
pub mod profile_yaml;
pub mod quota;
pub mod rules;
pub mod site;
pub mod size;
pub mod user;

pub use audience::{Audience, CatalogKind, Chooser, DefaultFor};
pub use audit::{AuditFormat, AuditLine, AuditOutcome};
pub use auth::{LoginRequest, NewToken, TokenCreated, TokenResponse, TokenScope, TokenView};
pub use bulk::{BulkAction, BulkAnswer, BulkItem, BulkRequest, MAX_BULK};
pub use catalog::{Image, Profile};
pub use certificate::{CertificateAdded, CertificateView, NewCertificate};
pub use difference::{AdoptInstance, Difference, DifferenceKind};
pub use event::{Event, EventMessage, EventTicket};
pub use image::{ImageCopy, ImageDetail, ImageOrigin, ImportImage, PatchImage, PublishImage};
pub use machine::{
    Address, AddressFamily, CreateMachine, CreateSnapshot, ImageRef, Limits, Machine, MachineStatus,
    PatchMachine, PowerAction, RenameSnapshot, Snapshot, StateChange,
};
pub use names::{InstanceName, MachineName, NameError, SnapshotName};
pub use network::{AddressRange, LeaseView, NetworkView, PatchNetwork};
pub use operation::{MachineRef, Operation, OperationError, OperationKind, OperationStatus};
pub use overview::{
    Busiest, BusyMachine, Health, MachineCount, MachineUsage, OperationsNow, Overview, PartHealth, PoolSpace,
    ServerUsage, ServerView, Space, StatusCount, UsagePoint,
};
pub use page::Page;
pub use problem::{FieldError, Problem, ProblemCode, QuotaShortage};
pub use profile::{NewProfile, ProfileDetail, ProfileForm, ProfileUpdate, ProfileUser};
pub use quota::{Quota, QuotaRule, QuotaScope, QuotaUse, StoragePool};
pub use site::Site;
pub use user::{MachineQuota, Me, PatchUser, QuotaView, Role, UserView};

/// The prefix of every path of the API.
pub const API_PREFIX: &str = "/api/v1";
