//! The end of every form in a dialog: what went wrong as a whole, the way out, and the button that sends it.

use leptos::prelude::*;

use crate::i18n::use_i18n;

/// What went wrong, *Cancelar*, and the button.
#[component]
pub(crate) fn FormActions(
    /// The dialog: cancelling closes it.
    open: RwSignal<bool>,
    /// The test id of the button that sends.
    testid: &'static str,
    /// Its word.
    #[prop(into)]
    submit: Signal<&'static str>,
    /// Whether the form has been sent and no answer has come.
    #[prop(into, default = Signal::stored(false))]
    busy: Signal<bool>,
    /// What belongs to no field, with its test id.
    #[prop(optional)]
    error: Option<(RwSignal<Option<String>>, &'static str)>,
) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        {error.map(|(error, testid)| view! {
            <p class="form-error" data-testid=testid role="alert">{move || error.get()}</p>
        })}
        <div class="dialog-actions">
            <button class="button" type="button" data-testid="form-cancel" on:click=move |_| open.set(false)>
                {move || i18n.t().cancel}
            </button>
            <button
                class="button primary" type="submit" data-testid=testid
                aria-disabled=move || busy.get().to_string()
            >
                {move || if busy.get() { i18n.t().sending } else { submit.get() }}
            </button>
        </div>
    }
}
