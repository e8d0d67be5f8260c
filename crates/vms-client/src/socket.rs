//! The websocket of events in the browser (`WebSocket`), as something to wait for.

use futures::StreamExt as _;
use futures::channel::mpsc;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::closure::Closure;
use web_sys::{CloseEvent, MessageEvent, WebSocket};

use crate::client::{ApiClient, event_path};
use crate::error::ClientError;
use crate::fetch::FetchTransport;

/// Close code of the server: the session has ended; log in again.
pub const SESSION_ENDED: u16 = 4401;

/// What comes out of the socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A frame: an [`EventMessage`](vms_types::EventMessage) in JSON.
    Frame(String),
    /// The connection has ended, or could not be made; nothing more comes. The code is that of RFC 6455 §7.4.
    Closed(u16),
}

/// An open connection, or one that is being made. Dropping it closes it.
#[derive(Debug)]
pub struct EventSocket {
    socket: WebSocket,
    heard: mpsc::UnboundedReceiver<Heard>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

impl ApiClient<FetchTransport> {
    /// `GET /events`: listens to one's events, from the number after `since` on.
    ///
    /// # Errors
    /// Those of `POST /events/ticket`; what happens afterwards is [`Heard::Closed`].
    pub async fn listen(&self, since: Option<u64>) -> Result<EventSocket, ClientError> {
        let ticket = self.event_ticket().await?;
        let path = event_path(&ticket.ticket, since, false);
        EventSocket::open(&path).ok_or_else(|| ClientError::Network("this browser opens no websocket".into()))
    }
}

impl EventSocket {
    /// Begins to connect to a path of the page's origin.
    fn open(path: &str) -> Option<Self> {
        let location = web_sys::window()?.location();
        let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
        let socket = WebSocket::new(&format!("{scheme}://{}{path}", location.host().ok()?)).ok()?;
        let (tell, heard) = mpsc::unbounded();
        let tell_end = tell.clone();
        // Nobody listens any more only when the socket is being dropped.
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Some(text) = event.data().as_string() {
                let _ = tell.unbounded_send(Heard::Frame(text));
            }
        });
        let on_close = Closure::new(move |event: CloseEvent| {
            let _ = tell_end.unbounded_send(Heard::Closed(event.code()));
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        Some(Self { socket, heard, _on_message: on_message, _on_close: on_close })
    }

    /// Waits for the next frame, or the end.
    pub async fn next(&mut self) -> Heard {
        self.heard.next().await.unwrap_or(Heard::Closed(1006))
    }

    /// The next frame or the end, if it is there already.
    pub fn next_now(&mut self) -> Option<Heard> {
        self.heard.try_recv().ok()
    }
}

impl Drop for EventSocket {
    fn drop(&mut self) {
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Closing what is closed already is no error worth telling.
        let _ = self.socket.close();
    }
}
