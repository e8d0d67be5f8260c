//! Changing the addresses of a network: its subnet, and the ranges that machines are given addresses of.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_client::ClientError;
use vms_types::network::{Subnet, check_ranges, format_ranges, parse_ranges};
use vms_types::{FieldError, NetworkView, PatchNetwork};
use wasm_bindgen_futures::spawn_local;

use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form_actions::FormActions;
use crate::i18n::{Texts, use_i18n};
use crate::session::use_session;
use crate::store::use_store;

/// The dialog. It is open while a network is being changed.
#[component]
pub(super) fn RangeDialog(
    server: RwSignal<String>,
    changing: RwSignal<Option<NetworkView>>,
    changed: RwSignal<u32>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let announcement = use_store().announcement;
    let open = RwSignal::new(false);
    let (subnet, ranges) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let errors = RwSignal::new(Vec::<FieldError>::new());
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    Effect::new(move || {
        if let Some(network) = changing.get() {
            subnet.set(network.ipv4_address.unwrap_or_default());
            ranges.set(format_ranges(&network.dhcp_ranges));
            errors.set(Vec::new());
            error.set(None);
            open.set(true);
        }
    });
    Effect::new(move || {
        if !open.get() {
            changing.set(None);
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(network) = changing.get_untracked().filter(|_| !busy.get_untracked()) else { return };
        let asked = match read(&subnet.get_untracked(), &ranges.get_untracked()) {
            Ok(asked) => asked,
            Err(found) => return errors.set(found),
        };
        busy.set(true);
        error.set(None);
        let (session, server) = (session.clone(), server.get_untracked());
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let (server, name, asked) = (server.clone(), network.name.clone(), asked.clone());
                    async move { client.patch_network(&server, &name, &asked, None).await }
                })
                .await;
            busy.set(false);
            match answer {
                Ok(_) => {
                    changed.update(|count| *count += 1);
                    announcement.set((i18n.admin_now().network_changed)(&network.name));
                    open.set(false);
                }
                Err(ClientError::Problem(problem)) if !problem.errors.is_empty() => {
                    errors.set(problem.errors);
                }
                Err(refused) => error.set(Some(i18n.now().error(&refused))),
            }
        });
    };
    let wrong = move |of: &'static str| {
        Signal::derive(move || errors.with(|errors| first_error(i18n.t(), errors, of)))
    };
    let title = Signal::derive(move || {
        changing.with(|network| {
            network.as_ref().map(|n| (i18n.admin().change_network)(&n.name)).unwrap_or_default()
        })
    });
    let words = move |read: fn(&'static crate::i18n::AdminTexts) -> &'static str| {
        Signal::derive(move || read(i18n.admin()).to_owned())
    };
    view! {
        <Dialog open id="network-title" title>
            <p class="dialog-text">{move || i18n.admin().change_network_text}</p>
            <form class="stack" novalidate on:submit=submit>
                <TextField
                    id="network-subnet" testid="network-subnet" label=words(|t| t.subnet) hint=words(|t| t.subnet_hint)
                    value=subnet error=wrong("ipv4_address")
                    on_change=move |()| errors.set(Vec::new())
                />
                <TextField
                    id="network-ranges" testid="network-ranges" first=true label=words(|t| t.ranges)
                    hint=words(|t| t.ranges_hint) value=ranges error=wrong("dhcp_ranges")
                    on_change=move |()| errors.set(Vec::new())
                />
                <FormActions
                    open testid="network-submit" submit=Signal::derive(move || i18n.t().save) busy error=(error, "network-error")
                />
            </form>
        </Dialog>
    }
}

/// What the form asks for, or what is wrong with it: judged by the same rule as on the server.
fn read(subnet: &str, ranges: &str) -> Result<PatchNetwork, Vec<FieldError>> {
    let known = Subnet::parse(subnet).ok_or_else(|| vec![FieldError::new("ipv4_address", "subnet", "")])?;
    let parsed = parse_ranges(ranges);
    let written = ranges.split(',').filter(|part| !part.trim().is_empty()).count();
    if parsed.len() != written {
        return Err(vec![FieldError::new("dhcp_ranges", "address", "")]);
    }
    let errors = check_ranges(known, &parsed);
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(PatchNetwork { ipv4_address: Some(subnet.trim().to_owned()), dhcp_ranges: Some(parsed) })
}

/// The words for the first error of a field or of a part of it (`dhcp_ranges[0].first`).
fn first_error(texts: &Texts, errors: &[FieldError], field: &str) -> Option<&'static str> {
    let of = |error: &&FieldError| error.field.split('[').next() == Some(field);
    errors.iter().find(of).map(|error| (texts.field)(&error.code).unwrap_or(texts.field_unknown))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Lang;

    #[test]
    fn the_form_asks_for_what_the_server_takes() {
        let asked = read(" 10.99.0.1/18 ", "10.99.1.0 - 10.99.1.9, 10.99.2.0-10.99.2.9").unwrap();
        assert_eq!(asked.ipv4_address.as_deref(), Some("10.99.0.1/18"));
        assert_eq!(asked.dhcp_ranges.map(|ranges| ranges.len()), Some(2));
        assert_eq!(read("10.99.0.1/18", "").unwrap().dhcp_ranges, Some(Vec::new()));
    }

    #[test]
    fn whatever_can_be_wrong_has_words() {
        for (subnet, ranges, field) in [
            ("10.99.0.0/18", "", "ipv4_address"),
            ("10.99.0.1/18", "10.99.1.0", "dhcp_ranges"),
            ("10.99.0.1/18", "10.98.1.0-10.99.1.9", "dhcp_ranges"),
            ("10.99.0.1/18", "10.99.0.1-10.99.1.9", "dhcp_ranges"),
            ("10.99.0.1/18", "10.99.1.9-10.99.1.0", "dhcp_ranges"),
        ] {
            let errors = read(subnet, ranges).unwrap_err();
            for lang in [Lang::Pt, Lang::En] {
                let texts = lang.texts();
                let said = first_error(texts, &errors, field);
                assert!(
                    said.is_some_and(|said| said != texts.field_unknown),
                    "{subnet} {ranges}: {errors:?}"
                );
            }
        }
    }
}
