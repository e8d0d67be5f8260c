//! The login page: the form on the left, the school's welcome on the right.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::app::SiteInfo;
use crate::components::header::{Footer, Header};
use crate::i18n::use_i18n;
use crate::session::use_session;

/// The page for those who have not logged in.
#[component]
pub(crate) fn LoginPage() -> impl IntoView {
    let i18n = use_i18n();
    let site = expect_context::<SiteInfo>();
    view! {
        <div class="page">
            <Header/>
            <main id="content" class="login">
                <section class="card login-card" aria-labelledby="login-heading">
                    <h2 id="login-heading">{move || i18n.t().login_heading}</h2>
                    <LoginForm/>
                </section>
                <section class="welcome">
                    <h2>{move || (i18n.t().welcome_heading)(&site.title(i18n))}</h2>
                    <p>{move || site.text(|site| &site.welcome)}</p>
                </section>
            </main>
            <Footer/>
        </div>
    }
}

#[component]
fn LoginForm() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let username = NodeRef::<html::Input>::new();
    let password = NodeRef::<html::Input>::new();
    let busy = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    Effect::new(move || {
        if let Some(input) = username.get() {
            // An element that cannot take the focus keeps it where it is, which is fine.
            let _ = input.focus();
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let (Some(name), Some(secret)) = (username.get_untracked(), password.get_untracked()) else { return };
        if busy.get_untracked() {
            return;
        }
        let (user, word) = (name.value().trim().to_owned(), secret.value());
        if user.is_empty() || word.is_empty() {
            error.set(Some(i18n.now().fill_both.to_owned()));
            let _ = if user.is_empty() { name.focus() } else { secret.focus() };
            return;
        }
        busy.set(true);
        error.set(None);
        let session = session.clone();
        spawn_local(async move {
            if let Err(failure) = session.log_in(&user, &word).await {
                error.set(Some(i18n.now().error(&failure)));
                busy.set(false);
                secret.select();
            }
        });
    };
    let invalid = move || error.with(|e| e.is_some().to_string());
    view! {
        <form class="stack" novalidate on:submit=submit>
            <div class="field">
                <label for="login-username">{move || i18n.t().username}</label>
                <input
                    node_ref=username id="login-username" data-testid="login-username" class="input" name="username"
                    type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required
                    aria-invalid=invalid aria-describedby="login-error"
                />
            </div>
            <div class="field">
                <label for="login-password">{move || i18n.t().password}</label>
                <input
                    node_ref=password id="login-password" data-testid="login-password" class="input" name="password"
                    type="password" autocomplete="current-password" required
                    aria-invalid=invalid aria-describedby="login-error"
                />
            </div>
            <p class="form-error" id="login-error" data-testid="login-error" role="alert">
                {move || error.get()}
            </p>
            <button
                class="button primary wide" type="submit" data-testid="login-submit"
                aria-disabled=move || busy.get().to_string()
            >
                {move || if busy.get() { i18n.t().logging_in } else { i18n.t().log_in }}
            </button>
        </form>
    }
}
