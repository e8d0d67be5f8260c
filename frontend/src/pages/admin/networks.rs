//! Networks and certificates: which addresses a server gives away and who holds them, and whom it trusts.

mod certificates;
mod range_dialog;

use leptos::prelude::*;
use vms_client::PageQuery;
use vms_types::{LeaseView, NetworkView, Page, ServerView};

use crate::components::data_table::{Column, DataTable, Listing};
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{AdminTexts, Texts, use_i18n};
use crate::listing::MOST;
use crate::route::Route;
use crate::session::use_session;
use crate::watched::Watched;
use certificates::Certificates;
use range_dialog::RangeDialog;

/// Addresses shown at first; "load more" shows as many again.
const WINDOW: u32 = 100;

/// What the page is about now. A handle: copies share it.
#[derive(Clone, Copy)]
struct Place {
    server: RwSignal<String>,
    /// The network whose addresses are listed.
    network: RwSignal<Option<String>>,
    networks: Watched<Page<NetworkView>>,
    leases: Watched<Page<LeaseView>>,
    /// How many of them are shown.
    window: RwSignal<u32>,
    /// The network that is being changed.
    changing: RwSignal<Option<NetworkView>>,
    /// Counts changes: after each, the networks are asked for at once.
    changed: RwSignal<u32>,
}

/// How a list is.
fn listing<T: Clone + Send + Sync + 'static>(watched: Watched<Page<T>>) -> Listing {
    let seen = watched.with(|page| page.map(|page| (page.items.is_empty(), page.next_cursor.is_some())));
    match (watched.failure(), seen) {
        (Some(error), _) => Listing::Failed(error),
        (None, None) => Listing::Loading,
        (None, Some((true, _))) => Listing::Empty,
        (None, Some((false, more))) => Listing::There { more },
    }
}

/// Headings without an order.
fn columns(titles: fn(&'static AdminTexts, &'static Texts) -> Vec<&'static str>) -> Signal<Vec<Column>> {
    let i18n = use_i18n();
    Signal::derive(move || {
        titles(i18n.admin(), i18n.t()).into_iter().map(|title| Column { title, sort: None }).collect()
    })
}

/// The page.
#[component]
pub(crate) fn NetworksPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let servers: Watched<Page<ServerView>> = Watched::new();
    let place = Place {
        server: RwSignal::new(String::new()),
        network: RwSignal::new(None),
        networks: Watched::new(),
        leases: Watched::new(),
        window: RwSignal::new(WINDOW),
        changing: RwSignal::new(None),
        changed: RwSignal::new(0),
    };
    servers.follow(&session, true, |client, etag| async move { client.servers(etag.as_deref()).await });
    let names = Memo::new(move |_| {
        servers.with(|all| {
            all.map(|all| all.items.iter().map(|server| server.name.clone()).collect::<Vec<_>>())
                .unwrap_or_default()
        })
    });
    Effect::new(move || {
        if place.server.with(String::is_empty)
            && let Some(first) = names.with(|names| names.first().cloned())
        {
            place.server.set(first);
        }
    });
    follow_place(place);
    on_cleanup(move || {
        servers.stop();
        place.networks.stop();
        place.leases.stop();
    });
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(Route::Networks)}</h2>
            <Show when=move || { names.with(Vec::len) > 1 }>
                <div class="filter">
                    <label for="networks-server">{move || i18n.admin().server}</label>
                    <select
                        id="networks-server" data-testid="networks-server" class="input select"
                        on:change=move |event| {
                            place.network.set(None);
                            place.server.set(event_target_value(&event));
                        }
                    >
                        <For each=move || names.get() key=Clone::clone let:name>
                            <option value=name.clone() prop:selected={
                                let name = name.clone();
                                move || place.server.with(|chosen| *chosen == name)
                            }>{name.clone()}</option>
                        </For>
                    </select>
                </div>
            </Show>
        </div>
        {move || servers.failure().map(|error| view! {
            <p class="data-note failed" role="alert"><Icon glyph=Glyph::Alert/>{i18n.t().error(&error)}</p>
        })}
        <Networks place/>
        <Leases place/>
        <Certificates server=place.server/>
        <RangeDialog server=place.server changing=place.changing changed=place.changed/>
    }
}

/// Asks for what the place names, and for something else once it names that.
fn follow_place(place: Place) {
    let session = use_session();
    let again = session.clone();
    let asked = StoredValue::new(String::new());
    Effect::new(move || {
        place.changed.track();
        let server = place.server.get();
        if server.is_empty() {
            return;
        }
        let anew = asked.with_value(|asked| *asked != server);
        asked.set_value(server.clone());
        place.networks.follow(&session, anew, move |client, etag| {
            let server = server.clone();
            async move { client.networks(&server, etag.as_deref()).await }
        });
    });
    let shown = StoredValue::new(None);
    Effect::new(move || {
        let (server, network) = (place.server.get(), place.network.get());
        let page = PageQuery { limit: Some(place.window.get()), cursor: None };
        let Some(network) = network else {
            place.leases.stop();
            return;
        };
        let of = Some((server.clone(), network.clone()));
        let anew = shown.with_value(|shown| *shown != of);
        shown.set_value(of);
        place.leases.follow(&again, anew, move |client, etag| {
            let (server, network, page) = (server.clone(), network.clone(), page.clone());
            async move { client.leases(&server, &network, &page, etag.as_deref()).await }
        });
    });
}

#[component]
fn Networks(place: Place) -> impl IntoView {
    let i18n = use_i18n();
    // The host's own interfaces say nothing here.
    let managed = move || {
        place.networks.with(|all| {
            all.map(|all| all.items.iter().filter(|network| network.managed).cloned().collect::<Vec<_>>())
                .unwrap_or_default()
        })
    };
    view! {
        <DataTable
            label=Signal::derive(move || i18n.admin().networks)
            columns=columns(|a, t| vec![a.network, a.subnet, a.ranges, a.machines_on, t.column_commands])
            listing=Signal::derive(move || listing(place.networks))
            empty=Signal::derive(move || i18n.admin().networks_none)
            retry=move |()| place.changed.update(|count| *count += 1) more=|()| {}
        >
            // Also by what it holds: a changed one is drawn anew.
            <For each=managed key=|network| format!("{network:?}") let:network>
                <NetworkRow network place/>
            </For>
        </DataTable>
    }
}

#[component]
fn NetworkRow(network: NetworkView, place: Place) -> impl IntoView {
    let i18n = use_i18n();
    let label = move |title: fn(&'static AdminTexts) -> &'static str| move || title(i18n.admin());
    let ranges: Vec<String> =
        network.dhcp_ranges.iter().map(|range| format!("{} – {}", range.first, range.last)).collect();
    let (name, shown) = (network.name.clone(), network.name.clone());
    let open = Memo::new(move |_| place.network.with(|chosen| chosen.as_ref() == Some(&shown)));
    let toggle = {
        let name = network.name.clone();
        move |_| {
            place.window.set(WINDOW);
            place.network.update(|chosen| *chosen = (chosen.as_ref() != Some(&name)).then(|| name.clone()));
        }
    };
    let (whole, changed) = (network.clone(), network.name.clone());
    view! {
        <tr role="row" data-testid="network-row" data-network=network.name>
            <td role="cell" data-label=label(|t| t.network)>{name}</td>
            <td role="cell" class="target" data-label=label(|t| t.subnet)>{network.ipv4_address.unwrap_or_default()}</td>
            <td role="cell" class="target" data-label=label(|t| t.ranges)>
                {move || if ranges.is_empty() { i18n.admin().whole_subnet.to_owned() } else { ranges.join(", ") }}
            </td>
            <td role="cell" data-label=label(|t| t.machines_on)>{network.machines}</td>
            <td role="cell" data-label=move || i18n.t().column_commands>
                <span class="row-actions">
                    <button
                        class="button" type="button" data-testid="show-leases"
                        aria-pressed=move || open.get().to_string() on:click=toggle
                    >{move || i18n.admin().addresses}</button>
                    <button
                        class="button" type="button" data-testid="change-network"
                        aria-label=move || (i18n.admin().change_network)(&changed)
                        on:click=move |_| place.changing.set(Some(whole.clone()))
                    ><Icon glyph=Glyph::Pencil/>{move || i18n.admin().change}</button>
                </span>
            </td>
        </tr>
    }
}

#[component]
fn Leases(place: Place) -> impl IntoView {
    let i18n = use_i18n();
    let leases = move || place.leases.with(|all| all.map(|all| all.items.clone()).unwrap_or_default());
    let title = move || (i18n.admin().addresses_of)(&place.network.get().unwrap_or_default());
    view! {
        <Show when=move || place.network.with(Option::is_some)>
            <section class="section" data-testid="leases">
                <h3>{title}</h3>
                <DataTable
                    label=Signal::derive(move || i18n.admin().addresses)
                    columns=columns(|a, _| vec![a.lease_address, a.lease_holder, a.column_person, a.lease_kind_title, a.hwaddr])
                    listing=Signal::derive(move || match listing(place.leases) {
                        Listing::There { more } => Listing::There { more: more && place.window.get() < MOST },
                        other => other,
                    })
                    empty=Signal::derive(move || i18n.admin().leases_none)
                    retry=move |()| place.network.update(|_| {}) more=move |()| place.window.update(|count| *count = (*count + WINDOW).min(MOST))
                >
                    <For each=leases key=|lease| format!("{lease:?}") let:lease>
                        <LeaseRow lease/>
                    </For>
                </DataTable>
            </section>
        </Show>
    }
}

#[component]
fn LeaseRow(lease: LeaseView) -> impl IntoView {
    let i18n = use_i18n();
    let label = move |title: fn(&'static AdminTexts) -> &'static str| move || title(i18n.admin());
    let holder = lease.machine.map_or(lease.hostname, |machine| machine.instance);
    let kind = lease.kind;
    view! {
        <tr role="row" data-testid="lease-row" data-address=lease.address>
            <td role="cell" class="target" data-label=label(|t| t.lease_address)>{lease.address.clone()}</td>
            <td role="cell" data-label=label(|t| t.lease_holder)>{holder}</td>
            <td role="cell" data-label=label(|t| t.column_person)>{lease.owner.unwrap_or_default()}</td>
            <td role="cell" data-label=label(|t| t.lease_kind_title)>
                {move || (i18n.admin().lease_kind)(&kind).map_or_else(|| kind.clone(), str::to_owned)}
            </td>
            <td role="cell" class="target" data-label=label(|t| t.hwaddr)>{lease.hwaddr}</td>
        </tr>
    }
}
