//! The transport of native programs: reqwest over rustls, with a cookie store for the refresh token.

use std::time::Duration;

use crate::transport::{HttpRequest, HttpResponse, Method, Transport};

/// Sends by reqwest. Cheap to clone; clones share connections and cookies.
#[derive(Debug, Clone)]
pub struct NativeTransport {
    http: reqwest::Client,
}

impl NativeTransport {
    /// A transport with a cookie store of its own and a limit of 60 seconds for each request.
    ///
    /// # Errors
    /// The TLS stack cannot be set up; the text says why.
    pub fn new() -> Result<Self, String> {
        // Fails only when the program has chosen a provider already, and then that one is used.
        let _already_chosen = rustls::crypto::aws_lc_rs::default_provider().install_default();
        reqwest::Client::builder()
            .cookie_store(true)
            .timeout(Duration::from_secs(60))
            // Before the server closes it (75 s), so that no command meets a closing connection.
            .pool_idle_timeout(Duration::from_secs(30))
            .build()
            .map(|http| Self { http })
            .map_err(|error| format!("the HTTP client cannot be set up: {error}"))
    }

    /// A transport over a client that was set up elsewhere. It needs its cookie store on for
    /// sessions to be renewed.
    #[must_use]
    pub const fn with_client(http: reqwest::Client) -> Self {
        Self { http }
    }
}

impl Transport for NativeTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut builder = self.http.request(method, &request.url);
        for (name, value) in request.headers {
            builder = builder.header(name, value);
        }
        if let Some(body) = request.body {
            builder = builder.body(body);
        }
        let response = builder.send().await.map_err(|error| error.to_string())?;
        let status = response.status().as_u16();
        let etag = response.headers().get("etag").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = response.text().await.map_err(|error| error.to_string())?;
        Ok(HttpResponse { status, etag, body })
    }
}
