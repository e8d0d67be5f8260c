//! Asks for the password again, over the page, when the session has ended. The page beneath stays as it is.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::dialog::Dialog;
use super::field::TextField;
use crate::i18n::use_i18n;
use crate::session::use_session;

/// The dialog. It cannot be dismissed; one may log in again or log out.
#[component]
pub(crate) fn Reauthenticate() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let open = session.asks_again;
    let password = RwSignal::new(String::new());
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    let again = session.clone();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(username) = again.username() else { return };
        if busy.get_untracked() {
            return;
        }
        if password.with_untracked(String::is_empty) {
            error.set(Some(i18n.now().fill_both.to_owned()));
            return;
        }
        busy.set(true);
        error.set(None);
        let session = again.clone();
        spawn_local(async move {
            match session.log_in(&username, &password.get_untracked()).await {
                Ok(()) => password.set(String::new()),
                Err(failure) => error.set(Some(i18n.now().error(&failure))),
            }
            busy.set(false);
        });
    };
    let leave = move |_| {
        let session = session.clone();
        password.set(String::new());
        spawn_local(async move { session.log_out().await });
    };
    let title = Signal::derive(move || i18n.t().session_over_title.to_owned());
    view! {
        <Dialog open id="session-title" title dismissible=false>
            <p class="dialog-text">{move || i18n.t().session_over_text}</p>
            <form class="stack" novalidate on:submit=submit>
                <TextField
                    id="session-password" testid="session-password" first=true kind="password" autocomplete="current-password"
                    label=Signal::derive(move || i18n.t().password.to_owned())
                    hint=Signal::derive(String::new) value=password error=Signal::derive(|| None)
                />
                <p class="form-error" role="alert" data-testid="session-error">{move || error.get()}</p>
                <div class="dialog-actions">
                    <button class="button" type="button" on:click=leave>{move || i18n.t().log_out}</button>
                    <button
                        class="button primary" type="submit" data-testid="session-submit"
                        aria-disabled=move || busy.get().to_string()
                    >
                        {move || if busy.get() { i18n.t().logging_in } else { i18n.t().log_in }}
                    </button>
                </div>
            </form>
        </Dialog>
    }
}
