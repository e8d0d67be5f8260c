//! One websocket from its handshake to its end: frames out, pings, and the reasons to close it.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, rt, web};
use actix_ws::{CloseCode, CloseReason, Message, MessageStream, Session};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use vms_authz::{Actor, action::WatchEvents};
use vms_core::{CoreError, EventStream, Vms};
use vms_types::ProblemCode;

use crate::error::ApiError;

/// Between pings: more often than proxies drop what is silent.
const PING: Duration = Duration::from_secs(20);
/// A client that has not answered for so long is gone.
const GONE: Duration = Duration::from_secs(60);
/// Between looks at whether the session goes on.
const LOOK: Duration = Duration::from_secs(30);
/// A client that does not take a frame for so long is dropped. It may come back with `since`.
const STUCK: Duration = Duration::from_secs(20);
/// The largest frame a client may send, in bytes. All it sends is answers to pings.
const MAX_FRAME: usize = 4096;
/// Close code: the session has ended; log in again.
const SESSION_ENDED: u16 = 4401;

/// A websocket that was asked for and not begun yet: whatever is refused until then is an ordinary answer.
pub(crate) struct Accepted {
    response: HttpResponse,
    session: Session,
    incoming: MessageStream,
}

/// Checks that the request asks for a websocket.
pub(crate) fn accept(request: &HttpRequest, payload: web::Payload) -> Result<Accepted, ApiError> {
    let (response, session, incoming) = actix_ws::handle(request, payload).map_err(|error| {
        let detail = format!("Connect to this path with a websocket client ({error}).");
        ApiError::new(ProblemCode::UpgradeRequired, detail)
    })?;
    Ok(Accepted { response, session, incoming: incoming.max_frame_size(MAX_FRAME) })
}

impl Accepted {
    /// Begins to serve it beside the request, which is answered by this.
    pub(crate) fn serve(self, vms: Vms, actor: Actor, everybody: bool, events: EventStream) -> HttpResponse {
        let socket = Socket { vms, actor, everybody, events, session: self.session, incoming: self.incoming };
        rt::spawn(socket.run());
        self.response
    }
}

struct Socket {
    vms: Vms,
    actor: Actor,
    everybody: bool,
    events: EventStream,
    session: Session,
    incoming: MessageStream,
}

/// Why a socket is closed, as far as the client is told.
type End = Option<CloseReason>;

impl Socket {
    async fn run(mut self) {
        let end = self.serve().await;
        tracing::debug!(user = self.actor.username(), ?end, "the websocket ends");
        // The client may be gone already.
        if timeout(STUCK, self.session.close(end)).await.is_err() {
            // It takes nothing and is not gone: as long as its connection is there it counts as one of the person's.
            while let Some(Ok(_)) = self.incoming.recv().await {}
        }
    }

    async fn serve(&mut self) -> End {
        let mut ping = interval(PING);
        let mut look = interval(LOOK);
        for ticks in [&mut ping, &mut look] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks.reset();
        }
        let mut ended = self.vms.sessions_ended();
        let mut heard = Instant::now();
        loop {
            let taken = tokio::select! {
                frame = self.events.next() => timeout(STUCK, self.session.text(&*frame.text)).await,
                message = self.incoming.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Ping(bytes))) => timeout(STUCK, self.session.pong(&bytes)).await,
                        Some(Ok(Message::Close(reason))) => return reason,
                        Some(Ok(_)) => continue,
                        Some(Err(_)) => return Some(CloseCode::Protocol.into()),
                        None => return None,
                    }
                }
                _ = ping.tick() => {
                    if heard.elapsed() > GONE {
                        return Some(CloseCode::Policy.into());
                    }
                    timeout(STUCK, self.session.ping(b"")).await
                }
                _ = look.tick() => {
                    if let Some(end) = self.no_longer_allowed().await {
                        return Some(end);
                    }
                    continue;
                }
                session = ended.recv() => {
                    // Ours, or it is not known whose.
                    if session.is_err() || session == Ok(self.actor.session()) {
                        look.reset_immediately();
                    }
                    continue;
                }
                () = self.vms.stopping() => {
                    let farewell = self.events.farewell();
                    drop(timeout(STUCK, self.session.text(&*farewell.text)).await);
                    return Some(CloseCode::Away.into());
                }
            };
            match taken {
                Ok(Ok(())) => {}
                Ok(Err(_)) => return None,
                Err(_) => return Some(CloseCode::Policy.into()),
            }
        }
    }

    /// Whether logging out, disabling the account or another role has ended it meanwhile.
    async fn no_longer_allowed(&mut self) -> End {
        let refused = |error: &CoreError| {
            let code = CloseCode::Other(SESSION_ENDED);
            Some(CloseReason { code, description: Some(error.code().as_str().to_owned()) })
        };
        match self.vms.still(&self.actor).await {
            Ok(actor) => {
                self.actor = actor;
                if !self.everybody {
                    return None;
                }
                let goes_on = match self.actor.sight(WatchEvents) {
                    // The next look is as good, if the database is away for a moment.
                    Ok(sight) => self.vms.watch_on(&sight, &mut self.events).await.unwrap_or(true),
                    Err(_) => false,
                };
                if goes_on { None } else { Some(CloseCode::Policy.into()) }
            }
            // A database that is away for a moment says nothing about the session.
            Err(CoreError::Db(_)) => None,
            Err(error) => refused(&error),
        }
    }
}
