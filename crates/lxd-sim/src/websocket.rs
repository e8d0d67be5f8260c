//! `/1.0/events`: a websocket that tells what happens.
//!
//! The first frame is not an event but a ping with the payload `keepalive`, repeated every ten seconds, as
//! LXD does.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE},
};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use lxd_api::{Event, EventType};
use tokio::sync::{broadcast, watch};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

use crate::{
    engine::Core,
    http_server::{answer, plain},
    reply::Failure,
};

type Answer = Response<Full<Bytes>>;

/// Answers the handshake; the events follow by themselves. `Err` is a refusal, ready to be sent.
pub(crate) fn accept(
    core: &Arc<Core>,
    request: &mut Request<Incoming>,
    query: &BTreeMap<String, String>,
) -> Result<Answer, Box<Answer>> {
    let types = types(query).map_err(|failure| Box::new(answer(Err(failure))))?;
    let bad = || {
        let words = Bytes::from_static(b"Bad Request\n");
        Box::new(plain(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", words))
    };
    let upgrade = request.headers().get(UPGRADE).and_then(|value| value.to_str().ok());
    if !upgrade.is_some_and(|word| word.eq_ignore_ascii_case("websocket")) {
        return Err(bad());
    }
    let key = request.headers().get(SEC_WEBSOCKET_KEY).ok_or_else(bad)?;
    let accepted = HeaderValue::from_str(&derive_accept_key(key.as_bytes())).map_err(|_| bad())?;
    // Listen before the answer goes out: who has it must miss nothing.
    let (events, sockets) = core.subscribe();
    let upgrading = hyper::upgrade::on(request);
    tokio::spawn(async move {
        match upgrading.await {
            Ok(stream) => {
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(stream), Role::Server, None).await;
                talk(socket, events, sockets, &types).await;
            }
            Err(error) => tracing::debug!(%error, "the events websocket did not come about"),
        }
    });
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accepted);
    Ok(response)
}

/// `?type=operation,lifecycle`; absent is all.
fn types(query: &BTreeMap<String, String>) -> Result<Vec<EventType>, Failure> {
    let wanted = query.get("type").map_or("", String::as_str);
    if wanted.is_empty() {
        return Ok(vec![EventType::Operation, EventType::Lifecycle, EventType::Logging]);
    }
    wanted
        .split(',')
        .map(|word| match word {
            "operation" => Ok(EventType::Operation),
            "lifecycle" => Ok(EventType::Lifecycle),
            "logging" => Ok(EventType::Logging),
            other => Err(Failure::internal(format!("\"{other}\" isn't a supported event type"))),
        })
        .collect()
}

/// Sends until either side ends it. Ends without a closing frame: so does a daemon that dies.
async fn talk<S>(
    mut socket: WebSocketStream<S>,
    mut events: broadcast::Receiver<Arc<Event>>,
    mut sockets: watch::Receiver<u64>,
    types: &[EventType],
) where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let mut keepalive = tokio::time::interval(Duration::from_secs(10));
    loop {
        let message = tokio::select! {
            _ = keepalive.tick() => Message::Ping(Bytes::from_static(b"keepalive")),
            event = events.recv() => match event {
                Ok(event) if !types.contains(&event.kind) => continue,
                Ok(event) => match serde_json::to_string(&*event) {
                    Ok(text) => Message::text(text),
                    Err(error) => return tracing::warn!(%error, "an event could not be written"),
                },
                // Too slow: cut off, so that it reads the state again.
                Err(_) => return,
            },
            _ = sockets.changed() => return,
            received = socket.next() => match received {
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => continue,
            },
        };
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
