//! The personal page: the person's machines and what can be done with them.

use leptos::prelude::*;

use crate::components::create_dialog::CreateDialog;
use crate::components::icon::{Glyph, Icon};
use crate::components::machine_row::MachineRow;
use crate::components::quota::use_quota;
use crate::i18n::use_i18n;
use crate::pages::shell::Shell;
use crate::store::Store;

/// The page.
#[component]
pub(crate) fn MachinesPage() -> impl IntoView {
    let creating = RwSignal::new(false);
    view! {
        <Shell>
            <Toolbar creating/>
            <Notices/>
            <Content creating/>
            <CreateDialog open=creating/>
        </Shell>
    }
}

#[component]
fn Toolbar(creating: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let quota = use_quota();
    let full = move || quota.get().is_full();
    view! {
        <div class="toolbar">
            <h2>{move || i18n.t().machines}</h2>
            <p class="toolbar-note" id="quota-note">{move || full().then(|| i18n.t().quota_full)}</p>
            <button
                class="button primary" type="button" data-testid="new-machine" aria-describedby="quota-note"
                aria-disabled=move || full().to_string()
                on:click=move |_| if !full() { creating.set(true) }
            >
                <Icon glyph=Glyph::Plus/>
                {move || i18n.t().new_machine}
            </button>
        </div>
    }
}

/// Failures that belong to no row.
#[component]
fn Notices() -> impl IntoView {
    let i18n = use_i18n();
    let notices = expect_context::<Store>().notices;
    view! {
        <div class="notices" role="alert">
            {move || {
                notices.get().into_iter().enumerate().map(|(index, failure)| view! {
                    <div class="notice">
                        <Icon glyph=Glyph::Alert/>
                        <p>{move || failure.text(i18n.t())}</p>
                        <button
                            class="icon-button small" type="button" aria-label=move || i18n.t().dismiss
                            on:click=move |_| notices.update(|all| { if index < all.len() { all.remove(index); } })
                        >
                            <Icon glyph=Glyph::Close/>
                        </button>
                    </div>
                }).collect_view()
            }}
        </div>
    }
}

#[component]
fn Content(creating: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let store = expect_context::<Store>();
    let (rows, loaded) = (store.rows, store.loaded);
    let empty = Memo::new(move |_| loaded.get() && rows.with(Vec::is_empty));
    let hidden = move || empty.get();
    view! {
        <div class="card table-card" class:hidden=hidden aria-busy=move || (!loaded.get()).to_string()>
            // Roles are said again because the phone's layout takes them away from table elements.
            <table class="machine-table" role="table">
                <thead role="rowgroup">
                    <tr role="row">
                        <th role="columnheader" scope="col">{move || i18n.t().column_name}</th>
                        <th role="columnheader" scope="col">{move || i18n.t().column_ip}</th>
                        <th role="columnheader" scope="col">{move || i18n.t().column_commands}</th>
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <Show when=move || !loaded.get()>
                        <SkeletonRow/>
                        <SkeletonRow/>
                        <SkeletonRow/>
                    </Show>
                    <For each=move || rows.get() key=|row| row.id let:row>
                        <MachineRow row/>
                    </For>
                </tbody>
            </table>
        </div>
        <Show when=move || empty.get()>
            <section class="card empty">
                <span class="empty-mark"><Icon glyph=Glyph::Server/></span>
                <h3>{move || i18n.t().empty_title}</h3>
                <p>{move || i18n.t().empty_text}</p>
                <button class="button primary" type="button" on:click=move |_| creating.set(true)>
                    <Icon glyph=Glyph::Plus/>
                    {move || i18n.t().new_machine}
                </button>
            </section>
        </Show>
    }
}

/// Stands where a machine will be until the first answer comes.
#[component]
fn SkeletonRow() -> impl IntoView {
    view! {
        <tr class="skeleton" role="row" aria-hidden="true">
            <td class="cell-name" role="cell"><span class="bone wide"></span><span class="bone"></span></td>
            <td class="cell-ip" role="cell"><span class="bone"></span></td>
            <td class="cell-commands" role="cell"><span class="bone wide"></span></td>
        </tr>
    }
}
