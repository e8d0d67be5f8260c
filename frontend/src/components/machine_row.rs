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
use super::snapshot_controls::{SnapshotControls, snapshot_words};
use super::status::StatusPill;
use super::usage_dialog::UsageOf;
use crate::commands::use_commands;
use crate::format::main_address;
use crate::i18n::use_i18n;
use crate::session::use_session;
use crate::store::{Row, use_store};

/// Whose machines a row stands among.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Among {
    /// The person's own.
    #[default]
    Own,
    /// Those of the person's students, to look at, and the person's own. The row says whose it is.
    Students,
    /// Everybody's; these are ticked. The row says whose it is.
    Everybody(RwSignal<HashSet<Uuid>>),
}

/// A row of the table.
#[component]
pub(crate) fn MachineRow(row: Row, #[prop(optional)] among: Among) -> impl IntoView {
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
    let me = use_session().username();
    let commanded = among != Among::Students || row.machine.with_untracked(|m| Some(&m.owner) == me.as_ref());
    let specs = move || {
        let (image, limits) = row.machine.with(|m| (m.image.alias.clone(), m.limits));
        let place = match among {
            Among::Own => String::new(),
            _ => row.machine.with(|m| format!("{} · {} · {}", m.owner, m.server, m.profiles.join(", "))),
        };
        let parts = [place, image, (i18n.t().limits_short)(limits)];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
    };
    view! {
        <tr
            class="machine-row" role="row" data-testid="machine-row" data-instance=instance
            data-status=move || status.get().as_str() class:stale=move || stale.get()
        >
            <td class="cell-name" role="cell">
                <div class="name-line">
                    {match among {
                        Among::Everybody(selected) => Some(view! { <Tick row selected/> }),
                        _ => None,
                    }}
                    <span class="machine-name" data-testid="machine-name">{name}</span>
                    <StatusPill status/>
                </div>
                <div class="about">{move || about.get()}</div>
                <div class="specs">{specs}</div>
            </td>
            <td class="cell-ip" role="cell"><AddressCell row status/></td>
            <td class="cell-commands" role="cell">
                {if commanded {
                    view! {
                        <div class="commands">
                            <PowerButton row status busy/>
                            <SnapshotControls row status busy/>
                            <RowMenu row status busy/>
                        </div>
                    }.into_any()
                } else {
                    view! { <Looks row/> }.into_any()
                }}
                <RowMessage row/>
            </td>
        </tr>
    }
}

/// What a machine holds that may be looked at and not touched: its snapshots, and what it uses.
#[component]
fn Looks(row: Row) -> impl IntoView {
    let i18n = use_i18n();
    let usage = expect_context::<UsageOf>();
    let instance = row.instance();
    let (listed, labelled) = (instance.clone(), instance.clone());
    let snapshots = Memo::new(move |_| row.machine.with(|m| m.snapshots.clone()));
    view! {
        <div class="looks">
            <ul class="snapshots-seen" data-testid="snapshots-seen" aria-label=move || (i18n.t().snapshots_of)(&listed)>
                <Show when=move || snapshots.with(Vec::is_empty)>
                    <li class="none">{move || (i18n.t().snapshots)(0)}</li>
                </Show>
                <For each=move || snapshots.get() key=|snapshot| snapshot.name.clone() let:snapshot>
                    <li>{move || snapshot_words(i18n, &snapshot)}</li>
                </For>
            </ul>
            <button
                class="button" type="button" data-testid="usage-open"
                aria-label=move || (i18n.t().for_machine)(i18n.t().usage, &labelled)
                on:click=move |_| usage.show(row.id, instance.clone())
            ><Icon glyph=Glyph::Chart/>{move || i18n.t().usage}</button>
        </div>
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
