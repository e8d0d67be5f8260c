//! Who is logged in, and what happens when that ends.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use futures::channel::oneshot;
use futures::future::join;
use leptos::prelude::*;
use vms_client::fetch::FetchTransport;
use vms_client::{ApiClient, ClientError, Conditional, MachineQuery};
use vms_types::{Machine, Me, Page};

use crate::preferences::{store, stored};

/// Says that a refresh cookie may exist, so that a first visit does not ask for a session in vain. Not a secret.
const HINT_KEY: &str = "vms.session";

/// Our client in the browser.
pub(crate) type Client = ApiClient<FetchTransport>;

/// An answer to `GET /machines`.
pub(crate) type Machines = Conditional<Page<Machine>>;

/// How far logging in is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Phase {
    /// The page was just opened; a cookie may still be good.
    Starting,
    /// The server could not be asked.
    Unreachable(ClientError),
    /// Nobody is logged in.
    Anonymous,
    /// Somebody is.
    LoggedIn(Box<Me>),
}

/// The session of this page.
#[derive(Clone)]
pub(crate) struct Session {
    /// The client that carries the token.
    pub(crate) client: Client,
    /// How far logging in is.
    pub(crate) phase: RwSignal<Phase>,
    /// Whether the password is asked for again, over the page.
    pub(crate) asks_again: RwSignal<bool>,
    /// Calls that wait for the password.
    waiting: Arc<Mutex<Vec<oneshot::Sender<bool>>>>,
    /// The machines, asked for together with who the person is: the table need not wait for two answers in turn.
    first: Arc<Mutex<Option<Machines>>>,
}

impl Session {
    /// A session nobody has logged in to yet.
    pub(crate) fn new() -> Self {
        Self {
            client: ApiClient::new(FetchTransport, ""),
            phase: RwSignal::new(Phase::Starting),
            asks_again: RwSignal::new(false),
            waiting: Arc::default(),
            first: Arc::default(),
        }
    }

    /// Takes up the session of an earlier visit, if its cookie is still good.
    pub(crate) async fn resume(&self) {
        if stored(HINT_KEY).is_none() {
            self.phase.set(Phase::Anonymous);
            return;
        }
        self.phase.set(Phase::Starting);
        let me = match self.client.refresh().await {
            Ok(()) => self.enter().await,
            Err(error) => Err(error),
        };
        match me {
            Ok(me) => self.phase.set(Phase::LoggedIn(Box::new(me))),
            Err(error) if error.is_passing() => self.phase.set(Phase::Unreachable(error)),
            Err(_ended) => self.forget(),
        }
    }

    /// Logs in, and lets calls that waited for it go on.
    ///
    /// # Errors
    /// What the server said.
    pub(crate) async fn log_in(&self, username: &str, password: &str) -> Result<(), ClientError> {
        self.client.login(username, password).await?;
        // Over a page that is there already its poll goes on by itself.
        let again = matches!(self.phase.get_untracked(), Phase::LoggedIn(_));
        let me = if again { self.client.me().await? } else { self.enter().await? };
        store(HINT_KEY, Some("1"));
        self.phase.set(Phase::LoggedIn(Box::new(me)));
        self.asks_again.set(false);
        self.answer_waiting(true);
        Ok(())
    }

    /// Asks who one is, and what one has, at once.
    async fn enter(&self) -> Result<Me, ClientError> {
        let everything = MachineQuery::default();
        let (me, machines) = join(self.client.me(), self.client.machines(&everything, None)).await;
        // If it could not be had, the poll asks again and says so.
        self.keep_first(machines.ok());
        me
    }

    fn keep_first(&self, machines: Option<Machines>) -> Option<Machines> {
        std::mem::replace(&mut *self.first.lock().unwrap_or_else(PoisonError::into_inner), machines)
    }

    /// The machines as they were when the person came, once.
    pub(crate) fn take_first(&self) -> Option<Machines> {
        self.keep_first(None)
    }

    /// Logs out here and on the server.
    pub(crate) async fn log_out(&self) {
        // The page forgets the token whatever the server says; the cookie then ends by its age.
        if let Err(error) = self.client.logout().await {
            leptos::logging::warn!("the server could not be told of the logout: {error}");
        }
        self.forget();
    }

    fn forget(&self) {
        store(HINT_KEY, None);
        self.client.set_token(None);
        self.keep_first(None);
        self.asks_again.set(false);
        self.phase.set(Phase::Anonymous);
        self.answer_waiting(false);
    }

    fn answer_waiting(&self, go_on: bool) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for sender in waiting {
            // A call that was dropped meanwhile needs no answer.
            let _ = sender.send(go_on);
        }
    }

    /// Makes a call. If the session has ended, asks for the password and makes it again.
    ///
    /// # Errors
    /// What the server said; the session's end only if the person chose to log out.
    pub(crate) async fn call<T, F, R>(&self, make: F) -> Result<T, ClientError>
    where
        F: Fn(Client) -> R,
        R: Future<Output = Result<T, ClientError>>,
    {
        loop {
            match make(self.client.clone()).await {
                Err(error) if error.is_session_ended() => {
                    if !self.ask_again().await {
                        return Err(error);
                    }
                }
                other => return other,
            }
        }
    }

    async fn ask_again(&self) -> bool {
        if !matches!(self.phase.get_untracked(), Phase::LoggedIn(_)) {
            return false;
        }
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        self.asks_again.set(true);
        receiver.await.unwrap_or(false)
    }

    /// The login name, or nothing while nobody is logged in.
    pub(crate) fn username(&self) -> Option<String> {
        match self.phase.get_untracked() {
            Phase::LoggedIn(me) => Some(me.username),
            _ => None,
        }
    }
}

/// The session of the component's context.
pub(crate) fn use_session() -> Session {
    expect_context::<Session>()
}
