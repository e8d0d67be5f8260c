//! Profiles, for administrators: which there are, what they allow, who carries them, and who may choose them.

use std::sync::Arc;

use leptos::prelude::*;
use vms_client::{ClientError, Conditional};
use vms_types::{Audience, CatalogKind, Profile, ProfileDetail};
use wasm_bindgen_futures::spawn_local;

use crate::components::audience_dialog::AudienceDialog;
use crate::components::confirm::{Confirm, Question};
use crate::components::data_table::{Column, DataTable};
use crate::components::icon::{Glyph, Icon};
use crate::components::profile_dialog::{Editor, ProfileDialog};
use crate::format::bytes;
use crate::i18n::{AdminTexts, Lang, Texts, use_i18n};
use crate::listing::Lines;
use crate::route::Route;
use crate::session::{Session, use_session};
use crate::store::use_store;

/// Most machines that are named where one of them keeps a profile.
const NAMED: usize = 10;

/// The list, and what keeps a profile from being deleted. A handle: copies share it.
#[derive(Clone, Copy)]
struct Profiles {
    lines: Lines<Profile>,
    notice: RwSignal<Option<String>>,
}

impl Profiles {
    /// Asks for the list. There are as many profiles as somebody has thought up: they come at once.
    fn load(self, session: Session) {
        self.lines.load(false, async move {
            let page = session.call(|client| async move { client.profiles().await }).await?;
            Ok(Conditional::Data { value: page, etag: None })
        });
    }
}

/// Everything of one profile, with its tag.
async fn detail(session: &Session, name: &str) -> Result<(ProfileDetail, Option<String>), ClientError> {
    let name = name.to_owned();
    let answer = session
        .call(|client| {
            let name = name.clone();
            async move { client.profile(&name, None).await }
        })
        .await?;
    match answer {
        Conditional::Data { value, etag } => Ok((value, etag)),
        // Nothing was known before, so that there is always something new.
        Conditional::NotModified => Err(ClientError::Network(String::new())),
    }
}

/// The page.
#[component]
pub(crate) fn ProfilesPage() -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let list = Profiles { lines: Lines::new(), notice: RwSignal::new(None) };
    let editor = Editor::new();
    let audience = RwSignal::new(None::<(CatalogKind, String)>);
    list.load(session.clone());
    let columns = Signal::derive(move || {
        let (t, own) = (i18n.t(), i18n.admin());
        [t.name, own.memory, own.cpus, own.disk, own.interfaces, t.machines, own.audience, t.column_commands]
            .map(|title| Column { title, sort: None })
            .to_vec()
    });
    let (again, saved, allowed) = (session.clone(), session.clone(), session.clone());
    // A new one begins with the disk and the interface of `default`: the pool and the bridge are right then.
    let new = move |_| {
        let session = session.clone();
        list.notice.set(None);
        spawn_local(async move {
            match detail(&session, "default").await {
                Ok((default, _)) => editor.begin(default.devices),
                Err(error) => list.notice.set(Some(i18n.now().error(&error))),
            }
        });
    };
    view! {
        <div class="toolbar">
            <h2>{move || (i18n.t().page)(Route::Profiles)}</h2>
            <span class="toolbar-note"></span>
            <button class="button primary" type="button" data-testid="new-profile" on:click=new>
                <Icon glyph=Glyph::Plus/>
                {move || i18n.admin().new_profile}
            </button>
        </div>
        <p class="form-error" role="alert" data-testid="profiles-notice">{move || list.notice.get()}</p>
        <DataTable
            label=Signal::derive(move || (i18n.t().page)(Route::Profiles)) columns
            listing=Signal::derive(move || list.lines.listing()) empty=Signal::derive(move || i18n.admin().profiles_none)
            retry=move |()| list.load(again.clone()) more=|()| {}
        >
            <For each=move || list.lines.all.get() key=|profile| profile.name.clone() let:profile>
                <ProfileRow name=profile.name list editor audience/>
            </For>
        </DataTable>
        <ProfileDialog editor on_saved=move |()| list.load(saved.clone())/>
        <AudienceDialog target=audience on_saved=move |()| list.load(allowed.clone())/>
    }
}

#[component]
fn ProfileRow(
    name: String,
    list: Profiles,
    editor: Editor,
    audience: RwSignal<Option<(CatalogKind, String)>>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let confirm = expect_context::<Confirm>();
    let announcement = use_store().announcement;
    let known = name.clone();
    // The row stays while what it shows changes: the focus is not lost.
    let profile = Memo::new(move |_| {
        list.lines.all.with(|all| all.iter().find(|profile| profile.name == known).cloned())
    });
    let read = move |part: fn(&AdminTexts, &Profile, char) -> String| {
        move || {
            let mark = if i18n.0.get() == Lang::Pt { ',' } else { '.' };
            profile.with(|profile| profile.as_ref().map(|profile| part(i18n.admin(), profile, mark)))
        }
    };
    let label = |title: fn(&'static Texts, &'static AdminTexts) -> &'static str| {
        move || title(i18n.t(), i18n.admin())
    };
    let for_profile = {
        let name = name.clone();
        move |word: fn(&'static Texts, &'static AdminTexts) -> &'static str| {
            let name = name.clone();
            move || (i18n.t().for_machine)(word(i18n.t(), i18n.admin()), &name)
        }
    };
    let edit = {
        let (session, name) = (session.clone(), name.clone());
        move |_| {
            let (session, name) = (session.clone(), name.clone());
            list.notice.set(None);
            spawn_local(async move {
                match detail(&session, &name).await {
                    Ok((detail, etag)) => editor.open(detail, etag),
                    Err(error) => list.notice.set(Some(i18n.now().error(&error))),
                }
            });
        }
    };
    let choose = {
        let name = name.clone();
        move |_| audience.set(Some((CatalogKind::Profile, name.clone())))
    };
    let delete = {
        let name = name.clone();
        move |_| {
            let (session, name) = (session.clone(), name.clone());
            list.notice.set(None);
            spawn_local(async move {
                match detail(&session, &name).await {
                    Ok((detail, _)) if !detail.used_by.is_empty() => {
                        let users: Vec<String> = detail.used_by.iter().take(NAMED).map(user).collect();
                        let more = detail.used_by.len().saturating_sub(NAMED);
                        list.notice.set(Some((i18n.admin_now().profile_in_use)(
                            &name,
                            &users.join(", "),
                            more,
                        )));
                    }
                    Ok(_) => ask_delete(confirm, list, session, name, i18n, announcement),
                    Err(error) => list.notice.set(Some(i18n.now().error(&error))),
                }
            });
        }
    };
    let word = name.clone();
    view! {
        <tr role="row" data-testid="profile-row" data-profile=word>
            <td role="cell" data-label=label(|t, _| t.name)>
                <div>
                    <span class="machine-name">{name}</span>
                    {move || profile.with(|p| p.as_ref().is_some_and(|p| p.default)).then(|| view! {
                        <span class="tag">{move || i18n.admin().default}</span>
                    })}
                    <div class="specs">{read(|_, p, _| p.description.clone())}</div>
                </div>
            </td>
            <td role="cell" data-label=label(|_, a| a.memory)>
                {read(|t, p, mark| p.limits.memory_bytes.map_or_else(|| t.no_limit.to_owned(), |size| bytes(size, mark)))}
            </td>
            <td role="cell" data-label=label(|_, a| a.cpus)>
                {read(|t, p, _| p.limits.cpus.map_or_else(|| t.no_limit.to_owned(), |cpus| cpus.to_string()))}
            </td>
            <td role="cell" data-label=label(|_, a| a.disk)>
                {read(|t, p, mark| p.limits.disk_bytes.map_or_else(|| t.no_limit.to_owned(), |size| bytes(size, mark)))}
            </td>
            <td role="cell" data-label=label(|_, a| a.interfaces)>{read(|_, p, _| p.interfaces.to_string())}</td>
            <td role="cell" data-label=label(|t, _| t.machines)>
                {read(|_, p, _| p.machines.unwrap_or_default().to_string())}
            </td>
            <td role="cell" data-label=label(|_, a| a.audience) data-testid="profile-audience">
                {read(|t, p, _| p.audience.as_ref().map(|audience| audience_words(t, audience)).unwrap_or_default())}
            </td>
            <td role="cell" data-label=label(|t, _| t.column_commands)>
                <div class="commands">
                    <button
                        class="button" type="button" data-testid="profile-edit"
                        aria-label=for_profile(|_, a| a.edit) on:click=edit
                    ><Icon glyph=Glyph::Pencil/>{label(|_, a| a.edit)}</button>
                    <button
                        class="button" type="button" data-testid="profile-allow"
                        aria-label=for_profile(|_, a| a.audience_edit) on:click=choose
                    >{label(|_, a| a.audience_edit)}</button>
                    <button
                        class="icon-button bordered" type="button" data-testid="profile-delete"
                        aria-label=for_profile(|t, _| t.remove) title=label(|t, _| t.remove) on:click=delete
                    ><Icon glyph=Glyph::Trash/></button>
                </div>
            </td>
        </tr>
    }
}

fn user(user: &vms_types::ProfileUser) -> String {
    match &user.owner {
        Some(owner) => format!("{} ({owner})", user.instance),
        None => user.instance.clone(),
    }
}

fn ask_delete(
    confirm: Confirm,
    list: Profiles,
    session: Session,
    name: String,
    i18n: crate::i18n::I18n,
    announcement: RwSignal<String>,
) {
    let (t, own) = (i18n.now(), i18n.admin_now());
    let title = (own.confirm_profile_title)(&name);
    let action = Arc::new(move || {
        let (session, name) = (session.clone(), name.clone());
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let name = name.clone();
                    async move { client.delete_profile(&name).await }
                })
                .await;
            match answer {
                Ok(()) => {
                    announcement.set((i18n.admin_now().profile_deleted)(&name));
                    list.load(session);
                }
                Err(error) => {
                    let _gone = list.notice.try_set(Some(i18n.now().error(&error)));
                }
            }
        });
    });
    confirm.ask(Question { title, text: own.confirm_profile_text.to_owned(), yes: t.remove, action });
}

/// For whom it is, in a few words: the lists are in the dialog.
pub(crate) fn audience_words(texts: &AdminTexts, audience: &Audience) -> String {
    if audience.everyone {
        return texts.everyone.to_owned();
    }
    let roles = audience.roles.iter().chain(&audience.default_for.roles);
    let named = audience.groups.iter().chain(&audience.default_for.groups);
    let people = audience.users.iter().chain(&audience.default_for.users);
    let mut words: Vec<String> = roles.map(|role| (texts.role)(*role).to_owned()).collect();
    words.extend(named.cloned());
    words.extend(people.cloned());
    words.sort();
    words.dedup();
    if words.is_empty() { texts.administrators_only.to_owned() } else { words.join(", ") }
}
