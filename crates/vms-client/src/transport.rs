//! The seam between what is asked and how it travels.

use std::future::Future;

/// HTTP methods the API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read.
    Get,
    /// Create, or do.
    Post,
    /// Set.
    Put,
    /// Change in part.
    Patch,
    /// Remove.
    Delete,
}

impl Method {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// A request, ready to send.
#[derive(Debug, Clone)]
pub struct HttpRequest {
    /// What to do.
    pub method: Method,
    /// Scheme, host, path and query; only path and query in the browser, where the page's origin goes before it.
    pub url: String,
    /// Header names in lower case, and their values.
    pub headers: Vec<(&'static str, String)>,
    /// The JSON body, if there is one.
    pub body: Option<String>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// The `ETag` header, with its quotes.
    pub etag: Option<String>,
    /// The body as text.
    pub body: String,
}

/// Carries one request to the server and brings the answer.
pub trait Transport {
    /// Sends a request. Cookies of the server are kept and sent by the transport.
    ///
    /// # Errors
    /// Why no answer came, in words. An answer with an error status is an answer.
    fn send(&self, request: HttpRequest) -> impl Future<Output = Result<HttpResponse, String>>;

    /// Waits until no one else who shares our cookies renews the session, and keeps them waiting until the answer is
    /// dropped. Only browsers have such others: their tabs.
    fn alone(&self) -> impl Future<Output = Option<Box<dyn std::any::Any>>> {
        std::future::ready(None)
    }
}
