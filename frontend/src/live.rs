//! Listening to events: the page hears that something has changed and asks at once, instead of every few seconds.
//!
//! An event only wakes the one poll ([`crate::poll`]), so there is one way by which machines reach the page, and nothing
//! is lost when the connection is. Without it the poll goes on as before, only more often.
//!
//! A browser does not notice for minutes that a connection has silently died (a proxy forgot it, the laptop slept), and
//! its pages never see the server's pings. The poll notices: when an answer brings news that no event told of, the
//! connection is deaf, and it is made anew.

use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, select};
use gloo_timers::future::sleep;
use leptos::prelude::*;
use serde::Deserialize;
use vms_client::ClientError;
use vms_client::socket::{EventSocket, Heard, SESSION_ENDED};

use crate::poll::{Waker, is_hidden};
use crate::session::Session;

/// Events of one moment wake the poll once.
const GATHER: Duration = Duration::from_millis(60);
/// News that the poll brings this long after the last event was not told of by an event, in milliseconds.
const DEAF_MS: f64 = 10_000.0;
/// How long an event may come later than the answer that shows the same.
const GRACE: Duration = Duration::from_secs(2);

/// The connection as the rest of the page sees it. A handle: copies share what they show.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Live {
    /// Whether events are heard.
    pub(crate) connected: RwSignal<bool>,
    heard_at: StoredValue<f64>,
    doubt: StoredValue<Option<oneshot::Sender<()>>>,
}

impl Live {
    /// Not connected yet.
    pub(crate) fn new() -> Self {
        Self {
            connected: RwSignal::new(false),
            heard_at: StoredValue::new(0.0),
            doubt: StoredValue::new(None),
        }
    }

    /// The connection may be dead without knowing it: make a new one.
    pub(crate) fn doubt(self) {
        if let Some(Some(sender)) = self.doubt.try_update_value(Option::take) {
            // It may just have ended by itself.
            let _ = sender.send(());
        }
    }

    /// The poll has brought news. If no event told of them, the connection is deaf.
    pub(crate) async fn check(self) {
        if !self.connected.get_untracked() {
            return;
        }
        let now = js_sys::Date::now();
        sleep(GRACE).await;
        if self.heard_at.try_get_value().is_some_and(|heard_at| is_deaf(now, heard_at)) {
            leptos::logging::warn!("no event told of a change; listening anew");
            self.doubt();
        }
    }

    fn hear(self) {
        self.heard_at.set_value(js_sys::Date::now());
    }
}

fn is_deaf(news_at: f64, heard_at: f64) -> bool {
    news_at - heard_at > DEAF_MS
}

/// What of a frame matters here.
#[derive(Debug, Deserialize)]
struct Notice {
    seq: u64,
    #[serde(rename = "type")]
    kind: String,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It never stood: the way is blocked, or the server is away.
    Refused,
    /// It stood, and was lost.
    Lost,
    /// Somebody doubts it.
    Doubted,
}

/// How long to wait before the next attempt. `random` is from 0 to 1: a school's pages do not all come back at once.
fn pause(failures: u32, random: f64) -> Duration {
    // 1, 2, 4, 8, 16, then 30 seconds, each between half and whole.
    let whole = 2u64.saturating_pow(failures).min(30);
    Duration::from_secs(whole).mul_f64(0.5 + random / 2.0)
}

/// Listens until the waker is closed or the person logs out.
pub(crate) async fn run(live: Live, session: Session, waker: Waker) {
    let mut since = None;
    let mut failures = 0u32;
    loop {
        let answer = session.call(|client| async move { client.listen(since).await }).await;
        if waker.is_closed() {
            return;
        }
        let (sender, mut doubted) = oneshot::channel();
        live.doubt.set_value(Some(sender));
        let end = match answer {
            Ok(socket) => follow(live, socket, &mut since, &waker, &mut doubted).await,
            Err(ClientError::Problem(problem)) if problem.status == 401 => return,
            Err(_) => End::Refused,
        };
        if waker.is_closed() {
            return;
        }
        live.connected.set(false);
        // What happened since the last event shows at once, and the poll goes on at its own pace.
        if end != End::Refused {
            waker.wake();
        }
        match end {
            End::Refused => failures = failures.saturating_add(1),
            End::Lost => failures = 0,
            End::Doubted => continue,
        }
        select(Box::pin(sleep(pause(failures, js_sys::Math::random()))), &mut doubted).await;
        if waker.is_closed() {
            return;
        }
    }
}

/// Hears one connection to its end.
async fn follow(
    live: Live,
    mut socket: EventSocket,
    since: &mut Option<u64>,
    waker: &Waker,
    doubted: &mut oneshot::Receiver<()>,
) -> End {
    let mut stood = false;
    loop {
        let heard = match select(Box::pin(socket.next()), &mut *doubted).await {
            Either::Left((heard, _)) => heard,
            Either::Right(_) => return End::Doubted,
        };
        if waker.is_closed() {
            return End::Lost;
        }
        let mut next = Some(heard);
        while let Some(heard) = next.take() {
            match heard {
                Heard::Frame(text) => {
                    let Ok(notice) = serde_json::from_str::<Notice>(&text) else { continue };
                    *since = Some(notice.seq);
                    if notice.kind == "go-away" {
                        return End::Lost;
                    }
                    stood = true;
                }
                // The next request finds out, and the password is asked for.
                Heard::Closed(SESSION_ENDED) => return End::Lost,
                Heard::Closed(_) => return if stood { End::Lost } else { End::Refused },
            }
            next = socket.next_now();
        }
        live.hear();
        live.connected.set(true);
        if !is_hidden() {
            sleep(GATHER).await;
            if waker.is_closed() {
                return End::Lost;
            }
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_grow_rarer_and_are_spread() {
        let whole: Vec<u64> = (0..7).map(|failures| pause(failures, 1.0).as_secs()).collect();
        assert_eq!(whole, [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(pause(3, 0.0), Duration::from_secs(4));
        assert_eq!(pause(u32::MAX, 0.0), Duration::from_secs(15));
    }

    #[test]
    fn news_long_after_the_last_event_mean_a_deaf_connection() {
        assert!(!is_deaf(50_000.0, 45_000.0));
        assert!(is_deaf(50_000.0, 30_000.0));
        // An event that came while we waited.
        assert!(!is_deaf(50_000.0, 50_500.0));
    }
}
