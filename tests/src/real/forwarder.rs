//! A unix socket before LXD's: everything passes, until the connections that carry events are cut.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::{AbortHandle, JoinSet};

/// How the request for the websocket of events begins.
const EVENTS: &[u8] = b"GET /1.0/events";

/// Passes bytes on. Dropping it ends all connections.
#[derive(Debug)]
pub struct Forwarder {
    dir: tempfile::TempDir,
    events: Arc<Mutex<Vec<AbortHandle>>>,
    /// Dropped with it, which ends the task and its connections.
    _task: JoinSet<()>,
}

impl Forwarder {
    /// Listens on a socket of its own and passes on to `target`. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the socket cannot be made.
    pub fn start(target: &Path) -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let listener = UnixListener::bind(dir.path().join("lxd.socket"))?;
        let events = Arc::new(Mutex::new(Vec::new()));
        let mut task = JoinSet::new();
        task.spawn(accept(listener, target.to_owned(), Arc::clone(&events)));
        Ok(Self { dir, events, _task: task })
    }

    /// As the configuration writes it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.dir.path().join("lxd.socket").display())
    }

    /// Cuts every connection that carries events, as a proxy does that thinks them idle; says how many there were.
    ///
    /// # Panics
    /// When a connection's task panicked while it was noted.
    pub fn cut_events(&self) -> usize {
        let all = std::mem::take(&mut *self.events.lock().unwrap());
        all.iter().filter(|one| !one.is_finished()).map(AbortHandle::abort).count()
    }
}

async fn accept(listener: UnixListener, target: PathBuf, events: Arc<Mutex<Vec<AbortHandle>>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let (target, events) = (target.clone(), Arc::clone(&events));
        connections.spawn(async move {
            // An end of either side, however it comes, is the end of the connection: that is all there is to do.
            drop(pass(stream, &target, &events).await);
        });
        while connections.try_join_next().is_some() {}
    }
}

async fn pass(mut from: UnixStream, target: &Path, events: &Mutex<Vec<AbortHandle>>) -> std::io::Result<()> {
    let mut to = UnixStream::connect(target).await?;
    let mut first = vec![0; 8192];
    let mut read = 0;
    while read < EVENTS.len() {
        match from.read(&mut first[read..]).await? {
            0 => break,
            more => read += more,
        }
    }
    let carries_events = first[..read].starts_with(EVENTS);
    to.write_all(&first[..read]).await?;
    let both_ways = tokio::spawn(async move { tokio::io::copy_bidirectional(&mut from, &mut to).await });
    if carries_events {
        events.lock().unwrap().push(both_ways.abort_handle());
    }
    // The task is ended with this one, too.
    let _end = AbortOnDrop(both_ways.abort_handle());
    drop(both_ways.await);
    Ok(())
}

struct AbortOnDrop(AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
