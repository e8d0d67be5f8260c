//! How a request gets to LXD: over the unix socket (hyper with hyperlocal) or over HTTPS (reqwest). Both give
//! the same [`Reply`], the same errors, and a raw byte stream for websockets.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use http::{
    Method, Request as HttpRequest,
    header::{CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MATCH, USER_AGENT},
};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use hyper_util::{client::legacy, rt::TokioExecutor};
use hyperlocal::UnixConnector;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::{
    config::{ClientConfig, Endpoint, Timeouts},
    error::{BoxError, Error},
    path::ApiPath,
    tls,
};

const AGENT: &str = concat!("vms-lxd-client/", env!("CARGO_PKG_VERSION"));

type UnixBody = UnsyncBoxBody<Bytes, std::io::Error>;

/// A body to send.
pub(crate) enum Body {
    Empty,
    Json(Bytes),
    /// Bytes in pieces, and what they are.
    Stream(HeaderValue, BoxStream<'static, Result<Bytes, std::io::Error>>),
}

/// A request to send.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) path: ApiPath,
    pub(crate) body: Body,
    pub(crate) if_match: Option<String>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) timeout: Duration,
}

/// An answer, complete.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Bytes,
}

/// A byte stream to LXD, whatever is underneath.
pub(crate) trait RawStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> RawStream for T {}

/// Connections to one endpoint. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Transport {
    /// For messages.
    pub(crate) endpoint: Arc<str>,
    pub(crate) timeouts: Timeouts,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Unix { socket: PathBuf, http: legacy::Client<UnixConnector, UnixBody> },
    Https { host: String, port: u16, tls: Arc<rustls::ClientConfig>, http: reqwest::Client },
}

impl Transport {
    /// Prepares connections; opens none.
    pub(crate) fn new(config: &ClientConfig) -> Result<Self, Error> {
        let kind = match &config.endpoint {
            Endpoint::Unix(socket) => Kind::Unix {
                socket: socket.clone(),
                // No pool: with one, hyper may open a connection "in the meantime" and send nothing on it. LXD 5.0
                // looks at the first bytes of a connection before it accepts the next one
                // (`StarttlsListener.Accept`), so a silent connection stops the whole daemon. Opening a unix socket
                // costs microseconds.
                http: legacy::Client::builder(TokioExecutor::new())
                    .pool_max_idle_per_host(0)
                    .build(UnixConnector),
            },
            Endpoint::Https { host, port } => {
                let identity = config.tls.as_ref().ok_or_else(|| {
                    Error::InvalidConfig(format!(
                        "{} needs a client certificate, its key, and the server's certificate to pin",
                        config.endpoint
                    ))
                })?;
                let tls = tls::client_config(identity)?;
                let http = reqwest::Client::builder()
                    .tls_backend_preconfigured(tls.clone())
                    .https_only(true)
                    .no_proxy()
                    .redirect(reqwest::redirect::Policy::none())
                    .connect_timeout(config.timeouts.connect)
                    .tcp_keepalive(config.timeouts.keepalive)
                    .build()
                    .map_err(|error| Error::InvalidConfig(format!("HTTPS client: {error}")))?;
                Kind::Https { host: host.clone(), port: *port, tls: Arc::new(tls), http }
            }
        };
        Ok(Self { endpoint: config.endpoint.to_string().into(), timeouts: config.timeouts, kind })
    }

    /// Sends a request and reads the whole answer, within the request's timeout.
    pub(crate) async fn send(&self, request: Request) -> Result<Reply, Error> {
        let limit = request.timeout;
        let what = format!("{} {}", request.method, request.path.path());
        let exchange = async {
            match &self.kind {
                Kind::Unix { socket, http } => self.send_unix(socket, http, request).await,
                Kind::Https { http, .. } => self.send_https(http, request).await,
            }
        };
        timeout(limit, exchange).await.unwrap_or_else(|_| {
            Err(Error::Timeout { endpoint: self.endpoint.to_string(), what, after: limit })
        })
    }

    async fn send_unix(
        &self,
        socket: &std::path::Path,
        http: &legacy::Client<UnixConnector, UnixBody>,
        request: Request,
    ) -> Result<Reply, Error> {
        let uri: hyper::Uri = hyperlocal::Uri::new(socket, &request.path.wire()).into();
        let mut headers = self.headers(&request)?;
        let body = match request.body {
            Body::Empty => Full::default().map_err(|never| match never {}).boxed_unsync(),
            Body::Json(bytes) => Full::new(bytes).map_err(|never| match never {}).boxed_unsync(),
            Body::Stream(_, stream) => StreamBody::new(stream.map_ok(Frame::data)).boxed_unsync(),
        };
        let mut message = HttpRequest::new(body);
        *message.method_mut() = request.method;
        *message.uri_mut() = uri;
        message.headers_mut().extend(headers.drain());
        let answer = http.request(message).await.map_err(|error| {
            let sent = !error.is_connect();
            self.broken(sent, error.into())
        })?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(|error| self.broken(true, error.into()))?.to_bytes();
        Ok(Reply { status: head.status.as_u16(), etag: etag(&head.headers), body })
    }

    async fn send_https(&self, http: &reqwest::Client, request: Request) -> Result<Reply, Error> {
        let url = format!("{}{}", self.endpoint, request.path.wire());
        let headers = self.headers(&request)?;
        let mut message = http.request(request.method, url).headers(headers);
        message = match request.body {
            Body::Empty => message,
            Body::Json(bytes) => message.body(bytes),
            Body::Stream(_, stream) => message.body(reqwest::Body::wrap_stream(stream)),
        };
        let answer = message.send().await.map_err(|error| {
            let sent = !error.is_connect() && !error.is_builder();
            self.broken(sent, error.without_url().into())
        })?;
        let (status, etag) = (answer.status().as_u16(), etag(answer.headers()));
        let body = answer.bytes().await.map_err(|error| self.broken(true, error.without_url().into()))?;
        Ok(Reply { status, etag, body })
    }

    fn headers(&self, request: &Request) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        match &request.body {
            Body::Empty => {}
            Body::Json(_) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Body::Stream(kind, _) => {
                headers.insert(CONTENT_TYPE, kind.clone());
            }
        }
        if let Some(tag) = &request.if_match {
            let value = HeaderValue::from_str(tag).map_err(|_| Error::InvalidName {
                what: "ETag",
                name: tag.chars().take(80).collect(),
                reason: "it cannot stand in a header; use the one that LXD sent",
            })?;
            headers.insert(IF_MATCH, value);
        }
        headers.extend(request.headers.iter().cloned());
        Ok(headers)
    }

    /// Opens a connection of its own, for a websocket. Gives the `ws(s)://host` to name in its handshake too.
    pub(crate) async fn connect(&self) -> Result<(Box<dyn RawStream>, String), Error> {
        let attempt = async {
            match &self.kind {
                Kind::Unix { socket, .. } => {
                    let stream = UnixStream::connect(socket).await.map_err(BoxError::from)?;
                    let stream: Box<dyn RawStream> = Box::new(stream);
                    Ok::<_, BoxError>((stream, "ws://lxd".to_owned()))
                }
                Kind::Https { host, port, tls, .. } => {
                    let name = rustls::pki_types::ServerName::try_from(host.clone())?;
                    let tcp = TcpStream::connect((host.as_str(), *port)).await?;
                    tcp.set_nodelay(true)?;
                    let stream = TlsConnector::from(Arc::clone(tls)).connect(name, tcp).await?;
                    let stream: Box<dyn RawStream> = Box::new(stream);
                    Ok((stream, self.endpoint.replacen("https", "wss", 1)))
                }
            }
        };
        match timeout(self.timeouts.connect, attempt).await {
            Ok(result) => result.map_err(|source| self.broken(false, source)),
            Err(_) => Err(self.broken(
                false,
                format!("no connection within {} ms", self.timeouts.connect.as_millis()).into(),
            )),
        }
    }

    /// The error for a connection that failed or broke.
    pub(crate) fn broken(&self, sent: bool, source: BoxError) -> Error {
        Error::from_connection(&self.endpoint, sent, source)
    }
}

fn etag(headers: &HeaderMap) -> Option<String> {
    headers.get(ETAG).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// A stream of bytes from anything that gives them in pieces.
pub(crate) fn byte_stream<S, E>(stream: S) -> BoxStream<'static, Result<Bytes, std::io::Error>>
where
    S: futures::Stream<Item = Result<Bytes, E>> + Send + 'static,
    E: Into<BoxError> + 'static,
{
    stream.map_err(std::io::Error::other).boxed()
}
