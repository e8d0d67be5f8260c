//! LXD's wire types: what travels between an LXD (or Incus) daemon and its clients, and nothing else.
//!
//! Every answer of the daemon is a [`Response`] envelope; what it carries in `metadata` is one of the
//! types here. Rules that hold for all of them:
//!
//! * **Tolerant when reading.** Unknown fields are ignored, missing ones take their default, and Go's `null`
//!   for an empty list or map reads as empty. LXD 4.0 to 6 and Incus 6 differ in such details only.
//! * **Truthful when writing.** What a server always sends is always written, so that a simulated server
//!   looks like a real one; what a client may leave out is left out when empty.
//! * **No I/O.** `lxd-client` speaks with these types, `lxd-sim` answers with them.
//!
//! Times are UTC. Where Go sends its zero time (`0001-01-01T00:00:00Z`, or the epoch) to say "never", the
//! field is an `Option` and reads as `None`.
//!
//! Source for all field names: the `shared/api` package and `doc/rest-api.yaml` of LXD.

mod certificate;
mod cluster;
mod envelope;
mod event;
mod image;
mod instance;
mod instance_state;
mod network;
mod operation;
mod path;
mod profile;
mod resources;
mod server;
mod snapshot;
mod status;
mod storage;
mod wire;

pub use certificate::{Certificate, CertificateAddToken, CertificatesPost};
pub use cluster::{Cluster, ClusterMember, ClusterMemberConfigKey};
pub use envelope::{Outcome, Response, ResponseType};
pub use event::{Event, EventPayload, EventType, Lifecycle, Logging, Requestor};
pub use image::{
    Image, ImageAlias, ImageAliasEntry, ImageAliasPut, ImagePut, ImageSource, ImageUpdateSource, ImagesPost,
};
pub use instance::{
    Instance, InstanceAction, InstancePatch, InstancePost, InstancePut, InstanceRebuildPost, InstanceRestore,
    InstanceSource, InstanceStatePut, InstancesPost,
};
pub use instance_state::{
    InstanceState, InstanceStateCpu, InstanceStateDisk, InstanceStateMemory, InstanceStateNetwork,
    InstanceStateNetworkAddress, InstanceStateNetworkCounters,
};
pub use network::{Lease, Network, NetworkPut};
pub use operation::Operation;
pub use path::{ResourcePath, instance_of, operation_id_of, snapshot_of};
pub use profile::{Profile, ProfilePut};
pub use resources::{
    Resources, ResourcesCpu, ResourcesCpuCore, ResourcesCpuSocket, ResourcesDisk, ResourcesLoad,
    ResourcesMemory, ResourcesStorage, ResourcesSystem,
};
pub use server::{ServerEnvironment, ServerInfo};
pub use snapshot::{Snapshot, SnapshotPut, SnapshotRename, SnapshotsPost};
pub use status::StatusCode;
pub use storage::{StoragePool, StoragePoolResources, Usage};

/// A flat `key: value` map, as LXD uses for every `config` and `properties`.
pub type Config = std::collections::BTreeMap<String, String>;

/// Devices by name; each is a flat map (`type`, `path`, `pool`, …).
pub type Devices = std::collections::BTreeMap<String, Config>;
