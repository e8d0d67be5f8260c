//! Events: whoever looks at a page is told what happens instead of asking again and again.
//!
//! * [`news`] collects *that* something may look different;
//! * the [`publisher`] looks at it once and makes events of it;
//! * the [`hub`] numbers them, keeps a bounded memory for those who were away, and hands each to those it is about;
//! * [`tickets`] let a browser in, which cannot send an `Authorization` header with a websocket.
//!
//! An event is a hint that is already complete: it shows the machine or operation as `GET` does. Nothing depends on its
//! arrival; who misses some is told to read everything again.

mod hub;
mod news;
mod publisher;
mod tickets;

use tokio::sync::broadcast;
use vms_auth::{OpaqueToken, TokenKind};
use vms_authz::{Actor, Allowed, PersonTarget, SessionKind, Sight, action::WatchEvents};
use vms_types::EventTicket;

use crate::error::CoreError;
use crate::vms::Vms;

pub(crate) use hub::Hub;
pub use hub::{EventStream, Frame};
pub(crate) use news::News;
pub(crate) use tickets::Tickets;

/// Connections that one person may have: several tabs on several devices, and a few scripts.
const PER_PERSON: usize = 20;
/// Connections that may listen to everybody's events.
const FOR_EVERYBODY: usize = 200;

impl Vms {
    /// Makes a pass for one websocket of this person.
    ///
    /// # Errors
    /// [`CoreError::Overloaded`] when thousands of passes wait to be used.
    pub fn event_ticket(&self, proof: &Allowed<PersonTarget, WatchEvents>) -> Result<EventTicket, CoreError> {
        let ticket = OpaqueToken::generate(TokenKind::Ticket)?;
        if !self.parts.tickets.keep(&ticket, proof.actor().clone()) {
            return Err(CoreError::Overloaded("Too many connections are being made at once.".into()));
        }
        Ok(EventTicket { ticket: ticket.reveal().to_owned(), expires_in: tickets::LIFETIME.as_secs() })
    }

    /// Whose ticket it is. It is worth nothing afterwards.
    ///
    /// # Errors
    /// [`CoreError::Unauthenticated`] for a ticket that is none, was used or is too old; those of [`Vms::still`].
    pub async fn redeem_ticket(&self, ticket: &str) -> Result<Actor, CoreError> {
        let actor = self.parts.tickets.take(ticket).ok_or(CoreError::Unauthenticated)?;
        self.still(&actor).await
    }

    /// Listens to what happens to a person's machines and operations, from `since` on.
    ///
    /// # Errors
    /// [`CoreError::TooManyConnections`].
    pub fn watch_events(
        &self,
        proof: &Allowed<PersonTarget, WatchEvents>,
        since: Option<u64>,
    ) -> Result<EventStream, CoreError> {
        self.listen(hub::Scope::Person(proof.resource().username.clone()), since, PER_PERSON)
    }

    /// Listens to what happens to the machines and operations of everybody whom the actor may look at.
    ///
    /// # Errors
    /// As [`Vms::watch_events`]; if the database fails.
    pub async fn watch_all_events(
        &self,
        sight: &Sight<WatchEvents>,
        since: Option<u64>,
    ) -> Result<EventStream, CoreError> {
        match sight {
            Sight::Everyone(_) => self.listen(hub::Scope::Everybody, since, FOR_EVERYBODY),
            Sight::Students(proof) => {
                let people = self.parts.db.students(proof).await?.into_iter().collect();
                let scope = hub::Scope::Students { of: proof.resource().of.clone(), people };
                self.listen(scope, since, PER_PERSON)
            }
        }
    }

    /// Goes on listening as the actor may now: who are a teacher's students changes. `false` when it is not this that
    /// they may any more.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn watch_on(
        &self,
        sight: &Sight<WatchEvents>,
        events: &mut EventStream,
    ) -> Result<bool, CoreError> {
        match sight {
            Sight::Everyone(_) => Ok(events.is_everybodys()),
            Sight::Students(proof) => {
                Ok(events.follow(self.parts.db.students(proof).await?.into_iter().collect()))
            }
        }
    }

    /// Tells which sessions end from now on, so that a connection need not wait for its next look at [`Vms::still`].
    #[must_use]
    pub fn sessions_ended(&self) -> broadcast::Receiver<SessionKind> {
        self.parts.sessions_ended.subscribe()
    }

    /// A session or token was ended by its owner.
    pub(crate) fn session_ended(&self, session: SessionKind) {
        // Nobody listening is no error.
        drop(self.parts.sessions_ended.send(session));
    }

    /// How many listen.
    #[must_use]
    pub fn event_listeners(&self) -> usize {
        self.parts.events.listeners()
    }

    fn listen(&self, scope: hub::Scope, since: Option<u64>, limit: usize) -> Result<EventStream, CoreError> {
        if self.is_stopping() {
            return Err(CoreError::ShuttingDown);
        }
        self.parts.events.subscribe(scope, since, limit).ok_or(CoreError::TooManyConnections)
    }

    /// Begins to turn what happens into events, until the system ends.
    pub(crate) fn publish_events(&self) -> Result<(), CoreError> {
        let changes = self.parts.fleet.changes();
        let publisher = publisher::Publisher::new(self.clone())?;
        self.parts.jobs.spawn_until_stopped(publisher.run(changes));
        Ok(())
    }
}
