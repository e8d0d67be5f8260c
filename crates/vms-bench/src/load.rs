//! Students who look at their machines, many at once: the load of `bench poll`.
//!
//! Each has a connection of his own that is kept open, as a browser has, and asks `GET /api/v1/machines` with the
//! `ETag` of the last answer. The time of an answer is taken here, on the client's side, from the request to the last
//! byte; the load shares the processors with the server, so what it waits for itself is in the figure too.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use http::header::{AUTHORIZATION, ETAG, HOST, IF_NONE_MATCH};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::people::Person;
use crate::stats::Sample;

const PATH: &str = "/api/v1/machines";

/// One student's view.
#[derive(Debug)]
pub struct Viewer {
    address: SocketAddr,
    authorization: HeaderValue,
    seen: Option<HeaderValue>,
    connection: Option<SendRequest<Empty<Bytes>>>,
}

/// What many requests gave.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    times: Vec<Duration>,
    /// Answers "not modified" (304).
    pub unchanged: usize,
    /// Requests without a good answer.
    pub errors: usize,
    /// What the first of them was.
    pub first_error: Option<String>,
}

impl Tally {
    fn note(&mut self, took: Duration, answer: Result<StatusCode>) {
        match answer {
            Ok(status) => {
                self.times.push(took);
                self.unchanged += usize::from(status == StatusCode::NOT_MODIFIED);
            }
            Err(error) => {
                self.errors += 1;
                self.first_error.get_or_insert_with(|| format!("{error:#}"));
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.times.extend(other.times);
        self.unchanged += other.unchanged;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    /// The times of the good answers.
    pub fn sample(&self) -> Sample {
        Sample::new(self.times.clone())
    }
}

impl Viewer {
    /// A student's view that was not opened yet.
    ///
    /// # Errors
    /// When the student is not logged in.
    pub fn new(address: SocketAddr, person: &Person) -> Result<Self> {
        let authorization = HeaderValue::from_str(&format!("Bearer {}", person.token()?))?;
        Ok(Self { address, authorization, seen: None, connection: None })
    }

    /// Looks once. `conditional`: sends the `ETag` of the last answer, as the pages do.
    ///
    /// # Errors
    /// When there is no answer, or neither the list nor "not modified".
    pub async fn look(&mut self, conditional: bool) -> Result<StatusCode> {
        let mut request = Request::get(PATH)
            .header(HOST, self.address.to_string())
            .header(AUTHORIZATION, self.authorization.clone());
        if let (true, Some(seen)) = (conditional, &self.seen) {
            request = request.header(IF_NONE_MATCH, seen.clone());
        }
        let answer = self.connection().await?.send_request(request.body(Empty::new())?).await?;
        let status = answer.status();
        let seen = answer.headers().get(ETAG).cloned();
        let body = answer.into_body().collect().await?.to_bytes();
        match status {
            StatusCode::OK => self.seen = Some(seen.context("an answer without ETag")?),
            StatusCode::NOT_MODIFIED => {}
            other => bail!("{other}: {}", String::from_utf8_lossy(&body)),
        }
        Ok(status)
    }

    /// The open connection; a new one where there is none any more.
    async fn connection(&mut self) -> Result<&mut SendRequest<Empty<Bytes>>> {
        let open = match self.connection.take() {
            Some(mut sender) => sender.ready().await.is_ok().then_some(sender),
            None => None,
        };
        let sender = match open {
            Some(sender) => sender,
            None => {
                let stream = TcpStream::connect(self.address).await.context("cannot connect")?;
                stream.set_nodelay(true)?;
                let (sender, driver) = http1::handshake(TokioIo::new(stream)).await?;
                // It ends with the connection; what went wrong is told to who waits for the answer.
                tokio::spawn(async move { drop(driver.await) });
                sender
            }
        };
        Ok(self.connection.insert(sender))
    }
}

/// Everybody looks every `period`, evenly spread, for `length`. Nothing is counted in the first period, in which the
/// connections are opened; `counting` is called when it is over.
///
/// # Errors
/// When a task of ours is lost.
pub async fn steady(
    viewers: Vec<Viewer>,
    period: Duration,
    length: Duration,
    counting: impl FnOnce() + Send + 'static,
) -> Result<(Vec<Viewer>, Tally)> {
    let begin = Instant::now() + Duration::from_millis(50);
    let (count_from, end) = (begin + period, begin + period + length);
    let gap = period.div_f64(crate::stats::number(viewers.len()).max(1.0));
    let mut tasks = JoinSet::new();
    for (mut viewer, number) in viewers.into_iter().zip(0_u32..) {
        let mut next = begin + gap.saturating_mul(number);
        tasks.spawn(async move {
            let mut tally = Tally::default();
            while next < end {
                tokio::time::sleep_until(next.into()).await;
                let since = Instant::now();
                let answer = viewer.look(true).await;
                if next >= count_from {
                    tally.note(since.elapsed(), answer);
                }
                next += period;
            }
            (viewer, tally)
        });
    }
    tokio::time::sleep_until(count_from.into()).await;
    counting();
    collect(tasks).await
}

/// Each of these views asks again as soon as it has its answer, for `length`.
///
/// # Errors
/// When a task of ours is lost.
pub async fn saturate(
    viewers: Vec<Viewer>,
    conditional: bool,
    length: Duration,
) -> Result<(Vec<Viewer>, Tally)> {
    let end = Instant::now() + length;
    let mut tasks = JoinSet::new();
    for mut viewer in viewers {
        tasks.spawn(async move {
            let mut tally = Tally::default();
            while Instant::now() < end {
                let since = Instant::now();
                let answer = viewer.look(conditional).await;
                let failed = answer.is_err();
                tally.note(since.elapsed(), answer);
                if failed {
                    // A server that refuses must not be asked as fast as this loop can.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
            (viewer, tally)
        });
    }
    collect(tasks).await
}

async fn collect(mut tasks: JoinSet<(Viewer, Tally)>) -> Result<(Vec<Viewer>, Tally)> {
    let (mut viewers, mut all) = (Vec::new(), Tally::default());
    while let Some(done) = tasks.join_next().await {
        let (viewer, tally) = done.context("a student of the load was lost")?;
        viewers.push(viewer);
        all.add(tally);
    }
    Ok((viewers, all))
}
