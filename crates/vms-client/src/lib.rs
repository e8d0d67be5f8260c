//! A typed client of the VMS API: one method per operation of the contract, for the browser and for native programs.
//!
//! [`ApiClient`] knows paths, bodies, the access token and how to renew it; a [`Transport`] only carries one request
//! to the server and the answer back. Two transports exist: [`fetch`] (the browser's own, feature `fetch`) and
//! [`native`] (reqwest over rustls, feature `native`). Tests bring a third that answers from memory.
//!
//! Sessions: the access token lives in memory only. When the server answers `401` with `unauthenticated` or
//! `session-expired`, the client asks `POST /auth/refresh` once — the refresh token is an HttpOnly cookie that the
//! transport carries — and repeats the request. Requests that fail at the same time share one renewal, because a
//! refresh token that is used twice ends the whole session.

mod admin;
mod audit;
mod client;
mod error;
mod images;
mod profiles;
mod servers;
mod session;
mod transport;

#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
pub mod events;
#[cfg(feature = "fetch")]
pub mod fetch;
#[cfg(all(feature = "native", not(target_arch = "wasm32")))]
pub mod native;
#[cfg(feature = "fetch")]
pub mod socket;
#[cfg(feature = "fetch")]
mod tabs;
#[cfg(feature = "fetch")]
pub mod upload;

pub use admin::UserQuery;
pub use audit::AuditQuery;
pub use client::{ApiClient, Conditional, MachineQuery, PageQuery};
pub use error::ClientError;
pub use images::UploadQuery;
pub use transport::{HttpRequest, HttpResponse, Method, Transport};
