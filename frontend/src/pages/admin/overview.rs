//! How everything is: servers, machines, the busiest, operations, and whether every part answers.

use leptos::prelude::*;
use vms_types::{BusyMachine, Operation, Overview, ServerUsage, ServerView, Space};

use crate::clock::wall_time;
use crate::components::chart::Charts;
use crate::components::icon::{Glyph, Icon};
use crate::components::meter::Meter;
use crate::components::status::StatusPill;
use crate::format::{self, moment};
use crate::i18n::{Lang, use_i18n};
use crate::route::Route;
use crate::session::use_session;
use crate::watched::Watched;

/// The page.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let (now, history) = (Watched::new(), Watched::new());
    now.follow(&session, true, |client, etag| async move { client.overview(etag.as_deref()).await });
    history.follow(&session, true, |client, etag| async move {
        client.overview_history(None, etag.as_deref()).await
    });
    on_cleanup(move || {
        now.stop();
        history.stop();
    });
    let servers = move || now.with(|now| now.map(|now| now.servers.clone()).unwrap_or_default());
    view! {
        <div class="toolbar"><h2>{move || (i18n.t().page)(Route::Overview)}</h2></div>
        {move || now.failure().map(|error| view! {
            <p class="data-note failed" role="alert"><Icon glyph=Glyph::Alert/>{i18n.t().error(&error)}</p>
        })}
        <div class="overview" data-testid="overview" aria-busy=move || now.with(|now| now.is_none()).to_string()>
            <div class="tiles">
                {move || now.get().map(|now| view! { <MachinesTile now=now.clone()/><HealthTile now/> })}
            </div>
            <For each=servers key=|server| server.name.clone() let:server>
                <Server name=server.name now history/>
            </For>
            {move || now.get().map(|now| view! { <BusiestTile now=now.clone()/><OperationsTile now/> })}
        </div>
    }
}

#[component]
fn MachinesTile(now: Overview) -> impl IntoView {
    let i18n = use_i18n();
    let total: u32 = now.machines.iter().map(|counted| counted.count).sum();
    view! {
        <section class="card tile" data-testid="machines-by-status">
            <h3>{move || i18n.t().machines} " " <span class="tile-count">{total}</span></h3>
            <ul class="tile-list counts">
                {now.machines.into_iter().map(|counted| view! {
                    <li>
                        <StatusPill status=Memo::new(move |_| counted.status)/>
                        <strong>{counted.count}</strong>
                    </li>
                }).collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn HealthTile(now: Overview) -> impl IntoView {
    let i18n = use_i18n();
    let part = move |name: Signal<String>, ok: bool, trouble: Option<String>| {
        view! {
            <li data-ok=ok.to_string()>
                <span>{move || name.get()}</span>
                <span class="status" data-tone=if ok { "running" } else { "error" }>
                    <Icon glyph=if ok { Glyph::Check } else { Glyph::Alert }/>
                    {move || if ok { i18n.admin().answers } else { i18n.admin().answers_not }}
                </span>
                {trouble.map(|why| view! { <p class="trouble">{why}</p> })}
            </li>
        }
    };
    let (database, directory) = (now.health.database, now.health.directory);
    view! {
        <section class="card tile" data-testid="health">
            <h3>{move || i18n.admin().health}</h3>
            <ul class="tile-list counts">
                {part(Signal::derive(move || i18n.admin().database.to_owned()), database.ok, database.trouble)}
                {part(Signal::derive(move || i18n.admin().directory.to_owned()), directory.ok, directory.trouble)}
                {now.servers.into_iter().map(|server| {
                    let name = server.name;
                    part(Signal::stored(format!("LXD {name}")), server.reachable, server.trouble)
                }).collect_view()}
            </ul>
        </section>
    }
}

/// One server: how it is, how full, and what was used lately.
#[component]
fn Server(
    name: String,
    now: Watched<Overview>,
    history: Watched<vms_types::Page<ServerUsage>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let title = name.clone();
    let testid = format!("server-{name}");
    let shown = {
        let name = name.clone();
        Memo::new(move |_| {
            now.with(|now| now.and_then(|now| now.servers.iter().find(|server| server.name == name).cloned()))
        })
    };
    let lately = Memo::new(move |_| {
        history.with(|all| all.and_then(|all| all.items.iter().find(|one| one.server == name).cloned()))
    });
    let points = Signal::derive(move || lately.get().map(|usage| usage.points).unwrap_or_default());
    let step = Signal::derive(move || {
        lately.with(|usage| usage.as_ref().map_or(60, |usage| usage.interval_seconds))
    });
    let tops = Signal::derive(move || {
        lately
            .with(|usage| usage.as_ref().map_or((None, None), |u| (u.memory_limit_bytes, u.disk_limit_bytes)))
    });
    view! {
        <section class="card tile server" data-testid=testid>
            <h3>{title}</h3>
            {move || shown.get().map(|server| view! { <ServerFacts server/> })}
            <Charts points hours=4 step tops/>
            <Show when=move || points.with(Vec::is_empty)>
                <p class="tile-note">{move || i18n.t().usage_none}</p>
            </Show>
        </section>
    }
}

#[component]
fn ServerFacts(server: ServerView) -> impl IntoView {
    let i18n = use_i18n();
    let since = wall_time(server.since);
    let machines = server.machines;
    let cpus = server.cpus;
    let cpu = server.cpu;
    let load = server.load;
    let space = move |space: Space| {
        let mark = i18n.t().decimal_mark;
        format!("{} / {}", format::bytes(space.used_bytes, mark), format::bytes(space.total_bytes, mark))
    };
    view! {
        <p class="tile-note">
            {move || {
                let at = moment(since, i18n.0.get() == Lang::Pt);
                if server.reachable { (i18n.admin().answers_since)(&at) } else { (i18n.admin().lost_since)(&at) }
            }}
            " · "
            {move || (i18n.admin().machines_running)(machines.running, machines.total)}
            {move || cpus.map(|cpus| format!(" · {}", (i18n.admin().processors)(cpus)))}
            {move || load.map(|load| format!(" · {}", (i18n.admin().load)(load)))}
        </p>
        <dl class="meters">
            {cpu.map(|cpu| view! {
                <Meter title=Signal::derive(move || i18n.t().chart_cpu.to_owned()) share=cpu text=Signal::derive(move || format::percent(cpu))/>
            })}
            {server.memory.map(|memory| view! {
                <Meter
                    title=Signal::derive(move || i18n.t().chart_memory.to_owned()) share=share(memory)
                    text=Signal::derive(move || space(memory))
                />
            })}
            {server.pools.into_iter().map(|pool| {
                let (name, used) = (format!("{} ({})", pool.name, pool.driver), pool.space);
                view! {
                    <Meter
                        title=Signal::derive(move || (i18n.admin().storage_of)(&name)) share=share(used)
                        text=Signal::derive(move || space(used))
                    />
                }
            }).collect_view()}
        </dl>
    }
}

fn share(space: Space) -> f64 {
    let total = format::float(space.total_bytes);
    if total > 0.0 { format::float(space.used_bytes) / total } else { 0.0 }
}

#[component]
fn BusiestTile(now: Overview) -> impl IntoView {
    let i18n = use_i18n();
    let list = move |title: Signal<&'static str>, testid: &'static str, all: Vec<BusyMachine>| {
        view! {
            <div data-testid=testid>
                <h4>{move || title.get()}</h4>
                <ol class="tile-list busiest">
                    {all.into_iter().map(|busy| {
                        let text = move || {
                            let memory = format::bytes(busy.memory_bytes, i18n.t().decimal_mark);
                            format!("{} · {memory}", format::percent(busy.cpu))
                        };
                        view! {
                            <li>
                                <span class="target">{busy.machine.instance}</span>
                                <span>{format!("{} · {}", busy.owner, busy.server)}</span>
                                <strong>{text}</strong>
                            </li>
                        }
                    }).collect_view()}
                </ol>
            </div>
        }
    };
    view! {
        <section class="card tile" data-testid="busiest">
            <h3>{move || i18n.admin().busiest}</h3>
            <div class="halves">
                {list(Signal::derive(move || i18n.admin().by_cpu), "busiest-cpu", now.busiest.cpu)}
                {list(Signal::derive(move || i18n.admin().by_memory), "busiest-memory", now.busiest.memory)}
            </div>
        </section>
    }
}

#[component]
fn OperationsTile(now: Overview) -> impl IntoView {
    let i18n = use_i18n();
    let operations = now.operations;
    let count = operations.under_way_count;
    let list = move |testid: &'static str, all: Vec<Operation>| {
        let none = all.is_empty();
        view! {
            <ul class="tile-list busiest" data-testid=testid>
                {none.then(|| view! { <li>{move || i18n.admin().nothing_here}</li> })}
                {all.into_iter().map(|operation| {
                    let at = wall_time(operation.created_at);
                    let kind = operation.kind;
                    let instance = operation.machine.map(|machine| machine.instance).unwrap_or_default();
                    let why = operation.error.map(|error| error.message).unwrap_or_default();
                    view! {
                        <li>
                            <span>{move || moment(at, i18n.0.get() == Lang::Pt)}</span>
                            <span>{move || (i18n.admin().action)(kind.as_str()).unwrap_or(kind.as_str())}</span>
                            <span class="target">{instance}</span>
                            <span>{operation.requested_by}</span>
                            <span class="trouble">{why}</span>
                        </li>
                    }
                }).collect_view()}
            </ul>
        }
    };
    view! {
        <section class="card tile" data-testid="operations-now">
            <h3>{move || (i18n.admin().under_way)(count)}</h3>
            {list("under-way", operations.under_way)}
            <h3>{move || i18n.admin().failed_lately}</h3>
            {list("failed-lately", operations.failed)}
        </section>
    }
}
