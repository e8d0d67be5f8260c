//! The client: what all endpoints share (envelope, ETag, project, extensions). The endpoints are in `api/`.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, Instant},
};

use http::Method;
use lxd_api::{Outcome, Response, ServerInfo};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    config::ClientConfig,
    error::Error,
    hub::EventHub,
    metrics,
    operation::OperationHandle,
    path::ApiPath,
    transport::{Body, Reply, Request, Transport},
};

/// A value with its ETag: send the tag back as `If-Match` and LXD refuses the change
/// ([`Error::PreconditionFailed`]) if somebody else was faster.
#[derive(Clone, Debug, PartialEq)]
pub struct Tagged<T> {
    /// What was read.
    pub value: T,
    /// Its ETag; `None` where LXD sends none.
    pub etag: Option<String>,
}

/// A client of one LXD daemon or cluster. Cheap to clone; all clones share connections and caches.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) transport: Transport,
    pub(crate) hub: EventHub,
    project: Option<String>,
    /// The certificate that we show over HTTPS.
    pub(crate) own: Option<CertificateDer<'static>>,
    extensions: RwLock<Option<Arc<HashSet<String>>>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("endpoint", &self.inner.transport.endpoint).finish_non_exhaustive()
    }
}

impl Client {
    /// Prepares a client. No I/O: a daemon that is down shows at the first request.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`]: HTTPS without a [`TlsIdentity`](crate::TlsIdentity), or PEM texts that
    /// cannot be used.
    pub fn new(config: ClientConfig) -> Result<Self, Error> {
        let transport = Transport::new(&config)?;
        let hub = EventHub::new(transport.clone(), config.project.clone());
        Ok(Self {
            inner: Arc::new(Inner {
                transport,
                hub,
                own: config
                    .tls
                    .and_then(|tls| CertificateDer::from_pem_slice(tls.client_cert_pem.as_bytes()).ok()),
                project: config.project,
                extensions: RwLock::new(None),
            }),
        })
    }

    /// The endpoint, for messages.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.inner.transport.endpoint
    }

    /// The project all requests name; `None` is LXD's `default`.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.inner.project.as_deref()
    }

    /// Whether this LXD has an API extension. Asked once (`GET /1.0`) and remembered; every
    /// [`Client::server_info`] brings it up to date, so call that after a reconnect.
    ///
    /// # Errors
    /// Those of [`Client::server_info`].
    pub async fn has_extension(&self, extension: &str) -> Result<bool, Error> {
        let known = self.inner.extensions.read().unwrap_or_else(PoisonError::into_inner).clone();
        match known {
            Some(known) => Ok(known.contains(extension)),
            None => Ok(self.server_info().await?.api_extensions.iter().any(|known| known == extension)),
        }
    }

    /// # Errors
    /// [`Error::MissingExtension`] if this LXD lacks it; those of [`Client::server_info`].
    pub(crate) async fn require_extension(&self, extension: &'static str) -> Result<(), Error> {
        if self.has_extension(extension).await? { Ok(()) } else { Err(Error::MissingExtension(extension)) }
    }

    pub(crate) fn remember_extensions(&self, info: &ServerInfo) {
        // The guest view of an untrusted client lists them all, too.
        let set = Arc::new(info.api_extensions.iter().cloned().collect());
        *self.inner.extensions.write().unwrap_or_else(PoisonError::into_inner) = Some(set);
    }

    pub(crate) fn request(&self, method: Method, path: ApiPath) -> Request {
        Request {
            method,
            path: path.project(self.project()),
            body: Body::Empty,
            if_match: None,
            headers: Vec::new(),
            timeout: self.inner.transport.timeouts.request,
        }
    }

    /// Sends; anything outside 2xx is an error.
    pub(crate) async fn send(&self, request: Request) -> Result<Reply, Error> {
        let (method, template) = (request.method.clone(), request.path.template().to_owned());
        let began = Instant::now();
        let result = self.exchange(request).await;
        metrics::request(method.as_str(), &template, &result, began.elapsed());
        result
    }

    async fn exchange(&self, request: Request) -> Result<Reply, Error> {
        let path = request.path.path().to_owned();
        let method = request.method.clone();
        let reply = self.inner.transport.send(request).await?;
        tracing::trace!(endpoint = self.endpoint(), %method, path, status = reply.status, "asked LXD");
        if (200..300).contains(&reply.status) {
            Ok(reply)
        } else {
            Err(Error::from_reply(self.endpoint(), &path, &reply))
        }
    }

    /// Sends and opens the envelope. An error envelope (LXD can send one under HTTP 200) is an error.
    pub(crate) async fn call(&self, request: Request) -> Result<(Outcome, Option<String>), Error> {
        let path = request.path.path().to_owned();
        let reply = self.send(request).await?;
        let envelope: Response = serde_json::from_slice(&reply.body)
            .map_err(|error| Error::Decode { path: path.clone(), reason: error.to_string() })?;
        match envelope.into_outcome() {
            Outcome::Error { code, message } => {
                Err(Error::from_refusal(self.endpoint(), &path, code, message))
            }
            outcome => Ok((outcome, reply.etag)),
        }
    }

    /// GET of one thing.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: ApiPath) -> Result<Tagged<T>, Error> {
        let name = path.path().to_owned();
        match self.call(self.request(Method::GET, path)).await? {
            (Outcome::Sync(metadata), etag) => Ok(Tagged { value: decode(&name, metadata)?, etag }),
            _ => Err(Error::Decode { path: name, reason: "an operation in place of a result".into() }),
        }
    }

    /// GET of a list. LXD sends `null` for an empty one.
    pub(crate) async fn list<T: DeserializeOwned>(&self, path: ApiPath) -> Result<Vec<T>, Error> {
        Ok(self.get::<Option<Vec<T>>>(path).await?.value.unwrap_or_default())
    }

    /// A change that is done when the answer is there.
    pub(crate) async fn change<B: Serialize + Sync + ?Sized>(
        &self,
        method: Method,
        path: ApiPath,
        body: Option<&B>,
        if_match: Option<&str>,
    ) -> Result<(), Error> {
        match self.command(method, path, body, if_match).await? {
            None => Ok(()),
            // Where one version answers at once another makes an operation of it.
            Some(operation) => operation.wait(self.inner.transport.timeouts.request).await.map(drop),
        }
    }

    /// A change that becomes an operation.
    pub(crate) async fn start<B: Serialize + Sync + ?Sized>(
        &self,
        method: Method,
        path: ApiPath,
        body: Option<&B>,
        if_match: Option<&str>,
    ) -> Result<OperationHandle, Error> {
        let name = path.path().to_owned();
        self.command(method, path, body, if_match)
            .await?
            .ok_or(Error::Decode { path: name, reason: "a result in place of an operation".into() })
    }

    /// A change that is done at once (`None`) or becomes an operation.
    pub(crate) async fn command<B: Serialize + Sync + ?Sized>(
        &self,
        method: Method,
        path: ApiPath,
        body: Option<&B>,
        if_match: Option<&str>,
    ) -> Result<Option<OperationHandle>, Error> {
        let mut request = self.request(method, path);
        request.if_match = if_match.map(str::to_owned);
        if let Some(body) = body {
            request.body = json(request.path.path(), body)?;
        }
        self.command_request(request).await
    }

    /// The same for a request that is already made.
    pub(crate) async fn command_request(&self, request: Request) -> Result<Option<OperationHandle>, Error> {
        let (method, name) = (request.method.clone(), request.path.path().to_owned());
        match self.call(request).await?.0 {
            Outcome::Async { metadata, .. } => {
                let handle = OperationHandle::new(self.clone(), decode(&name, metadata)?);
                tracing::debug!(%method, path = name, lxd_operation = handle.id(), "LXD took a command");
                Ok(Some(handle))
            }
            _ => Ok(None),
        }
    }

    /// A request that may take `extra` longer than others, because LXD is asked to wait.
    pub(crate) fn patient_request(&self, method: Method, path: ApiPath, extra: Duration) -> Request {
        let mut request = self.request(method, path);
        request.timeout = request.timeout.saturating_add(extra);
        request
    }
}

/// The type of "no body", for [`Client::change`] and [`Client::start`].
pub(crate) const NO_BODY: Option<&()> = None;

fn json<B: Serialize + ?Sized>(path: &str, body: &B) -> Result<Body, Error> {
    let bytes = serde_json::to_vec(body).map_err(|error| Error::Decode {
        path: path.to_owned(),
        reason: format!("our own request cannot be written as JSON: {error}"),
    })?;
    Ok(Body::Json(bytes.into()))
}

fn decode<T: DeserializeOwned>(path: &str, metadata: Value) -> Result<T, Error> {
    serde_json::from_value(metadata)
        .map_err(|error| Error::Decode { path: path.to_owned(), reason: error.to_string() })
}
