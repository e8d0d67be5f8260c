//! The personal page: the person's machines and what can be done with them.

use leptos::ev;
use leptos::prelude::*;
use vms_client::MachineQuery;
use vms_types::Role;
use wasm_bindgen_futures::spawn_local;

use crate::commands::Commands;
use crate::components::confirm::{Confirm, ConfirmDialog};
use crate::components::create_dialog::CreateDialog;
use crate::components::header::{Footer, Header, PersonBar};
use crate::components::icon::{Glyph, Icon};
use crate::components::machine_row::MachineRow;
use crate::components::nav::Nav;
use crate::components::quota::use_quota;
use crate::components::toast::Toast;
use crate::i18n::use_i18n;
use crate::live;
use crate::pages::all_machines::AllMachinesPage;
use crate::pages::audit::AuditPage;
use crate::poll::{self, Waker};
use crate::route::{Route, use_router};
use crate::session::{Phase, use_session};
use crate::store::Store;

/// The page for those who have logged in. For administrators it has more than their own machines.
#[component]
pub(crate) fn MachinesPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let store = Store::new();
    let (phase, router) = (session.phase, use_router());
    let admin = Memo::new(move |_| {
        phase.with(|phase| matches!(phase, Phase::LoggedIn(me) if me.role == Role::Admin))
    });
    // The address may name a page that this person does not have.
    let route = Memo::new(move |_| if admin.get() { router.get() } else { Route::Mine });
    let (waker, wakes) = Waker::new();
    let creating = RwSignal::new(false);
    provide_context(store.clone());
    provide_context(Confirm::new());
    provide_context(Commands { store: store.clone(), session: session.clone(), waker: waker.clone() });
    let mine = Signal::stored(MachineQuery::default());
    let first = session.take_first();
    spawn_local(poll::run(store.clone(), session.clone(), i18n, waker.clone(), wakes, mine, first));
    let live = store.live;
    spawn_local(live::run(live, session, waker.clone()));
    // Back from another tab, or back on the network: look at once instead of at the next turn.
    let (seen, online, offline, closing) = (waker.clone(), waker.clone(), waker.clone(), waker);
    let visible = window_event_listener_untyped("visibilitychange", move |_| seen.wake());
    let connected = window_event_listener(ev::online, move |_| {
        live.doubt();
        online.wake();
    });
    // And without a network it is said at once.
    let lost = window_event_listener(ev::offline, move |_| offline.wake());
    on_cleanup(move || {
        visible.remove();
        lost.remove();
        connected.remove();
        closing.close();
        live.doubt();
    });
    view! {
        <div class="page">
            <Header/>
            <PersonBar/>
            <Show when=move || admin.get()><Nav/></Show>
            <main id="content" class="machines">
                {move || match route.get() {
                    Route::Mine => view! {
                        <Toolbar creating/>
                        <Notices/>
                        <Content creating/>
                    }.into_any(),
                    Route::AllMachines => view! { <AllMachinesPage/> }.into_any(),
                    Route::Audit => view! { <AuditPage/> }.into_any(),
                }}
            </main>
            <Footer/>
        </div>
        <CreateDialog open=creating/>
        <ConfirmDialog/>
        <Toast/>
    }
}

#[component]
fn Toolbar(creating: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let quota = use_quota();
    let full = move || quota.get().is_full();
    view! {
        <div class="toolbar">
            <h2>{move || i18n.t().machines}</h2>
            <p class="toolbar-note" id="quota-note">{move || full().then(|| i18n.t().quota_full)}</p>
            <button
                class="button primary" type="button" data-testid="new-machine" aria-describedby="quota-note"
                aria-disabled=move || full().to_string()
                on:click=move |_| if !full() { creating.set(true) }
            >
                <Icon glyph=Glyph::Plus/>
                {move || i18n.t().new_machine}
            </button>
        </div>
    }
}

/// Failures that belong to no row.
#[component]
fn Notices() -> impl IntoView {
    let i18n = use_i18n();
    let notices = expect_context::<Store>().notices;
    view! {
        <div class="notices" role="alert">
            {move || {
                notices.get().into_iter().enumerate().map(|(index, failure)| view! {
                    <div class="notice">
                        <Icon glyph=Glyph::Alert/>
                        <p>{move || failure.text(i18n.t())}</p>
                        <button
                            class="icon-button small" type="button" aria-label=move || i18n.t().dismiss
                            on:click=move |_| notices.update(|all| { if index < all.len() { all.remove(index); } })
                        >
                            <Icon glyph=Glyph::Close/>
                        </button>
                    </div>
                }).collect_view()
            }}
        </div>
    }
}

#[component]
fn Content(creating: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let store = expect_context::<Store>();
    let (rows, loaded) = (store.rows, store.loaded);
    let empty = Memo::new(move |_| loaded.get() && rows.with(Vec::is_empty));
    let hidden = move || empty.get();
    view! {
        <div class="card table-card" class:hidden=hidden aria-busy=move || (!loaded.get()).to_string()>
            // Roles are said again because the phone's layout takes them away from table elements.
            <table class="machine-table" role="table">
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">{move || i18n.t().column_name}</th>
                        <th role="columnheader" scope="col">{move || i18n.t().column_ip}</th>
                        <th role="columnheader" scope="col">{move || i18n.t().column_commands}</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <Show when=move || !loaded.get()>
                        <SkeletonRow/>
                        <SkeletonRow/>
                        <SkeletonRow/>
                    </Show>
                    <For each=move || rows.get() key=|row| row.id let:row>
                        <MachineRow row/>
                    </For>
                </tbody>
            </table>
        </div>
        <Show when=move || empty.get()>
            <section class="card empty">
                <span class="empty-mark"><Icon glyph=Glyph::Server/></span>
                <h3>{move || i18n.t().empty_title}</h3>
                <p>{move || i18n.t().empty_text}</p>
                <button class="button primary" type="button" on:click=move |_| creating.set(true)>
                    <Icon glyph=Glyph::Plus/>
                    {move || i18n.t().new_machine}
                </button>
            </section>
        </Show>
    }
}

/// Stands where a machine will be until the first answer comes.
#[component]
fn SkeletonRow() -> impl IntoView {
    view! {
        <tr class="skeleton" role="row" aria-hidden="true">
            <td class="cell-name" role="cell"><span class="bone wide"></span><span class="bone"></span></td>
            <td class="cell-ip" role="cell"><span class="bone"></span></td>
            <td class="cell-commands" role="cell"><span class="bone wide"></span></td>
        </tr>
    }
}
