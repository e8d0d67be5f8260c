//! The frame around every page of those who have logged in: head, quota and person, the way between the pages, foot; and
//! what goes on behind it: the poll for the person's own machines, which the quota in the head is counted from, and the
//! stream of events.

use leptos::ev;
use leptos::prelude::*;
use vms_client::MachineQuery;
use vms_types::Role;
use wasm_bindgen_futures::spawn_local;

use crate::commands::Commands;
use crate::components::confirm::{Confirm, ConfirmDialog};
use crate::components::header::{Footer, Header, PersonBar};
use crate::components::name_dialog::{NameDialog, SnapshotNaming};
use crate::components::nav::Nav;
use crate::components::toast::Toast;
use crate::components::usage_dialog::{UsageDialog, UsageOf};
use crate::i18n::use_i18n;
use crate::live;
use crate::poll::{self, Waker};
use crate::session::{Phase, use_session};
use crate::store::Store;

/// What the person is; nothing while nobody is logged in.
pub(crate) fn use_role() -> Memo<Option<Role>> {
    let phase = use_session().phase;
    Memo::new(move |_| {
        phase.with(|phase| match phase {
            Phase::LoggedIn(me) => Some(me.role),
            _ => None,
        })
    })
}

/// The frame. `children` are the page.
#[component]
pub(crate) fn Shell(children: Children) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let store = Store::new();
    let (waker, wakes) = Waker::new();
    provide_context(store.clone());
    provide_context(Confirm::new());
    provide_context(SnapshotNaming::new());
    provide_context(UsageOf::new());
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
            <Nav/>
            <main id="content" class="machines">{children()}</main>
            <Footer/>
        </div>
        <ConfirmDialog/>
        <NameDialog/>
        <UsageDialog/>
        <Toast/>
    }
}
