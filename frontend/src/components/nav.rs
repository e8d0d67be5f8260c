//! The way between the pages, for those who have more than one.

use leptos::prelude::*;

use crate::i18n::use_i18n;
use crate::route::{Route, use_router};

/// Links to the pages. They are real links: another tab opens them too.
#[component]
pub(crate) fn Nav() -> impl IntoView {
    let i18n = use_i18n();
    let router = use_router();
    let link = move |route: Route| {
        let go = move |event: web_sys::MouseEvent| {
            // The other program's pages are loaded by the browser.
            let here = router.now().is_admin() == route.is_admin();
            if here && event.button() == 0 && !(event.ctrl_key() || event.meta_key() || event.shift_key()) {
                event.prevent_default();
                router.go(route);
            }
        };
        view! {
            <a
                href=route.path() data-testid=route.testid()
                aria-current=move || (router.get() == route).then_some("page") on:click=go
            >
                {move || (i18n.t().page)(route)}
            </a>
        }
    };
    view! {
        <nav class="nav" aria-label=move || i18n.t().pages data-testid="nav">
            {Route::ALL.map(link).into_iter().collect_view()}
        </nav>
    }
}
