//! Making an image of a machine or of one of its snapshots.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_client::{Conditional, MachineQuery};
use vms_types::{Machine, PublishImage};
use wasm_bindgen_futures::spawn_local;

use super::form::{Form, NameFields};
use super::{Context, texts};
use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form_actions::FormActions;
use crate::i18n::{ImageTexts, use_i18n};

/// Machines that are offered while one types.
const OFFERED: u32 = 20;

/// The dialog.
#[component]
pub(super) fn PublishDialog(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let context = expect_context::<Context>();
    let form = Form::new(open);
    let (machine, snapshot) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let offered = RwSignal::new(Vec::<Machine>::new());
    let session = context.session.clone();
    Effect::new(move || {
        let q = machine.get();
        if !open.get() {
            return;
        }
        let session = session.clone();
        let query = MachineQuery {
            owner: Some("*".into()),
            q: Some(q.trim().to_owned()).filter(|q| !q.is_empty()),
            limit: Some(OFFERED),
            ..MachineQuery::default()
        };
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let query = query.clone();
                    async move { client.machines(&query, None).await }
                })
                .await;
            // Something else may have been typed meanwhile.
            if let Ok(Conditional::Data { value, .. }) = answer
                && machine.try_get_untracked() == Some(q)
            {
                let _gone = offered.try_set(value.items);
            }
        });
    });
    let snapshots = Memo::new(move |_| {
        let name = machine.with(|name| name.trim().to_owned());
        offered.with(|all| {
            let found = all.iter().find(|machine| machine.instance == name);
            let names =
                found.map(|machine| machine.snapshots.iter().map(|s| s.name.clone()).collect::<Vec<_>>());
            names.unwrap_or_default()
        })
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !form.submit() {
            return;
        }
        let chosen = snapshot.get_untracked();
        let request = PublishImage {
            machine: machine.get_untracked().trim().to_owned(),
            snapshot: snapshots.with_untracked(|all| all.contains(&chosen)).then_some(chosen),
            alias: form.alias(),
            description: form.description(),
            replace: form.replace.get_untracked(),
        };
        let context = context.clone();
        spawn_local(async move {
            let answer = context
                .session
                .call(|client| {
                    let request = request.clone();
                    async move { client.publish_image(&request).await }
                })
                .await;
            form.settle(open, &context, answer.map(|begun| vec![begun]), i18n.now());
        });
    };
    let word = move |read: fn(&'static ImageTexts) -> &'static str| {
        Signal::derive(move || read(texts(i18n.admin())).to_owned())
    };
    view! {
        <Dialog open id="image-publish-title" title=word(|t| t.publish)>
            <Show when=move || open.get()>
                <p class="dialog-text">{word(|t| t.publish_text)}</p>
                <form class="stack" novalidate on:submit=submit.clone()>
                    <TextField
                        id="image-machine" testid="image-machine" first=true label=word(|t| t.machine)
                        hint=word(|t| t.machine_hint) value=machine list="image-machines"
                        error=Signal::derive(move || form.said(i18n.t(), "machine"))
                    />
                    <datalist id="image-machines">
                        {move || offered.get().into_iter().map(|machine| view! {
                            <option value=machine.instance>{machine.owner}</option>
                        }).collect_view()}
                    </datalist>
                    <div class="field">
                        <label for="image-snapshot">{word(|t| t.snapshot)}</label>
                        <select
                            id="image-snapshot" data-testid="image-snapshot" class="input select"
                            on:change=move |event| snapshot.set(event_target_value(&event))
                        >
                            <option value="">{word(|t| t.whole_machine)}</option>
                            {move || snapshots.get().into_iter().map(|name| view! {
                                <option value=name.clone()>{name.clone()}</option>
                            }).collect_view()}
                        </select>
                    </div>
                    <NameFields form prefix="publish"/>
                    <FormActions
                        open testid="image-submit" submit=Signal::derive(move || texts(i18n.admin()).publish) busy=form.busy
                        error=(form.error, "image-error")
                    />
                </form>
            </Show>
        </Dialog>
    }
}
