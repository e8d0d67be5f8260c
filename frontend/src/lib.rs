//! The pages of VMS: a leptos single-page app, rendered in the browser.
//!
//! How it fits together:
//! - [`session`] knows who is logged in. Every call to the API goes through it, so that a session which ends asks
//!   for the password over the page and then repeats the call.
//! - [`store`] holds one row of signals per machine. An answer of the server is *merged* into the rows: what did not
//!   change is not drawn again, so nothing jumps and the focus stays where it is.
//! - [`poll`] asks for the machines again and again, by one conditional request; how soon is a pure function.
//! - [`commands`] hands a command over, shows at once that it was heard, and lets the poll tell what became of it.
//! - [`route`] says which page the address names. Two programs share the pages: what everybody needs, and, below `/admin/`,
//!   what only administrators have.
//! - [`watched`] asks for anything else that a page shows as long as it stands.
//! - [`i18n`] has every word; [`pages`] and [`components`] draw.

mod app;
mod clock;
mod commands;
mod components;
mod download;
mod format;
mod i18n;
mod listing;
mod live;
mod pages;
mod poll;
mod preferences;
mod route;
mod session;
mod store;
mod watched;

use leptos::prelude::*;

/// Draws everybody's pages into the document's body, in the place of what `index.html` shows until then.
pub fn start() {
    mount(|| view! { <pages::machines::MachinesPage/> }.into_any());
}

/// Draws the administrators' pages. A program of its own: a student's first visit does not carry them.
pub fn start_admin() {
    mount(|| view! { <pages::admin::AdminPage/> }.into_any());
}

fn mount(inside: fn() -> AnyView) {
    mount_to_body(move || view! { <app::App inside/> });
    if let Some(boot) = document().get_element_by_id("boot") {
        boot.remove();
    }
}
