//! Asking for the machines: one conditional request, soon while something happens, seldom while nobody looks.

use std::time::Duration;

use futures::StreamExt as _;
use futures::channel::mpsc;
use futures::future::{Either, select};
use leptos::prelude::*;
use vms_client::{ClientError, Conditional, MachineQuery};
use vms_types::rules::is_passing;
use vms_types::{Machine, MachineStatus};
use wasm_bindgen_futures::spawn_local;

use crate::commands::settle_followed;
use crate::i18n::I18n;
use crate::session::{Machines, Session};
use crate::store::Store;

/// See [`run`]: later than this, in milliseconds, a timer was not only busy.
const OVERSLEPT_MS: f64 = 45_000.0;

/// Whether the page is up to date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Connection {
    /// The first answer has not come yet.
    Connecting,
    /// The last request was answered, and events tell when to ask again.
    Live,
    /// The last request was answered; the page asks now and then.
    Polling,
    /// The last request failed; another follows.
    Offline,
}

/// What the time until the next request depends on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Outlook {
    /// Something is under way, or a running machine has no address yet.
    pub(crate) busy: bool,
    /// Events tell of changes.
    pub(crate) live: bool,
    /// The page is in a background tab.
    pub(crate) hidden: bool,
    /// Requests that failed in a row.
    pub(crate) failures: u32,
}

/// How long to wait before the next request.
pub(crate) fn interval(outlook: Outlook) -> Duration {
    // While events wake the poll, its own turn only catches what they missed.
    let calm = Duration::from_secs(match (outlook.live, outlook.hidden, outlook.busy) {
        (true, true, _) => 120,
        (true, false, true) => 10,
        (true, false, false) | (false, true, _) => 30,
        (false, false, true) => 2,
        (false, false, false) => 3,
    });
    if outlook.failures == 0 {
        return calm;
    }
    // 2, 4, 8, 16, then 30 seconds.
    let backoff = Duration::from_secs(2u64.saturating_pow(outlook.failures).min(30));
    backoff.max(if outlook.hidden { calm } else { Duration::ZERO })
}

/// Whether a machine's next look will differ: something is under way, or its address is still to come.
pub(crate) fn is_restless(machine: &Machine) -> bool {
    machine.operation.is_some()
        || is_passing(machine.status)
        || (machine.status == MachineStatus::Running && machine.addresses.is_empty() && !machine.stale)
}

/// Wakes the poll; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Waker(mpsc::UnboundedSender<()>);

impl Waker {
    /// A waker and what the poll listens to.
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<()>) {
        let (sender, receiver) = mpsc::unbounded();
        (Self(sender), receiver)
    }

    /// Ask now. Nothing happens when the poll has ended, because then nobody looks.
    pub(crate) fn wake(&self) {
        let _ = self.0.unbounded_send(());
    }

    /// Whether nobody looks any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// End the poll after the request that may be under way.
    pub(crate) fn close(&self) {
        self.0.close_channel();
    }
}

pub(crate) fn is_hidden() -> bool {
    document().visibility_state() == web_sys::VisibilityState::Hidden
}

/// Polls for what `query` says until the waker is closed or the person logs out. `first` is an answer that is there
/// already.
pub(crate) async fn run(
    store: Store,
    session: Session,
    i18n: I18n,
    waker: Waker,
    mut wakes: mpsc::UnboundedReceiver<()>,
    query: Signal<MachineQuery>,
    mut first: Option<Machines>,
) {
    let live = store.live;
    let mut asked_for = query.get_untracked();
    let mut etag: Option<String> = None;
    let mut failures = 0u32;
    loop {
        let request = store.next_request();
        let wanted = query.get_untracked();
        if wanted != asked_for {
            asked_for = wanted;
            etag = None;
        }
        let asked = etag.clone();
        let ask = session.call(|client| {
            let (query, asked) = (asked_for.clone(), asked.clone());
            async move { client.machines(&query, asked.as_deref()).await }
        });
        let answer = match first.take() {
            Some(machines) => Ok(machines),
            None => ask.await,
        };
        if waker.0.is_closed() {
            return;
        }
        if query.with_untracked(|wanted| *wanted != asked_for) {
            // Meanwhile something else is wanted: this answer would show what nobody asks for any more.
            continue;
        }
        match answer {
            Ok(answer) => {
                failures = 0;
                store.answered.set(Some(true));
                if let Conditional::Data { value, etag: newer } = answer {
                    if etag.is_some() {
                        spawn_local(live.check());
                    }
                    etag = newer;
                    store.more.set(value.next_cursor.is_some());
                    store.merge(value.items);
                }
                store.settle_pending(request);
                settle_followed(&store, &session, i18n).await;
            }
            Err(ClientError::Problem(problem)) if problem.status == 401 => return,
            Err(error) => {
                failures = failures.saturating_add(1);
                store.answered.set(Some(false));
                leptos::logging::warn!("the machines could not be asked for: {error}");
            }
        }
        let connected = live.connected.get_untracked();
        let outlook = Outlook { busy: store.is_busy(), live: connected, hidden: is_hidden(), failures };
        let (planned, began) = (interval(outlook), js_sys::Date::now());
        let pause = gloo_timers::future::sleep(planned);
        match select(Box::pin(pause), wakes.next()).await {
            Either::Right((None, _)) => return,
            Either::Right((Some(()), _)) => {
                // Several wakes at once are one.
                while wakes.try_recv().is_ok() {}
                if waker.0.is_closed() {
                    return;
                }
            }
            Either::Left(_) => {
                // A timer that rings so late means that the whole machine slept; the connection hardly survived it.
                if js_sys::Date::now() - began > planned.as_secs_f64() * 1000.0 + OVERSLEPT_MS {
                    live.doubt();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(busy: bool, hidden: bool, failures: u32) -> u64 {
        interval(Outlook { busy, live: false, hidden, failures }).as_secs()
    }

    #[test]
    fn events_make_asking_rare() {
        let live = |busy, hidden| interval(Outlook { busy, live: true, hidden, failures: 0 }).as_secs();
        assert_eq!(
            [live(true, false), live(false, false), live(false, true), live(true, true)],
            [10, 30, 120, 120]
        );
    }

    #[test]
    fn soon_while_something_happens_and_seldom_while_nobody_looks() {
        assert_eq!(seconds(true, false, 0), 2);
        assert_eq!(seconds(false, false, 0), 3);
        assert_eq!(seconds(false, true, 0), 30);
        assert_eq!(seconds(true, true, 0), 30);
    }

    #[test]
    fn an_absent_server_is_asked_less_and_less() {
        let pauses: Vec<u64> = (1..7).map(|failures| seconds(true, false, failures)).collect();
        assert_eq!(pauses, [2, 4, 8, 16, 30, 30]);
        assert_eq!(seconds(false, true, 1), 30);
        assert_eq!(seconds(false, false, u32::MAX), 30);
    }
}
