//! The way between the pages, for those who have more than one.

use leptos::prelude::*;

use crate::i18n::use_i18n;
use crate::pages::shell::use_role;
use crate::route::{Route, use_router};

/// Links to the pages, if there is more than one. They are real links: another tab opens them too.
#[component]
pub(crate) fn Nav() -> impl IntoView {
    let i18n = use_i18n();
    let router = use_router();
    let role = use_role();
    let open = Memo::new(move |_| {
        let open = |route: &Route| role.get().is_some_and(|role| route.is_open_to(role));
        Route::ALL.into_iter().filter(open).collect::<Vec<_>>()
    });
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
        <Show when=move || { open.with(Vec::len) > 1 }>
            <nav class="nav" aria-label=move || i18n.t().pages data-testid="nav">
                {move || open.get().into_iter().map(link).collect_view()}
            </nav>
        </Show>
    }
}
