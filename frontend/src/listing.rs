//! What the server lists, page by page: asked for, added to, shown.

use std::future::Future;

use leptos::prelude::*;
use vms_client::{ClientError, Conditional, PageQuery};
use vms_types::Page;
use wasm_bindgen_futures::spawn_local;

use crate::components::data_table::Listing;

/// As many as the server lists if it is not told how many.
const LEAST: u32 = 100;
/// The most that it lists at once.
pub(crate) const MOST: u32 = 500;

/// The lines on the page. A handle: copies share them.
pub(crate) struct Lines<T: Send + Sync + 'static> {
    /// Those that are there.
    pub(crate) all: RwSignal<Vec<T>>,
    /// Where the next page begins.
    pub(crate) cursor: RwSignal<Option<String>>,
    state: RwSignal<Result<bool, ClientError>>,
    /// Counts questions: only the answer to the last one is shown.
    asked: StoredValue<u64>,
}

impl<T: Send + Sync + 'static> Clone for Lines<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Lines<T> {}

impl<T: Send + Sync + 'static> Lines<T> {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self {
            all: RwSignal::new(Vec::new()),
            cursor: RwSignal::new(None),
            state: RwSignal::new(Ok(false)),
            asked: StoredValue::new(0),
        }
    }

    /// The part of the list to ask for: the one after what is there (`further`), or what is there once more.
    pub(crate) fn part(self, further: bool) -> PageQuery {
        if further {
            return PageQuery { limit: None, cursor: self.cursor.get_untracked() };
        }
        let count = u32::try_from(self.all.with_untracked(Vec::len)).unwrap_or(MOST);
        PageQuery { limit: (count > 0).then(|| count.clamp(LEAST, MOST)), cursor: None }
    }

    /// How the list is.
    pub(crate) fn listing(self) -> Listing {
        match self.state.get() {
            Err(error) => Listing::Failed(error),
            Ok(false) if self.all.with(Vec::is_empty) => Listing::Loading,
            Ok(true) if self.all.with(Vec::is_empty) => Listing::Empty,
            Ok(_) => Listing::There { more: self.cursor.with(Option::is_some) },
        }
    }

    /// Waits for an answer: the first page, or (`further`) the one after what is there.
    pub(crate) fn load(
        self,
        further: bool,
        answer: impl Future<Output = Result<Conditional<Page<T>>, ClientError>> + 'static,
    ) {
        self.asked.update_value(|count| *count += 1);
        let number = self.asked.get_value();
        self.state.set(Ok(false));
        spawn_local(async move {
            let answer = answer.await;
            // The page may be gone by now, or something else asked for.
            if self.asked.try_get_value() != Some(number) {
                return;
            }
            match answer {
                Ok(Conditional::Data { value, .. }) => {
                    self.cursor.set(value.next_cursor);
                    if further {
                        self.all.update(|all| all.extend(value.items));
                    } else {
                        self.all.set(value.items);
                    }
                    self.state.set(Ok(true));
                }
                Ok(Conditional::NotModified) => self.state.set(Ok(true)),
                Err(error) => {
                    if !further {
                        self.all.set(Vec::new());
                    }
                    self.state.set(Err(error));
                }
            }
        });
    }
}
