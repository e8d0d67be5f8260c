//! What every request passes on its way in and out.
//!
//! * [`every_request`]: id, log line, security headers, and the one shape of errors; also when a handler panics.
//! * [`authenticate`]: the scope's gate. [`PUBLIC`] lists what stands outside of it.
//! * [`audit`]: one line for each request that changes something, refused ones too.
//!
//! None of them keeps a copy of the request while it goes on inside: actix' router needs it for itself until the handler
//! is found.

mod audit;
mod gate;
mod request;

pub(crate) use audit::audit;
#[cfg(test)]
pub(crate) use gate::PUBLIC;
pub(crate) use gate::authenticate;
pub(crate) use request::every_request;
