//! A modal dialog: the browser's own `<dialog>`, which keeps the focus inside and gives it back afterwards.

use leptos::html;
use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::i18n::use_i18n;

/// A dialog with a title. `open` shows it; Escape and the cross set `open` to false.
#[component]
pub(crate) fn Dialog(
    open: RwSignal<bool>,
    /// Unique in the page; labels the dialog.
    #[prop(into)]
    id: String,
    #[prop(into)] title: Signal<String>,
    /// Whether Escape and the cross close it.
    #[prop(default = true)]
    dismissible: bool,
    children: Children,
) -> impl IntoView {
    let i18n = use_i18n();
    let label = id.clone();
    let logged = id.clone();
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let Some(dialog) = node.get() else { return };
        if open.get() && !dialog.open() {
            if dialog.show_modal().is_err() {
                leptos::logging::error!("the dialog {logged} is not in the page and cannot be shown");
            }
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    let cancel = move |event: web_sys::Event| {
        event.prevent_default();
        if dismissible {
            open.set(false);
        }
    };
    view! {
        <dialog
            node_ref=node class="dialog" aria-labelledby=label on:cancel=cancel
            on:close=move |_| if dismissible { open.set(false) }
        >
            <div class="dialog-head">
                <h2 id=id>{move || title.get()}</h2>
                <Show when=move || dismissible>
                    <button
                        class="icon-button" type="button" aria-label=move || i18n.t().close
                        on:click=move |_| open.set(false)
                    >
                        <Icon glyph=Glyph::Close/>
                    </button>
                </Show>
            </div>
            {children()}
        </dialog>
    }
}
