//! Whom a server trusts: the list, adding one by PEM or token, ending the trust.

use std::sync::Arc;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_types::{CertificateView, NewCertificate, Page};
use wasm_bindgen_futures::spawn_local;

use super::{columns, listing};
use crate::components::confirm::{Confirm, Question};
use crate::components::data_table::DataTable;
use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form_actions::FormActions;
use crate::components::icon::{Glyph, Icon};
use crate::i18n::{AdminTexts, use_i18n};
use crate::session::use_session;
use crate::store::use_store;
use crate::watched::Watched;

/// Certificates of the server that is chosen.
#[component]
pub(super) fn Certificates(server: RwSignal<String>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let all: Watched<Page<CertificateView>> = Watched::new();
    let adding = RwSignal::new(false);
    let changed = RwSignal::new(0u32);
    let asked = StoredValue::new(String::new());
    Effect::new(move || {
        changed.track();
        let server = server.get();
        if server.is_empty() {
            return;
        }
        let anew = asked.with_value(|asked| *asked != server);
        asked.set_value(server.clone());
        all.follow(&session, anew, move |client, etag| {
            let server = server.clone();
            async move { client.certificates(&server, etag.as_deref()).await }
        });
    });
    on_cleanup(move || all.stop());
    let items = move || all.with(|page| page.map(|page| page.items.clone()).unwrap_or_default());
    view! {
        <section class="section" data-testid="certificates">
            <div class="toolbar">
                <h3>{move || i18n.admin().certificates}</h3>
                <span class="toolbar-note"></span>
                <button
                    class="button" type="button" data-testid="add-certificate" on:click=move |_| adding.set(true)
                ><Icon glyph=Glyph::Plus/>{move || i18n.admin().add_certificate}</button>
            </div>
            <DataTable
                label=Signal::derive(move || i18n.admin().certificates)
                columns=columns(|a, t| vec![a.certificate_name, a.certificate_kind, a.fingerprint, t.column_commands])
                listing=Signal::derive(move || listing(all))
                empty=Signal::derive(move || i18n.admin().certificates_none)
                retry=move |()| changed.update(|count| *count += 1) more=|()| {}
            >
                <For each=items key=|one| format!("{one:?}") let:one>
                    <CertificateRow one server changed/>
                </For>
            </DataTable>
        </section>
        <AddDialog open=adding server changed/>
    }
}

#[component]
fn CertificateRow(one: CertificateView, server: RwSignal<String>, changed: RwSignal<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let announcement = use_store().announcement;
    let confirm = expect_context::<Confirm>();
    let label = move |title: fn(&'static AdminTexts) -> &'static str| move || title(i18n.admin());
    let own = one.own;
    let (name, fingerprint) = (one.name.clone(), one.fingerprint.clone());
    let ask = move |_| {
        let (session, fingerprint) = (session.clone(), fingerprint.clone());
        let action = Arc::new(move || {
            let (session, server, fingerprint) =
                (session.clone(), server.get_untracked(), fingerprint.clone());
            spawn_local(async move {
                let answer = session
                    .call(|client| {
                        let (server, fingerprint) = (server.clone(), fingerprint.clone());
                        async move { client.delete_certificate(&server, &fingerprint).await }
                    })
                    .await;
                announcement.set(match answer {
                    Ok(()) => i18n.admin_now().certificate_removed.to_owned(),
                    Err(error) => i18n.now().error(&error),
                });
                changed.update(|count| *count += 1);
            });
        });
        let texts = i18n.admin_now();
        confirm.ask(Question {
            title: (texts.remove_certificate_title)(&name),
            text: texts.remove_certificate_text.to_owned(),
            yes: i18n.now().remove,
            action,
        });
    };
    let short: String = one.fingerprint.chars().take(16).collect();
    let described = one.name.clone();
    view! {
        <tr role="row" data-testid="certificate-row" data-name=one.name>
            <td role="cell" data-label=label(|t| t.certificate_name)>{one.name.clone()}</td>
            <td role="cell" data-label=label(|t| t.certificate_kind)>{one.kind}</td>
            <td role="cell" class="target" data-label=label(|t| t.fingerprint) title=one.fingerprint>{short}</td>
            <td role="cell" data-label=move || i18n.t().column_commands>
                {if own {
                    view! { <span class="tile-note">{move || i18n.admin().own_certificate}</span> }.into_any()
                } else {
                    view! {
                        <button
                            class="button danger" type="button" data-testid="remove-certificate" on:click=ask
                            aria-label=move || (i18n.t().for_machine)(i18n.t().remove, &described)
                        >{move || i18n.t().remove}</button>
                    }.into_any()
                }}
            </td>
        </tr>
    }
}

/// Adds a certificate, or shows the token that was made.
#[component]
fn AddDialog(open: RwSignal<bool>, server: RwSignal<String>, changed: RwSignal<u32>) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let (name, pem) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let token = RwSignal::new(None::<String>);
    let error = RwSignal::new(None::<String>);
    let busy = RwSignal::new(false);
    Effect::new(move || {
        if open.get() {
            for text in [name, pem] {
                text.set(String::new());
            }
            token.set(None);
            error.set(None);
        }
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        let certificate = Some(pem.get_untracked()).filter(|pem| !pem.trim().is_empty());
        let new = NewCertificate { name: name.get_untracked().trim().to_owned(), certificate };
        if new.name.is_empty() {
            return error.set((i18n.now().field)("required").map(str::to_owned));
        }
        busy.set(true);
        error.set(None);
        let (session, server) = (session.clone(), server.get_untracked());
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let (server, new) = (server.clone(), new.clone());
                    async move { client.add_certificate(&server, &new).await }
                })
                .await;
            busy.set(false);
            match answer {
                Ok(added) => {
                    changed.update(|count| *count += 1);
                    match added.token {
                        Some(made) => token.set(Some(made)),
                        None => open.set(false),
                    }
                }
                Err(refused) => error.set(Some(i18n.now().error(&refused))),
            }
        });
    };
    let words = move |read: fn(&'static AdminTexts) -> &'static str| {
        Signal::derive(move || read(i18n.admin()).to_owned())
    };
    let made = move || token.with(Option::is_some);
    view! {
        <Dialog open id="certificate-title" title=words(|t| t.add_certificate)>
            <form class="stack" class:hidden=made novalidate on:submit=submit>
                <TextField
                    id="certificate-name" testid="certificate-name" first=true label=words(|t| t.certificate_name)
                    hint=words(|t| t.certificate_hint) value=name error=Signal::stored(None)
                />
                <div class="field">
                    <label for="certificate-pem">{move || i18n.admin().certificate_pem}</label>
                    <textarea
                        id="certificate-pem" data-testid="certificate-pem" class="input" rows="6" spellcheck="false"
                        aria-describedby="certificate-pem-help" prop:value=move || pem.get()
                        on:input=move |event| pem.set(event_target_value(&event))
                    ></textarea>
                    <p id="certificate-pem-help" class="field-help">{move || i18n.admin().certificate_pem_hint}</p>
                </div>
                <FormActions
                    open testid="certificate-submit" submit=Signal::derive(move || i18n.admin().add) busy
                    error=(error, "certificate-error")
                />
            </form>
            <Show when=made>
                <p class="dialog-text" role="status">{move || i18n.admin().token_text}</p>
                <pre class="token" data-testid="certificate-token" tabindex="0">{move || token.get()}</pre>
                <div class="dialog-actions">
                    <button class="button primary" type="button" on:click=move |_| open.set(false)>
                        {move || i18n.t().close}
                    </button>
                </div>
            </Show>
        </Dialog>
    }
}
