//! The access token in memory, and its renewal: at most one at a time.

use std::sync::{Mutex, PoisonError};

/// The access token and the lock that makes renewals single.
#[derive(Debug, Default)]
pub(crate) struct Session {
    token: Mutex<Option<String>>,
    /// Held while `POST /auth/refresh` is under way.
    pub(crate) renewal: futures::lock::Mutex<()>,
}

impl Session {
    /// The token to send, if there is one.
    pub(crate) fn token(&self) -> Option<String> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the token; `None` forgets it.
    pub(crate) fn set_token(&self, token: Option<String>) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }
}
