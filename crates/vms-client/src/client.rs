//! The client: one method per operation of the API. Paths and bodies stand here and nowhere else.

use std::fmt::Write as _;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;
use vms_types::{
    API_PREFIX, BulkAnswer, BulkRequest, CreateMachine, CreateSnapshot, EventTicket, Image, LoginRequest,
    Machine, MachineStatus, Me, NewToken, Operation, Page, PatchMachine, Problem, Profile, RenameSnapshot,
    Site, Snapshot, StateChange, TokenCreated, TokenResponse, TokenView,
};

use crate::error::ClientError;
use crate::session::Session;
use crate::transport::{HttpRequest, HttpResponse, Method, Transport};

/// What is percent-encoded in a path segment or a query value: all but the unreserved characters of RFC 3986 §2.3.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The answer to a conditional read.
#[derive(Debug, Clone, PartialEq)]
pub enum Conditional<T> {
    /// 304: what the caller has is still true.
    NotModified,
    /// Something newer.
    Data {
        /// The thing itself.
        value: T,
        /// To be sent with the next read.
        etag: Option<String>,
    },
}

/// Which machines to list (`GET /machines`). Empty: one's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MachineQuery {
    /// Only this person's.
    pub owner: Option<String>,
    /// Only those in this status.
    pub status: Option<MachineStatus>,
    /// Only those on this server.
    pub server: Option<String>,
    /// Only those made from the image with this alias.
    pub image: Option<String>,
    /// Only those with this profile.
    pub profile: Option<String>,
    /// Only those with this text in their name, instance, owner, description or address.
    pub q: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Where the page starts (`next_cursor` of the page before).
    pub cursor: Option<String>,
}

impl MachineQuery {
    fn path(&self) -> String {
        let parameters = [
            ("owner", self.owner.clone()),
            ("status", self.status.map(|status| status.as_str().to_owned())),
            ("server", self.server.clone()),
            ("image", self.image.clone()),
            ("profile", self.profile.clone()),
            ("q", self.q.clone()),
            ("limit", self.limit.map(|limit| limit.to_string())),
            ("cursor", self.cursor.clone()),
        ];
        query("/machines", parameters)
    }
}

/// How much of a list, and which part of it. Empty: the beginning, as much as the server likes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageQuery {
    /// At most so many.
    pub limit: Option<u32>,
    /// Where the page starts (`next_cursor` of the page before).
    pub cursor: Option<String>,
}

impl PageQuery {
    pub(crate) fn path(&self, path: &str) -> String {
        query(path, [("limit", self.limit.map(|limit| limit.to_string())), ("cursor", self.cursor.clone())])
    }
}

/// A path with those parameters that are there.
pub(crate) fn query<const N: usize>(path: &str, parameters: [(&str, Option<String>); N]) -> String {
    let mut path = path.to_owned();
    let mut separator = '?';
    for (name, value) in parameters.into_iter().filter_map(|(name, value)| value.map(|v| (name, v))) {
        // Writing to a String cannot fail.
        let _ = write!(path, "{separator}{name}={}", segment(&value));
        separator = '&';
    }
    path
}

pub(crate) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// `GET /events`, below the server's own address; only a websocket goes there.
#[cfg(any(feature = "fetch", feature = "native"))]
pub(crate) fn event_path(ticket: &str, since: Option<u64>, all: bool) -> String {
    let since = since.map(|since| format!("&since={since}")).unwrap_or_default();
    let all = if all { "&all=true" } else { "" };
    format!("{API_PREFIX}/events?ticket={}{since}{all}", segment(ticket))
}

fn machine_path(machine: &str) -> String {
    format!("/machines/{}", segment(machine))
}

fn snapshot_path(machine: &str, snapshot: &str) -> String {
    format!("{}/snapshots/{}", machine_path(machine), segment(snapshot))
}

/// A client of one VMS. Cheap to clone; clones share the session.
#[derive(Debug)]
pub struct ApiClient<T> {
    inner: Arc<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    transport: T,
    base: String,
    session: Session,
}

impl<T> Clone for ApiClient<T> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

/// One call before it is a request.
pub(crate) struct Call {
    method: Method,
    path: String,
    body: Option<String>,
    header: Option<(&'static str, String)>,
}

impl Call {
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None, header: None }
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        let text = serde_json::to_string(body).map_err(|error| ClientError::Decode {
            what: format!("{} {}", self.method.as_str(), self.path),
            status: 0,
            reason: error.to_string(),
        })?;
        self.body = Some(text);
        Ok(self)
    }

    pub(crate) fn header(mut self, name: &'static str, value: Option<String>) -> Self {
        self.header = value.map(|value| (name, value));
        self
    }
}

impl<T: Transport> ApiClient<T> {
    /// A client of the VMS at `base` (`http://127.0.0.1:8080`; empty in the browser: the page's own origin).
    #[must_use]
    pub fn new(transport: T, base: &str) -> Self {
        let base = base.trim_end_matches('/').to_owned();
        Self { inner: Arc::new(Inner { transport, base, session: Session::default() }) }
    }

    /// The server's own address, without a slash at its end.
    #[cfg(all(feature = "native", not(target_arch = "wasm32")))]
    pub(crate) fn base(&self) -> &str {
        &self.inner.base
    }

    /// Uses a token from elsewhere: a personal access token, or an access token kept by the caller.
    pub fn set_token(&self, token: Option<String>) {
        self.inner.session.set_token(token);
    }

    /// The access token in use. Never store it.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        self.inner.session.token()
    }

    /// `GET /site`: what the login page shows. Open to anyone.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn site(&self) -> Result<Site, ClientError> {
        self.open(Call::new(Method::Get, "/site")).await
    }

    /// `POST /auth/login`: keeps the access token in memory; the refresh token becomes a cookie.
    ///
    /// # Errors
    /// `invalid-credentials`, `account-not-allowed`, `too-many-attempts`, `directory-unavailable`.
    pub async fn login(&self, username: &str, password: &str) -> Result<TokenResponse, ClientError> {
        let body = LoginRequest { username: username.to_owned(), password: password.to_owned() };
        let tokens: TokenResponse = self.open(Call::new(Method::Post, "/auth/login").json(&body)?).await?;
        self.set_token(Some(tokens.access_token.clone()));
        Ok(tokens)
    }

    /// `POST /auth/refresh`: a new access token for the cookie. Calls at the same time share one request.
    ///
    /// # Errors
    /// `session-expired` when the cookie is missing, too old, or was used before.
    pub async fn refresh(&self) -> Result<(), ClientError> {
        self.renew(self.token().as_deref()).await
    }

    /// `POST /auth/logout`: ends the session on the server and forgets the token.
    ///
    /// # Errors
    /// See [`ClientError`]. The token is forgotten in any case.
    pub async fn logout(&self) -> Result<(), ClientError> {
        let call = Call::new(Method::Post, "/auth/logout");
        let answer = self.send(&call, self.token().as_deref()).await;
        self.set_token(None);
        check(&call, answer?).map(|_| ())
    }

    /// `GET /me`: who one is and what one may use.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn me(&self) -> Result<Me, ClientError> {
        self.call(Call::new(Method::Get, "/me")).await
    }

    /// `POST /events/ticket`: a pass for one websocket.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn event_ticket(&self) -> Result<EventTicket, ClientError> {
        self.call(Call::new(Method::Post, "/events/ticket")).await
    }

    /// `GET /machines`, with `If-None-Match` where an `etag` of an earlier answer is given.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn machines(
        &self,
        query: &MachineQuery,
        etag: Option<&str>,
    ) -> Result<Conditional<Page<Machine>>, ClientError> {
        self.conditional(Call::new(Method::Get, query.path()), etag).await
    }

    /// `GET /machines/{machine}`; `machine` is an id or an instance name, here and below.
    ///
    /// # Errors
    /// `not-found`, also for someone else's.
    pub async fn machine(
        &self,
        machine: &str,
        etag: Option<&str>,
    ) -> Result<Conditional<Machine>, ClientError> {
        self.conditional(Call::new(Method::Get, machine_path(machine)), etag).await
    }

    /// `POST /machines`. Repeating it with the same `idempotency_key` makes no second machine.
    ///
    /// # Errors
    /// `validation-failed`, `name-taken`, `quota-exceeded`, `server-unavailable`…
    pub async fn create_machine(
        &self,
        machine: &CreateMachine,
        idempotency_key: &str,
    ) -> Result<Operation, ClientError> {
        let call = Call::new(Method::Post, "/machines")
            .json(machine)?
            .header("idempotency-key", Some(idempotency_key.to_owned()));
        self.call(call).await
    }

    /// `PATCH /machines/{machine}`; with `if_match`, only if nobody changed it since.
    ///
    /// # Errors
    /// `not-found`, `precondition-failed`, `validation-failed`.
    pub async fn patch_machine(
        &self,
        machine: &str,
        patch: &PatchMachine,
        if_match: Option<&str>,
    ) -> Result<Machine, ClientError> {
        let call = Call::new(Method::Patch, machine_path(machine))
            .json(patch)?
            .header("if-match", if_match.map(str::to_owned));
        self.call(call).await
    }

    /// `PUT /machines/{machine}/state`: on, off, restart, pause, go on.
    ///
    /// # Errors
    /// `wrong-state`, `machine-busy`, `not-found`…
    pub async fn set_state(&self, machine: &str, change: &StateChange) -> Result<Operation, ClientError> {
        self.call(Call::new(Method::Put, format!("{}/state", machine_path(machine))).json(change)?).await
    }

    /// `POST /machines/{machine}/reset`: the machine as its image made it.
    ///
    /// # Errors
    /// `wrong-state`, `machine-busy`, `not-found`…
    pub async fn reset_machine(&self, machine: &str) -> Result<Operation, ClientError> {
        self.call(Call::new(Method::Post, format!("{}/reset", machine_path(machine)))).await
    }

    /// `DELETE /machines/{machine}`, with its snapshots.
    ///
    /// # Errors
    /// `wrong-state`, `machine-busy`, `not-found`…
    pub async fn delete_machine(&self, machine: &str) -> Result<Operation, ClientError> {
        self.call(Call::new(Method::Delete, machine_path(machine))).await
    }

    /// `POST /machines/bulk`: one command to up to 100 machines; the answer says what became of each.
    ///
    /// # Errors
    /// `validation-failed`. What is refused for one machine stands in the answer.
    pub async fn bulk(&self, request: &BulkRequest) -> Result<BulkAnswer, ClientError> {
        self.call(Call::new(Method::Post, "/machines/bulk").json(request)?).await
    }

    /// `GET /machines/{machine}/snapshots`, oldest first.
    ///
    /// # Errors
    /// `not-found`.
    pub async fn snapshots(&self, machine: &str) -> Result<Page<Snapshot>, ClientError> {
        self.call(Call::new(Method::Get, format!("{}/snapshots", machine_path(machine)))).await
    }

    /// `POST /machines/{machine}/snapshots`.
    ///
    /// # Errors
    /// `validation-failed`, `name-taken`, `quota-exceeded`, `machine-busy`…
    pub async fn create_snapshot(&self, machine: &str, name: &str) -> Result<Operation, ClientError> {
        let body = CreateSnapshot { name: name.to_owned() };
        self.call(Call::new(Method::Post, format!("{}/snapshots", machine_path(machine))).json(&body)?).await
    }

    /// `PATCH /machines/{machine}/snapshots/{snapshot}`: another name.
    ///
    /// # Errors
    /// `validation-failed`, `name-taken`, `not-found`, `machine-busy`…
    pub async fn rename_snapshot(
        &self,
        machine: &str,
        snapshot: &str,
        name: &str,
    ) -> Result<Operation, ClientError> {
        let body = RenameSnapshot { name: name.to_owned() };
        self.call(Call::new(Method::Patch, snapshot_path(machine, snapshot)).json(&body)?).await
    }

    /// `DELETE /machines/{machine}/snapshots/{snapshot}`.
    ///
    /// # Errors
    /// `not-found`, `machine-busy`…
    pub async fn delete_snapshot(&self, machine: &str, snapshot: &str) -> Result<Operation, ClientError> {
        self.call(Call::new(Method::Delete, snapshot_path(machine, snapshot))).await
    }

    /// `POST /machines/{machine}/snapshots/{snapshot}/restore`: back to that moment.
    ///
    /// # Errors
    /// `not-found`, `wrong-state`, `machine-busy`…
    pub async fn restore_snapshot(&self, machine: &str, snapshot: &str) -> Result<Operation, ClientError> {
        self.call(Call::new(Method::Post, format!("{}/restore", snapshot_path(machine, snapshot)))).await
    }

    /// `GET /operations`: one's own, newest first.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn operations(&self) -> Result<Page<Operation>, ClientError> {
        self.call(Call::new(Method::Get, "/operations")).await
    }

    /// `GET /operations/{id}`.
    ///
    /// # Errors
    /// `not-found`.
    pub async fn operation(&self, id: Uuid) -> Result<Operation, ClientError> {
        self.call(Call::new(Method::Get, format!("/operations/{id}"))).await
    }

    /// `GET /operations/{id}/wait`: answers when the operation ends, or after `timeout_seconds` as it is then.
    ///
    /// # Errors
    /// `not-found`.
    pub async fn wait_operation(&self, id: Uuid, timeout_seconds: u32) -> Result<Operation, ClientError> {
        let path = format!("/operations/{id}/wait?timeout_seconds={timeout_seconds}");
        self.call(Call::new(Method::Get, path)).await
    }

    /// `DELETE /operations/{id}`: stops it, where LXD can.
    ///
    /// # Errors
    /// `not-found`, `not-cancellable`.
    pub async fn cancel_operation(&self, id: Uuid) -> Result<(), ClientError> {
        self.send_authorized(&Call::new(Method::Delete, format!("/operations/{id}"))).await.map(|_| ())
    }

    /// `GET /images`: those one may use.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn images(&self) -> Result<Page<Image>, ClientError> {
        self.call(Call::new(Method::Get, "/images")).await
    }

    /// `GET /profiles`: those one may use.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn profiles(&self) -> Result<Page<Profile>, ClientError> {
        self.call(Call::new(Method::Get, "/profiles")).await
    }

    /// `GET /tokens`: one's personal access tokens, without their secrets.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn tokens(&self) -> Result<Page<TokenView>, ClientError> {
        self.call(Call::new(Method::Get, "/tokens")).await
    }

    /// `POST /tokens`. The secret in the answer is shown this once.
    ///
    /// # Errors
    /// `validation-failed`, `forbidden`.
    pub async fn create_token(&self, token: &NewToken) -> Result<TokenCreated, ClientError> {
        self.call(Call::new(Method::Post, "/tokens").json(token)?).await
    }

    /// `DELETE /tokens/{id}`.
    ///
    /// # Errors
    /// `not-found`.
    pub async fn delete_token(&self, id: Uuid) -> Result<(), ClientError> {
        self.send_authorized(&Call::new(Method::Delete, format!("/tokens/{id}"))).await.map(|_| ())
    }

    pub(crate) async fn call<R: DeserializeOwned>(&self, call: Call) -> Result<R, ClientError> {
        let answer = self.send_authorized(&call).await?;
        decode(&call, &answer)
    }

    async fn open<R: DeserializeOwned>(&self, call: Call) -> Result<R, ClientError> {
        let answer = check(&call, self.send(&call, None).await?)?;
        decode(&call, &answer)
    }

    pub(crate) async fn conditional<R: DeserializeOwned>(
        &self,
        call: Call,
        etag: Option<&str>,
    ) -> Result<Conditional<R>, ClientError> {
        let call = call.header("if-none-match", etag.map(str::to_owned));
        let answer = self.send_authorized(&call).await?;
        if answer.status == 304 {
            return Ok(Conditional::NotModified);
        }
        Ok(Conditional::Data { value: decode(&call, &answer)?, etag: answer.etag })
    }

    /// Sends with the token; renews the session once where the server says that it ended.
    pub(crate) async fn send_authorized(&self, call: &Call) -> Result<HttpResponse, ClientError> {
        let token = self.token();
        let first = check(call, self.send(call, token.as_deref()).await?);
        match first {
            Err(error) if error.is_session_ended() => {
                match self.renew(token.as_deref()).await {
                    Ok(()) => {}
                    // The server said no: the session is over, which is what the first answer said too.
                    Err(ClientError::Problem(problem)) if problem.status < 500 => return Err(error),
                    Err(other) => return Err(other),
                }
                check(call, self.send(call, self.token().as_deref()).await?)
            }
            other => other,
        }
    }

    /// Renews the session unless someone did since `seen` was the token.
    async fn renew(&self, seen: Option<&str>) -> Result<(), ClientError> {
        let _single = self.inner.session.renewal.lock().await;
        let current = self.token();
        if current.is_some() && current.as_deref() != seen {
            return Ok(());
        }
        let _other_tabs = self.inner.transport.alone().await;
        let tokens: TokenResponse = self.open(Call::new(Method::Post, "/auth/refresh")).await?;
        self.set_token(Some(tokens.access_token));
        Ok(())
    }

    async fn send(&self, call: &Call, token: Option<&str>) -> Result<HttpResponse, ClientError> {
        let mut headers = vec![("accept", "application/json, application/problem+json".to_owned())];
        if let Some(token) = token {
            headers.push(("authorization", format!("Bearer {token}")));
        }
        if call.body.is_some() {
            headers.push(("content-type", "application/json".to_owned()));
        }
        headers.extend(call.header.clone());
        let request = HttpRequest {
            method: call.method,
            url: format!("{}{API_PREFIX}{}", self.inner.base, call.path),
            headers,
            body: call.body.clone(),
        };
        self.inner.transport.send(request).await.map_err(ClientError::Network)
    }
}

/// Turns an answer with an error status into the problem it carries.
fn check(call: &Call, answer: HttpResponse) -> Result<HttpResponse, ClientError> {
    if (200..300).contains(&answer.status) || answer.status == 304 {
        return Ok(answer);
    }
    let problem = decode::<Problem>(call, &answer)?;
    Err(ClientError::Problem(Box::new(problem)))
}

/// The value of an answer that another way than the transport brought, or the problem it carries.
#[cfg(feature = "fetch")]
pub(crate) fn read_answer<R: DeserializeOwned>(
    method: Method,
    path: &str,
    answer: HttpResponse,
) -> Result<R, ClientError> {
    let call = Call::new(method, path);
    decode(&call, &check(&call, answer)?)
}

fn decode<R: DeserializeOwned>(call: &Call, answer: &HttpResponse) -> Result<R, ClientError> {
    serde_json::from_str(&answer.body).map_err(|error| ClientError::Decode {
        what: format!("{} {}", call.method.as_str(), call.path),
        status: answer.status,
        reason: error.to_string(),
    })
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
