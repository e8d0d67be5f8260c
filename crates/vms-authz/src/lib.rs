//! Who may do what, and proofs that cannot be forged.
//!
//! The idea: a check that must be remembered will one day be forgotten. So everything that touches someone's things
//! asks for an [`Allowed<R, A>`](Allowed): the proof that *this* actor may do *this* action to *this* resource. Its fields
//! are private to this crate and [`Actor::authorize`] is the only way to get one, so code that forgot to ask
//! does not compile, and neither does code that asked for another action or another kind of resource.
//!
//! * [`Actor`]: who asks, read fresh for each request (role and disabled flag never come from a token).
//! * [`resource`]: what it is about. Targets are plain facts, not proofs: anyone may build one.
//! * [`action`]: what is to be done; each is a type of its own, and [`Permits`] says to which resources it applies.
//! * [`policy()`]: the one table of who may.
//!
//! ```
//! use vms_authz::{Actor, Denied, MachineTarget, SessionKind, action};
//! use vms_types::{Role, TokenScope};
//!
//! let session = SessionKind::Browser { session: uuid::Uuid::nil() };
//! let ana = Actor::new("ana", Role::Student, Vec::new(), TokenScope::Write, session);
//! let machine = MachineTarget {
//!     id: uuid::Uuid::nil(),
//!     instance: "vmbrunomaquinaa".into(),
//!     server: "lxd1".into(),
//!     owner: "bruno".into(),
//!     name: "maquinaa".into(),
//!     student_groups: vec!["turma-a".into()],
//! };
//! // Someone else's machine looks exactly like one that does not exist.
//! assert_eq!(ana.authorize(machine, action::DeleteMachine).err(), Some(Denied::NotFound));
//! ```
//!
//! A proof cannot be made by hand:
//!
//! ```compile_fail,E0451
//! use vms_authz::{Actor, Allowed, Fleet, action::ListMachines};
//! let forged = Allowed { actor: Actor::system(), resource: Fleet, action: ListMachines };
//! ```
//!
//! An action on something it does not apply to is no sentence of this language:
//!
//! ```compile_fail,E0277
//! use vms_authz::{Actor, Fleet, action::DeleteMachine};
//! let nonsense = Actor::system().authorize(Fleet, DeleteMachine);
//! ```
//!
//! And a proof for one action is not a proof for another:
//!
//! ```compile_fail,E0308
//! use vms_authz::{Actor, Allowed, Fleet, action::{ListMachines, ListOperations}};
//! fn list_machines(_proof: &Allowed<Fleet, ListMachines>) {}
//! let proof: Allowed<Fleet, ListOperations> = Actor::system().authorize(Fleet, ListOperations).unwrap();
//! list_machines(&proof);
//! ```

pub mod action;
mod actor;
mod policy;
mod proof;
pub mod resource;

pub use action::{Action, ActionName, Permits};
pub use actor::{Actor, SessionKind};
pub use policy::{Decision, Relation, policy};
pub use proof::{Allowed, Denied, Sight};
pub use resource::{
    Catalog, Fleet, MachineTarget, OperationTarget, PersonTarget, Resource, ResourceKind, Students,
};

/// Keeps the traits of this crate closed: only what is listed here can be a resource or an action.
mod sealed {
    /// Implemented for the resources and actions of this crate, and for nothing else.
    pub trait Sealed {}
}
