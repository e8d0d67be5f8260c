//! The line before LXD: how much may be under way at once, and in which order.
//!
//! LXD does a few things at a time well and a thousand badly. A job first needs one of its person's places, then one of
//! its server's; both are given in the order of asking. Because a person holds few places, fifty commands of one student
//! never stand before a class: at most [`Limits::per_user`] of them are in the server's line at a time.
//!
//! What waits is bounded too: beyond [`Limits::queue`] a command is refused at once, before anything is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much may be under way, from `[operations]` of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Operations of one person that a server works on at once.
    pub per_user: usize,
    /// Operations that one server works on at once.
    pub per_server: usize,
    /// Operations under way or waiting, in all.
    pub queue: usize,
    /// Operations of one person under way or waiting.
    pub queue_per_user: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_user: 4, per_server: 16, queue: 1000, queue_per_user: 100 }
    }
}

/// Why a command cannot even wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// Too many of everybody's wait.
    Everybody,
    /// Too many of this person's wait.
    Person,
}

/// Who is under way and who waits.
#[derive(Debug)]
pub(crate) struct Line {
    limits: Limits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: usize,
    people: HashMap<String, Person>,
    servers: HashMap<String, Arc<Semaphore>>,
}

#[derive(Debug)]
struct Person {
    slots: usize,
    places: Arc<Semaphore>,
}

/// A command's right to exist; it ends with the job.
#[derive(Debug)]
pub(crate) struct Slot {
    line: Arc<Line>,
    person: String,
    places: Arc<Semaphore>,
}

/// A job's turn: hold it while LXD works.
#[derive(Debug)]
pub(crate) struct Turn {
    _person: OwnedSemaphorePermit,
    _server: OwnedSemaphorePermit,
}

impl Line {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, state: Mutex::default() })
    }

    /// Lets a new command of this person in.
    ///
    /// # Errors
    /// [`Full`].
    pub(crate) fn enter(self: &Arc<Self>, person: &str) -> Result<Slot, Full> {
        let state = self.lock();
        if state.all >= self.limits.queue {
            return Err(Full::Everybody);
        }
        if state.people.get(person).is_some_and(|p| p.slots >= self.limits.queue_per_user) {
            return Err(Full::Person);
        }
        Ok(self.take(state, person))
    }

    /// Lets in what was written down before a restart, however much it is.
    pub(crate) fn enter_again(self: &Arc<Self>, person: &str) -> Slot {
        self.take(self.lock(), person)
    }

    fn take(self: &Arc<Self>, mut state: MutexGuard<'_, State>, person: &str) -> Slot {
        state.all += 1;
        let entry = state.people.entry(person.to_owned()).or_insert_with(|| Person {
            slots: 0,
            places: Arc::new(Semaphore::new(self.limits.per_user.max(1))),
        });
        entry.slots += 1;
        let places = Arc::clone(&entry.places);
        drop(state);
        Slot { line: Arc::clone(self), person: person.to_owned(), places }
    }

    fn server(&self, name: &str) -> Arc<Semaphore> {
        let mut state = self.lock();
        let places = || Arc::new(Semaphore::new(self.limits.per_server.max(1)));
        Arc::clone(state.servers.entry(name.to_owned()).or_insert_with(places))
    }

    /// A poisoned lock only says that another thread panicked while it held it; the counts are whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// The turn, if nobody is before us.
    pub(crate) fn turn_now(&self, server: &str) -> Option<Turn> {
        let person = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let server = self.line.server(server).try_acquire_owned().ok()?;
        Some(Turn { _person: person, _server: server })
    }

    /// Waits for the turn. Safe to drop while it waits. `None` never happens: the semaphores are not closed.
    pub(crate) async fn turn(&self, server: &str) -> Option<Turn> {
        let person = Arc::clone(&self.places).acquire_owned().await.ok()?;
        let server = self.line.server(server).acquire_owned().await.ok()?;
        Some(Turn { _person: person, _server: server })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.line.lock();
        state.all = state.all.saturating_sub(1);
        if let Some(person) = state.people.get_mut(&self.person) {
            person.slots = person.slots.saturating_sub(1);
            if person.slots == 0 {
                state.people.remove(&self.person);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(per_user: usize, per_server: usize) -> Arc<Line> {
        Line::new(Limits { per_user, per_server, queue: 10, queue_per_user: 6 })
    }

    #[tokio::test]
    async fn one_person_never_stands_before_all_others() {
        let line = line(2, 3);
        let bruno: Vec<Slot> = (0..6).map(|_| line.enter("bruno").unwrap()).collect();
        let turns: Vec<Turn> = bruno.iter().filter_map(|slot| slot.turn_now("lxd1")).collect();
        assert_eq!(turns.len(), 2, "two of one person");
        let ana = line.enter("ana").unwrap();
        let hers = ana.turn_now("lxd1").unwrap();
        // The server is full now, and frees a place for whoever asked first.
        let carla = line.enter("carla").unwrap();
        assert!(carla.turn_now("lxd1").is_none());
        assert!(carla.turn_now("lxd2").is_some(), "another server has places of its own");
        drop(hers);
        assert!(carla.turn_now("lxd1").is_some());
    }

    #[test]
    fn a_full_line_refuses_and_opens_again() {
        let line = line(1, 1);
        let mut slots: Vec<Slot> = (0..6).map(|_| line.enter("bruno").unwrap()).collect();
        assert_eq!(line.enter("bruno").unwrap_err(), Full::Person);
        slots.extend((0..4).map(|_| line.enter("ana").unwrap()));
        assert_eq!(line.enter("carla").unwrap_err(), Full::Everybody);
        // What was taken before a restart comes in all the same.
        slots.push(line.enter_again("carla"));
        drop(slots);
        drop(line.enter("bruno").unwrap());
        assert!(line.lock().people.is_empty());
        assert_eq!(line.lock().all, 0);
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_no_trace() {
        let line = line(1, 1);
        let (first, second) = (line.enter("bruno").unwrap(), line.enter("ana").unwrap());
        let held = first.turn("lxd1").await.unwrap();
        {
            let waiting = second.turn("lxd1");
            tokio::pin!(waiting);
            assert!(futures::poll!(waiting.as_mut()).is_pending());
        }
        drop(held);
        assert!(second.turn_now("lxd1").is_some());
    }
}
