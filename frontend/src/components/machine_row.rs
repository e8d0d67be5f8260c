//! One machine: its name and status, its address, its commands.

use std::collections::HashSet;

use leptos::prelude::*;
use uuid::Uuid;
use vms_types::rules::{Command, allows};
use vms_types::{MachineStatus, PowerAction};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::icon::{Glyph, Icon};
use super::row_menu::RowMenu;
use super::row_message::RowMessage;
use super::snapshot_controls::SnapshotControls;
use super::status::StatusPill;
use crate::commands::use_commands;
use crate::format::main_address;
use crate::i18n::use_i18n;
use crate::store::{Row, use_store};

/// A row of the table.
#[component]
pub(crate) fn MachineRow(
    row: Row,
    /// Where everybody's machines are listed: the ones that are ticked. The row then says whose it is.
    #[prop(optional)]
    selected: Option<RwSignal<HashSet<Uuid>>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let status = Memo::new(move |_| row.status());
    let busy = Memo::new(move |_| row.doing().is_some());
    let stale = Memo::new(move |_| row.machine.with(|m| m.stale));
    let instance = row.instance();
    let name = instance.clone();
    let about = Memo::new(move |_| {
        row.machine.with(|m| {
            if m.description.is_empty() { m.name.clone() } else { format!("{} · {}", m.name, m.description) }
        })
    });
    let specs = move || {
        let (image, limits) = row.machine.with(|m| (m.image.alias.clone(), m.limits));
        let place = selected
            .map(|_| row.machine.with(|m| format!("{} · {} · {}", m.owner, m.server, m.profiles.join(", "))));
        let parts = [place.unwrap_or_default(), image, (i18n.t().limits_short)(limits)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    };
    view! {
        <tr
            class="machine-row" role="row" data-testid="machine-row" data-instance=instance
            data-status=move || status.get().as_str() class:stale=move || stale.get()
        >
            <td class="cell-name" role="cell">
                <div class="name-line">
                    {selected.map(|selected| view! { <Tick row selected/> })}
                    <span class="machine-name" data-testid="machine-name">{name}</span>
                    <StatusPill status/>
                </div>
                <div class="about">{move || about.get()}</div>
                <div class="specs">{specs}</div>
            </td>
            <td class="cell-ip" role="cell"><AddressCell row status/></td>
            <td class="cell-commands" role="cell">
                <div class="commands">
                    <PowerButton row status busy/>
                    <SnapshotControls row status busy/>
                    <RowMenu row status busy/>
                </div>
                <RowMessage row/>
            </td>
        </tr>
    }
}

/// The box that ticks a machine for a command to many.
#[component]
fn Tick(row: Row, selected: RwSignal<HashSet<Uuid>>) -> impl IntoView {
    let i18n = use_i18n();
    let instance = row.instance();
    let tick = move |event| {
        let on = event_target_checked(&event);
        selected.update(|ids| {
            if on {
                ids.insert(row.id)
            } else {
                ids.remove(&row.id)
            };
        });
    };
    view! {
        <input
            class="tick" type="checkbox" data-testid="select" aria-label=move || (i18n.t().select_machine)(&instance)
            prop:checked=move || selected.with(|ids| ids.contains(&row.id)) on:change=tick
        />
    }
}

#[component]
fn PowerButton(row: Row, status: Memo<MachineStatus>, busy: Memo<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let commands = use_commands();
    let instance = row.instance();
    // What a click would do. While something passes, what it did last stands there, greyed.
    let action = Memo::new(move |_| match status.get() {
        MachineStatus::Running | MachineStatus::Stopping | MachineStatus::Migrating => PowerAction::Stop,
        MachineStatus::Frozen => PowerAction::Unfreeze,
        _ => PowerAction::Start,
    });
    let may = Memo::new(move |_| !busy.get() && allows(status.get(), Command::Power(action.get())));
    let word = move || match action.get() {
        PowerAction::Stop => i18n.t().turn_off,
        PowerAction::Unfreeze => i18n.t().resume,
        _ => i18n.t().turn_on,
    };
    view! {
        <button
            class="button power" type="button" data-testid="power"
            data-tone=move || match status.get() {
                MachineStatus::Running => "on",
                MachineStatus::Frozen => "frozen",
                MachineStatus::Stopped => "off",
                MachineStatus::Error => "error",
                _ => "passing",
            }
            aria-label=move || (i18n.t().for_machine)(word(), &instance)
            aria-disabled=move || (!may.get()).to_string()
            on:click=move |_| if may.get_untracked() { commands.power(row, action.get_untracked(), false) }
        >
            <Icon glyph=Glyph::Power/>
            {word}
        </button>
    }
}

/// The browser's clipboard, where it may be used: over HTTPS or on the machine itself.
fn clipboard() -> Option<web_sys::Clipboard> {
    let navigator = window().navigator();
    let found = js_sys::Reflect::get(navigator.as_ref(), &JsValue::from_str("clipboard")).ok()?;
    (!found.is_undefined()).then(|| navigator.clipboard())
}

#[component]
fn AddressCell(row: Row, status: Memo<MachineStatus>) -> impl IntoView {
    let i18n = use_i18n();
    let announcement = use_store().announcement;
    let address = Memo::new(move |_| row.machine.with(|m| main_address(&m.addresses).map(str::to_owned)));
    // An address of a machine that is being turned off is not one to connect to.
    let off = Memo::new(move |_| status.get() == MachineStatus::Stopped);
    let waiting = Memo::new(move |_| {
        matches!(status.get(), MachineStatus::Running | MachineStatus::Starting | MachineStatus::Creating)
    });
    let copy = move |address: String| {
        let Some(clipboard) = clipboard() else { return };
        spawn_local(async move {
            match JsFuture::from(clipboard.write_text(&address)).await {
                Ok(_) => announcement.set(i18n.now().copied.to_owned()),
                Err(_) => leptos::logging::warn!("the browser refused to copy the address"),
            }
        });
    };
    view! {
        <div class="address" data-testid="machine-ip">
            {move || match address.get() {
                Some(address) if !off.get() => {
                    let (label, text) = (address.clone(), address.clone());
                    view! {
                        <span class="address-text">{text}</span>
                        <Show when=|| clipboard().is_some()>
                            {
                                let (label, address) = (label.clone(), address.clone());
                                view! {
                                    <button
                                        class="icon-button small" type="button"
                                        aria-label=move || (i18n.t().copy_address)(&label)
                                        on:click=move |_| copy(address.clone())
                                    ><Icon glyph=Glyph::Copy/></button>
                                }
                            }
                        </Show>
                    }.into_any()
                }
                _ if waiting.get() => view! {
                    <span class="address-waiting">{move || i18n.t().waiting_address}</span>
                }.into_any(),
                _ if off.get() || status.get() == MachineStatus::Stopping => view! {
                    <span class="address-none">{move || i18n.t().not_started}</span>
                }.into_any(),
                _ => view! { <span class="address-none">{move || i18n.t().no_address}</span> }.into_any(),
            }}
        </div>
    }
}
