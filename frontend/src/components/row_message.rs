//! The line under a machine's commands: progress while something runs, words when it failed. Its height is fixed, so
//! that the rows below stay where they are.

use leptos::prelude::*;

use super::icon::{Glyph, Icon};
use crate::i18n::use_i18n;
use crate::store::Row;

/// Progress or failure of a row.
#[component]
pub(crate) fn RowMessage(row: Row) -> impl IntoView {
    let i18n = use_i18n();
    let doing = Memo::new(move |_| row.doing());
    let notice = Memo::new(move |_| row.notice.get());
    let stale = Memo::new(move |_| row.machine.with(|m| m.stale));
    let percent = Memo::new(move |_| row.machine.with(|m| m.operation.as_ref().and_then(|o| o.progress)));
    let progress_words = move || {
        let words = doing.get().map(|kind| (i18n.t().doing)(kind)).unwrap_or_default();
        match percent.get() {
            Some(percent) => format!("{words} {percent}%"),
            None => words.to_owned(),
        }
    };
    view! {
        <div class="row-message" data-testid="row-message" aria-live="polite">
            {move || {
                if doing.get().is_some() {
                    view! {
                        <div class="row-progress">
                            <span>{progress_words}</span>
                            <span class="bar" class:indeterminate=move || percent.get().is_none() aria-hidden="true">
                                <span style:width=move || percent.get().map(|p| format!("{p}%"))></span>
                            </span>
                        </div>
                    }.into_any()
                } else if let Some(failure) = notice.get() {
                    let text = move || failure.text(i18n.t());
                    view! {
                        <div class="row-failure">
                            <Icon glyph=Glyph::Alert/>
                            <p>{text}</p>
                            <button
                                class="icon-button small" type="button" aria-label=move || i18n.t().dismiss
                                on:click=move |_| row.notice.set(None)
                            ><Icon glyph=Glyph::Close/></button>
                        </div>
                    }.into_any()
                } else if stale.get() {
                    view! {
                        <div class="row-stale"><Icon glyph=Glyph::Alert/><p>{move || i18n.t().stale}</p></div>
                    }.into_any()
                } else {
                    ().into_any()
                }
            }}
        </div>
    }
}
