//! Who gets which event: numbering, a bounded memory for those who were away, a bounded queue for each listener.
//!
//! An event is written as text once and costs only those it is about. A listener who does not keep up loses the rest
//! and is told so ([`Event::Resync`]) when the queue is empty again: memory never grows with somebody's slowness.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Utc;
use tokio::sync::mpsc;
use vms_types::{Event, EventMessage};

/// Events kept for those who connect again.
const KEPT: usize = 4096;
/// Bytes of their texts kept, whichever bound is met first.
const KEPT_BYTES: usize = 8 << 20;
/// Events that wait for one listener.
const QUEUE: usize = 256;

/// One event on its way: its number and its text, an [`EventMessage`] in JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Sequence number.
    pub seq: u64,
    /// What goes over the wire.
    pub text: Arc<str>,
}

/// Whom a listener wants to hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scope {
    /// One person's machines and operations.
    Person(String),
    /// Those of a teacher's students, and the teacher's own.
    Students {
        /// The teacher.
        of: String,
        /// Everyone whom it is about.
        people: BTreeSet<String>,
    },
    /// Everybody's.
    Everybody,
}

#[derive(Debug)]
pub(crate) struct Hub {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Number of the last event.
    seq: u64,
    /// Number of the last event that is no longer kept.
    forgotten: u64,
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    next_id: u64,
    people: HashMap<String, Vec<Listener>>,
    /// By teacher.
    students: HashMap<String, Vec<Listener>>,
    everybody: Vec<Listener>,
}

#[derive(Debug)]
struct Kept {
    frame: Frame,
    audience: Vec<String>,
}

#[derive(Debug)]
struct Listener {
    id: u64,
    queue: mpsc::Sender<Frame>,
    /// Something was dropped; nothing more is sent until the listener has been told.
    behind: bool,
    /// Whom a teacher hears of; nobody for other listeners.
    students: BTreeSet<String>,
}

impl Hub {
    /// Numbers begin at the time in microseconds, so that they also grow over a restart: who comes with a number of an
    /// earlier run is told to read everything again. They fit into the 53 bits of a JavaScript number until 2255.
    pub(crate) fn new() -> Arc<Self> {
        Self::starting_at(u64::try_from(Utc::now().timestamp_micros()).unwrap_or_default())
    }

    fn starting_at(seq: u64) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                seq,
                forgotten: seq,
                kept: VecDeque::new(),
                kept_bytes: 0,
                next_id: 0,
                people: HashMap::new(),
                students: HashMap::new(),
                everybody: Vec::new(),
            }),
        })
    }

    /// Sends an event to these people, and to those who listen to everybody.
    pub(super) fn publish(&self, audience: Vec<String>, event: Event) {
        let mut state = self.lock();
        state.seq += 1;
        let frame = frame(state.seq, event);
        for person in &audience {
            deliver(state.people.get_mut(person).into_iter().flatten(), &frame);
        }
        let about = |listener: &&mut Listener| audience.iter().any(|one| listener.students.contains(one));
        deliver(state.students.values_mut().flatten().filter(about), &frame);
        deliver(&mut state.everybody, &frame);
        state.kept_bytes += frame.text.len();
        state.kept.push_back(Kept { frame, audience });
        while state.kept.len() > KEPT || state.kept_bytes > KEPT_BYTES {
            let Some(oldest) = state.kept.pop_front() else { break };
            state.kept_bytes -= oldest.frame.text.len();
            state.forgotten = oldest.frame.seq;
        }
    }

    /// Tells everybody to read everything again.
    pub(super) fn resync_all(&self) {
        let mut state = self.lock();
        state.seq += 1;
        // What came before is no help to anybody: it is not known what is missing.
        state.kept.clear();
        state.kept_bytes = 0;
        state.forgotten = state.seq;
        let frame = frame(state.seq, Event::Resync);
        deliver(state.people.values_mut().flatten(), &frame);
        deliver(state.students.values_mut().flatten(), &frame);
        deliver(&mut state.everybody, &frame);
    }

    /// Begins to listen. `since` is the last number that the listener has seen. `None` when `limit` others listen with
    /// this scope already.
    pub(super) fn subscribe(
        self: &Arc<Self>,
        scope: Scope,
        since: Option<u64>,
        limit: usize,
    ) -> Option<EventStream> {
        let (sender, queue) = mpsc::channel(QUEUE);
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        let before = state.catch_up(&scope, since);
        let (listeners, students) = match &scope {
            Scope::Person(person) => (state.people.entry(person.clone()).or_default(), BTreeSet::new()),
            Scope::Students { of, people } => (state.students.entry(of.clone()).or_default(), people.clone()),
            Scope::Everybody => (&mut state.everybody, BTreeSet::new()),
        };
        if listeners.len() >= limit {
            return None;
        }
        listeners.push(Listener { id, queue: sender, behind: false, students });
        drop(state);
        Some(EventStream { hub: Arc::clone(self), scope, id, before, queue })
    }

    /// How many listen.
    pub(super) fn listeners(&self) -> usize {
        let state = self.lock();
        let listeners = state.people.values().chain(state.students.values());
        state.everybody.len() + listeners.map(Vec::len).sum::<usize>()
    }

    /// If the listener lost something: from here on it misses nothing more, and this is what tells it so.
    fn caught_up(&self, scope: &Scope, id: u64) -> Option<Frame> {
        let mut state = self.lock();
        let seq = state.seq;
        let listeners = state.listeners_of(scope)?;
        let listener = listeners.iter_mut().find(|listener| listener.id == id && listener.behind)?;
        listener.behind = false;
        Some(frame(seq, Event::Resync))
    }

    fn unsubscribe(&self, scope: &Scope, id: u64) {
        let mut state = self.lock();
        if let Some(listeners) = state.listeners_of(scope) {
            listeners.retain(|listener| listener.id != id);
        }
        state.people.retain(|_, listeners| !listeners.is_empty());
        state.students.retain(|_, listeners| !listeners.is_empty());
    }

    /// A teacher has other students now: what is known of them has to be read first.
    fn follow(&self, scope: &Scope, id: u64, people: BTreeSet<String>) {
        let mut state = self.lock();
        let listener = state.listeners_of(scope).into_iter().flatten().find(|listener| listener.id == id);
        if let Some(listener) = listener {
            listener.students = people;
            listener.behind = true;
        }
    }

    /// A poisoned lock only says that another thread panicked while it held it; at worst one event was not kept.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// What a new listener reads first: a greeting, and what it missed, or that this is not known any more.
    fn catch_up(&self, scope: &Scope, since: Option<u64>) -> VecDeque<Frame> {
        let missed = since.unwrap_or(self.seq);
        if missed < self.forgotten || missed > self.seq {
            return [Event::Hello, Event::Resync].map(|event| frame(self.seq, event)).into();
        }
        let wanted = |kept: &&Kept| match scope {
            Scope::Person(person) => kept.audience.contains(person),
            Scope::Students { people, .. } => kept.audience.iter().any(|person| people.contains(person)),
            Scope::Everybody => true,
        };
        let later = self.kept.iter().filter(|kept| kept.frame.seq > missed).filter(wanted);
        let mut frames = VecDeque::from([frame(missed, Event::Hello)]);
        frames.extend(later.map(|kept| kept.frame.clone()));
        frames
    }

    fn listeners_of(&mut self, scope: &Scope) -> Option<&mut Vec<Listener>> {
        match scope {
            Scope::Person(person) => self.people.get_mut(person),
            Scope::Students { of, .. } => self.students.get_mut(of),
            Scope::Everybody => Some(&mut self.everybody),
        }
    }
}

fn deliver<'a>(listeners: impl IntoIterator<Item = &'a mut Listener>, frame: &Frame) {
    for listener in listeners {
        if !listener.behind && listener.queue.try_send(frame.clone()).is_err() {
            listener.behind = true;
        }
    }
}

fn frame(seq: u64, event: Event) -> Frame {
    let message = EventMessage { seq, at: Utc::now(), event };
    // Plain data with string keys: there is nothing that JSON could not say.
    let text = serde_json::to_string(&message).unwrap_or_default();
    Frame { seq, text: text.into() }
}

/// What one listener hears. Ends only when it is dropped.
#[derive(Debug)]
pub struct EventStream {
    hub: Arc<Hub>,
    scope: Scope,
    id: u64,
    before: VecDeque<Frame>,
    queue: mpsc::Receiver<Frame>,
}

impl EventStream {
    /// The next event. Safe to drop while it waits: nothing is lost.
    pub async fn next(&mut self) -> Frame {
        if let Some(frame) = self.before.pop_front() {
            return frame;
        }
        if let Ok(frame) = self.queue.try_recv() {
            return frame;
        }
        if let Some(frame) = self.hub.caught_up(&self.scope, self.id) {
            return frame;
        }
        match self.queue.recv().await {
            Some(frame) => frame,
            // The hub holds the other end until this stream is dropped.
            None => std::future::pending().await,
        }
    }

    /// Whether it is everybody's events.
    pub(super) fn is_everybodys(&self) -> bool {
        self.scope == Scope::Everybody
    }

    /// Hears of these students from now on; `false` if it is no teacher's. If they are others than before, the next event
    /// tells to read everything again.
    pub(super) fn follow(&mut self, now: BTreeSet<String>) -> bool {
        let Scope::Students { people, .. } = &mut self.scope else { return false };
        if *people != now {
            people.clone_from(&now);
            self.hub.follow(&self.scope, self.id, now);
        }
        true
    }

    /// The last frame of a connection that the server ends in an orderly way.
    #[must_use]
    pub fn farewell(&self) -> Frame {
        let seq = self.hub.lock().seq;
        frame(seq, Event::GoAway)
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.hub.unsubscribe(&self.scope, self.id);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use uuid::Uuid;

    fn removed(number: u128) -> Event {
        Event::MachineRemoved { id: Uuid::from_u128(number), instance: String::new() }
    }

    fn listen(hub: &Arc<Hub>, person: &str, since: Option<u64>) -> EventStream {
        hub.subscribe(Scope::Person(person.into()), since, 5).unwrap()
    }

    async fn next(stream: &mut EventStream) -> (u64, Event) {
        let frame = tokio::time::timeout(std::time::Duration::from_secs(10), stream.next()).await.unwrap();
        let message: EventMessage = serde_json::from_str(&frame.text).unwrap();
        assert_eq!(message.seq, frame.seq);
        (message.seq, message.event)
    }

    #[tokio::test]
    async fn everyone_hears_of_their_own() {
        let hub = Hub::starting_at(100);
        let (mut bruno, mut ana) = (listen(&hub, "bruno", None), listen(&hub, "ana", None));
        let mut admin = hub.subscribe(Scope::Everybody, None, 5).unwrap();
        hub.publish(vec!["bruno".into()], removed(1));
        hub.publish(vec!["ana".into(), "bruno".into()], removed(2));
        for stream in [&mut bruno, &mut ana, &mut admin] {
            assert_eq!(next(stream).await, (100, Event::Hello));
        }
        assert_eq!(next(&mut bruno).await, (101, removed(1)));
        assert_eq!(next(&mut bruno).await, (102, removed(2)));
        assert_eq!(next(&mut ana).await, (102, removed(2)));
        assert_eq!(next(&mut admin).await, (101, removed(1)));
        assert_eq!(hub.listeners(), 3);
        drop((bruno, ana, admin));
        assert_eq!(hub.listeners(), 0);
        assert!(hub.lock().people.is_empty());
    }

    #[tokio::test]
    async fn a_teacher_hears_of_their_students() {
        let hub = Hub::starting_at(100);
        let people = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
        let scope = || Scope::Students { of: "prof".into(), people: people(&["bruno", "prof"]) };
        let mut prof = hub.subscribe(scope(), None, 5).unwrap();
        for (number, who) in [(1, "ana"), (2, "bruno"), (3, "ana"), (4, "prof")] {
            hub.publish(vec![who.into()], removed(number));
        }
        assert_eq!(next(&mut prof).await, (100, Event::Hello));
        assert_eq!(next(&mut prof).await, (102, removed(2)));
        assert_eq!(next(&mut prof).await, (104, removed(4)));
        let mut back = hub.subscribe(scope(), Some(102), 5).unwrap();
        assert_eq!(next(&mut back).await, (102, Event::Hello));
        assert_eq!(next(&mut back).await, (104, removed(4)));
        // The same ones change nothing; others are read first, and heard of afterwards.
        assert!(prof.follow(people(&["bruno", "prof"])) && prof.follow(people(&["ana", "prof"])));
        assert_eq!(next(&mut prof).await, (104, Event::Resync));
        hub.publish(vec!["bruno".into()], removed(5));
        hub.publish(vec!["ana".into()], removed(6));
        assert_eq!(next(&mut prof).await, (106, removed(6)));
        assert!(!listen(&hub, "prof", None).follow(people(&["ana"])), "only their own");
        drop((prof, back));
        assert_eq!(hub.listeners(), 0);
    }

    #[tokio::test]
    async fn who_was_away_gets_exactly_what_was_missed() {
        let hub = Hub::starting_at(100);
        for number in 1..=4 {
            let person = if number == 3 { "ana" } else { "bruno" };
            hub.publish(vec![person.into()], removed(number));
        }
        let mut bruno = listen(&hub, "bruno", Some(101));
        hub.publish(vec!["bruno".into()], removed(5));
        assert_eq!(next(&mut bruno).await, (101, Event::Hello));
        for (seq, number) in [(102, 2), (104, 4), (105, 5)] {
            assert_eq!(next(&mut bruno).await, (seq, removed(number)));
        }
    }

    #[tokio::test]
    async fn a_gap_is_said() {
        let hub = Hub::starting_at(100);
        for number in 0..KEPT + 10 {
            hub.publish(vec!["bruno".into()], removed(u128::try_from(number).unwrap()));
        }
        let last = hub.lock().seq;
        assert_eq!(hub.lock().kept.len(), KEPT);
        // Before what is kept; of a server whose clock was ahead; what is just kept.
        for (since, event) in
            [(100, Event::Resync), (last + 1, Event::Resync), (110, removed(10)), (109, Event::Resync)]
        {
            let mut bruno = listen(&hub, "bruno", Some(since));
            assert_eq!(next(&mut bruno).await.1, Event::Hello);
            assert_eq!(next(&mut bruno).await.1, event, "since {since}");
        }
    }

    #[tokio::test]
    async fn who_is_slow_is_told_and_costs_no_memory() {
        let hub = Hub::starting_at(0);
        let mut slow = listen(&hub, "bruno", None);
        for number in 0..5 * QUEUE {
            hub.publish(vec!["bruno".into()], removed(u128::try_from(number).unwrap()));
        }
        assert_eq!(slow.queue.len(), QUEUE);
        assert_eq!(next(&mut slow).await.1, Event::Hello);
        for number in 0..QUEUE {
            assert_eq!(next(&mut slow).await.1, removed(u128::try_from(number).unwrap()));
        }
        let last = u64::try_from(5 * QUEUE).unwrap();
        assert_eq!(next(&mut slow).await, (last, Event::Resync));
        hub.publish(vec!["bruno".into()], removed(7));
        assert_eq!(next(&mut slow).await, (last + 1, removed(7)));
    }

    #[test]
    fn there_is_an_end_to_how_many_may_listen() {
        let hub = Hub::starting_at(0);
        let _streams: Vec<_> = (0..5).map(|_| listen(&hub, "bruno", None)).collect();
        assert!(hub.subscribe(Scope::Person("bruno".into()), None, 5).is_none());
        assert!(hub.subscribe(Scope::Person("ana".into()), None, 5).is_some());
    }
}
