//! The API as a stranger's script uses it: paths, JSON and status codes, nothing of our own types.
//!
//! Every answer is checked for what all of them promise: whatever is not 2xx is `application/problem+json` with its
//! six fields, names the request, and says in `Retry-After` when to come back if it is a 503.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use serde_json::{Value, json};

/// The prefix of the API.
const PREFIX: &str = "/api/v1";
/// No request may take longer: the API answers at once, and waits (where asked to) for less than that.
const LONGEST: Duration = Duration::from_secs(40);
/// Longest that any operation of these tests may take, in requests of 30 s.
const WAITS: usize = 4;

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What was asked, for messages.
    pub asked: String,
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body; `null` when it is no JSON.
    pub body: Value,
}

impl Answer {
    /// The body of an answer with that status.
    ///
    /// # Panics
    /// When the status is another.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}: {:#}", self.asked, self.body);
        self.body
    }

    /// The body of a problem of that kind.
    ///
    /// # Panics
    /// When it is another answer.
    pub fn problem(self, status: u16, code: &str) -> Value {
        let asked = self.asked.clone();
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{asked}: {body:#}");
        body
    }

    /// What every problem promises.
    fn check(&self) {
        if self.status < 400 {
            return;
        }
        let said = || format!("{}: {} {:?} {:#}", self.asked, self.status, self.headers, self.body);
        let kind = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        assert!(kind.starts_with("application/problem+json"), "{}", said());
        for field in ["type", "title", "detail", "code", "request_id"] {
            assert!(self.body[field].as_str().is_some_and(|text| !text.is_empty()), "no {field}: {}", said());
        }
        assert_eq!(self.body["status"], self.status, "{}", said());
        if self.status == 503 {
            let seconds =
                self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse::<u32>().ok());
            assert!(seconds.is_some_and(|seconds| seconds > 0), "no Retry-After: {}", said());
        }
    }
}

/// A client, most often with somebody's session.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    client: reqwest::Client,
    token: Option<String>,
}

impl Api {
    /// A client that has not logged in.
    ///
    /// # Panics
    /// When no HTTP client can be made.
    #[must_use]
    pub fn anonymous(base: &str) -> Self {
        // The HTTP client insists on a TLS provider even for plain HTTP. A second installation is refused: it is there.
        drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
        // As a proxy would: a connection that rests is given up before the server does.
        let resting = Duration::from_secs(30);
        let client = reqwest::Client::builder()
            .timeout(LONGEST)
            .pool_idle_timeout(resting)
            .no_proxy()
            .build()
            .unwrap();
        Self { base: base.to_owned(), client, token: None }
    }

    /// Logs in; the password is the user name.
    ///
    /// # Panics
    /// When that fails.
    pub async fn login(base: &str, username: &str) -> Self {
        let mut api = Self::anonymous(base);
        let body =
            api.post("/auth/login", json!({ "username": username, "password": username })).await.expect(200);
        assert_eq!(body["token_type"], "Bearer");
        api.token = Some(body["access_token"].as_str().unwrap().to_owned());
        api
    }

    /// One request below `/api/v1`, its body as it is.
    ///
    /// # Panics
    /// When nobody answers, or the answer breaks what all answers promise.
    pub async fn raw(&self, method: Method, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let mut request = self.client.request(method.clone(), format!("{}{PREFIX}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if !content_type.is_empty() {
            request = request.header(CONTENT_TYPE, content_type).body(body);
        }
        let asked = format!("{method} {path}");
        let response = request.send().await.unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap_or_else(|error| panic!("{asked}: {error:?}"));
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let answer = Answer { asked, status, headers, body };
        answer.check();
        answer
    }

    /// One request below `/api/v1`, with JSON or without a body.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        match body {
            Some(body) => self.raw(method, path, "application/json", body.to_string().into_bytes()).await,
            None => self.raw(method, path, "", Vec::new()).await,
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// POST with JSON.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await
    }

    /// POST without a body.
    pub async fn post_empty(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// PUT of a machine's state.
    pub async fn power(&self, machine: &str, action: &str) -> Answer {
        let body = json!({ "action": action, "timeout_seconds": 30 });
        self.send(Method::PUT, &format!("/machines/{machine}/state"), Some(body)).await
    }

    /// The machines the person sees.
    ///
    /// # Panics
    /// When the list does not come.
    pub async fn machines(&self) -> Vec<Value> {
        self.get("/machines").await.expect(200)["items"].as_array().unwrap().clone()
    }

    /// One machine.
    pub async fn machine(&self, key: &str) -> Value {
        self.get(&format!("/machines/{key}")).await.expect(200)
    }

    /// Machines in use, as `/me` counts them.
    ///
    /// # Panics
    /// When `/me` does not say.
    pub async fn used(&self) -> usize {
        let me = self.get("/me").await.expect(200);
        me["quota"]["machines"]["used"].as_u64().and_then(|used| used.try_into().ok()).unwrap()
    }

    /// Waits (over the API) until the operation has an end, and gives it.
    ///
    /// # Panics
    /// When it has none in two minutes.
    pub async fn ended(&self, id: &str) -> Value {
        for _ in 0..WAITS {
            let operation = self.get(&format!("/operations/{id}/wait?timeout_seconds=30")).await.expect(200);
            if !operation["finished_at"].is_null() {
                return operation;
            }
        }
        panic!("operation {id} has no end: {:#}", self.get(&format!("/operations/{id}")).await.body);
    }

    /// Waits until what a command began has succeeded.
    ///
    /// # Panics
    /// When the command was refused, or what it began failed.
    pub async fn done(&self, answer: Answer) -> Value {
        let id = operation_of(answer);
        let operation = self.ended(&id).await;
        assert_eq!(operation["status"], "succeeded", "{operation:#}");
        operation
    }
}

/// The id of the operation that a command began.
///
/// # Panics
/// When the command was refused, or its answer does not say where the operation is found.
#[must_use]
pub fn operation_of(answer: Answer) -> String {
    let location = answer.headers.get("location").map(|value| value.to_str().unwrap().to_owned());
    let body = answer.expect(202);
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(location.as_deref(), Some(format!("{PREFIX}/operations/{id}").as_str()), "{body:#}");
    id
}
