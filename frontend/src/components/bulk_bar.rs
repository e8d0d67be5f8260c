//! Commands to the machines that are ticked. What became of each stands in its row.

use std::collections::HashSet;
use std::sync::Arc;

use leptos::prelude::*;
use uuid::Uuid;
use vms_types::{BulkAction, BulkRequest};

use super::confirm::{Confirm, Question};
use super::icon::{Glyph, Icon};
use super::name_dialog::{Naming, SnapshotNaming};
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
    let picking = RwSignal::new(false);
    let naming = expect_context::<SnapshotNaming>();
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
    let names = commands.clone();
    let name = move || {
        let commands = names.clone();
        let action = Arc::new(move |name| give(&commands, BulkAction::Snapshot, Some(name)));
        naming.ask(Naming { instance: None, old: None, taken: Vec::new(), action });
    };
    let (start, stop, delete, profiles) = (commands.clone(), ask.clone(), ask, commands);
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
                on:click=move |_| name()
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
    }
}
