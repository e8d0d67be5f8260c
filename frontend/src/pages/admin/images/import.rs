//! Fetching an image from another image server.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_types::ImportImage;
use wasm_bindgen_futures::spawn_local;

use super::form::{Form, NameFields};
use super::{Context, texts};
use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form_actions::FormActions;
use crate::i18n::{ImageTexts, use_i18n};

/// The dialog.
#[component]
pub(super) fn ImportDialog(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let context = expect_context::<Context>();
    let form = Form::new(open);
    let (url, source) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let auto_update = RwSignal::new(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if !form.submit() {
            return;
        }
        let request = ImportImage {
            url: url.get_untracked().trim().to_owned(),
            source_alias: source.get_untracked().trim().to_owned(),
            alias: form.alias(),
            description: form.description(),
            auto_update: auto_update.get_untracked(),
            replace: form.replace.get_untracked(),
            servers: Vec::new(),
        };
        let context = context.clone();
        spawn_local(async move {
            let answer = context
                .session
                .call(|client| {
                    let request = request.clone();
                    async move { client.import_image(&request).await }
                })
                .await;
            form.settle(open, &context, answer.map(|begun| begun.items), i18n.now());
        });
    };
    let word = move |read: fn(&'static ImageTexts) -> &'static str| {
        Signal::derive(move || read(texts(i18n.admin())).to_owned())
    };
    view! {
        <Dialog open id="image-import-title" title=word(|t| t.import)>
            <Show when=move || open.get()>
                <form class="stack" novalidate on:submit=submit.clone()>
                    <TextField
                        id="image-url" testid="image-url" first=true kind="url" label=word(|t| t.url)
                        hint=word(|t| t.url_hint) value=url
                        error=Signal::derive(move || form.said(i18n.t(), "url"))
                        on_change=move |()| form.errors.set(Vec::new())
                    />
                    <TextField
                        id="image-source" testid="image-source" label=word(|t| t.source_alias)
                        hint=word(|t| t.source_hint) value=source
                        error=Signal::derive(move || form.said(i18n.t(), "source_alias"))
                        on_change=move |()| form.errors.set(Vec::new())
                    />
                    <NameFields form prefix="import"/>
                    <label class="check">
                        <input
                            type="checkbox" prop:checked=move || auto_update.get()
                            on:change=move |event| auto_update.set(event_target_checked(&event))
                        />
                        <span>{word(|t| t.auto_update)}</span>
                    </label>
                    <FormActions
                        open testid="image-submit" submit=Signal::derive(move || texts(i18n.admin()).import) busy=form.busy
                        error=(form.error, "image-error")
                    />
                </form>
            </Show>
        </Dialog>
    }
}
