//! The whole app: contexts, and which page is shown.

use leptos::prelude::*;
use vms_types::Site;
use wasm_bindgen_futures::spawn_local;

use crate::components::reauthenticate::Reauthenticate;
use crate::i18n::{I18n, Lang, use_i18n};
use crate::pages::login::LoginPage;
use crate::preferences::{chosen_lang, follow_lang, theme_signal};
use crate::route::Router;
use crate::session::{Phase, Session, use_session};

/// The school's own words; nothing until the server has answered.
#[derive(Clone, Copy)]
pub(crate) struct SiteInfo(pub(crate) RwSignal<Option<Site>>);

impl SiteInfo {
    /// The system's name: the school's, or ours in the language in use.
    pub(crate) fn title(self, i18n: I18n) -> String {
        let own = self.0.with(|site| site.as_ref().map(|site| site.title.clone()));
        own.filter(|title| !title.is_empty()).unwrap_or_else(|| i18n.t().system_title.to_owned())
    }

    /// One of the school's texts; empty until the server has answered.
    pub(crate) fn text(self, read: fn(&Site) -> &String) -> String {
        self.0.with(|site| site.as_ref().map(|site| read(site).clone()).unwrap_or_default())
    }
}

/// The app. `inside` is what it shows to those who have logged in.
#[component]
pub(crate) fn App(inside: fn() -> AnyView) -> impl IntoView {
    let lang = RwSignal::new(chosen_lang().unwrap_or(Lang::Pt));
    let i18n = I18n(lang);
    let site = SiteInfo(RwSignal::new(None));
    let session = Session::new();
    provide_context(i18n);
    provide_context(site);
    provide_context(session.clone());
    provide_context(theme_signal());
    provide_context(Router::new());
    follow_lang(lang, Signal::derive(move || site.title(i18n)));

    let client = session.client.clone();
    spawn_local(async move {
        match client.site().await {
            Ok(found) => {
                if chosen_lang().is_none()
                    && let Some(first) = found.languages.first().and_then(|tag| Lang::from_tag(tag))
                {
                    lang.set(first);
                }
                site.0.set(Some(found));
            }
            // The page works without the school's words; what else fails says so itself.
            Err(error) => leptos::logging::warn!("the school's texts could not be loaded: {error}"),
        }
    });
    let resuming = session.clone();
    spawn_local(async move { resuming.resume().await });

    // Logging in again as the same person must not draw the page anew: what is typed there would be lost.
    let phase = session.phase;
    let page = Memo::new(move |_| match phase.get() {
        Phase::Starting => Shown::Starting,
        Phase::Unreachable(_) => Shown::Unreachable,
        Phase::Anonymous => Shown::Login,
        Phase::LoggedIn(me) => Shown::Inside(me.username),
    });
    view! {
        <a class="skip-link" href="#content">{move || i18n.t().skip_to_content}</a>
        {move || match page.get() {
            Shown::Starting => view! { <Starting/> }.into_any(),
            Shown::Unreachable => view! { <Unreachable/> }.into_any(),
            Shown::Login => view! { <LoginPage/> }.into_any(),
            Shown::Inside(_) => inside(),
        }}
        <Reauthenticate/>
    }
}

/// Which page is shown, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Starting,
    Unreachable,
    Login,
    Inside(String),
}

#[component]
fn Starting() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <main id="content" class="centered">
            <span class="spinner" aria-hidden="true"></span>
            <p role="status">{move || i18n.t().loading}</p>
        </main>
    }
}

#[component]
fn Unreachable() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let phase = session.phase;
    let text = move || match phase.get() {
        Phase::Unreachable(error) => i18n.t().error(&error),
        _ => String::new(),
    };
    let again = move |_| {
        let session = session.clone();
        spawn_local(async move { session.resume().await });
    };
    view! {
        <main id="content" class="centered">
            <p role="alert">{text}</p>
            <button class="button primary" type="button" on:click=again>
                {move || i18n.t().try_again}
            </button>
        </main>
    }
}
