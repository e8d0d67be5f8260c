//! The question, its answer, and the proof that it was asked.

use crate::action::{Action, ActionName, Permits};
use crate::actor::{Actor, SessionKind};
use crate::policy::{Decision, policy};
use crate::resource::{Fleet, Resource, Students};
use vms_types::TokenScope;

/// Proof that `actor` may do `A` to `resource`. Only [`Actor::authorize`] makes one.
///
/// It is a fact about the moment it was made: work that runs later asks again when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a proof is made to be handed to what it allows"]
pub struct Allowed<R, A> {
    actor: Actor,
    resource: R,
    action: A,
}

impl<R, A: Action> Allowed<R, A> {
    /// What it is about.
    #[must_use]
    pub const fn resource(&self) -> &R {
        &self.resource
    }

    /// Who may.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// Which action it allows, as data.
    #[must_use]
    pub const fn action(&self) -> ActionName {
        A::NAME
    }

    /// Takes it apart; the proof is gone then.
    #[must_use]
    pub fn into_parts(self) -> (Actor, R) {
        (self.actor, self.resource)
    }
}

/// Proof about as many people as the actor may look at together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a proof is made to be handed to what it allows"]
pub enum Sight<A> {
    /// The whole school.
    Everyone(Allowed<Fleet, A>),
    /// The students of the actor's groups, and the actor.
    Students(Allowed<Students, A>),
}

/// Why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// To this actor it does not exist: the answer is the same as for a thing that really does not.
    #[error("not found")]
    NotFound,
    /// The actor knows of it, and may not.
    #[error("your role does not allow this ({action}); ask an administrator")]
    Forbidden {
        /// What was asked for.
        action: ActionName,
    },
    /// The actor may, but came with a token that may only look.
    #[error("this token may only read; use a token of scope \"write\"")]
    ReadOnlyToken,
}

impl Actor {
    /// Asks the policy whether this actor may do `action` to `resource`, and hands over the proof.
    ///
    /// # Errors
    /// [`Denied`]; what must stay hidden is hidden first, so a read-only token learns no more than its owner may.
    pub fn authorize<R, A>(&self, resource: R, action: A) -> Result<Allowed<R, A>, Denied>
    where
        R: Resource,
        A: Permits<R>,
    {
        if !self.is_system() {
            let relation = resource.relation(self.username(), self.groups());
            match policy(self.role(), relation, A::NAME) {
                Decision::Allow => {}
                Decision::Hide => return Err(Denied::NotFound),
                Decision::Forbid => return Err(Denied::Forbidden { action: A::NAME }),
            }
            // A stolen token must not be able to make itself a successor.
            let by_token = matches!(self.session(), SessionKind::Token { .. });
            if by_token && matches!(A::NAME, ActionName::ManageTokens) {
                return Err(Denied::Forbidden { action: A::NAME });
            }
            if A::MUTATES && self.scope() == TokenScope::Read {
                return Err(Denied::ReadOnlyToken);
            }
        }
        Ok(Allowed { actor: self.clone(), resource, action })
    }

    /// Asks the policy how far the actor may look, and hands over the proof for that.
    ///
    /// # Errors
    /// [`Denied`] when not beyond themselves.
    pub fn sight<A>(&self, action: A) -> Result<Sight<A>, Denied>
    where
        A: Permits<Fleet> + Permits<Students> + Copy,
    {
        match self.authorize(Fleet, action) {
            Ok(proof) => Ok(Sight::Everyone(proof)),
            Err(_) => {
                let students = Students { of: self.username().to_owned() };
                self.authorize(students, action).map(Sight::Students)
            }
        }
    }
}
