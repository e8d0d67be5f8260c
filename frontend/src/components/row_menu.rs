//! The commands of a machine that are not needed every day, behind one button.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use vms_types::rules::{Command, allows};
use vms_types::{MachineStatus, PowerAction};
use wasm_bindgen::JsCast as _;

use super::confirm::{Confirm, Question};
use super::icon::{Glyph, Icon};
use super::usage_dialog::UsageOf;
use crate::commands::{Commands, use_commands};
use crate::i18n::use_i18n;
use crate::store::Row;

/// The button and, while it is open, its menu. Escape and leaving it close it.
#[component]
pub(crate) fn RowMenu(row: Row, status: Memo<MachineStatus>, busy: Memo<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let open = RwSignal::new(false);
    let root = NodeRef::<html::Div>::new();
    let button = NodeRef::<html::Button>::new();
    let instance = row.instance();
    let menu_id = format!("menu-{}", row.id);
    let panel_id = menu_id.clone();

    let close = move || {
        open.set(false);
        if let Some(button) = button.get_untracked() {
            // The focus goes back to where the menu came from.
            let _ = button.focus();
        }
    };
    let left = move |event: web_sys::FocusEvent| {
        let next = event.related_target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        let inside = root.get_untracked().is_some_and(|root| root.contains(next.as_ref()));
        if !inside && next.is_some() {
            open.set(false);
        }
    };
    let label = move || (i18n.t().more_commands)(&instance);
    view! {
        <div
            class="menu" node_ref=root on:focusout=left
            on:keydown=move |event| match event.key().as_str() {
                "Escape" if open.get_untracked() => close(),
                "ArrowDown" if open.get_untracked() => { event.prevent_default(); step(root, true); }
                "ArrowUp" if open.get_untracked() => { event.prevent_default(); step(root, false); }
                _ => {}
            }
        >
            <button
                node_ref=button class="icon-button bordered" type="button" data-testid="menu" aria-label=label.clone()
                title=label aria-expanded=move || open.get().to_string() aria-controls=menu_id
                on:click=move |_| open.update(|open| *open = !*open)
            >
                <Icon glyph=Glyph::More/>
            </button>
            <Show when=move || open.get()>
                <Panel id=panel_id.clone() row status busy open root close=move |()| close()/>
            </Show>
        </div>
    }
}

/// The menu itself.
#[component]
fn Panel(
    id: String,
    row: Row,
    status: Memo<MachineStatus>,
    busy: Memo<bool>,
    open: RwSignal<bool>,
    root: NodeRef<html::Div>,
    #[prop(into)] close: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let commands = use_commands();
    let confirm = expect_context::<Confirm>();
    let usage = expect_context::<UsageOf>();
    // A click elsewhere that focuses nothing.
    let outside = window_event_listener(leptos::ev::click, move |event| {
        let target = event.target().and_then(|target| target.dyn_into::<web_sys::Node>().ok());
        if !root.get_untracked().is_some_and(|root| root.contains(target.as_ref())) {
            // The page may be gone by now.
            let _gone = open.try_set(false);
        }
    });
    on_cleanup(move || outside.remove());

    let may = move |command: Command| !busy.get() && allows(status.get(), command);
    let freezes = move || status.get() != MachineStatus::Frozen;
    let freeze_action = move || if freezes() { PowerAction::Freeze } else { PowerAction::Unfreeze };
    let ask = move |which: Dangerous, commands: &Commands| {
        let (texts, instance) = (i18n.now(), row.instance());
        let (title, text, yes) = match which {
            Dangerous::ForceOff => {
                ((texts.confirm_force_title)(&instance), texts.confirm_force_text, texts.force_off)
            }
            Dangerous::Reset => {
                ((texts.confirm_reset_title)(&instance), texts.confirm_reset_text, texts.reset)
            }
            Dangerous::Delete => {
                ((texts.confirm_delete_title)(&instance), texts.confirm_delete_text, texts.delete)
            }
        };
        let commands = commands.clone();
        let action = Arc::new(move || match which {
            Dangerous::ForceOff => commands.power(row, PowerAction::Stop, true),
            Dangerous::Reset => commands.reset(row),
            Dangerous::Delete => commands.delete(row),
        });
        confirm.ask(Question { title, text: text.to_owned(), yes, action });
    };
    let (restart, freeze) = (commands.clone(), commands.clone());
    let (force, reset, delete) = (commands.clone(), commands.clone(), commands);
    view! {
        <div class="menu-panel" id=id>
            <button
                type="button" data-testid="restart" disabled=move || !may(Command::Power(PowerAction::Restart))
                on:click=move |_| { close.run(()); restart.power(row, PowerAction::Restart, false); }
            ><Icon glyph=Glyph::Restart/>{move || i18n.t().restart}</button>
            <button
                type="button" data-testid="freeze" disabled=move || !may(Command::Power(freeze_action()))
                on:click=move |_| { close.run(()); freeze.power(row, untrack(freeze_action), false); }
            >
                {move || view! { <Icon glyph=if freezes() { Glyph::Pause } else { Glyph::Play }/> }}
                {move || if freezes() { i18n.t().freeze } else { i18n.t().resume }}
            </button>
            <button
                type="button" data-testid="force-stop" disabled=move || !may(Command::Power(PowerAction::Stop))
                on:click=move |_| { close.run(()); ask(Dangerous::ForceOff, &force); }
            ><Icon glyph=Glyph::Power/>{move || i18n.t().force_off}</button>
            <button
                type="button" data-testid="usage-open"
                on:click=move |_| { close.run(()); usage.show(row.id, row.instance()); }
            ><Icon glyph=Glyph::Chart/>{move || i18n.t().usage}</button>
            <hr/>
            <button
                type="button" data-testid="reset" disabled=move || !may(Command::Reset)
                on:click=move |_| { close.run(()); ask(Dangerous::Reset, &reset); }
            ><Icon glyph=Glyph::Restore/>{move || i18n.t().reset}</button>
            <button
                class="danger" type="button" data-testid="delete" disabled=move || !may(Command::Delete)
                on:click=move |_| { close.run(()); ask(Dangerous::Delete, &delete); }
            ><Icon glyph=Glyph::Trash/>{move || i18n.t().delete}</button>
        </div>
    }
}

/// Moves the focus to the next command that can be given, or the one before; round and round.
fn step(root: NodeRef<html::Div>, down: bool) {
    let Some(root) = root.get_untracked() else { return };
    let Ok(found) = root.query_selector_all(".menu-panel button:not([disabled])") else { return };
    let items: Vec<web_sys::HtmlElement> =
        (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect();
    let focused = document().active_element();
    let here = items.iter().position(|item| focused.as_ref() == Some(item.as_ref()));
    let next = match (here, down) {
        (Some(index), true) => items.get(index + 1).or(items.first()),
        (Some(index), false) => index.checked_sub(1).and_then(|index| items.get(index)).or(items.last()),
        (None, true) => items.first(),
        (None, false) => items.last(),
    };
    if let Some(next) = next {
        // A button that is in the page takes the focus.
        let _ = next.focus();
    }
}

/// Commands that ask first.
#[derive(Debug, Clone, Copy)]
enum Dangerous {
    ForceOff,
    Reset,
    Delete,
}
