//! A small image server of our own on the loopback, as LXD fetches from it: simplestreams over plain HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

type Files = BTreeMap<&'static str, Vec<u8>>;

/// Serves one image under the alias `lab/1` until it is dropped.
pub struct Streams {
    pub url: String,
    serving: JoinHandle<()>,
}

impl Streams {
    pub async fn start(tarball: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let files = Arc::new(catalog(tarball));
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&files)));
            }
        });
        Self { url, serving }
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn catalog(tarball: Vec<u8>) -> Files {
    let architecture = if std::env::consts::ARCH == "aarch64" { "arm64" } else { "amd64" };
    let product = format!("lab:1:{architecture}:default");
    let sha256: String = Sha256::digest(&tarball).iter().map(|byte| format!("{byte:02x}")).collect();
    let index = json!({
        "format": "index:1.0",
        "index": { "images": {
            "datatype": "image-downloads", "path": "streams/v1/images.json", "format": "products:1.0",
            "products": [product],
        } },
    });
    let item = json!({
        "ftype": "lxd_combined.tar.gz", "path": "lab.tar.gz", "size": tarball.len(), "sha256": sha256,
    });
    let images = json!({
        "content_id": "images", "datatype": "image-downloads", "format": "products:1.0",
        "products": { product: {
            "aliases": "lab/1", "arch": architecture, "os": "Lab", "release": "1", "release_title": "1",
            "versions": { "20260101": { "items": { "lxd_combined.tar.gz": item } } },
        } },
    });
    Files::from([
        ("/streams/v1/index.json", index.to_string().into_bytes()),
        ("/streams/v1/images.json", images.to_string().into_bytes()),
        ("/lab.tar.gz", tarball),
    ])
}

/// One request, one answer, and the connection is closed.
async fn answer(stream: TcpStream, files: Arc<Files>) {
    let mut stream = BufReader::new(stream);
    let (mut first, mut line) = (String::new(), String::new());
    if stream.read_line(&mut first).await.is_err() {
        return;
    }
    while stream.read_line(&mut line).await.is_ok_and(|length| length > 2) {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let found = files.get(path.as_str()).cloned();
    let (status, body) = found.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let mut answer = head.into_bytes();
    answer.extend(body);
    // Whoever went away wants no answer.
    drop(stream.write_all(&answer).await);
    drop(stream.shutdown().await);
}
