//! *Criar Snapshot*, the dropdown of snapshots, and the buttons that act on the one chosen.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use vms_types::rules::{Command, allows};
use vms_types::{MachineStatus, Snapshot};

use super::confirm::{Confirm, Question};
use super::icon::{Glyph, Icon};
use super::name_dialog::{Naming, SnapshotNaming};
use crate::clock::wall_time;
use crate::commands::use_commands;
use crate::format::moment;
use crate::i18n::{I18n, Lang, use_i18n};
use crate::store::Row;

/// Snapshots of one machine.
#[component]
pub(crate) fn SnapshotControls(row: Row, status: Memo<MachineStatus>, busy: Memo<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let commands = use_commands();
    let confirm = expect_context::<Confirm>();
    let instance = row.instance();
    let snapshots = Memo::new(move |_| row.machine.with(|m| m.snapshots.clone()));
    let select = NodeRef::<html::Select>::new();
    let naming = expect_context::<SnapshotNaming>();

    let may = move |command: Command| !busy.get() && allows(status.get(), command);
    // Only the choice enables these buttons; a machine that is busy makes them wait without taking the focus away.
    let nothing_chosen = move || row.chosen.with(Option::is_none);
    let waits = move |command: Command| (!may(command)).to_string();

    // When the chosen snapshot is gone, the buttons beside the dropdown are disabled and would drop the focus.
    Effect::new(move |had: Option<bool>| {
        let has = row.chosen.with(Option::is_some);
        if had == Some(true)
            && !has
            && let Some(select) = select.get_untracked()
        {
            let inside = document().active_element().is_some_and(|active| {
                select.parent_element().is_some_and(|group| group.contains(Some(&active)))
            });
            if inside {
                let _ = select.focus();
            }
        }
        has
    });

    let ask = {
        let (commands, instance) = (commands.clone(), instance.clone());
        move |old: Option<String>| {
            let commands = commands.clone();
            let replaced = old.clone();
            naming.ask(Naming {
                instance: Some(instance.clone()),
                old,
                taken: snapshots
                    .with_untracked(|all| all.iter().map(|snapshot| snapshot.name.clone()).collect()),
                action: Arc::new(move |name| match replaced.clone() {
                    None => commands.create_snapshot(row, name),
                    Some(old) => {
                        row.chosen.set(None);
                        commands.rename_snapshot(row, old, name);
                    }
                }),
            });
        }
    };
    let restore = {
        let (commands, instance) = (commands.clone(), instance.clone());
        move |_| {
            let Some(name) = row.chosen.get_untracked() else { return };
            if !may(Command::RestoreSnapshot) {
                return;
            }
            let texts = i18n.now();
            let commands = commands.clone();
            confirm.ask(Question {
                title: (texts.confirm_restore_title)(&name),
                text: (texts.confirm_restore_text)(&instance),
                yes: texts.restore,
                action: Arc::new(move || commands.restore_snapshot(row, name.clone())),
            });
        }
    };
    let remove = {
        let (commands, instance) = (commands.clone(), instance.clone());
        move |_| {
            let Some(name) = row.chosen.get_untracked() else { return };
            if !may(Command::DeleteSnapshot) {
                return;
            }
            let texts = i18n.now();
            let commands = commands.clone();
            confirm.ask(Question {
                title: (texts.confirm_remove_title)(&name),
                text: (texts.confirm_remove_text)(&instance),
                yes: texts.remove,
                action: Arc::new(move || commands.delete_snapshot(row, name.clone())),
            });
        }
    };
    let create = ask.clone();
    let rename = move |_| {
        if let Some(name) = row.chosen.get_untracked()
            && may(Command::RenameSnapshot)
        {
            ask(Some(name));
        }
    };
    let label_instance = instance.clone();
    view! {
        <button
            class="button" type="button" data-testid="snapshot-create"
            aria-disabled=move || waits(Command::CreateSnapshot)
            on:click=move |_| if may(Command::CreateSnapshot) { create(None) }
        >
            <Icon glyph=Glyph::Camera/>
            {move || i18n.t().create_snapshot}
        </button>
        <div class="snapshot-group" role="group" aria-label=move || (i18n.t().snapshots_of)(&instance)>
            <select
                node_ref=select class="input select" data-testid="snapshot-select"
                aria-label=move || (i18n.t().snapshots_of)(&label_instance)
                prop:value=move || row.chosen.get().unwrap_or_default()
                on:change=move |event| {
                    let value = event_target_value(&event);
                    row.chosen.set((!value.is_empty()).then_some(value));
                }
            >
                <option value="" prop:selected=move || row.chosen.with(Option::is_none)>
                    {move || (i18n.t().snapshots)(snapshots.with(Vec::len))}
                </option>
                <For each=move || snapshots.get() key=|snapshot| snapshot.name.clone() let:snapshot>
                    {
                        let name = snapshot.name.clone();
                        let chosen = name.clone();
                        let text = move || snapshot_words(i18n, &snapshot);
                        view! {
                            <option
                                value=name
                                prop:selected=move || row.chosen.with(|c| c.as_deref() == Some(chosen.as_str()))
                            >{text}</option>
                        }
                    }
                </For>
            </select>
            <button
                class="button" type="button" data-testid="snapshot-restore" disabled=nothing_chosen
                aria-disabled=move || waits(Command::RestoreSnapshot) on:click=restore
            >
                {move || i18n.t().restore}
            </button>
            <button
                class="button danger-quiet" type="button" data-testid="snapshot-delete" disabled=nothing_chosen
                aria-disabled=move || waits(Command::DeleteSnapshot) on:click=remove
            >
                {move || i18n.t().remove}
            </button>
            <button
                class="icon-button bordered" type="button" data-testid="snapshot-rename" disabled=nothing_chosen
                aria-label=move || i18n.t().rename title=move || i18n.t().rename
                aria-disabled=move || waits(Command::RenameSnapshot) on:click=rename
            >
                <Icon glyph=Glyph::Pencil/>
            </button>
        </div>
    }
}

/// A snapshot's name, and when it was taken.
pub(crate) fn snapshot_words(i18n: I18n, snapshot: &Snapshot) -> String {
    let day_first = i18n.0.get() == Lang::Pt;
    format!("{} · {}", snapshot.name, moment(wall_time(snapshot.created_at), day_first))
}
