//! Events as a stream, for native programs.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::{Stream, StreamExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};
use vms_types::{EventMessage, Problem};

use crate::client::{ApiClient, event_path};
use crate::error::ClientError;
use crate::transport::Transport;

/// What happens, until the server closes the connection; why it did is in [`EventStream::closed`] then.
///
/// It has to be polled for pings to be answered.
#[derive(Debug)]
pub struct EventStream {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    closed: Option<(u16, String)>,
}

impl EventStream {
    /// The close code and reason, once the stream has ended by one. 4401: the session has ended.
    #[must_use]
    pub fn closed(&self) -> Option<(u16, &str)> {
        self.closed.as_ref().map(|(code, reason)| (*code, reason.as_str()))
    }
}

impl<T: Transport> ApiClient<T> {
    /// `POST /events/ticket`, then `GET /events`: one's own events, or everybody's. `since` is the last number seen.
    /// Speaks plain `http` only.
    ///
    /// # Errors
    /// `forbidden`, `too-many-connections`…
    pub async fn events(&self, since: Option<u64>, all: bool) -> Result<EventStream, ClientError> {
        let ticket = self.event_ticket().await?.ticket;
        let base = self.base().replacen("http", "ws", 1);
        match connect_async(format!("{base}{}", event_path(&ticket, since, all))).await {
            Ok((socket, _)) => Ok(EventStream { socket, closed: None }),
            Err(tungstenite::Error::Http(answer)) => Err(refused(&answer)),
            Err(error) => Err(ClientError::Network(error.to_string())),
        }
    }
}

/// The problem in place of the websocket.
fn refused(answer: &tungstenite::http::Response<Option<Vec<u8>>>) -> ClientError {
    let body = answer.body().as_deref().unwrap_or_default();
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => ClientError::Problem(Box::new(problem)),
        Err(error) => ClientError::Decode {
            what: "GET /events".to_owned(),
            status: answer.status().as_u16(),
            reason: error.to_string(),
        },
    }
}

impl Stream for EventStream {
    type Item = Result<EventMessage, ClientError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Poll::Ready(message) = self.socket.poll_next_unpin(context) else { return Poll::Pending };
            return Poll::Ready(match message {
                Some(Ok(Message::Text(text))) => Some(read(&text)),
                Some(Ok(Message::Close(frame))) => {
                    self.closed = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
                    continue;
                }
                Some(Ok(_)) => continue,
                Some(Err(error)) => Some(Err(ClientError::Network(error.to_string()))),
                None => None,
            });
        }
    }
}

fn read(text: &str) -> Result<EventMessage, ClientError> {
    serde_json::from_str(text).map_err(|error| ClientError::Decode {
        what: "a frame of GET /events".to_owned(),
        status: 101,
        reason: error.to_string(),
    })
}
