//! A text field with its label, a hint, and what is wrong with it.

use leptos::html;
use leptos::prelude::*;

/// A field. The error stands under it and is tied to it for screen readers.
#[component]
pub(crate) fn TextField(
    /// Unique in the page.
    #[prop(into)]
    id: String,
    testid: &'static str,
    #[prop(into)] label: Signal<String>,
    #[prop(into)] hint: Signal<String>,
    value: RwSignal<String>,
    #[prop(into)] error: Signal<Option<&'static str>>,
    /// Called when the text changes.
    #[prop(into, optional)]
    on_change: Option<Callback<()>>,
    /// Whether it has the focus when its dialog opens.
    #[prop(optional)]
    first: bool,
    #[prop(default = "text")] kind: &'static str,
    /// Of a `datalist` with what may be meant.
    #[prop(optional)]
    list: Option<&'static str>,
    #[prop(default = "off")] autocomplete: &'static str,
) -> impl IntoView {
    let node = NodeRef::<html::Input>::new();
    if first {
        // A field drawn into an open dialog; `autofocus` serves one drawn before.
        Effect::new(move || {
            if let Some(input) = node.get() {
                // An element that cannot take the focus yet gets it by `autofocus`.
                let _ = input.focus();
            }
        });
    }
    let help = format!("{id}-help");
    let describes = help.clone();
    view! {
        <div class="field">
            <label for=id.clone()>{move || label.get()}</label>
            <input
                node_ref=node
                autofocus=first
                id=id data-testid=testid class="input" type=kind autocomplete=autocomplete list=list autocapitalize="none"
                spellcheck="false" prop:value=move || value.get() aria-describedby=describes
                aria-invalid=move || error.get().is_some().to_string()
                on:input=move |event| {
                    value.set(event_target_value(&event));
                    if let Some(changed) = on_change {
                        changed.run(());
                    }
                }
            />
            <p id=help class="field-help" class:wrong=move || error.get().is_some() aria-live="polite">
                {move || error.get().map_or_else(|| hint.get(), str::to_owned)}
            </p>
        </div>
    }
}
