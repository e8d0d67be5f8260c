//! The head and foot of both pages, and the bar with quota and person.

use leptos::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::icon::{Glyph, Icon};
use super::quota::QuotaMeter;
use crate::app::SiteInfo;
use crate::i18n::{Lang, use_i18n};
use crate::poll::Connection;
use crate::preferences::{Theme, choose_lang};
use crate::session::{Phase, use_session};
use crate::store::use_store;

/// Logo left, the system's name in the middle with the institution under it, language and theme right.
#[component]
pub(crate) fn Header() -> impl IntoView {
    let i18n = use_i18n();
    let site = expect_context::<SiteInfo>();
    let logo = Memo::new(move |_| site.0.with(|site| site.as_ref().and_then(|site| site.logo_url.clone())));
    view! {
        <header class="header">
            <div class="header-logo">
                {move || match logo.get() {
                    Some(url) => view! {
                        <img src=url alt=move || site.text(|site| &site.institution)/>
                    }.into_any(),
                    None => view! { <span class="mark"><Icon glyph=Glyph::Server/></span> }.into_any(),
                }}
            </div>
            <div class="header-title">
                <h1>{move || site.title(i18n)}</h1>
                <p>{move || site.text(|site| &site.institution)}</p>
            </div>
            <div class="header-tools">
                <LanguageSwitch/>
                <ThemeToggle/>
            </div>
        </header>
    }
}

#[component]
fn LanguageSwitch() -> impl IntoView {
    let i18n = use_i18n();
    let lang = i18n.0;
    let choose = move |next: Lang| {
        choose_lang(next);
        lang.set(next);
    };
    let pressed = move |which: Lang| (lang.get() == which).to_string();
    view! {
        <div class="switch" role="group" aria-label=move || i18n.t().language>
            <button
                type="button" data-testid="lang-pt" lang="pt-BR" title="Português"
                aria-pressed=move || pressed(Lang::Pt) on:click=move |_| choose(Lang::Pt)
            >"PT"</button>
            <button
                type="button" data-testid="lang-en" lang="en" title="English"
                aria-pressed=move || pressed(Lang::En) on:click=move |_| choose(Lang::En)
            >"EN"</button>
        </div>
    }
}

#[component]
fn ThemeToggle() -> impl IntoView {
    let i18n = use_i18n();
    let theme = expect_context::<RwSignal<Theme>>();
    let glyph = Signal::derive(move || match theme.get() {
        Theme::Auto => Glyph::Desktop,
        Theme::Light => Glyph::Sun,
        Theme::Dark => Glyph::Moon,
    });
    let label = move || (i18n.t().theme)(theme.get());
    view! {
        <button
            class="icon-button" type="button" data-testid="theme-toggle" aria-label=label title=label
            on:click=move |_| theme.update(|theme| *theme = theme.next())
        >
            {move || view! { <Icon glyph=glyph.get()/> }}
        </button>
    }
}

/// Quota left; whether the page is up to date, the person's name and the way out right.
#[component]
pub(crate) fn PersonBar() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let phase = session.phase;
    let name = move || match phase.get() {
        Phase::LoggedIn(me) if !me.display_name.is_empty() => me.display_name,
        Phase::LoggedIn(me) => me.username,
        _ => String::new(),
    };
    let leave = move |_| {
        let session = session.clone();
        spawn_local(async move { session.log_out().await });
    };
    view! {
        <section class="person-bar" aria-label=move || i18n.t().account>
            <QuotaMeter/>
            <div class="person">
                <ConnectionMark/>
                <span class="person-name" data-testid="user-name">{name}</span>
                <button class="button quiet" type="button" data-testid="logout" on:click=leave>
                    <Icon glyph=Glyph::Logout/>
                    {move || i18n.t().log_out}
                </button>
            </div>
        </section>
    }
}

#[component]
fn ConnectionMark() -> impl IntoView {
    let i18n = use_i18n();
    let store = use_store();
    let state = Memo::new(move |_| store.connection());
    view! {
        <span
            class="connection" data-testid="connection" role="status"
            data-state=move || match state.get() {
                Connection::Connecting => "connecting",
                Connection::Live => "live",
                Connection::Polling => "polling",
                Connection::Offline => "offline",
            }
        >
            {move || match state.get() {
                Connection::Connecting => i18n.t().connecting,
                Connection::Live => i18n.t().live,
                Connection::Polling => i18n.t().polling,
                Connection::Offline => i18n.t().offline,
            }}
        </span>
    }
}

/// Whom to ask left, whose system it is right.
#[component]
pub(crate) fn Footer() -> impl IntoView {
    let i18n = use_i18n();
    let site = expect_context::<SiteInfo>();
    let contact = Memo::new(move |_| site.text(|site| &site.contact));
    let year = js_sys::Date::new_0().get_full_year();
    let right = move || {
        site.0.with(|site| {
            site.as_ref().map(|site| format!("© {year} {} · VMS {}", site.institution, site.version))
        })
    };
    view! {
        <footer class="footer">
            <span>
                {move || {
                    let contact = contact.get();
                    if contact.contains('@') && !contact.contains(char::is_whitespace) {
                        let address = format!("mailto:{contact}");
                        view! { {i18n.t().contact} ": " <a href=address>{contact}</a> }.into_any()
                    } else {
                        contact.into_any()
                    }
                }}
            </span>
            <span>{right}</span>
        </footer>
    }
}
