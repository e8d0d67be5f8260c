//! The way between the pages, for those who have more than one.

use leptos::html;
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
    // On a phone the links do not fit: the one to this page must not be out of sight.
    let nav = NodeRef::<html::Nav>::new();
    Effect::new(move || {
        let (route, nav) = (router.get(), nav.get());
        request_animation_frame(move || {
            let link = nav.as_ref().and_then(|nav| {
                nav.query_selector(&format!("[data-testid='{}']", route.testid())).ok().flatten()
            });
            let options = web_sys::ScrollIntoViewOptions::new();
            options.set_block(web_sys::ScrollLogicalPosition::Nearest);
            options.set_inline(web_sys::ScrollLogicalPosition::Center);
            if let Some(link) = link {
                link.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    });
    view! {
        <Show when=move || { open.with(Vec::len) > 1 }>
            <nav node_ref=nav class="nav" aria-label=move || i18n.t().pages data-testid="nav">
                {move || open.get().into_iter().map(link).collect_view()}
            </nav>
        </Show>
    }
}
