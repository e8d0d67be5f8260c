//! LXD's events websocket (`/1.0/events`) as a stream.
//!
//! The stream is honest about its life: it begins when LXD has accepted the connection (from then on nothing
//! is missed), answers LXD's pings, notices a dead peer by pings of its own, and ends with an error.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use futures::{SinkExt, Stream, StreamExt, stream::BoxStream};
use lxd_api::{Event, EventType};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Error as WsError, Message},
};

use crate::{
    client::Client,
    error::Error,
    metrics,
    path::ApiPath,
    transport::{RawStream, Reply, Transport},
};

/// Events as they happen. Ends with an `Err` when the connection is lost; after that there is nothing more.
/// LXD replays nothing: read the state again after reconnecting.
pub struct EventStream {
    events: BoxStream<'static, Result<Event, Error>>,
}

impl Stream for EventStream {
    type Item = Result<Event, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.events.poll_next_unpin(cx)
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}

impl Client {
    /// Opens `GET /1.0/events?type=…` (websocket) for these kinds of events, of the client's project. When
    /// this returns, LXD has accepted: whatever happens from now on will be in the stream.
    ///
    /// A cluster's member also passes on the events of the others.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::Untrusted`]. Later, as the last item of the stream:
    /// [`Error::Unreachable`] once the connection is lost.
    pub async fn events(&self, types: &[EventType]) -> Result<EventStream, Error> {
        open(&self.inner.transport, self.project(), types).await
    }
}

/// See [`Client::events`]; the hub calls this without having a client.
pub(crate) async fn open(
    transport: &Transport,
    project: Option<&str>,
    types: &[EventType],
) -> Result<EventStream, Error> {
    let began = Instant::now();
    let opened = connect(transport, project, types).await;
    metrics::request("GET", "/1.0/events", &opened, began.elapsed());
    opened
}

async fn connect(
    transport: &Transport,
    project: Option<&str>,
    types: &[EventType],
) -> Result<EventStream, Error> {
    let types: Vec<_> = types.iter().map(|kind| kind.as_str()).collect();
    let path = ApiPath::root().at("events").query("type", &types.join(",")).project(project);
    let (stream, origin) = transport.connect().await?;
    let handshake = tokio_tungstenite::client_async(format!("{origin}{}", path.wire()), stream);
    let socket = match timeout(transport.timeouts.connect, handshake).await {
        Ok(Ok((socket, _answer))) => socket,
        Ok(Err(WsError::Http(answer))) => {
            let status = answer.status().as_u16();
            let body = answer.into_body().unwrap_or_default().into();
            return Err(Error::from_reply(
                &transport.endpoint,
                path.path(),
                &Reply { status, etag: None, body },
            ));
        }
        Ok(Err(error)) => return Err(transport.broken(false, error.into())),
        Err(_) => {
            return Err(transport.broken(false, "the websocket handshake was not answered".into()));
        }
    };
    let reader = Reader { transport: transport.clone(), socket, asked: false };
    let events = futures::stream::unfold(Some(reader), |reader| async {
        let mut reader = reader?;
        match reader.next().await {
            Ok(event) => Some((Ok(event), Some(reader))),
            Err(error) => Some((Err(error), None)),
        }
    });
    Ok(EventStream { events: events.boxed() })
}

struct Reader {
    transport: Transport,
    socket: WebSocketStream<Box<dyn RawStream>>,
    /// A ping of ours is under way.
    asked: bool,
}

impl Reader {
    async fn next(&mut self) -> Result<Event, Error> {
        loop {
            let Ok(message) = timeout(self.transport.timeouts.keepalive, self.socket.next()).await else {
                if self.asked {
                    return Err(self.lost("it stopped answering".into()));
                }
                self.asked = true;
                self.socket
                    .send(Message::Ping(Vec::new().into()))
                    .await
                    .map_err(|error| self.lost(error.into()))?;
                continue;
            };
            self.asked = false;
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                // Pings are answered by the library while we read on.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {
                    continue;
                }
                Some(Ok(Message::Close(_))) | None => {
                    return Err(self.lost("it closed the event stream".into()));
                }
                Some(Err(error)) => return Err(self.lost(error.into())),
            };
            if let Some(event) = parse(&text) {
                return Ok(event);
            }
        }
    }

    fn lost(&self, source: crate::error::BoxError) -> Error {
        self.transport.broken(true, source)
    }
}

/// LXD's keepalive frames are text but no JSON. An event that cannot be read must not end the stream.
fn parse(text: &str) -> Option<Event> {
    if !text.starts_with('{') {
        return None;
    }
    match serde_json::from_str(text) {
        Ok(event) => Some(event),
        Err(error) => {
            tracing::warn!(%error, "an event of LXD cannot be read and is left out");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use lxd_api::EventType;

    #[test]
    fn keepalives_and_nonsense_are_no_events() {
        assert_eq!(parse("keepalive"), None);
        assert_eq!(parse("{broken"), None);
        let event = parse(r#"{"type":"lifecycle","timestamp":"2026-11-22T10:00:00Z","metadata":{},"new":1}"#);
        assert_eq!(event.map(|event| event.kind), Some(EventType::Lifecycle));
    }
}
