//! The transport of the browser: `fetch`, by gloo-net. The browser keeps the refresh cookie; no script can read it.

use gloo_net::http::RequestBuilder;

use crate::tabs::TabLock;
use crate::transport::{HttpRequest, HttpResponse, Method, Transport};

/// Sends by the browser's `fetch`, to the origin the page came from.
#[derive(Debug, Clone, Copy, Default)]
pub struct FetchTransport;

impl Transport for FetchTransport {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, String> {
        let mut builder = RequestBuilder::new(&request.url)
            .method(match request.method {
                Method::Get => gloo_net::http::Method::GET,
                Method::Post => gloo_net::http::Method::POST,
                Method::Put => gloo_net::http::Method::PUT,
                Method::Patch => gloo_net::http::Method::PATCH,
                Method::Delete => gloo_net::http::Method::DELETE,
            })
            // The refresh cookie is SameSite=Strict: it goes to our own origin and nowhere else.
            .credentials(web_sys::RequestCredentials::SameOrigin);
        for (name, value) in &request.headers {
            builder = builder.header(name, value);
        }
        let request = match request.body {
            Some(body) => builder.body(body),
            None => builder.build(),
        }
        .map_err(|error| error.to_string())?;
        let response = request.send().await.map_err(|error| error.to_string())?;
        Ok(HttpResponse {
            status: response.status(),
            etag: response.headers().get("etag"),
            body: response.text().await.map_err(|error| error.to_string())?,
        })
    }

    async fn alone(&self) -> Option<Box<dyn std::any::Any>> {
        Some(Box::new(TabLock::take().await?))
    }
}
