//! The outside: unix socket and HTTPS, faults, and turning HTTP into [`ApiRequest`]s and [`Reply`]s back.

use std::{io, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderValue, Request, Response, StatusCode,
    header::{CONTENT_TYPE, ETAG, LOCATION},
};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use lxd_api::{Requestor, Response as Envelope};
use percent_encoding::percent_decode_str;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    task::JoinSet,
    time::{Duration, sleep},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    api,
    engine::{Core, operation_value},
    fault::Action,
    reply::{ApiRequest, Failure, Reply, sha256_hex, to_value},
    websocket,
};

/// Where a connection comes from, and so whom it belongs to.
#[derive(Clone, Debug)]
enum Source {
    Unix,
    Tls { fingerprint: Option<String>, address: SocketAddr },
}

type Answer = Response<Full<Bytes>>;

/// Serves the unix socket until the task is aborted; all its connections end with it.
pub(crate) async fn serve_unix(core: Arc<Core>, listener: UnixListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(Arc::clone(&core), stream, Source::Unix));
                }
                Err(error) => refused(&error).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// The same for HTTPS.
pub(crate) async fn serve_tls(core: Arc<Core>, listener: TcpListener, acceptor: TlsAcceptor) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => {
                    let (core, acceptor) = (Arc::clone(&core), acceptor.clone());
                    connections.spawn(async move {
                        let stream = match acceptor.accept(stream).await {
                            Ok(stream) => stream,
                            Err(error) => return tracing::debug!(%error, "TLS handshake failed"),
                        };
                        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                        let fingerprint = certificate.map(|certificate| sha256_hex(certificate));
                        connection(core, stream, Source::Tls { fingerprint, address }).await;
                    });
                }
                Err(error) => refused(&error).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// No more file descriptors, for example: do not spin.
async fn refused(error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    sleep(Duration::from_millis(50)).await;
}

async fn connection<S>(core: Arc<Core>, stream: S, source: Source)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let (core, source) = (Arc::clone(&core), source.clone());
        async move { respond(&core, &source, request).await }
    });
    let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service).with_upgrades().await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// One request from faults to answer. An error closes the connection without an answer.
async fn respond(core: &Arc<Core>, source: &Source, mut request: Request<Incoming>) -> io::Result<Answer> {
    let segments: Vec<String> = request
        .uri()
        .path()
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let query: std::collections::BTreeMap<String, String> =
        request.uri().query().unwrap_or_default().split('&').filter_map(query_pair).collect();
    let (midway, lose) = match meet_faults(core, &request, &segments, &query).await? {
        Met::GoOn { midway, lose } => (midway, lose),
        Met::Refuse(failure) => return Ok(answer(Err(failure))),
    };
    let (requestor, trusted) = identify(core, source);
    let wants_events = segments.iter().map(String::as_str).eq(["1.0", "events"]);
    if wants_events && trusted {
        return Ok(websocket::accept(core, &mut request, &query).unwrap_or_else(|refusal| *refusal));
    }
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = ApiRequest {
        method: head.method,
        segments,
        query,
        headers: head.headers,
        body,
        requestor,
        trusted,
        midway,
    };
    let reply = api::answer(core, &request).await;
    tracing::debug!(method = %request.method, path = request.segments.join("/"), ok = reply.is_ok(), "answered");
    if lose {
        return Err(io::Error::other("the answer is lost, as a fault says"));
    }
    Ok(answer(reply))
}

fn query_pair(pair: &str) -> Option<(String, String)> {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    (!key.is_empty()).then(|| (decode(key), decode(value)))
}

/// What the faults leave of a request.
enum Met {
    GoOn { midway: Option<String>, lose: bool },
    Refuse(Failure),
}

async fn meet_faults(
    core: &Core,
    request: &Request<Incoming>,
    segments: &[String],
    query: &std::collections::BTreeMap<String, String>,
) -> io::Result<Met> {
    let method = request.method().as_str();
    let actions = {
        let mut state = core.lock();
        let mut key = format!("{method} /{}", api::pattern(segments).unwrap_or("unknown"));
        if let Some(depth) = query.get("recursion") {
            key.push_str("?recursion=");
            key.push_str(depth);
        }
        let count = state.requests.entry(key).or_default();
        *count = count.saturating_add(1);
        state.faults.meet(method, request.uri().path())
    };
    let (mut midway, mut lose) = (None, false);
    for action in actions {
        match action {
            Action::Delay(duration) => sleep(duration).await,
            Action::Error { code, message } => return Ok(Met::Refuse(Failure::new(code, message))),
            Action::Hang => std::future::pending().await,
            Action::CloseConnection => return Err(io::Error::other("closed, as a fault says")),
            Action::LoseAnswer => lose = true,
            Action::DropEvents => core.drop_event_sockets(),
            Action::FailOperationMidway(message) => midway = Some(message),
        }
    }
    Ok(Met::GoOn { midway, lose })
}

/// Who asks, and whether the server trusts them.
fn identify(core: &Core, source: &Source) -> (Requestor, bool) {
    match source {
        Source::Unix => {
            (Requestor { username: "root".into(), protocol: "unix".into(), address: "@".into() }, true)
        }
        Source::Tls { fingerprint, address } => {
            let username = fingerprint.clone().unwrap_or_default();
            let trusted = core.lock().certificates.contains_key(&username);
            (Requestor { username, protocol: "tls".into(), address: address.to_string() }, trusted)
        }
    }
}

/// The HTTP form of a reply.
pub(crate) fn answer(reply: Result<Reply, Failure>) -> Answer {
    let (status, envelope, tag, location) = match reply {
        Ok(Reply::Sync { metadata, etag }) => (StatusCode::OK, Envelope::sync(metadata), etag, None),
        Ok(Reply::Created { location }) => {
            (StatusCode::CREATED, Envelope::sync(serde_json::Value::Null), None, location)
        }
        Ok(Reply::Operation(operation)) => {
            let envelope = Envelope::operation(&operation.id, operation_value(&operation));
            let location = Some(envelope.operation.clone());
            (StatusCode::ACCEPTED, envelope, None, location)
        }
        Ok(Reply::Text(text)) => return plain(StatusCode::OK, "text/plain", text.into()),
        Err(Failure { code, message }) => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, Envelope::error(code, message), None, None)
        }
    };
    let mut body = match to_value(&envelope) {
        Ok(value) => value.to_string(),
        Err(failure) => failure.message,
    };
    body.push('\n');
    let mut response = plain(status, "application/json", body.into());
    let mut header = |name, value: Option<String>| {
        if let Some(value) = value.and_then(|text| HeaderValue::from_str(&text).ok()) {
            response.headers_mut().insert(name, value);
        }
    };
    header(ETAG, tag.map(|tag| format!("\"{tag}\"")));
    header(LOCATION, location);
    response
}

pub(crate) fn plain(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
