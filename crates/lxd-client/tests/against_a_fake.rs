//! The client against a scripted daemon, for what a real one shows only by luck: events lost midway, answers
//! that never come, operations forgotten. The behaviour of real daemons is checked elsewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use lxd_api::{EventType, InstanceAction, InstanceStatePut, Operation};
use lxd_client::{Client, ClientConfig, Error, OperationHandle, Timeouts, TlsIdentity};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, UnixListener},
    sync::Notify,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};

const ID: &str = "6916c8a6-9b7d-4abd-90b3-aedfec7ec7da";
const LIMIT: Duration = Duration::from_secs(10);

/// What the events websocket does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Events {
    /// Tells the end of the operation once the client has asked for its state.
    TellEnd,
    /// Breaks at that moment.
    Break,
    /// Is refused.
    Refuse,
    /// Stands, and tells nothing of this operation.
    Silent,
}

/// What GET of the operation, or of its `/wait`, says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Running,
    Forgotten,
}

struct Script {
    events: Events,
    known: Known,
    end: Value,
    asked: Notify,
    ponged: Notify,
    requests: Mutex<Vec<String>>,
}

impl Script {
    fn new(events: Events, known: Known, end: Value) -> Arc<Self> {
        Arc::new(Self {
            events,
            known,
            end,
            asked: Notify::new(),
            ponged: Notify::new(),
            requests: Mutex::default(),
        })
    }

    fn count(&self, request: &str) -> usize {
        self.requests.lock().unwrap().iter().filter(|seen| *seen == request).count()
    }
}

fn operation(code: u16, err: &str) -> Value {
    json!({"id": ID, "class": "task", "description": "Starting instance", "status_code": code, "err": err,
           "resources": {"instances": ["/1.0/instances/a"]}, "metadata": null})
}

fn answer(code: u16, body: &Value) -> Response<Full<Bytes>> {
    Response::builder().status(code).body(Full::new(body.to_string().into())).unwrap()
}

async fn serve(script: Arc<Script>, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
    let seen = format!("{} {}", request.method(), request.uri().path());
    script.requests.lock().unwrap().push(seen.clone());
    let of_operation = format!("/1.0/operations/{ID}");
    match seen.split_once(' ').unwrap() {
        ("GET", "/1.0/events") if script.events != Events::Refuse => {
            let key = derive_accept_key(request.headers()["sec-websocket-key"].as_bytes());
            tokio::spawn(async move {
                let upgraded = hyper::upgrade::on(&mut request).await.unwrap();
                tell(&script, TokioIo::new(upgraded)).await;
            });
            Response::builder()
                .status(101)
                .header("connection", "upgrade")
                .header("upgrade", "websocket")
                .header("sec-websocket-accept", key)
                .body(Full::default())
                .unwrap()
        }
        ("PUT", "/1.0/instances/a/state") => answer(
            202,
            &json!({"type": "async", "status_code": 100, "operation": of_operation, "metadata": operation(103, "")}),
        ),
        ("GET", path) if path == of_operation && script.known == Known::Running => {
            script.asked.notify_one();
            // Once LXD has been asked to wait, it has ended.
            let waited = script.count(&format!("GET {of_operation}/wait")) > 0;
            let again = script.events == Events::Silent && script.count(&seen) > 1;
            let state = if waited || again { script.end.clone() } else { operation(103, "") };
            answer(200, &json!({"type": "sync", "metadata": state}))
        }
        ("GET", path) if path == format!("{of_operation}/wait") && script.known == Known::Running => {
            answer(200, &json!({"type": "sync", "metadata": script.end}))
        }
        ("GET", "/1.0/instances/hangs") => std::future::pending().await,
        _ => answer(404, &json!({"type": "error", "error": "not found", "error_code": 404})),
    }
}

async fn tell<S: AsyncRead + AsyncWrite + Unpin>(script: &Script, stream: S) {
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    socket.send(Message::text("keepalive")).await.unwrap();
    socket.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
    script.asked.notified().await;
    if script.events == Events::Break {
        return;
    }
    if script.events == Events::Silent {
        return std::future::pending().await;
    }
    let other = json!({"type": "operation", "metadata": {"id": "another", "status_code": 200}});
    let ours = json!({"type": "operation", "timestamp": "2026-11-22T10:00:00Z", "metadata": script.end});
    socket.send(Message::text(other.to_string())).await.unwrap();
    socket.send(Message::text(ours.to_string())).await.unwrap();
    while let Some(Ok(message)) = socket.next().await {
        if message.is_pong() {
            script.ponged.notify_one();
        }
    }
}

/// A daemon on a socket of its own; both go with the directory and the runtime.
fn start(script: &Arc<Script>) -> (tempfile::TempDir, Client) {
    let directory = tempfile::tempdir().unwrap();
    let socket = directory.path().join("unix.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let script = Arc::clone(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let script = Arc::clone(&script);
            let service = service_fn(move |request| {
                let script = Arc::clone(&script);
                async move { Ok::<_, std::convert::Infallible>(serve(script, request).await) }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .with_upgrades();
            tokio::spawn(connection);
        }
    });
    let config = ClientConfig::new(format!("unix://{}", socket.display()).parse().unwrap());
    let timeouts = Timeouts { request: Duration::from_secs(1), ..Timeouts::default() };
    (directory, Client::new(config.with_timeouts(timeouts)).unwrap())
}

async fn begin(client: &Client) -> OperationHandle {
    client.set_instance_state("a", &InstanceStatePut::new(InstanceAction::Start)).await.unwrap()
}

#[tokio::test]
async fn waiting_ends_by_an_event_after_one_look() {
    let script = Script::new(Events::TellEnd, Known::Running, operation(200, ""));
    let (_directory, client) = start(&script);
    let handle = begin(&client).await;
    assert_eq!(handle.id(), ID);
    let ended: Operation = handle.wait(LIMIT).await.unwrap();
    assert!(ended.status_code.is_success());
    assert_eq!(script.count(&format!("GET /1.0/operations/{ID}")), 1, "no polling");
    tokio::time::timeout(LIMIT, script.ponged.notified()).await.expect("LXD's ping was not answered");
}

/// LXD accepts the websocket a moment before it begins to send.
#[tokio::test]
async fn an_event_that_is_lost_costs_a_moment_and_not_the_operation() {
    let script = Script::new(Events::Silent, Known::Running, operation(200, ""));
    let (_directory, client) = start(&script);
    begin(&client).await.wait(LIMIT).await.unwrap();
    assert_eq!(script.count(&format!("GET /1.0/operations/{ID}")), 2);
    assert_eq!(script.count(&format!("GET /1.0/operations/{ID}/wait")), 0);
}

#[tokio::test]
async fn all_who_wait_share_one_websocket() {
    let script = Script::new(Events::TellEnd, Known::Running, operation(200, ""));
    let (_directory, client) = start(&script);
    let (one, two) = (begin(&client).await, begin(&client.clone()).await);
    let (first, second) = tokio::join!(one.wait(LIMIT), two.wait(LIMIT));
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(script.count("GET /1.0/events"), 1);
}

#[tokio::test]
async fn a_failed_operation_says_why_and_a_cancelled_one_that_it_was() {
    let script = Script::new(Events::TellEnd, Known::Running, operation(400, "no space left"));
    let (_directory, client) = start(&script);
    match begin(&client).await.wait(LIMIT).await {
        Err(Error::OperationFailed { id, message }) => {
            assert_eq!((id.as_str(), &*message), (ID, "no space left"));
        }
        other => panic!("{other:?}"),
    }
    let script = Script::new(Events::TellEnd, Known::Running, operation(401, ""));
    let (_directory, client) = start(&script);
    assert!(begin(&client).await.wait(LIMIT).await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn without_events_lxd_is_asked_to_wait() {
    for events in [Events::Break, Events::Refuse] {
        let script = Script::new(events, Known::Running, operation(200, ""));
        let (_directory, client) = start(&script);
        begin(&client).await.wait(LIMIT).await.unwrap();
        assert_eq!(script.count(&format!("GET /1.0/operations/{ID}/wait")), 1);
    }
}

#[tokio::test]
async fn a_forgotten_operation_is_lost_and_not_waited_for() {
    for events in [Events::TellEnd, Events::Refuse] {
        let script = Script::new(events, Known::Forgotten, operation(200, ""));
        let (_directory, client) = start(&script);
        let error = begin(&client).await.wait(LIMIT).await.unwrap_err();
        assert!(error.is_operation_lost(), "{error}");
    }
}

#[tokio::test]
async fn the_event_stream_skips_keepalives_and_ends_with_an_error() {
    let script = Script::new(Events::TellEnd, Known::Running, operation(200, ""));
    let (_directory, client) = start(&script);
    let mut events = client.events(&[EventType::Operation]).await.unwrap();
    script.asked.notify_one();
    assert_eq!(events.next().await.unwrap().unwrap().metadata["id"], "another");
    assert_eq!(events.next().await.unwrap().unwrap().metadata["id"], ID);

    let script = Script::new(Events::Break, Known::Running, operation(200, ""));
    let (_directory, client) = start(&script);
    let mut events = client.events(&[EventType::Operation]).await.unwrap();
    script.asked.notify_one();
    assert!(events.next().await.unwrap().unwrap_err().is_unreachable());
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn an_answer_that_never_comes_is_a_timeout_and_a_missing_daemon_is_unreachable() {
    let script = Script::new(Events::Refuse, Known::Running, Value::Null);
    let (directory, client) = start(&script);
    let error = tokio::time::timeout(LIMIT, client.instance("hangs")).await.unwrap().unwrap_err();
    assert!(error.is_timeout() && error.may_have_been_executed(), "{error}");

    let endpoint = format!("unix://{}/nobody", directory.path().display());
    let client = Client::new(ClientConfig::new(endpoint.parse().unwrap())).unwrap();
    let error = client.server_info().await.unwrap_err();
    assert!(error.is_unreachable() && !error.may_have_been_executed(), "{error}");
    assert!(client.events(&[EventType::Lifecycle]).await.unwrap_err().is_unreachable());
}

#[tokio::test]
async fn bad_names_never_reach_lxd() {
    let script = Script::new(Events::Refuse, Known::Running, Value::Null);
    let (_directory, client) = start(&script);
    for name in ["../profiles/default", "a/state", ""] {
        assert!(matches!(client.delete_instance(name).await, Err(Error::InvalidName { .. })), "{name:?}");
        assert!(
            matches!(client.restore_snapshot("a", name).await, Err(Error::InvalidName { .. })),
            "{name:?}"
        );
        assert!(
            matches!(client.rename_instance("a", name).await, Err(Error::InvalidName { .. })),
            "{name:?}"
        );
    }
    assert!(script.requests.lock().unwrap().is_empty());
}

/// Only the pinned certificate is accepted, for requests and for the websocket.
#[tokio::test]
async fn another_certificate_than_the_pinned_one_is_mistrust() {
    let pair = || rcgen::generate_simple_self_signed(["lxd".to_owned()]).unwrap();
    let (server, other, ours) = (pair(), pair(), pair());
    let key = rustls::pki_types::PrivateKeyDer::try_from(server.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![server.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("https://127.0.0.1:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                // A client that mistrusts us hangs up here.
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let service = service_fn(|_| async {
                    let body = json!({"type": "sync", "metadata": {"auth": "untrusted"}});
                    Ok::<_, std::convert::Infallible>(answer(200, &body))
                });
                let http = hyper::server::conn::http1::Builder::new();
                drop(http.serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
    let client = |pinned: &str| {
        let tls = TlsIdentity {
            client_cert_pem: ours.cert.pem(),
            client_key_pem: ours.signing_key.serialize_pem(),
            server_cert_pem: pinned.to_owned(),
        };
        Client::new(ClientConfig::new(endpoint.parse().unwrap()).with_tls(tls)).unwrap()
    };
    let right = client(&server.cert.pem());
    assert!(!right.server_info().await.unwrap().is_trusted());
    assert!(right.check_trusted().await.unwrap_err().is_untrusted());
    let wrong = client(&other.cert.pem());
    let error = wrong.server_info().await.unwrap_err();
    assert!(error.is_untrusted() && error.to_string().contains("pinned"), "{error}");
    assert!(wrong.events(&[EventType::Lifecycle]).await.unwrap_err().is_untrusted());
}
