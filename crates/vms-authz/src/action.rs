//! What can be done. Each action is a type, so that a proof for looking is never taken for a proof for deleting.

use crate::resource::{Catalog, Fleet, MachineTarget, OperationTarget, PersonTarget, Resource, Students};
use crate::sealed::Sealed;

/// Something that can be done. Sealed: the actions are those of this module.
pub trait Action: Sealed {
    /// Which one it is.
    const NAME: ActionName;
    /// Whether it changes anything; a token of scope `read` may not.
    const MUTATES: bool;
}

/// The action applies to resources of the kind `R`. Pairs that make no sense have no implementation.
pub trait Permits<R: Resource>: Action {}

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $word:literal, mutates: $mutates:literal, on: [$($resource:ty),+];)*) => {
        /// Every action, as data: for the policy, logs and the audit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum ActionName {
            $($(#[$doc])* $action,)*
        }

        impl ActionName {
            /// Every action.
            pub const ALL: &'static [Self] = &[$(Self::$action),*];

            /// The stable word for it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$action => $word),* }
            }

            /// Whether it changes anything.
            #[must_use]
            pub const fn mutates(self) -> bool {
                match self { $(Self::$action => $mutates),* }
            }
        }

        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, PartialEq, Eq)]
            pub struct $action;
            impl Sealed for $action {}
            impl Action for $action {
                const NAME: ActionName = ActionName::$action;
                const MUTATES: bool = $mutates;
            }
            $(impl Permits<$resource> for $action {})+
        )*
    };
}

actions! {
    /// List the machines of a person, of the students of a person's groups, or of everyone.
    ListMachines = "machine.list", mutates: false, on: [PersonTarget, Students, Fleet];
    /// See who a person is and what they may use.
    ViewSelf = "person.view", mutates: false, on: [PersonTarget];
    /// Make a machine that will belong to a person.
    CreateMachine = "machine.create", mutates: true, on: [PersonTarget];
    /// See one machine.
    ViewMachine = "machine.view", mutates: false, on: [MachineTarget];
    /// Change a machine's description.
    EditMachine = "machine.edit", mutates: true, on: [MachineTarget];
    /// Give a machine to another person.
    HandOverMachine = "machine.hand-over", mutates: true, on: [MachineTarget];
    /// Give a machine other profiles: another memory, other networks.
    ChangeProfiles = "machine.profiles", mutates: true, on: [MachineTarget];
    /// Start, stop, restart, freeze or unfreeze a machine.
    ChangePower = "machine.power", mutates: true, on: [MachineTarget];
    /// Make a machine again what its image made it.
    ResetMachine = "machine.reset", mutates: true, on: [MachineTarget];
    /// Remove a machine and its snapshots.
    DeleteMachine = "machine.delete", mutates: true, on: [MachineTarget];
    /// List a machine's snapshots.
    ListSnapshots = "snapshot.list", mutates: false, on: [MachineTarget];
    /// Take a snapshot.
    CreateSnapshot = "snapshot.create", mutates: true, on: [MachineTarget];
    /// Give a snapshot another name.
    RenameSnapshot = "snapshot.rename", mutates: true, on: [MachineTarget];
    /// Go back to a snapshot.
    RestoreSnapshot = "snapshot.restore", mutates: true, on: [MachineTarget];
    /// Remove a snapshot.
    DeleteSnapshot = "snapshot.delete", mutates: true, on: [MachineTarget];
    /// List the operations of a person, or of everyone.
    ListOperations = "operation.list", mutates: false, on: [PersonTarget, Students, Fleet];
    /// See one operation, or wait for it.
    ViewOperation = "operation.view", mutates: false, on: [OperationTarget];
    /// Stop an operation that is under way.
    CancelOperation = "operation.cancel", mutates: true, on: [OperationTarget];
    /// Be told what happens to the machines and operations of a person, or of everyone.
    WatchEvents = "event.watch", mutates: false, on: [PersonTarget, Students, Fleet];
    /// See, make and delete a person's access tokens. Not possible with such a token: a stolen one could not be ended.
    ManageTokens = "token.manage", mutates: true, on: [PersonTarget];
    /// See the images and profiles there are.
    ViewCatalog = "catalog.view", mutates: false, on: [Catalog];
    /// See everything of a profile, and who uses it.
    ViewProfile = "profile.view", mutates: false, on: [Catalog];
    /// Make, change and remove profiles.
    ManageProfiles = "profile.manage", mutates: true, on: [Catalog];
    /// See who may use a profile or an image.
    ViewAudience = "audience.view", mutates: false, on: [Catalog];
    /// Decide who may use a profile or an image, and whose default it is.
    ManageAudience = "audience.manage", mutates: true, on: [Catalog];
    /// See everything of the images, on every server.
    ViewImages = "image.view", mutates: false, on: [Catalog];
    /// Import, change and remove images.
    ManageImages = "image.manage", mutates: true, on: [Catalog];
    /// Make an image of a machine, with all that is in it.
    PublishMachine = "machine.publish", mutates: true, on: [MachineTarget];
    /// See a person, or everyone, as administrators do: role, quota, lock, last login.
    ViewUser = "user.view", mutates: false, on: [PersonTarget, Fleet];
    /// Lock a person out or let them in, give them another role or quota, end their sessions.
    ManageUser = "user.manage", mutates: true, on: [PersonTarget];
    /// See what roles and groups may use.
    ViewQuotas = "quota.view", mutates: false, on: [Fleet];
    /// Change what roles and groups may use.
    ManageQuotas = "quota.manage", mutates: true, on: [Fleet];
    /// See how everything is, and what the servers used lately.
    ViewOverview = "overview.view", mutates: false, on: [Fleet];
    /// See what a machine used lately.
    ViewMachineUsage = "machine.usage", mutates: false, on: [MachineTarget];
    /// See the servers, their networks and whom they trust.
    ViewServers = "server.view", mutates: false, on: [Fleet];
    /// Change the addresses of a server's networks.
    ManageNetworks = "network.manage", mutates: true, on: [Fleet];
    /// Change whom a server trusts.
    ManageCertificates = "certificate.manage", mutates: true, on: [Fleet];
    /// Read the audit log.
    ViewAudit = "audit.view", mutates: false, on: [Fleet];
    /// See where what is written down and what runs on the servers do not match.
    ViewDifferences = "difference.list", mutates: false, on: [Fleet];
    /// Give an instance that belongs to nobody an owner.
    AdoptInstance = "machine.adopt", mutates: true, on: [Fleet];
    /// Bring what is written down and what runs on the servers together. The portal's own work: no person may.
    Reconcile = "fleet.reconcile", mutates: true, on: [Fleet];
}

impl std::fmt::Display for ActionName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
