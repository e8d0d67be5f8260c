//! What just ended, said for a moment at the foot of the page and read out by screen readers.

use std::time::Duration;

use leptos::prelude::*;

use crate::store::use_store;

/// How long it is seen.
const SEEN: Duration = Duration::from_secs(5);

/// The live region.
#[component]
pub(crate) fn Toast() -> impl IntoView {
    let announcement = use_store().announcement;
    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move || {
        if announcement.with(String::is_empty) {
            return;
        }
        if let Some(running) = timer.get_value() {
            running.clear();
        }
        match set_timeout_with_handle(move || announcement.set(String::new()), SEEN) {
            Ok(handle) => timer.set_value(Some(handle)),
            Err(_no_timer) => leptos::logging::warn!("no timer could be set; the message stays"),
        }
    });
    on_cleanup(move || {
        if let Some(running) = timer.get_value() {
            running.clear();
        }
    });
    view! {
        <div class="toast" role="status" class:shown=move || announcement.with(|text| !text.is_empty())>
            {move || announcement.get()}
        </div>
    }
}
