//! One events websocket for all who wait for operations of one client.
//!
//! It opens when the first one waits, stays a little after the last one has left, and ends with the client.
//! How operations ended is remembered for a while: LXD forgets them after seconds.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::StreamExt;
use lxd_api::{EventPayload, EventType, Operation};
use tokio::{
    sync::{broadcast, watch},
    task::AbortHandle,
};

use crate::{error::Error, events, transport::Transport};

/// How long the socket stays open for the next one who waits.
const LINGER: Duration = Duration::from_secs(30);
/// Operation events that a slow waiter may be behind before it has to ask LXD instead.
const BACKLOG: usize = 1024;
/// How many ended operations are remembered.
const REMEMBERED: usize = 256;

/// State of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Connecting,
    Up,
    Down,
}

/// Shared by the client and the task that reads the websocket.
#[derive(Default)]
struct Shared {
    session: Option<Session>,
    ended: VecDeque<Arc<Operation>>,
}

struct Session {
    operations: broadcast::Sender<Arc<Operation>>,
    link: watch::Receiver<Link>,
    task: AbortHandle,
}

/// See the module.
pub(crate) struct EventHub {
    transport: Transport,
    project: Option<String>,
    shared: Arc<Mutex<Shared>>,
}

/// A place at the websocket.
pub(crate) struct Subscription {
    pub(crate) operations: broadcast::Receiver<Arc<Operation>>,
    link: watch::Receiver<Link>,
}

impl Subscription {
    /// Waits until LXD has accepted the websocket. False if it could not be had, or is already lost.
    pub(crate) async fn connected(&mut self) -> bool {
        self.link.wait_for(|link| *link != Link::Connecting).await.is_ok_and(|link| *link == Link::Up)
    }
}

impl EventHub {
    pub(crate) fn new(transport: Transport, project: Option<String>) -> Self {
        Self { transport, project, shared: Arc::default() }
    }

    /// Takes a place; opens the websocket if it is not open.
    pub(crate) fn subscribe(&self) -> Subscription {
        let mut shared = lock(&self.shared);
        if let Some(session) = &shared.session
            && *session.link.borrow() != Link::Down
        {
            return Subscription { operations: session.operations.subscribe(), link: session.link.clone() };
        }
        let (operations, receiver) = broadcast::channel(BACKLOG);
        let (link_sender, link) = watch::channel(Link::Connecting);
        let reader = Reader {
            transport: self.transport.clone(),
            project: self.project.clone(),
            shared: Arc::clone(&self.shared),
            operations: operations.clone(),
            link: link_sender,
        };
        let task = tokio::spawn(reader.run()).abort_handle();
        shared.session = Some(Session { operations, link: link.clone(), task });
        Subscription { operations: receiver, link }
    }

    /// How an operation ended, if the websocket saw it lately.
    pub(crate) fn ended(&self, id: &str) -> Option<Operation> {
        lock(&self.shared).ended.iter().find(|operation| operation.id == id).map(|found| (**found).clone())
    }
}

impl Drop for EventHub {
    fn drop(&mut self) {
        if let Some(session) = lock(&self.shared).session.take() {
            session.task.abort();
        }
    }
}

/// The task's side.
struct Reader {
    transport: Transport,
    project: Option<String>,
    shared: Arc<Mutex<Shared>>,
    operations: broadcast::Sender<Arc<Operation>>,
    link: watch::Sender<Link>,
}

impl Reader {
    async fn run(self) {
        if let Err(error) = self.read().await {
            tracing::debug!(endpoint = %self.transport.endpoint, %error, "waiting for operations without events");
        }
        // Under the lock, so that nobody subscribes to a session that is ending. Dropping `operations`
        // afterwards wakes whoever still waits.
        let mut shared = lock(&self.shared);
        self.link.send_replace(Link::Down);
        if shared.session.as_ref().is_some_and(|session| session.operations.same_channel(&self.operations)) {
            shared.session = None;
        }
    }

    /// Returns `Ok` when nobody has waited for a while, `Err` when the connection is lost.
    async fn read(&self) -> Result<(), Error> {
        let mut events =
            events::open(&self.transport, self.project.as_deref(), &[EventType::Operation]).await?;
        self.link.send_replace(Link::Up);
        loop {
            let idle = async {
                self.operations.closed().await;
                tokio::time::sleep(LINGER).await;
            };
            tokio::pin!(idle);
            loop {
                tokio::select! {
                    () = &mut idle => break,
                    event = events.next() => match event {
                        Some(event) => self.publish(event?),
                        None => return Ok(()),
                    },
                }
            }
            let mut shared = lock(&self.shared);
            if self.operations.receiver_count() == 0 {
                shared.session = None;
                return Ok(());
            }
        }
    }

    fn publish(&self, event: lxd_api::Event) {
        let operation = match event.payload() {
            Ok(EventPayload::Operation(operation)) => Arc::new(*operation),
            Ok(_) => return,
            Err(error) => {
                tracing::warn!(%error, "an operation event of LXD cannot be read");
                return;
            }
        };
        if operation.is_final() {
            let mut shared = lock(&self.shared);
            if shared.ended.len() >= REMEMBERED {
                shared.ended.pop_front();
            }
            shared.ended.push_back(Arc::clone(&operation));
        }
        // An error only says that nobody waits just now.
        drop(self.operations.send(operation));
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
