//! Other people's machines, found by filters: everybody's for administrators, who command them one by one or many at once;
//! those of a teacher's students, to look at.

use std::collections::{BTreeSet, HashSet};

use leptos::prelude::*;
use uuid::Uuid;
use vms_client::{ClientError, MachineQuery};
use vms_types::MachineStatus;
use wasm_bindgen_futures::spawn_local;

use crate::commands::Commands;
use crate::components::bulk_bar::BulkBar;
use crate::components::data_table::{Listing, ListingFoot};
use crate::components::filters::{FilterSelect, FilterText, wanted};
use crate::components::machine_row::{Among, MachineRow};
use crate::i18n::use_i18n;
use crate::listing::MOST;
use crate::poll::{self, Waker};
use crate::route::Route;
use crate::session::use_session;
use crate::store::{Store, use_store};

/// Machines asked for at once; "load more" asks for as many again.
const PAGE: u32 = 25;
/// The states worth looking for.
const STATES: [MachineStatus; 5] = [
    MachineStatus::Running,
    MachineStatus::Stopped,
    MachineStatus::Frozen,
    MachineStatus::Error,
    MachineStatus::Unknown,
];

/// What is asked for. A handle: copies share it.
#[derive(Clone, Copy)]
struct Filter {
    q: RwSignal<String>,
    owner: RwSignal<String>,
    status: RwSignal<String>,
    server: RwSignal<String>,
    image: RwSignal<String>,
    profile: RwSignal<String>,
    limit: RwSignal<u32>,
}

impl Filter {
    fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self {
            q: empty(),
            owner: empty(),
            status: empty(),
            server: empty(),
            image: empty(),
            profile: empty(),
            limit: RwSignal::new(PAGE),
        }
    }

    /// Whether everything fits.
    fn is_open(self) -> bool {
        [self.q, self.owner, self.status, self.server, self.image, self.profile]
            .into_iter()
            .all(|field| wanted(field).is_none())
    }

    fn query(self) -> MachineQuery {
        let status = self.status.get();
        MachineQuery {
            owner: wanted(self.owner).or_else(|| Some("*".to_owned())),
            status: STATES.into_iter().find(|known| known.as_str() == status),
            server: wanted(self.server),
            image: wanted(self.image),
            profile: wanted(self.profile),
            q: wanted(self.q),
            limit: Some(self.limit.get()),
            cursor: None,
        }
    }
}

/// The page. It has rows, commands and a poll of its own; what it announces goes where the page announces.
#[component]
pub(crate) fn OthersMachinesPage(
    /// [`Route::AllMachines`] or [`Route::Students`].
    route: Route,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let mut store = Store::new();
    store.announcement = use_store().announcement;
    let filter = Filter::new();
    let query = Memo::new(move |_| filter.query());
    let selected = RwSignal::new(HashSet::<Uuid>::new());
    let commanded = route == Route::AllMachines;
    let among = if commanded { Among::Everybody(selected) } else { Among::Students };
    let (waker, wakes) = Waker::new();
    provide_context(store.clone());
    provide_context(Commands { store: store.clone(), session: session.clone(), waker: waker.clone() });
    spawn_local(poll::run(store.clone(), session, i18n, waker.clone(), wakes, query.into(), None));
    let (changed, retry, closing) = (waker.clone(), waker.clone(), waker);
    Effect::new(move |before: Option<()>| {
        query.track();
        // The poll begins by itself.
        if before.is_some() {
            changed.wake();
        }
    });
    on_cleanup(move || closing.close());
    let (rows, loaded, more, answered) = (store.rows, store.loaded, store.more, store.answered);
    let listing = Memo::new(move |_| match (loaded.get(), answered.get()) {
        (false, Some(false)) => Listing::Failed(ClientError::Network(String::new())),
        (false, _) => Listing::Loading,
        (true, _) if rows.with(Vec::is_empty) => Listing::Empty,
        (true, _) => Listing::There { more: more.get() && filter.limit.get() < MOST },
    });
    let nothing = Memo::new(move |_| listing.get() == Listing::Empty);
    let unasked = Memo::new(move |_| filter.is_open());
    let empty = Signal::derive(move || match (route, unasked.get()) {
        (Route::Students, true) => i18n.admin().students_none,
        _ => i18n.admin().machines_none_fit,
    });
    let all_selected = Memo::new(move |_| {
        rows.with(|rows| {
            !rows.is_empty() && rows.iter().all(|row| selected.with(|ids| ids.contains(&row.id)))
        })
    });
    let select_all = move |event| {
        let on = event_target_checked(&event);
        selected.set(if on {
            rows.with_untracked(|rows| rows.iter().map(|row| row.id).collect())
        } else {
            HashSet::new()
        });
    };
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(route)}</h2>
            <p class="toolbar-note count" role="status" data-testid="machine-count">
                {move || loaded.get().then(|| (i18n.admin().shown)(rows.with(Vec::len), more.get()))}
            </p>
        </div>
        <Filters filter rows_of=store/>
        {commanded.then(|| view! { <BulkBar selected/> })}
        <div class="card table-card" class:hidden=move || nothing.get() aria-busy=move || (!loaded.get()).to_string()>
            <table class="machine-table" class:all=commanded role="table" aria-label=move || (i18n.t().page)(route)>
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">
                            <label class:check=commanded>
                                {commanded.then(|| view! {
                                    <input
                                        type="checkbox" data-testid="select-all"
                                        prop:checked=move || all_selected.get() on:change=select_all
                                    />
                                })}
                                {move || i18n.t().column_name}
                            </label>
                        </th>
                        <th role="columnheader" scope="col">{move || i18n.t().column_ip}</th>
                        <th role="columnheader" scope="col">
                            {move || if commanded { i18n.t().column_commands } else { i18n.admin().column_snapshots }}
                        </th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <Show when=move || listing.get() == Listing::Loading>
                        <tr class="skeleton" role="row" aria-hidden="true">
                            <td role="cell" colspan="3"><span class="bone wide"></span><span class="bone"></span></td>
                        </tr>
                    </Show>
                    <For each=move || rows.get() key=|row| row.id let:row>
                        <MachineRow row among/>
                    </For>
                </tbody>
            </table>
        </div>
        <div class:card=move || nothing.get()>
            <ListingFoot
                listing empty retry=move |()| retry.wake()
                more=move |()| filter.limit.update(|limit| *limit = (*limit + PAGE).min(MOST))
            />
        </div>
    }
}

#[component]
fn Filters(filter: Filter, rows_of: Store) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let all = Signal::derive(move || i18n.admin().all);
    let states = Signal::derive(move || {
        STATES.map(|s| (s.as_str().to_owned(), (i18n.t().status)(s).to_owned())).to_vec()
    });
    let (images, profiles) = (RwSignal::new(Vec::new()), RwSignal::new(Vec::new()));
    spawn_local(async move {
        let found = session.call(|client| async move { client.images().await }).await;
        if let Ok(found) = found {
            // The page may be gone by now.
            let _gone = images.try_set(same(found.items.into_iter().map(|image| image.alias)));
        }
        let found = session.call(|client| async move { client.profiles().await }).await;
        if let Ok(found) = found {
            let _gone = profiles.try_set(same(found.items.into_iter().map(|profile| profile.name)));
        }
    });
    // Servers are known by the machines on them: those seen since the page was opened.
    let servers = Memo::new(move |seen: Option<&BTreeSet<String>>| {
        let mut servers = seen.cloned().unwrap_or_default();
        rows_of.rows.with(|rows| {
            servers.extend(rows.iter().map(|row| row.machine.with_untracked(|m| m.server.clone())));
        });
        servers
    });
    view! {
        <form class="filters" role="search" on:submit=|event| event.prevent_default()>
            <FilterText id="machines-q" label=Signal::derive(move || i18n.admin().search) value=filter.q/>
            <FilterText
                id="machines-owner" label=Signal::derive(move || i18n.admin().column_person) value=filter.owner lazy=true
            />
            <FilterSelect
                id="machines-status" label=Signal::derive(move || i18n.admin().state) all value=filter.status
                options=states
            />
            <FilterSelect
                id="machines-server" label=Signal::derive(move || i18n.admin().server) all value=filter.server
                options=Signal::derive(move || same(servers.get().into_iter()))
            />
            <FilterSelect
                id="machines-image" label=Signal::derive(move || i18n.t().image) all value=filter.image
                options=images
            />
            <FilterSelect
                id="machines-profile" label=Signal::derive(move || i18n.t().profile) all value=filter.profile
                options=profiles
            />
        </form>
    }
}

/// Choices whose words are their values.
fn same(words: impl Iterator<Item = String>) -> Vec<(String, String)> {
    words.map(|word| (word.clone(), word)).collect()
}
