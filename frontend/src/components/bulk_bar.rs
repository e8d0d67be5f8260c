//! Commands to the machines that are ticked. What became of each stands in its row.

use std::collections::HashSet;
use std::sync::Arc;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use uuid::Uuid;
use vms_types::{BulkAction, BulkRequest, SnapshotName};

use super::confirm::{Confirm, Question};
use super::dialog::Dialog;
use super::field::TextField;
use super::form_actions::FormActions;
use super::icon::{Glyph, Icon};
use super::profile_picker::ProfilePicker;
use crate::commands::{Commands, use_commands};
use crate::i18n::use_i18n;
use crate::store::{Row, use_store};

/// The bar: how many are ticked, and what can be done with them.
#[component]
pub(crate) fn BulkBar(selected: RwSignal<HashSet<Uuid>>) -> impl IntoView {
    let i18n = use_i18n();
    let commands = use_commands();
    let confirm = expect_context::<Confirm>();
    let rows = use_store().rows;
    let (naming, picking) = (RwSignal::new(false), RwSignal::new(false));
    // What is ticked and shown: a machine that is gone is not commanded.
    let chosen = Memo::new(move |_| {
        rows.with(|rows| rows.iter().filter(|row| selected.with(|ids| ids.contains(&row.id))).count())
    });
    let none = move || chosen.get() == 0;
    let picked = move || -> Vec<Row> {
        let ids = selected.get_untracked();
        rows.get_untracked().into_iter().filter(|row| ids.contains(&row.id)).collect()
    };
    let give = move |commands: &Commands, action: BulkAction, name: Option<String>| {
        let of = |wanted| name.clone().filter(|_| action == wanted);
        let (snapshot, profile) = (of(BulkAction::Snapshot), of(BulkAction::Profile));
        let request = BulkRequest { action, machines: Vec::new(), snapshot, profile, force: false };
        commands.bulk(&picked(), &request);
        selected.set(HashSet::new());
    };
    let ask = {
        let commands = commands.clone();
        move |action: BulkAction| {
            let (t, admin, count) = (i18n.now(), i18n.admin_now(), chosen.get_untracked());
            let (title, text, yes) = if action == BulkAction::Delete {
                ((admin.bulk_delete_title)(count), admin.bulk_delete_text, t.remove)
            } else {
                ((admin.bulk_stop_title)(count), admin.bulk_stop_text, t.turn_off)
            };
            let commands = commands.clone();
            let action = Arc::new(move || give(&commands, action, None));
            confirm.ask(Question { title, text: text.to_owned(), yes, action });
        }
    };
    let (start, stop, delete, profiles) = (commands.clone(), ask.clone(), ask, commands.clone());
    view! {
        <div class="bulk" role="group" aria-label=move || i18n.admin().bulk class:idle=none>
            <span class="bulk-count" role="status" data-testid="bulk-count">
                {move || (i18n.admin().selected)(chosen.get())}
            </span>
            <button
                class="button" type="button" data-testid="bulk-start" disabled=none
                on:click=move |_| give(&start, BulkAction::Start, None)
            ><Icon glyph=Glyph::Play/>{move || i18n.t().turn_on}</button>
            <button
                class="button" type="button" data-testid="bulk-stop" disabled=none
                on:click=move |_| stop(BulkAction::Stop)
            ><Icon glyph=Glyph::Power/>{move || i18n.t().turn_off}</button>
            <button
                class="button" type="button" data-testid="bulk-snapshot" disabled=none
                on:click=move |_| naming.set(true)
            ><Icon glyph=Glyph::Camera/>{move || i18n.t().create_snapshot}</button>
            <button
                class="button" type="button" data-testid="bulk-profile" disabled=none
                on:click=move |_| picking.set(true)
            ><Icon glyph=Glyph::Server/>{move || i18n.admin().change_profile}</button>
            <button
                class="button danger-quiet" type="button" data-testid="bulk-delete" disabled=none
                on:click=move |_| delete(BulkAction::Delete)
            ><Icon glyph=Glyph::Trash/>{move || i18n.t().remove}</button>
        </div>
        <ProfilePicker
            open=picking on_profile=move |name: String| give(&profiles, BulkAction::Profile, Some(name))
        />
        <SnapshotDialog
            open=naming on_name=move |name: String| give(&commands, BulkAction::Snapshot, Some(name))
        />
    }
}

/// Asks for the name that all snapshots get.
#[component]
fn SnapshotDialog(open: RwSignal<bool>, #[prop(into)] on_name: Callback<String>) -> impl IntoView {
    let i18n = use_i18n();
    let name = RwSignal::new(String::new());
    let touched = RwSignal::new(false);
    Effect::new(move || {
        if open.get() {
            touched.set(false);
            name.set(String::new());
        }
    });
    let error = Signal::derive(move || {
        let error = name.with(|name| SnapshotName::parse(name.trim()).err());
        error.filter(|_| touched.get()).and_then(|error| (i18n.t().field)(error.code()))
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        touched.set(true);
        let text = name.get_untracked().trim().to_owned();
        if SnapshotName::parse(&text).is_ok() {
            open.set(false);
            on_name.run(text);
        }
    };
    view! {
        <Dialog open id="bulk-snapshot-title" title=Signal::derive(move || i18n.t().create_snapshot.to_owned())>
            <Show when=move || open.get()>
                <form class="stack" novalidate on:submit=submit>
                    <TextField
                        id="bulk-snapshot-name" testid="bulk-snapshot-name" first=true
                        label=Signal::derive(move || i18n.t().snapshot_name.to_owned())
                        hint=Signal::derive(move || i18n.t().snapshot_hint.to_owned()) value=name error
                        on_change=move |()| touched.set(true)
                    />
                    <FormActions open testid="bulk-snapshot-ok" submit=Signal::derive(move || i18n.t().create_snapshot)/>
                </form>
            </Show>
        </Dialog>
    }
}
