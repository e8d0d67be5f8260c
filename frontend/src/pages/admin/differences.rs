//! Where the table and the servers do not match, and putting it right: an instance without owner is given to somebody, a
//! machine that is gone is given up.

use std::sync::Arc;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_types::{AdoptInstance, Difference, DifferenceKind, FieldError, MachineName, ProblemCode};
use wasm_bindgen_futures::spawn_local;

use crate::clock::wall_time;
use crate::components::confirm::{Confirm, Question};
use crate::components::data_table::{Column, DataTable};
use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form_actions::FormActions;
use crate::components::icon::{Glyph, Icon};
use crate::format::moment;
use crate::i18n::{Lang, field_error, use_i18n};
use crate::listing::Lines;
use crate::route::Route;
use crate::session::{Session, use_session};
use crate::store::use_store;

/// The list, and how to look again after something was put right. A handle: copies share it.
#[derive(Clone, Copy)]
struct Page {
    lines: Lines<Difference>,
    session: StoredValue<Session>,
    /// What is to be adopted; the dialog is open while there is something.
    adopting: RwSignal<Option<Difference>>,
}

impl Page {
    /// Asks for what is there once more, or for what comes after it.
    fn load(self, further: bool) {
        let (session, part) = (self.session.get_value(), self.lines.part(further));
        self.lines.load(further, async move {
            let part = &part;
            session.call(|client| async move { client.differences(part, None).await }).await
        });
    }
}

/// The page.
#[component]
pub(crate) fn DifferencesPage() -> impl IntoView {
    let i18n = use_i18n();
    let page =
        Page { lines: Lines::new(), session: StoredValue::new(use_session()), adopting: RwSignal::new(None) };
    page.load(false);
    let columns = Signal::derive(move || {
        let t = i18n.admin();
        [t.column_instance, t.server, t.column_kind, t.column_owner, t.column_when, t.column_action]
            .map(|title| Column { title, sort: None })
            .to_vec()
    });
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(Route::Differences)}</h2>
            <p class="toolbar-note count">{move || i18n.admin().differences_text}</p>
        </div>
        <DataTable
            label=Signal::derive(move || (i18n.t().page)(Route::Differences)) columns
            listing=Signal::derive(move || page.lines.listing())
            empty=Signal::derive(move || i18n.admin().differences_none)
            retry=move |()| page.load(false) more=move |()| page.load(true)
        >
            <For each=move || page.lines.all.get() key=|line| (line.server.clone(), line.instance.clone()) let:line>
                <Line page line/>
            </For>
        </DataTable>
        <AdoptDialog page/>
    }
}

#[component]
fn Line(page: Page, line: Difference) -> impl IntoView {
    let i18n = use_i18n();
    let kind = line.kind;
    let label = |title: fn(&'static crate::i18n::AdminTexts) -> &'static str| move || title(i18n.admin());
    let at = line.created_at.map(wall_time);
    let when = move || at.map(|at| moment(at, i18n.0.get() == Lang::Pt));
    let button = if kind.can_be_adopted() {
        let line = line.clone();
        view! {
            <button
                class="button" type="button" data-testid="adopt" on:click=move |_| page.adopting.set(Some(line.clone()))
            >
                {move || i18n.admin().adopt}
            </button>
        }
        .into_any()
    } else {
        view! { <GiveUp page line=line.clone()/> }.into_any()
    };
    view! {
        <tr role="row" data-testid="difference" data-instance=line.instance.clone() data-kind=kind.as_str()>
            <td role="cell" data-label=label(|t| t.column_instance)>{line.instance.clone()}</td>
            <td role="cell" data-label=label(|t| t.server)>{line.server}</td>
            <td role="cell" data-label=label(|t| t.column_kind)>
                <span class="status" data-tone=if kind == DifferenceKind::Missing { "error" } else { "stopped" }>
                    <Icon glyph=if kind == DifferenceKind::Missing { Glyph::Alert } else { Glyph::Question }/>
                    {move || (i18n.admin().difference)(kind)}
                </span>
            </td>
            <td role="cell" data-label=label(|t| t.column_owner)>{line.owner}</td>
            <td role="cell" data-label=label(|t| t.column_when)>{when}</td>
            <td role="cell" data-label=label(|t| t.column_action)>{button}</td>
        </tr>
    }
}

/// Takes a machine that is gone off its owner's list, after a question.
#[component]
fn GiveUp(page: Page, line: Difference) -> impl IntoView {
    let i18n = use_i18n();
    let confirm = expect_context::<Confirm>();
    let announcement = use_store().announcement;
    let ask = move |_| {
        let texts = i18n.admin_now();
        let line = line.clone();
        let title = (texts.give_up_title)(&line.instance);
        let action = Arc::new(move || {
            let (session, line) = (page.session.get_value(), line.clone());
            let Some(machine) = line.machine else { return };
            spawn_local(async move {
                let answer = session
                    .call(|client| async move { client.delete_machine(&machine.to_string()).await })
                    .await;
                announcement.set(match answer {
                    Ok(_) => (i18n.admin_now().given_up)(&line.instance),
                    Err(error) => i18n.now().error(&error),
                });
                page.load(false);
            });
        });
        let text = texts.give_up_text.to_owned();
        confirm.ask(Question { title, text, yes: texts.give_up, action });
    };
    view! {
        <button class="button danger-quiet" type="button" data-testid="give-up" on:click=ask>
            {move || i18n.admin().give_up}
        </button>
    }
}

/// Asks whose an instance shall be.
#[component]
fn AdoptDialog(page: Page) -> impl IntoView {
    let i18n = use_i18n();
    let announcement = use_store().announcement;
    let open = RwSignal::new(false);
    let (owner, name) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let busy = RwSignal::new(false);
    let errors = RwSignal::new(Vec::<FieldError>::new());
    let failure = RwSignal::new(None::<String>);
    Effect::new(move || {
        let Some(line) = page.adopting.get() else { return };
        owner.set(line.owner.unwrap_or_default());
        name.set(if MachineName::parse(&line.instance).is_ok() { line.instance } else { String::new() });
        errors.set(Vec::new());
        failure.set(None);
        open.set(true);
    });
    let error_of = move |field: &'static str| {
        Signal::derive(move || errors.with(|errors| field_error(i18n.t(), errors, field)))
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(line) = page.adopting.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        let request = AdoptInstance {
            server: line.server,
            instance: line.instance,
            owner: owner.get_untracked().trim().to_owned(),
            name: Some(name.get_untracked().trim().to_owned()),
        };
        let session = page.session.get_value();
        busy.set(true);
        errors.set(Vec::new());
        failure.set(None);
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let request = request.clone();
                    async move { client.adopt(&request).await }
                })
                .await;
            // The page may be gone by now.
            let _gone = busy.try_set(false);
            match answer {
                Ok(machine) => {
                    open.set(false);
                    announcement.set((i18n.admin_now().adopted)(&machine.instance, &machine.owner));
                    page.load(false);
                }
                Err(error) => {
                    let found = match &error {
                        vms_client::ClientError::Problem(problem)
                            if problem.code == ProblemCode::NameTaken =>
                        {
                            vec![FieldError::new("name", ProblemCode::NameTaken.as_str(), "")]
                        }
                        vms_client::ClientError::Problem(problem) => problem.errors.clone(),
                        _ => Vec::new(),
                    };
                    if !found.iter().any(|error| matches!(error.field.as_str(), "owner" | "name")) {
                        failure.set(Some(i18n.now().error(&error)));
                    }
                    errors.set(found);
                }
            }
        });
    };
    let title = Signal::derive(move || {
        page.adopting.with(|line| {
            line.as_ref().map(|line| (i18n.admin().adopt_title)(&line.instance)).unwrap_or_default()
        })
    });
    view! {
        <Dialog open id="adopt-title" title>
            <p class="dialog-text">{move || i18n.admin().adopt_text}</p>
            <form class="stack" novalidate on:submit=submit>
                <TextField
                    id="adopt-owner" testid="adopt-owner" first=true
                    label=Signal::derive(move || i18n.admin().column_owner.to_owned())
                    hint=Signal::derive(move || i18n.admin().owner_hint.to_owned()) value=owner error=error_of("owner")
                />
                <TextField
                    id="adopt-name" testid="adopt-name" label=Signal::derive(move || i18n.t().name.to_owned())
                    hint=Signal::derive(move || i18n.t().name_hint.to_owned()) value=name error=error_of("name")
                />
                <FormActions
                    open testid="adopt-ok" submit=Signal::derive(move || i18n.admin().adopt) busy error=(failure, "adopt-error")
                />
            </form>
        </Dialog>
    }
}
