//! What roles and groups may use, beside the school's own from the configuration.

use std::sync::Arc;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_client::Conditional;
use vms_types::{Quota, QuotaRule, QuotaScope, Role};
use wasm_bindgen_futures::spawn_local;

use crate::components::confirm::{Confirm, Question};
use crate::components::data_table::{Column, DataTable};
use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form_actions::FormActions;
use crate::components::icon::{Glyph, Icon};
use crate::components::quota_fields::{QuotaFields, QuotaForm};
use crate::i18n::{I18n, PeopleTexts, quota_values, use_i18n};
use crate::listing::Lines;
use crate::route::Route;
use crate::session::{Session, use_session};
use crate::store::use_store;

/// Every role, in the order in which one chooses.
pub(super) const ROLES: [Role; 3] = [Role::Student, Role::Teacher, Role::Admin];

/// Whose a rule is, in words.
fn whose(texts: &PeopleTexts, rule: &QuotaRule) -> String {
    match (rule.scope, Role::parse(&rule.subject)) {
        (QuotaScope::School, _) => texts.school.to_owned(),
        (QuotaScope::Role, Some(role)) => format!("{}: {}", texts.of_role, (texts.role)(role)),
        (QuotaScope::Role, None) => format!("{}: {}", texts.of_role, rule.subject),
        (QuotaScope::Group, _) => format!("{}: {}", texts.of_group, rule.subject),
    }
}

fn load(lines: Lines<QuotaRule>, session: Session) {
    lines.load(false, async move { session.call(|client| async move { client.quotas(None).await }).await });
}

/// The page.
#[component]
pub(crate) fn QuotasPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let lines = Lines::new();
    load(lines, session.clone());
    let open = RwSignal::new(false);
    // What is edited; `None` makes a new one.
    let edited = RwSignal::new(None::<QuotaRule>);
    let again = session.clone();
    let reload = Callback::new(move |()| load(lines, again.clone()));
    let columns = Signal::derive(move || {
        let t = i18n.people();
        let titles = [t.column_whose].into_iter().chain(t.number.all()).chain([i18n.t().column_commands]);
        titles.map(|title| Column { title, sort: None }).collect::<Vec<_>>()
    });
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(Route::Quotas)}</h2>
            <span class="toolbar-note"></span>
            <div class="actions">
                <button
                    class="button primary" type="button" data-testid="quota-new"
                    on:click=move |_| { edited.set(None); open.set(true); }
                >
                    <Icon glyph=Glyph::Plus/>
                    {move || i18n.people().new_quota}
                </button>
            </div>
        </div>
        <p class="page-intro">{move || i18n.people().quotas_intro}</p>
        <LoosePools session/>
        <DataTable
            label=Signal::derive(move || (i18n.t().page)(Route::Quotas)) columns
            listing=Signal::derive(move || lines.listing()) empty=Signal::derive(|| "") retry=reload more=|()| ()
        >
            <For each=move || lines.all.get() key=|rule| format!("{rule:?}") let:rule>
                <RuleRow rule edit=move |rule| { edited.set(Some(rule)); open.set(true); } reload/>
            </For>
        </DataTable>
        <QuotaDialog open edited reload/>
    }
}

/// Says where a quota of disk is only a sum.
#[component]
fn LoosePools(session: Session) -> impl IntoView {
    let i18n = use_i18n();
    let pools = RwSignal::new(Vec::<String>::new());
    spawn_local(async move {
        // The note is an extra: if the pools cannot be had, the quotas can still be decided.
        if let Ok(Conditional::Data { value, .. }) =
            session.call(|client| async move { client.storage_pools(None).await }).await
        {
            let loose = value.items.into_iter().filter(|pool| !pool.enforces_size);
            let names = loose.map(|pool| format!("{} ({}, {})", pool.name, pool.server, pool.driver));
            let _gone = pools.try_set(names.collect());
        }
    });
    view! {
        <Show when=move || pools.with(|pools| !pools.is_empty())>
            <p class="page-note" role="note" data-testid="loose-pools">
                <Icon glyph=Glyph::Alert/>
                {move || (i18n.people().loose_pools)(&pools.with(|pools| pools.join(", ")))}
            </p>
        </Show>
    }
}

#[component]
fn RuleRow(rule: QuotaRule, #[prop(into)] edit: Callback<QuotaRule>, reload: Callback<()>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let confirm = expect_context::<Confirm>();
    let announcement = use_store().announcement;
    let (shown, named, removed) = (rule.clone(), rule.clone(), rule.clone());
    let cells = quota_values(&rule.quota).into_iter().enumerate().map(|(place, value)| {
        let label = move || i18n.people().number.all().into_iter().nth(place).unwrap_or_default();
        let text = move || value.clone().unwrap_or_else(|| "–".to_owned());
        view! { <td role="cell" class="number" data-label=label>{text}</td> }
    });
    let ask = move |_| {
        let t = i18n.people_now();
        let (session, rule) = (session.clone(), removed.clone());
        let action = Arc::new(move || {
            let (session, rule) = (session.clone(), rule.clone());
            spawn_local(async move {
                let answer = session
                    .call(|client| {
                        let subject = rule.subject.clone();
                        async move { client.delete_quota(rule.scope, &subject).await }
                    })
                    .await;
                if let Err(error) = answer {
                    announcement.set(i18n.now().error(&error));
                }
                reload.run(());
            });
        });
        let title = (t.remove_title)(&whose(t, &removed));
        confirm.ask(Question { title, text: t.remove_text.to_owned(), yes: i18n.now().remove, action });
    };
    let mine = rule.scope != QuotaScope::School;
    let subject = rule.subject.clone();
    view! {
        <tr role="row" data-testid="quota-row" data-subject=subject>
            <td role="cell" data-label=move || i18n.people().column_whose>
                {move || whose(i18n.people(), &shown)}
            </td>
            {cells.collect_view()}
            <td role="cell" data-label=move || i18n.t().column_commands>
                {mine.then(|| {
                    let of = named.clone();
                    let label = move |word: &str| (i18n.t().for_machine)(word, &whose(i18n.people(), &of));
                    let (edit_label, remove_label) = (label.clone(), label);
                    view! {
                        <span class="row-commands">
                            <button
                                class="icon-button bordered" type="button" data-testid="quota-edit"
                                aria-label=move || edit_label(i18n.people().edit) on:click=move |_| edit.run(rule.clone())
                            ><Icon glyph=Glyph::Pencil/></button>
                            <button
                                class="icon-button bordered" type="button" data-testid="quota-remove"
                                aria-label=move || remove_label(i18n.t().remove) on:click=ask
                            ><Icon glyph=Glyph::Trash/></button>
                        </span>
                    }
                })}
            </td>
        </tr>
    }
}

/// Makes a quota, or changes one.
#[component]
fn QuotaDialog(
    open: RwSignal<bool>,
    edited: RwSignal<Option<QuotaRule>>,
    reload: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let form = QuotaForm::new();
    let scope = RwSignal::new(QuotaScope::Role);
    let role = RwSignal::new(Role::Student.as_str().to_owned());
    let group = RwSignal::new(String::new());
    let touched = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    Effect::new(move || {
        if open.get() {
            let rule = edited.get_untracked();
            form.show(&rule.as_ref().map(|rule| rule.quota).unwrap_or_default());
            group.set(String::new());
            touched.set(false);
            error.set(None);
        }
    });
    let group_error = Signal::derive(move || {
        (touched.get() && group.with(|name| name.trim().is_empty())).then_some(i18n.people().group_missing)
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        touched.set(true);
        let (about, subject) = match edited.get_untracked() {
            Some(rule) => (rule.scope, rule.subject),
            None if scope.get_untracked() == QuotaScope::Role => (QuotaScope::Role, role.get_untracked()),
            None => (QuotaScope::Group, group.get_untracked().trim().to_owned()),
        };
        let (Some(quota), false) = (form.read(), subject.is_empty()) else { return };
        save(session.clone(), i18n, QuotaRule { scope: about, subject, quota }, open, error, reload);
    };
    let title = Signal::derive(move || {
        let t = i18n.people();
        edited.with(|rule| match rule {
            Some(rule) => (t.edit_quota)(&whose(t, rule)),
            None => t.new_quota.to_owned(),
        })
    });
    view! {
        <Dialog open id="quota-title" title>
            <Show when=move || open.get()>
                <form class="stack" novalidate on:submit=submit.clone()>
                    <Show when=move || edited.with(Option::is_none)>
                        <div class="field">
                            <label for="quota-scope">{move || i18n.people().scope}</label>
                            <select
                                id="quota-scope" data-testid="quota-scope" class="input select"
                                on:change=move |event| {
                                    scope.set(QuotaScope::parse(&event_target_value(&event)).unwrap_or(QuotaScope::Role));
                                }
                            >
                                <option value="role" prop:selected=move || scope.get() == QuotaScope::Role>
                                    {move || i18n.people().of_role}
                                </option>
                                <option value="group" prop:selected=move || scope.get() == QuotaScope::Group>
                                    {move || i18n.people().of_group}
                                </option>
                            </select>
                        </div>
                        <Show
                            when=move || scope.get() == QuotaScope::Group
                            fallback=move || view! { <RoleField role/> }
                        >
                            <TextField
                                id="quota-group" testid="quota-group" value=group error=group_error
                                label=Signal::derive(move || i18n.people().group.to_owned())
                                hint=Signal::derive(move || i18n.people().group_hint.to_owned())
                            />
                        </Show>
                    </Show>
                    <QuotaFields form prefix="rule" in_force=Signal::derive(|| None::<Quota>)/>
                    <FormActions
                        open testid="quota-save" submit=Signal::derive(move || i18n.t().save) error=(error, "quota-error")
                    />
                </form>
            </Show>
        </Dialog>
    }
}

#[component]
fn RoleField(role: RwSignal<String>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <div class="field">
            <label for="quota-role">{move || i18n.people().column_role}</label>
            <select
                id="quota-role" data-testid="quota-role" class="input select"
                on:change=move |event| role.set(event_target_value(&event))
            >
                {ROLES.map(|one| view! {
                    <option value=one.as_str() prop:selected=move || role.with(|role| role == one.as_str())>
                        {move || (i18n.people().role)(one)}
                    </option>
                }).into_iter().collect_view()}
            </select>
        </div>
    }
}

/// Sends it; closes the dialog when it was taken.
fn save(
    session: Session,
    i18n: I18n,
    rule: QuotaRule,
    open: RwSignal<bool>,
    error: RwSignal<Option<String>>,
    reload: Callback<()>,
) {
    spawn_local(async move {
        let answer = session
            .call(|client| {
                let rule = rule.clone();
                async move { client.put_quota(rule.scope, &rule.subject, &rule.quota).await }
            })
            .await;
        match answer {
            Ok(_) => {
                open.set(false);
                reload.run(());
            }
            Err(failure) => error.set(Some(i18n.now().error(&failure))),
        }
    });
}
