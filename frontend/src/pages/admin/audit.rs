//! The audit log: who did what, when, from where, and how it ended.

use leptos::prelude::*;
use vms_client::AuditQuery;
use vms_types::{AuditFormat, AuditLine, AuditOutcome};
use wasm_bindgen_futures::spawn_local;

use crate::clock::{start_of, wall_time};
use crate::components::data_table::{Column, DataTable};
use crate::components::filters::{FilterSelect, FilterText, wanted};
use crate::components::icon::{Glyph, Icon};
use crate::download;
use crate::format::moment;
use crate::i18n::{ACTIONS, Lang, use_i18n};
use crate::listing::Lines;
use crate::session::{Session, use_session};
use crate::store::use_store;

/// Lines asked for at once.
const PAGE: u32 = 50;

/// What is asked for. A handle: copies share it.
#[derive(Clone, Copy)]
struct Filter {
    actor: RwSignal<String>,
    action: RwSignal<String>,
    outcome: RwSignal<String>,
    target: RwSignal<String>,
    from: RwSignal<String>,
    until: RwSignal<String>,
}

impl Filter {
    fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self {
            actor: empty(),
            action: empty(),
            outcome: empty(),
            target: empty(),
            from: empty(),
            until: empty(),
        }
    }

    fn query(self) -> AuditQuery {
        AuditQuery {
            actor: wanted(self.actor),
            action: wanted(self.action),
            target: wanted(self.target),
            from: self.from.with(|day| start_of(day, 0)),
            until: self.until.with(|day| start_of(day, 1)),
            outcome: match self.outcome.get().as_str() {
                "ok" => Some(AuditOutcome::Ok),
                "refused" => Some(AuditOutcome::Refused),
                _ => None,
            },
            limit: Some(PAGE),
            cursor: None,
        }
    }
}

/// Asks for the first page, or for the one after what is there.
fn load(lines: Lines<AuditLine>, session: Session, query: AuditQuery) {
    lines.load(query.cursor.is_some(), async move {
        session
            .call(|client| {
                let query = query.clone();
                async move { client.audit(&query, None).await }
            })
            .await
    });
}

/// The page.
#[component]
pub(crate) fn AuditPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let filter = Filter::new();
    let lines = Lines::new();
    let query = Memo::new(move |_| filter.query());
    let first = session.clone();
    Effect::new(move || load(lines, first.clone(), query.get()));
    let (again, further) = (session.clone(), session);
    let columns = Signal::derive(move || {
        let t = i18n.admin();
        let plain = |title| Column { title, sort: None };
        vec![
            Column { title: t.column_when, sort: Some("descending") },
            plain(t.column_person),
            plain(t.column_action),
            plain(t.column_target),
            plain(t.column_outcome),
        ]
    });
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(crate::route::Route::Audit)}</h2>
            <span class="toolbar-note"></span>
            <Export query/>
        </div>
        <Filters filter/>
        <DataTable
            label=Signal::derive(move || (i18n.t().page)(crate::route::Route::Audit)) columns
            listing=Signal::derive(move || lines.listing()) empty=Signal::derive(move || i18n.admin().audit_empty)
            retry=move |()| load(lines, again.clone(), query.get_untracked())
            more=move |()| {
                let cursor = lines.cursor.get_untracked();
                load(lines, further.clone(), AuditQuery { cursor, ..query.get_untracked() });
            }
        >
            <For each=move || lines.all.get() key=|line| line.id let:line>
                <Line line/>
            </For>
        </DataTable>
    }
}

#[component]
fn Filters(filter: Filter) -> impl IntoView {
    let i18n = use_i18n();
    let all = Signal::derive(move || i18n.admin().all);
    let actions = Signal::derive(move || {
        ACTIONS
            .iter()
            .map(|word| ((*word).to_owned(), action_words(i18n.admin().action, word)))
            .collect::<Vec<_>>()
    });
    let outcomes = Signal::derive(move || {
        [AuditOutcome::Ok, AuditOutcome::Refused]
            .map(|outcome| (outcome.as_str().to_owned(), (i18n.admin().outcome)(outcome).to_owned()))
            .to_vec()
    });
    view! {
        <form class="filters" role="search" on:submit=|event| event.prevent_default()>
            <FilterText
                id="audit-actor" label=Signal::derive(move || i18n.admin().column_person) value=filter.actor lazy=true
            />
            <FilterSelect
                id="audit-action" label=Signal::derive(move || i18n.admin().column_action) all value=filter.action
                options=actions
            />
            <FilterSelect
                id="audit-outcome" label=Signal::derive(move || i18n.admin().column_outcome) all value=filter.outcome
                options=outcomes
            />
            <FilterText
                id="audit-target" label=Signal::derive(move || i18n.admin().column_target) value=filter.target lazy=true
            />
            <FilterText
                id="audit-from" label=Signal::derive(move || i18n.admin().from_day) value=filter.from kind="date" lazy=true
            />
            <FilterText
                id="audit-until" label=Signal::derive(move || i18n.admin().until_day) value=filter.until kind="date"
                lazy=true
            />
        </form>
    }
}

fn action_words(known: fn(&str) -> Option<&'static str>, word: &str) -> String {
    known(word).map_or_else(|| word.to_owned(), str::to_owned)
}

/// The buttons that take away what the filter lets through.
#[component]
fn Export(query: Memo<AuditQuery>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let announcement = use_store().announcement;
    let busy = RwSignal::new(false);
    let export = move |format: AuditFormat| {
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let (session, query) = (session.clone(), query.get_untracked());
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let query = query.clone();
                    async move { client.audit_export(&query, format).await }
                })
                .await;
            // The page may be gone by now; the file is wanted all the same.
            let _gone = busy.try_set(false);
            let said = match answer {
                Ok(text) => {
                    let name = format!("{}.{}", i18n.admin_now().audit_file, format.as_str());
                    match download::save(&name, format.media_type(), &text) {
                        Ok(()) => format!("{name} ✓"),
                        Err(_) => i18n.now().advice_unreadable.text(),
                    }
                }
                Err(error) => i18n.now().error(&error),
            };
            announcement.set(said);
        });
    };
    let button = move |format: AuditFormat, testid: &'static str, word: &'static str| {
        let export = export.clone();
        view! {
            <button
                class="button" type="button" data-testid=testid aria-disabled=move || busy.get().to_string()
                on:click=move |_| export(format)
            >
                <Icon glyph=Glyph::Download/>
                {move || (i18n.admin().export)(word)}
            </button>
        }
    };
    view! {
        <div class="actions">
            {button(AuditFormat::Csv, "export-csv", "CSV")}
            {button(AuditFormat::Jsonl, "export-jsonl", "JSON")}
        </div>
    }
}

/// One line, and what else is known about it when it is opened.
#[component]
fn Line(line: AuditLine) -> impl IntoView {
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    let details = format!("line-{}", line.id);
    let at = wall_time(line.at);
    let when = move || moment(at, i18n.0.get() == Lang::Pt);
    let word = line.action.clone();
    let action = move || action_words(i18n.admin().action, &word);
    let outcome = line.outcome;
    let label = |title: fn(&'static crate::i18n::AdminTexts) -> &'static str| move || title(i18n.admin());
    let shown = line.clone();
    view! {
        <tr role="row" data-testid="audit-row" data-action=line.action data-actor=line.actor.clone()>
            <td role="cell" data-label=label(|t| t.column_when)>
                <button
                    class="row-opener" type="button" data-testid="audit-open" aria-controls=details.clone()
                    aria-expanded=move || open.get().to_string() on:click=move |_| open.update(|open| *open = !*open)
                >
                    <Icon glyph=Glyph::Chevron/>
                    {when}
                </button>
            </td>
            <td role="cell" data-label=label(|t| t.column_person)>{line.actor.clone()}</td>
            <td role="cell" data-label=label(|t| t.column_action)>{action}</td>
            <td role="cell" class="target" data-label=label(|t| t.column_target)>{line.target}</td>
            <td role="cell" data-label=label(|t| t.column_outcome)>
                <span class="status" data-tone=if outcome == AuditOutcome::Ok { "running" } else { "error" }>
                    <Icon glyph=if outcome == AuditOutcome::Ok { Glyph::Check } else { Glyph::Close }/>
                    {move || (i18n.admin().outcome)(outcome)}
                </span>
            </td>
        </tr>
        <tr role="row" class="detail-row" id=details class:hidden=move || !open.get()>
            <td role="cell" colspan="5">
                {move || open.get().then(|| details_of(i18n.admin(), &shown))}
            </td>
        </tr>
    }
}

fn details_of(texts: &'static crate::i18n::AdminTexts, line: &AuditLine) -> impl IntoView + use<> {
    let answer = match &line.code {
        Some(code) => format!("{} {code}", line.status),
        None => line.status.to_string(),
    };
    let parts = [
        (texts.detail_action, line.action.clone()),
        (texts.detail_answer, answer),
        (texts.detail_address, line.address.clone()),
        (texts.detail_request, line.request_id.clone()),
        (texts.detail_asked, line.detail.as_ref().map(|said| format!("{said:#}")).unwrap_or_default()),
    ];
    let shown = parts.into_iter().filter(|(_, text)| !text.is_empty());
    view! {
        <dl class="details" data-testid="audit-details">
            {shown.map(|(title, text)| view! { <div><dt>{title}</dt><dd>{text}</dd></div> }).collect_view()}
        </dl>
    }
}
