//! The policy: one table, read from top to bottom.

use vms_types::Role;

use crate::action::ActionName;

/// How the actor stands to the resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// It is the actor's own.
    Own,
    /// It is that of a student who is in a group that the actor is in, too.
    SharedGroup,
    /// It is someone else's, or nobody's in particular.
    Other,
}

/// The policy's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No; the actor may know that the thing exists.
    Forbid,
    /// No, and the answer must not tell that the thing exists.
    Hide,
}

/// Who may do what: everyone everything with their own, teachers look at what the students of their groups have,
/// administrators everything.
///
/// A new action does not compile until it has its row here.
#[must_use]
pub const fn policy(role: Role, relation: Relation, action: ActionName) -> Decision {
    use ActionName as A;
    use Decision::{Allow, Forbid, Hide};
    // Columns: one's own, for all but administrators; then someone else's for a student; for a teacher that of a student of
    // theirs, and anybody else's; then everything for an administrator.
    let [own, student, taught, teacher, admin] = match action {
        // Machines. Nobody learns that someone else's exists but the teachers of its owner, who see it and may not touch
        // it.
        A::ViewMachine | A::ViewMachineUsage | A::ListSnapshots => [Allow, Hide, Allow, Hide, Allow],
        A::EditMachine
        | A::ChangePower
        | A::ResetMachine
        | A::DeleteMachine
        | A::CreateSnapshot
        | A::RenameSnapshot
        | A::RestoreSnapshot
        | A::DeleteSnapshot => [Allow, Hide, Forbid, Hide, Allow],
        // To one's own, too: a place in somebody else's quota is not for students to give, nor a place among what everybody
        // makes machines from, and a profile decides the memory and the networks of what the class was given.
        A::HandOverMachine | A::ChangeProfiles | A::PublishMachine => [Forbid, Hide, Forbid, Hide, Allow],
        // Operations, likewise.
        A::ViewOperation => [Allow, Hide, Allow, Hide, Allow],
        A::CancelOperation => [Allow, Hide, Forbid, Hide, Allow],
        // Lists: asking for a person's list tells nothing about whether the person exists. Events are heard as they come;
        // whose they are was decided when listening began.
        A::ListMachines | A::ListOperations | A::WatchEvents => [Allow, Forbid, Allow, Forbid, Allow],
        // People.
        A::ViewSelf | A::CreateMachine | A::ManageTokens => [Allow, Forbid, Forbid, Forbid, Allow],
        // Also of oneself: nobody decides what they are, or what they may use.
        A::ViewUser | A::ManageUser | A::ViewQuotas | A::ManageQuotas => {
            [Forbid, Forbid, Forbid, Forbid, Allow]
        }
        // What belongs to nobody in particular.
        A::ViewCatalog => [Allow, Allow, Allow, Allow, Allow],
        A::ViewProfile
        | A::ManageProfiles
        | A::ViewAudience
        | A::ManageAudience
        | A::ViewImages
        | A::ManageImages => [Forbid, Forbid, Forbid, Forbid, Allow],
        A::ViewAudit | A::ViewDifferences | A::AdoptInstance => [Forbid, Forbid, Forbid, Forbid, Allow],
        A::ViewOverview | A::ViewServers => [Forbid, Forbid, Forbid, Forbid, Allow],
        A::ManageNetworks | A::ManageCertificates => [Forbid, Forbid, Forbid, Forbid, Allow],
        // The portal's own work.
        A::Reconcile => [Forbid, Forbid, Forbid, Forbid, Forbid],
    };
    match (relation, role) {
        // An administrator may with their own what they may with anybody's.
        (_, Role::Admin) => admin,
        (Relation::Own, Role::Student | Role::Teacher) => own,
        // Students of one group are nothing to each other here.
        (Relation::SharedGroup | Relation::Other, Role::Student) => student,
        (Relation::SharedGroup, Role::Teacher) => taught,
        (Relation::Other, Role::Teacher) => teacher,
    }
}
