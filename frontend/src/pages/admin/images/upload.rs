//! Uploading an image: one file or two, with its progress and a way to break it off.

use leptos::ev::SubmitEvent;
use leptos::html;
use leptos::prelude::*;
use vms_client::UploadQuery;
use vms_client::upload::{Abort, ImageFiles};
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use super::form::{Form, NameFields};
use super::{Context, texts};
use crate::components::dialog::Dialog;
use crate::components::form_actions::FormActions;
use crate::i18n::{ImageTexts, use_i18n};

/// The dialog. While bytes go out, closing it breaks the upload off.
#[component]
pub(super) fn UploadDialog(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let context = expect_context::<Context>();
    let form = Form::new(open);
    let split = RwSignal::new(false);
    let percent = RwSignal::new(None::<u32>);
    let abort = StoredValue::new_local(Abort::default());
    let nodes = [NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new()];
    Effect::new(move || {
        if !open.get() {
            abort.with_value(Abort::abort);
        }
    });
    let chosen = move |node: NodeRef<html::Input>| -> Option<File> {
        node.get_untracked().and_then(|input| input.files()).and_then(|files| files.get(0))
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let [first, second] = nodes;
        let (first, second) = (chosen(first), chosen(second));
        let name = first.as_ref().map(File::name);
        let files = match (split.get_untracked(), first, second) {
            (false, Some(file), _) => ImageFiles::Unified(file.into()),
            (true, Some(metadata), Some(rootfs)) => {
                ImageFiles::Split { metadata: metadata.into(), rootfs: rootfs.into() }
            }
            _ => {
                form.touched.set(true);
                form.error.set(Some(texts(i18n.admin_now()).no_file.to_owned()));
                return;
            }
        };
        if !form.submit() {
            return;
        }
        let query = UploadQuery {
            alias: form.alias(),
            description: form.description(),
            replace: form.replace.get_untracked(),
            servers: Vec::new(),
            filename: name,
        };
        percent.set(Some(0));
        let context = context.clone();
        spawn_local(async move {
            let handle = abort.with_value(Clone::clone);
            let answer = context
                .session
                .call(|client| {
                    let (query, files, handle) = (query.clone(), files.clone(), handle.clone());
                    async move {
                        let told = move |done| {
                            let _gone = percent.try_set(Some(done));
                        };
                        client.upload_image(&query, files, &handle, told).await
                    }
                })
                .await;
            let _gone = percent.try_set(None);
            match answer {
                Err(vms_client::ClientError::Network(_)) if open.try_get_untracked() == Some(false) => {
                    let _gone = form.busy.try_set(false);
                    context.work.announce(texts(i18n.admin_now()).broken_off.to_owned());
                }
                answer => form.settle(open, &context, answer.map(|begun| begun.items), i18n.now()),
            }
        });
    };
    let word = move |read: fn(&'static ImageTexts) -> &'static str| {
        Signal::derive(move || read(texts(i18n.admin())).to_owned())
    };
    let [first, second] = nodes;
    view! {
        <Dialog open id="image-upload-title" title=word(|t| t.upload)>
            <Show when=move || open.get()>
                <form class="stack" novalidate on:submit=submit.clone()>
                    <fieldset class="field">
                        <legend>{word(|t| t.format)}</legend>
                        {[(false, "image-unified"), (true, "image-split")].map(|(value, testid)| view! {
                            <label class="check">
                                <input
                                    type="radio" name="image-format" data-testid=testid
                                    prop:checked=move || split.get() == value on:change=move |_| split.set(value)
                                />
                                <span>{move || {
                                    let t = texts(i18n.admin());
                                    if value { t.split } else { t.unified }
                                }}</span>
                            </label>
                        }).collect_view()}
                    </fieldset>
                    <div class="field">
                        <label for="image-file">{move || {
                            let t = texts(i18n.admin());
                            if split.get() { t.metadata } else { t.file }
                        }}</label>
                        <input node_ref=first id="image-file" data-testid="image-file" class="input file" type="file"/>
                    </div>
                    <div class="field" class:hidden=move || !split.get()>
                        <label for="image-rootfs">{word(|t| t.rootfs)}</label>
                        <input node_ref=second id="image-rootfs" data-testid="image-rootfs" class="input file" type="file"/>
                    </div>
                    <NameFields form prefix="upload"/>
                    <div role="status" data-testid="image-progress">
                        {move || percent.get().map(|done| view! {
                            <div class="row-progress">
                                <span>{move || (texts(i18n.admin()).sent)(done)}</span>
                                <span class="bar" aria-hidden="true"><span style:width=format!("{done}%")></span></span>
                            </div>
                        })}
                    </div>
                    <FormActions
                        open testid="image-submit" submit=Signal::derive(move || texts(i18n.admin()).upload) busy=form.busy
                        error=(form.error, "image-error")
                    />
                </form>
            </Show>
        </Dialog>
    }
}
