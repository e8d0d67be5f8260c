//! What an action is done to. A target holds the facts the policy needs, read from the datastore before the
//! question is asked; it is no proof of anything.

use uuid::Uuid;

use crate::policy::Relation;
use crate::sealed::Sealed;

/// The kinds of resources, for logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// [`MachineTarget`].
    Machine,
    /// [`OperationTarget`].
    Operation,
    /// [`PersonTarget`].
    Person,
    /// [`Students`].
    Students,
    /// [`Fleet`].
    Fleet,
    /// [`Catalog`].
    Catalog,
}

/// Something an action can be done to. Sealed: the kinds are those of this module.
pub trait Resource: Sealed {
    /// Which kind it is.
    const KIND: ResourceKind;

    /// The login name of the person it belongs to; `None` when it belongs to no single person.
    fn owner(&self) -> Option<&str>;

    /// The groups of the directory in which its owner is a *student*: none for what belongs to a teacher, an
    /// administrator or nobody, for they are nobody's students.
    fn student_groups(&self) -> &[String] {
        &[]
    }

    /// Whether it is `username`'s own.
    fn belongs_to(&self, username: &str) -> bool {
        self.owner() == Some(username)
    }

    /// How somebody who is in these groups stands to it.
    fn relation(&self, username: &str, groups: &[String]) -> Relation {
        if self.belongs_to(username) {
            Relation::Own
        } else if self.student_groups().iter().any(|group| groups.contains(group)) {
            Relation::SharedGroup
        } else {
            Relation::Other
        }
    }
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineTarget {
    /// Identity.
    pub id: Uuid,
    /// LXD's name for it.
    pub instance: String,
    /// The server it is on.
    pub server: String,
    /// The login name of its owner.
    pub owner: String,
    /// The name its owner gave it.
    pub name: String,
    /// See [`Resource::student_groups`].
    pub student_groups: Vec<String>,
}

impl Sealed for MachineTarget {}
impl Resource for MachineTarget {
    const KIND: ResourceKind = ResourceKind::Machine;
    fn owner(&self) -> Option<&str> {
        Some(&self.owner)
    }
    fn student_groups(&self) -> &[String] {
        &self.student_groups
    }
}

/// An operation. It is the own one of who asked for it *and* of the owner of the machine it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationTarget {
    /// Identity.
    pub id: Uuid,
    /// The login name of the person who asked for it.
    pub requested_by: String,
    /// The login name of the owner of the machine it is about.
    pub owner: Option<String>,
    /// See [`Resource::student_groups`]: those of the owner.
    pub student_groups: Vec<String>,
}

impl Sealed for OperationTarget {}
impl Resource for OperationTarget {
    const KIND: ResourceKind = ResourceKind::Operation;
    fn owner(&self) -> Option<&str> {
        self.owner.as_deref()
    }
    fn student_groups(&self) -> &[String] {
        &self.student_groups
    }
    fn belongs_to(&self, username: &str) -> bool {
        self.requested_by == username || self.owner() == Some(username)
    }
}

/// A person: their list of machines, their quota, their tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonTarget {
    /// The login name.
    pub username: String,
    /// See [`Resource::student_groups`].
    pub student_groups: Vec<String>,
}

impl PersonTarget {
    /// The person with this login name, of whom nobody needs to know the groups: oneself, or for administrators.
    #[must_use]
    pub fn new(username: impl Into<String>) -> Self {
        Self { username: username.into(), student_groups: Vec::new() }
    }
}

impl Sealed for PersonTarget {}
impl Resource for PersonTarget {
    const KIND: ResourceKind = ResourceKind::Person;
    fn owner(&self) -> Option<&str> {
        Some(&self.username)
    }
    fn student_groups(&self) -> &[String] {
        &self.student_groups
    }
}

/// The students who share a group with a person, and the person: what a teacher sees of the school.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Students {
    /// The login name of that person.
    pub of: String,
}

impl Sealed for Students {}
impl Resource for Students {
    const KIND: ResourceKind = ResourceKind::Students;
    fn owner(&self) -> Option<&str> {
        None
    }
    fn relation(&self, username: &str, _: &[String]) -> Relation {
        if self.of == username { Relation::SharedGroup } else { Relation::Other }
    }
}

/// All machines of all people, on all servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fleet;

impl Sealed for Fleet {}
impl Resource for Fleet {
    const KIND: ResourceKind = ResourceKind::Fleet;
    fn owner(&self) -> Option<&str> {
        None
    }
}

/// The images and profiles that new machines can be made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Catalog;

impl Sealed for Catalog {}
impl Resource for Catalog {
    const KIND: ResourceKind = ResourceKind::Catalog;
    fn owner(&self) -> Option<&str> {
        None
    }
}
