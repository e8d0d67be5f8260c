//! Images: what is stored where, and how new ones come.

mod edit;
mod form;
mod import;
mod publish;
mod upload;
mod work;

use std::sync::Arc;

use leptos::prelude::*;
use vms_client::ClientError;
use vms_types::{CatalogKind, ImageDetail, Operation, Page};
use wasm_bindgen_futures::spawn_local;

use crate::clock::wall_time;
use crate::components::audience_dialog::AudienceDialog;
use crate::components::confirm::{Confirm, Question};
use crate::components::data_table::{Column, DataTable};
use crate::components::icon::{Glyph, Icon};
use crate::format::{bytes, moment};
use crate::i18n::{ImageTexts, Lang, use_i18n};
use crate::listing::Lines;
use crate::route::Route;
use crate::session::{Session, use_session};
use edit::EditDialog;
use import::ImportDialog;
use publish::PublishDialog;
use upload::UploadDialog;
use work::{Work, WorkList};

/// What the parts of the page share.
#[derive(Clone)]
struct Context {
    images: Lines<ImageDetail>,
    work: Work,
    session: Session,
}

impl Context {
    /// Asks for the images once more, or for those after them; what is there stays until the answer has come.
    fn load(&self, further: bool) {
        let (session, part) = (self.session.clone(), self.images.part(further));
        self.images.load(further, async move {
            let part = &part;
            session.call(|client| async move { client.all_images(part, None).await }).await
        });
    }

    /// Sends a command that becomes operations, and follows them.
    fn give<F, R>(&self, make: F)
    where
        F: Fn(crate::session::Client) -> R + 'static,
        R: Future<Output = Result<Page<Operation>, ClientError>> + 'static,
    {
        let this = self.clone();
        spawn_local(async move {
            match this.session.call(make).await {
                Ok(begun) => this.follow(begun.items),
                Err(error) => this.work.refused(&error),
            }
        });
    }

    /// Follows operations to their end, and looks at the images then.
    fn follow(&self, operations: Vec<Operation>) {
        let this = self.clone();
        for operation in operations {
            let this = this.clone();
            spawn_local(async move {
                this.work.follow(&this.session, operation).await;
                this.load(false);
            });
        }
    }
}

fn texts(t: &'static crate::i18n::AdminTexts) -> &'static ImageTexts {
    &t.images
}

/// The page.
#[component]
pub(crate) fn ImagesPage() -> impl IntoView {
    let i18n = use_i18n();
    let context = Context { images: Lines::new(), work: Work::new(i18n), session: use_session() };
    provide_context(context.clone());
    let images = context.images;
    context.load(false);
    let (uploading, importing, publishing) =
        (RwSignal::new(false), RwSignal::new(false), RwSignal::new(false));
    let edited = RwSignal::new(None::<ImageDetail>);
    let audience = RwSignal::new(None::<(CatalogKind, String)>);
    let columns = Signal::derive(move || {
        let t = texts(i18n.admin());
        let plain = |title| Column { title, sort: None };
        vec![
            Column { title: t.alias, sort: Some("ascending") },
            plain(i18n.t().description),
            plain(t.size),
            plain(t.since),
            plain(t.machines),
            plain(t.servers),
            plain(i18n.t().column_commands),
        ]
    });
    let button = move |testid: &'static str, open: RwSignal<bool>, word: fn(&ImageTexts) -> &'static str| {
        view! {
            <button class="button" type="button" data-testid=testid on:click=move |_| open.set(true)>
                <Icon glyph=Glyph::Plus/>
                {move || word(texts(i18n.admin()))}
            </button>
        }
    };
    let (retrying, further, allowed) = (context.clone(), context.clone(), context.clone());
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(Route::Images)}</h2>
            <span class="toolbar-note"></span>
            <div class="actions">
                {button("image-upload", uploading, |t| t.upload)}
                {button("image-import", importing, |t| t.import)}
                {button("image-publish", publishing, |t| t.publish)}
            </div>
        </div>
        <WorkList work=context.work/>
        <DataTable
            label=Signal::derive(move || (i18n.t().page)(Route::Images)) columns
            listing=Signal::derive(move || images.listing())
            empty=Signal::derive(move || texts(i18n.admin()).empty)
            retry=move |()| retrying.load(false) more=move |()| further.load(true)
        >
            <For each=move || images.all.get() key=|image| (image.fingerprint.clone(), format!("{image:?}")) let:image>
                <Row image edited audience/>
            </For>
        </DataTable>
        <UploadDialog open=uploading/>
        <ImportDialog open=importing/>
        <PublishDialog open=publishing/>
        <EditDialog edited/>
        <AudienceDialog target=audience on_saved=move |()| allowed.load(false)/>
    }
}

/// What people call an image; the beginning of its fingerprint if nothing else.
fn name_of(image: &ImageDetail) -> String {
    image.aliases.first().cloned().unwrap_or_else(|| image.fingerprint.chars().take(12).collect())
}

#[component]
fn Row(
    image: ImageDetail,
    edited: RwSignal<Option<ImageDetail>>,
    audience: RwSignal<Option<(CatalogKind, String)>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let context = expect_context::<Context>();
    let confirm = expect_context::<Confirm>();
    let name = name_of(&image);
    let label = |title: fn(&'static ImageTexts) -> &'static str| move || title(texts(i18n.admin()));
    let mark = move || if i18n.0.get() == Lang::Pt { ',' } else { '.' };
    let size = image.size_bytes;
    let since = image.uploaded_at.map(wall_time);
    let since = move || since.map(|at| moment(at, i18n.0.get() == Lang::Pt)).unwrap_or_default();
    let servers = image.copies.iter().map(|copy| copy.server.clone()).collect::<Vec<_>>().join(", ");
    let (nameless, default, machines) = (image.aliases.is_empty(), image.default, image.machines);
    let aliases = image.aliases.join(", ");
    let refreshable = image.source.is_some();
    let fingerprint = image.fingerprint.clone();
    let refresh = {
        let (context, fingerprint) = (context.clone(), fingerprint.clone());
        move |_| {
            let fingerprint = fingerprint.clone();
            context.give(move |client| {
                let fingerprint = fingerprint.clone();
                async move { client.refresh_image(&fingerprint).await }
            });
        }
    };
    let delete = {
        let name = name.clone();
        move |_| {
            let t = texts(i18n.admin_now());
            let used = if machines > 0 { format!(" {}", (t.delete_used)(machines)) } else { String::new() };
            let (context, fingerprint) = (context.clone(), fingerprint.clone());
            let action = move || {
                let fingerprint = fingerprint.clone();
                context.give(move |client| {
                    let fingerprint = fingerprint.clone();
                    // The question said what it means.
                    async move { client.delete_image(&fingerprint, true).await }
                });
            };
            confirm.ask(Question {
                title: (t.delete_title)(&name),
                text: format!("{}{used}", t.delete_text),
                yes: i18n.now().remove,
                action: Arc::new(action),
            });
        }
    };
    let says = |word: fn(&'static ImageTexts) -> fn(&str) -> String, name: &str| {
        let name = name.to_owned();
        move || word(texts(i18n.admin()))(&name)
    };
    let (edit_says, refresh_says, delete_says) =
        (says(|t| t.edit, &name), says(|t| t.refresh, &name), says(|t| t.delete, &name));
    let row = image.clone();
    // Machines are made of a name, and so it is the name that one may use or not.
    let names = image.aliases.first().cloned();
    view! {
        <tr role="row" data-testid="image-row" data-image=name>
            <td role="cell" data-label=label(|t| t.alias)>
                {move || if nameless { texts(i18n.admin()).nameless.to_owned() } else { aliases.clone() }}
                {move || default.then(|| format!(" ({})", texts(i18n.admin()).default))}
            </td>
            <td role="cell" data-label=move || i18n.t().description>{image.description}</td>
            <td role="cell" data-label=label(|t| t.size)>{move || bytes(size, mark())}</td>
            <td role="cell" data-label=label(|t| t.since)>{since}</td>
            <td role="cell" data-label=label(|t| t.machines) data-testid="image-machines">{machines}</td>
            <td role="cell" data-label=label(|t| t.servers)>{servers}</td>
            <td role="cell" data-label=move || i18n.t().column_commands>
                <div class="actions">
                    <button
                        class="icon-button" type="button" data-testid="image-edit" aria-label=edit_says
                        on:click=move |_| edited.set(Some(row.clone()))
                    ><Icon glyph=Glyph::Pencil/></button>
                    {names.map(|name| view! {
                        <button
                            class="button" type="button" data-testid="image-allow"
                            on:click=move |_| audience.set(Some((CatalogKind::Image, name.clone())))
                        >{move || i18n.admin().audience_edit}</button>
                    })}
                    {refreshable.then(|| view! {
                        <button
                            class="icon-button" type="button" data-testid="image-refresh" aria-label=refresh_says
                            on:click=refresh
                        ><Icon glyph=Glyph::Restart/></button>
                    })}
                    <button
                        class="icon-button" type="button" data-testid="image-delete" aria-label=delete_says
                        on:click=delete
                    ><Icon glyph=Glyph::Trash/></button>
                </div>
            </td>
        </tr>
    }
}
