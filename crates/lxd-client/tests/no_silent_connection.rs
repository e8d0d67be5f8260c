//! LXD 5.0 reads the first bytes of a connection on its unix socket before it accepts the next one. A client that opens
//! one and says nothing (a pool that connects ahead of time does that) stops the daemon for everybody. The server here
//! accepts as LXD does; whatever the client does in parallel, it must never wait for a connection's first bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lxd_client::{Client, ClientConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

/// How long a connection may be silent. Not the tightest: the machine may be busy.
const LIMIT: Duration = Duration::from_secs(10);

const BODY: &str = r#"{"type":"sync","status":"Success","status_code":200,"metadata":{"api_extensions":[]}}"#;

/// Answers every request on a connection.
async fn answer(mut connection: UnixStream, mut received: Vec<u8>) {
    loop {
        while let Some(end) = received.windows(4).position(|w| w == b"\r\n\r\n") {
            received.drain(..end + 4);
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
                BODY.len()
            );
            if connection.write_all((head + BODY).as_bytes()).await.is_err() {
                return;
            }
        }
        match connection.read_buf(&mut received).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_speaks_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("unix.socket");
    let listener = UnixListener::bind(&socket).unwrap();
    let accepted = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&accepted);
    let server = tokio::spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut first = Vec::new();
            let heard = tokio::time::timeout(LIMIT, connection.read_buf(&mut first)).await;
            assert!(heard.is_ok(), "a connection was opened and nothing was said on it");
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(connection, first));
        }
    });
    let client =
        Client::new(ClientConfig::new(format!("unix://{}", socket.display()).parse().unwrap())).unwrap();
    let many: Vec<_> = (0..24)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    client.server_info().await.unwrap();
                }
            })
        })
        .collect();
    for one in many {
        one.await.unwrap();
    }
    assert_eq!(
        accepted.load(Ordering::SeqCst),
        24 * 100,
        "each request has a connection of its own: no pool"
    );
    // Connections are taken one after the other: where a silent one was left, this request would get no answer.
    tokio::time::timeout(LIMIT / 2, client.server_info())
        .await
        .expect("a silent connection is before it")
        .unwrap();
    assert!(!server.is_finished(), "the server ended: {:?}", server.await);
    server.abort();
}
