//! Something on the server that a page shows as long as it stands: asked for again and again, by conditional requests.

use std::time::Duration;

use leptos::prelude::*;
use vms_client::{ClientError, Conditional};
use wasm_bindgen_futures::spawn_local;

use crate::poll::is_hidden;
use crate::session::{Client, Session};

/// From one question to the next; the figures behind it are not younger.
const EVERY: Duration = Duration::from_secs(15);
/// The same while nobody looks.
const HIDDEN: Duration = Duration::from_secs(120);

/// What is known of it. A handle: copies share it.
pub(crate) struct Watched<T: Send + Sync + 'static> {
    value: RwSignal<Option<T>>,
    /// Why the last question failed.
    error: RwSignal<Option<ClientError>>,
    /// Counts what is followed: an answer to what is not wanted any more is dropped.
    followed: StoredValue<u64>,
}

impl<T: Send + Sync + 'static> Clone for Watched<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Watched<T> {}

impl<T: Clone + Send + Sync + 'static> Watched<T> {
    /// Nothing is known.
    pub(crate) fn new() -> Self {
        Self { value: RwSignal::new(None), error: RwSignal::new(None), followed: StoredValue::new(0) }
    }

    /// What was answered last.
    pub(crate) fn get(self) -> Option<T> {
        self.value.get()
    }

    /// The same without a copy.
    pub(crate) fn with<R>(self, read: impl FnOnce(Option<&T>) -> R) -> R {
        self.value.with(|value| read(value.as_ref()))
    }

    /// Why nothing is known.
    pub(crate) fn failure(self) -> Option<ClientError> {
        if self.value.with(Option::is_some) { None } else { self.error.get() }
    }

    /// Asks now, and again and again until the page is gone or something else is followed. What is known goes if `anew`.
    pub(crate) fn follow<F, R>(self, session: &Session, anew: bool, ask: F)
    where
        F: Fn(Client, Option<String>) -> R + 'static,
        R: Future<Output = Result<Conditional<T>, ClientError>>,
    {
        self.stop();
        let number = self.followed.get_value();
        if anew {
            self.value.set(None);
        }
        let session = session.clone();
        spawn_local(async move {
            let mut etag: Option<String> = None;
            loop {
                let answer = session.call(|client| ask(client, etag.clone())).await;
                if self.followed.try_get_value() != Some(number) {
                    return;
                }
                match answer {
                    Ok(Conditional::Data { value, etag: newer }) => {
                        etag = newer;
                        self.value.set(Some(value));
                        self.error.set(None);
                    }
                    Ok(Conditional::NotModified) => self.error.set(None),
                    Err(error) => self.error.set(Some(error)),
                }
                gloo_timers::future::sleep(if is_hidden() { HIDDEN } else { EVERY }).await;
                if self.followed.try_get_value() != Some(number) {
                    return;
                }
            }
        });
    }

    /// Asks no more.
    pub(crate) fn stop(self) {
        self.followed.update_value(|count| *count += 1);
    }
}
