//! How full something is: a name, a figure, and a bar that says the same.

use leptos::prelude::*;

/// From here on a bar warns.
const NEARLY_FULL: f64 = 0.9;

/// A term of a list of facts. `share` is from 0 to 1.
#[component]
pub(crate) fn Meter(
    #[prop(into)] title: Signal<String>,
    share: f64,
    #[prop(into)] text: Signal<String>,
) -> impl IntoView {
    let percent = (share.clamp(0.0, 1.0) * 100.0).round();
    let full = share >= NEARLY_FULL;
    view! {
        <div class="fact">
            <dt>{move || title.get()}</dt>
            <dd>
                {move || text.get()}
                <span
                    class="meter" class:full=full role="meter" aria-label=move || title.get()
                    aria-valuemin="0" aria-valuemax="100" aria-valuenow=percent.to_string()
                    aria-valuetext=move || text.get()
                >
                    <span class="meter-fill" style:width=format!("{percent}%")></span>
                </span>
            </dd>
        </div>
    }
}
