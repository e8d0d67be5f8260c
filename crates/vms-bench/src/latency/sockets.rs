//! A thousand websockets, each of which notes when it was told what.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use vms_types::EventTicket;

use crate::people::Person;

/// Sockets that are being opened at once.
const AT_ONCE: usize = 32;
/// A portal that says nothing for so long has forgotten us: even its pings come more often.
const SILENCE: Duration = Duration::from_secs(60);

/// A machine was seen in a status.
#[derive(Debug, Clone)]
pub struct Seen {
    /// LXD's name of it.
    pub instance: String,
    /// `running`, `stopped`…
    pub status: String,
    /// When the frame was here.
    pub at: Instant,
}

/// An open socket; a task reads it.
pub struct Socket {
    /// Whose it is.
    pub owner: String,
    reader: JoinHandle<Vec<Seen>>,
    done: tokio::sync::oneshot::Sender<()>,
}

/// What of a frame concerns us; the rest is not even unpacked.
#[derive(Deserialize)]
struct Frame {
    #[serde(rename = "type")]
    kind: String,
    machine: Option<Machine>,
}

#[derive(Deserialize)]
struct Machine {
    instance: String,
    status: String,
}

impl Socket {
    /// Opens `each` sockets for everybody. `all`: for everybody's events.
    ///
    /// # Errors
    /// When one is refused, or does not begin with `hello`.
    pub async fn open(address: SocketAddr, people: &[Person], each: usize, all: bool) -> Result<Vec<Self>> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?;
        futures::stream::iter(people.iter().flat_map(|person| std::iter::repeat_n(person, each)))
            .map(|person| {
                let http = http.clone();
                async move {
                    let opened = open(&http, address, person, all).await;
                    opened.with_context(|| format!("a websocket of {}", person.name))
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// Closes it and gives what it saw.
    ///
    /// # Errors
    /// When it had been lost.
    pub async fn close(self) -> Result<Vec<Seen>> {
        // Fails only where the reader has ended already, which its own result tells.
        let _ended_by_itself = self.done.send(());
        self.reader.await.context("a websocket was lost")
    }
}

async fn open(http: &reqwest::Client, address: SocketAddr, person: &Person, all: bool) -> Result<Socket> {
    let answer = http
        .post(format!("http://{address}/api/v1/events/ticket"))
        .bearer_auth(person.token()?)
        .send()
        .await?;
    let ticket: EventTicket = answer.error_for_status()?.json().await?;
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let url = format!(
        "ws://{address}/api/v1/events?ticket={}{}",
        ticket.ticket,
        if all { "&all=true" } else { "" }
    );
    let (mut socket, _) = tokio_tungstenite::client_async(url, stream).await?;
    loop {
        match tokio::time::timeout(SILENCE, socket.next()).await? {
            Some(Ok(Message::Text(text))) if text.contains("\"hello\"") => break,
            Some(Ok(Message::Ping(_))) => {}
            other => bail!("it did not begin with hello, but with {other:?}"),
        }
    }
    let (done, until) = tokio::sync::oneshot::channel();
    Ok(Socket { owner: person.name.clone(), reader: tokio::spawn(read(socket, until)), done })
}

async fn read(
    mut socket: WebSocketStream<TcpStream>,
    mut until: tokio::sync::oneshot::Receiver<()>,
) -> Vec<Seen> {
    let mut seen = Vec::new();
    loop {
        let message = tokio::select! {
            _ = &mut until => break,
            message = socket.next() => message,
        };
        let at = Instant::now();
        match message {
            Some(Ok(Message::Text(text))) => {
                if let Ok(Frame { kind, machine: Some(machine) }) = serde_json::from_str(&text)
                    && kind == "machine"
                {
                    seen.push(Seen { instance: machine.instance, status: machine.status, at });
                }
            }
            // Pings are answered by the library while we read on.
            Some(Ok(_)) => {}
            // What it was not told then is counted as missed.
            Some(Err(_)) | None => break,
        }
    }
    drop(socket.close(None).await);
    seen
}
