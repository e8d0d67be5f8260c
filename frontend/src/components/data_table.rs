//! A table of what the server lists: its columns, and what stands there while it loads, fails or has nothing.

use leptos::prelude::*;
use vms_client::ClientError;

use super::icon::{Glyph, Icon};
use crate::i18n::use_i18n;

/// A column's heading, and whether the list is ordered by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) title: &'static str,
    /// As `aria-sort` says it: `descending` for newest first.
    pub(crate) sort: Option<&'static str>,
}

/// How the list is.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Listing {
    /// The first answer has not come.
    Loading,
    /// It could not be had.
    Failed(ClientError),
    /// Nothing fits.
    Empty,
    /// It is there; more may be had.
    There { more: bool },
}

/// The table. `children` are its rows.
#[component]
pub(crate) fn DataTable(
    /// Names the table for screen readers.
    #[prop(into)]
    label: Signal<&'static str>,
    #[prop(into)] columns: Signal<Vec<Column>>,
    #[prop(into)] listing: Signal<Listing>,
    #[prop(into)] empty: Signal<&'static str>,
    #[prop(into)] retry: Callback<()>,
    #[prop(into)] more: Callback<()>,
    children: Children,
) -> impl IntoView {
    let listing = Memo::new(move |_| listing.get());
    let loading = move || listing.get() == Listing::Loading;
    view! {
        <div class="card data-card" aria-busy=move || loading().to_string()>
            <table class="data-table" role="table" aria-label=move || label.get()>
                <thead role="rowgroup">
                    <tr role="row">
                        {move || columns.get().into_iter().map(|column| view! {
                            <th role="columnheader" scope="col" aria-sort=column.sort>
                                {column.title}
                                {column.sort.map(|_| view! { <span class="sorted" aria-hidden="true">"↓"</span> })}
                            </th>
                        }).collect_view()}
                    </tr>
                </thead>
                <tbody role="rowgroup">
                    <Show when=loading>
                        {(0..6).map(|_| view! {
                            <tr class="skeleton" role="row" aria-hidden="true">
                                <td role="cell" colspan=move || columns.with(Vec::len).to_string()>
                                    <span class="bone wide"></span>
                                </td>
                            </tr>
                        }).collect_view()}
                    </Show>
                    {children()}
                </tbody>
            </table>
            <ListingFoot listing empty retry more/>
        </div>
    }
}

/// What stands under the rows: nothing to show, a failure, or the way to more of them.
#[component]
pub(crate) fn ListingFoot(
    #[prop(into)] listing: Signal<Listing>,
    #[prop(into)] empty: Signal<&'static str>,
    #[prop(into)] retry: Callback<()>,
    #[prop(into)] more: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    move || match listing.get() {
        Listing::Loading | Listing::There { more: false } => ().into_any(),
        Listing::Empty => view! {
            <p class="data-note" role="status" data-testid="table-empty">{move || empty.get()}</p>
        }
        .into_any(),
        Listing::Failed(error) => view! {
            <div class="data-note failed" role="alert" data-testid="table-failed">
                <Icon glyph=Glyph::Alert/>
                <p>{move || i18n.t().error(&error)}</p>
                <button class="button" type="button" on:click=move |_| retry.run(())>
                    {move || i18n.t().try_again}
                </button>
            </div>
        }
        .into_any(),
        Listing::There { more: true } => view! {
            <div class="data-note">
                <button
                    class="button" type="button" data-testid="table-more" on:click=move |_| more.run(())
                >
                    {move || i18n.admin().load_more}
                </button>
            </div>
        }
        .into_any(),
    }
}
