//! The filters over a table: small labelled fields in one line, as far as they fit.

use leptos::prelude::*;

/// A filter one types into.
#[component]
pub(crate) fn FilterText(
    /// Unique in the page; also its test id.
    id: &'static str,
    #[prop(into)] label: Signal<&'static str>,
    value: RwSignal<String>,
    #[prop(default = "search")] kind: &'static str,
    /// Whether every letter counts, or only the text when it is left.
    #[prop(optional)]
    lazy: bool,
) -> impl IntoView {
    view! {
        <div class="filter">
            <label for=id>{move || label.get()}</label>
            <input
                id=id data-testid=id class="input" type=kind autocomplete="off" autocapitalize="none" spellcheck="false"
                prop:value=move || value.get()
                on:input=move |event| if !lazy { value.set(event_target_value(&event)) }
                on:change=move |event| value.set(event_target_value(&event))
            />
        </div>
    }
}

/// A filter one chooses from. The empty value is "all".
#[component]
pub(crate) fn FilterSelect(
    /// Unique in the page; also its test id.
    id: &'static str,
    #[prop(into)] label: Signal<&'static str>,
    #[prop(into)] all: Signal<&'static str>,
    value: RwSignal<String>,
    /// Values and their words.
    #[prop(into)]
    options: Signal<Vec<(String, String)>>,
) -> impl IntoView {
    view! {
        <div class="filter">
            <label for=id>{move || label.get()}</label>
            <select
                id=id data-testid=id class="input select"
                on:change=move |event| value.set(event_target_value(&event))
            >
                <option value="" prop:selected=move || value.with(String::is_empty)>{move || all.get()}</option>
                {move || options.get().into_iter().map(|(word, text)| {
                    let chosen = word.clone();
                    view! {
                        <option value=word prop:selected=move || value.with(|value| *value == chosen)>{text}</option>
                    }
                }).collect_view()}
            </select>
        </div>
    }
}

/// What is typed, if it is anything.
pub(crate) fn wanted(value: RwSignal<String>) -> Option<String> {
    value.with(|text| Some(text.trim().to_owned()).filter(|text| !text.is_empty()))
}
