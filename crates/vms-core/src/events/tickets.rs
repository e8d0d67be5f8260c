//! Passes for websockets: good once, for seconds, for one person's session. Kept in memory as hashes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use vms_auth::{OpaqueToken, TokenKind};
use vms_authz::Actor;

/// How long a ticket is good.
pub(super) const LIFETIME: Duration = Duration::from_secs(30);
/// Tickets that wait to be used. A page asks for one right before it connects.
const WAITING: usize = 10_000;
/// Those of one person; the oldest gives way, so that nobody takes all the room.
const PER_PERSON: usize = 20;

#[derive(Debug, Default)]
pub(crate) struct Tickets {
    waiting: Mutex<HashMap<String, (Actor, Instant)>>,
}

impl Tickets {
    /// Keeps a ticket for this actor; `false` if too many wait already.
    pub(super) fn keep(&self, ticket: &OpaqueToken, actor: Actor) -> bool {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        waiting.retain(|_, (_, end)| *end > now);
        let theirs = || waiting.iter().filter(|(_, (other, _))| other.username() == actor.username());
        if theirs().count() >= PER_PERSON
            && let Some(oldest) = theirs().min_by_key(|(_, (_, end))| *end).map(|(hash, _)| hash.clone())
        {
            waiting.remove(&oldest);
        }
        if waiting.len() >= WAITING {
            return false;
        }
        waiting.insert(ticket.hash().to_string(), (actor, now + LIFETIME));
        true
    }

    /// Whose ticket it is, once.
    pub(super) fn take(&self, text: &str) -> Option<Actor> {
        let ticket = OpaqueToken::parse(TokenKind::Ticket, text)?;
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (actor, end) = waiting.remove(ticket.hash().as_str())?;
        (end > Instant::now()).then_some(actor)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use vms_authz::SessionKind;
    use vms_types::{Role, TokenScope};

    #[tokio::test(start_paused = true)]
    async fn who_asks_again_and_again_takes_only_their_own_room() {
        let tickets = Tickets::default();
        let session = SessionKind::Browser { session: uuid::Uuid::nil() };
        let actor = |name| Actor::new(name, Role::Student, Vec::new(), TokenScope::Write, session);
        let mut brunos = Vec::new();
        let anas = OpaqueToken::generate(TokenKind::Ticket).unwrap();
        assert!(tickets.keep(&anas, actor("ana")));
        for _ in 0..=PER_PERSON {
            let ticket = OpaqueToken::generate(TokenKind::Ticket).unwrap();
            assert!(tickets.keep(&ticket, actor("bruno")));
            brunos.push(ticket);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(tickets.take(brunos.first().unwrap().reveal()), None, "the oldest gave way");
        assert_eq!(brunos.iter().filter(|t| tickets.take(t.reveal()).is_some()).count(), PER_PERSON);
        assert!(tickets.take(anas.reveal()).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_ticket_is_good_once_and_for_seconds() {
        let tickets = Tickets::default();
        let session = SessionKind::Browser { session: uuid::Uuid::nil() };
        let bruno = Actor::new("bruno", Role::Student, Vec::new(), TokenScope::Write, session);
        let [first, second] = [(); 2].map(|()| OpaqueToken::generate(TokenKind::Ticket).unwrap());
        assert!(tickets.keep(&first, bruno.clone()) && tickets.keep(&second, bruno.clone()));
        assert_eq!(tickets.take(first.reveal()), Some(bruno));
        assert_eq!(tickets.take(first.reveal()), None);
        tokio::time::advance(LIFETIME).await;
        assert_eq!(tickets.take(second.reveal()), None);
        assert_eq!(tickets.take("vmst_nonsense"), None);
    }
}
