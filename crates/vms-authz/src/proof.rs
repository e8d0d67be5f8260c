//! The question, its answer, and the proof that it was asked.

use crate::action::{Action, ActionName, Permits};
use crate::actor::{Actor, SessionKind};
use crate::policy::{Decision, Relation, policy};
use crate::resource::Resource;
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
            let own = resource.belongs_to(self.username());
            let relation = if own { Relation::Own } else { Relation::Other };
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
}
