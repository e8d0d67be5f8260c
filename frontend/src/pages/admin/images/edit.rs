//! Changing what an image is called and said to be.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_types::image::check_alias;
use vms_types::{ImageDetail, PatchImage};
use wasm_bindgen_futures::spawn_local;

use super::form::Form;
use super::{Context, name_of, texts};
use crate::components::dialog::Dialog;
use crate::components::field::TextField;
use crate::components::form_actions::FormActions;
use crate::i18n::use_i18n;

/// The dialog; it is open while there is something to edit.
#[component]
pub(super) fn EditDialog(edited: RwSignal<Option<ImageDetail>>) -> impl IntoView {
    let i18n = use_i18n();
    let context = expect_context::<Context>();
    let open = RwSignal::new(false);
    let form = Form::new(open);
    let aliases = RwSignal::new(String::new());
    let auto_update = RwSignal::new(false);
    Effect::new(move || {
        if let Some(image) = edited.get() {
            open.set(true);
            aliases.set(image.aliases.join(" "));
            auto_update.set(image.auto_update);
        }
    });
    // After the form was emptied for being opened.
    Effect::new(move || {
        if open.get() {
            form.description.set(
                edited
                    .with_untracked(|image| image.as_ref().map(|i| i.description.clone()))
                    .unwrap_or_default(),
            );
        } else {
            edited.set(None);
        }
    });
    let typed =
        move || -> Vec<String> { aliases.with(|text| text.split_whitespace().map(str::to_owned).collect()) };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(image) = edited.get_untracked() else { return };
        let wanted = untrack(typed);
        form.touched.set(true);
        if form.busy.get_untracked() || wanted.iter().any(|alias| check_alias("aliases", alias).is_err()) {
            return;
        }
        form.busy.set(true);
        form.error.set(None);
        let patch = PatchImage {
            aliases: Some(wanted),
            description: Some(form.description.get_untracked().trim().to_owned()),
            auto_update: image.source.as_ref().map(|_| auto_update.get_untracked()),
        };
        let context = context.clone();
        spawn_local(async move {
            let answer = context
                .session
                .call(|client| {
                    let (fingerprint, patch) = (image.fingerprint.clone(), patch.clone());
                    async move { client.edit_image(&fingerprint, &patch, None).await }
                })
                .await;
            match answer {
                Ok(_) => {
                    let _gone = form.busy.try_set(false);
                    let _gone = open.try_set(false);
                    context.work.announce(texts(i18n.admin_now()).changed.to_owned());
                    context.load(false);
                }
                Err(error) => {
                    form.refuse(&error, i18n.now());
                    // A name that is taken is one of several here.
                    let _gone = form.error.try_set(Some(i18n.now().error(&error)));
                }
            }
        });
    };
    let title = Signal::derive(move || {
        let name = edited.with(|image| image.as_ref().map(name_of)).unwrap_or_default();
        (texts(i18n.admin()).edit)(&name)
    });
    let aliases_error = Signal::derive(move || {
        let error = typed().iter().find_map(|alias| check_alias("aliases", alias).err());
        error.map(|error| (i18n.t().field)(&error.code).unwrap_or(i18n.t().field_unknown))
    });
    let has_source = move || edited.with(|image| image.as_ref().is_some_and(|image| image.source.is_some()));
    view! {
        <Dialog open id="image-edit-title" title>
            <Show when=move || open.get()>
                <form class="stack" novalidate on:submit=submit.clone()>
                    <TextField
                        id="image-aliases" testid="image-aliases" first=true
                        label=Signal::derive(move || texts(i18n.admin()).aliases.to_owned())
                        hint=Signal::derive(move || texts(i18n.admin()).aliases_hint.to_owned())
                        value=aliases error=aliases_error
                    />
                    <TextField
                        id="image-words" testid="image-words"
                        label=Signal::derive(move || i18n.t().description.to_owned()) hint=Signal::derive(String::new)
                        value=form.description error=Signal::derive(move || form.said(i18n.t(), "description"))
                    />
                    <Show when=has_source>
                        <label class="check">
                            <input
                                type="checkbox" prop:checked=move || auto_update.get()
                                on:change=move |event| auto_update.set(event_target_checked(&event))
                            />
                            <span>{move || texts(i18n.admin()).auto_update}</span>
                        </label>
                    </Show>
                    <FormActions
                        open testid="image-submit" submit=Signal::derive(move || texts(i18n.admin()).save) busy=form.busy
                        error=(form.error, "image-error")
                    />
                </form>
            </Show>
        </Dialog>
    }
}
