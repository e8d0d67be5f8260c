//! Who may choose a profile or an image, and whose default it is.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_client::Conditional;
use vms_types::{Audience, CatalogKind, DefaultFor, Role};
use wasm_bindgen_futures::spawn_local;

use super::dialog::Dialog;
use super::field::TextField;
use super::form_actions::FormActions;
use crate::i18n::{AdminTexts, Texts, use_i18n};
use crate::session::use_session;
use crate::store::use_store;

/// The roles that one chooses from; administrators may use everything.
const ROLES: [Role; 2] = [Role::Student, Role::Teacher];

/// Roles, groups and people as they are typed. A handle: copies share it.
#[derive(Clone, Copy)]
struct Names {
    roles: [RwSignal<bool>; 2],
    groups: RwSignal<String>,
    users: RwSignal<String>,
}

impl Names {
    fn new() -> Self {
        let empty = || RwSignal::new(String::new());
        Self { roles: [RwSignal::new(false), RwSignal::new(false)], groups: empty(), users: empty() }
    }

    fn show(self, roles: &[Role], groups: &[String], users: &[String]) {
        for (role, ticked) in ROLES.into_iter().zip(self.roles) {
            ticked.set(roles.contains(&role));
        }
        self.groups.set(groups.join(", "));
        self.users.set(users.join(", "));
    }

    fn said(self) -> (Vec<Role>, Vec<String>, Vec<String>) {
        let ticked = ROLES.into_iter().zip(self.roles).filter(|(_, ticked)| ticked.get_untracked());
        let split = |text: RwSignal<String>| {
            let text = text.get_untracked();
            text.split([',', ';', '\n']).map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned).collect()
        };
        (ticked.map(|(role, _)| role).collect(), split(self.groups), split(self.users))
    }
}

/// The dialog. It opens when `target` names something.
#[component]
pub(crate) fn AudienceDialog(
    target: RwSignal<Option<(CatalogKind, String)>>,
    /// Called after it was saved.
    #[prop(into)]
    on_saved: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let announcement = use_store().announcement;
    let (open, everyone) = (RwSignal::new(false), RwSignal::new(true));
    let (may, default_for) = (Names::new(), Names::new());
    let (etag, error) = (RwSignal::new(None::<String>), RwSignal::new(None::<String>));
    let loader = session.clone();
    Effect::new(move || {
        let Some((kind, name)) = target.get() else { return };
        let session = loader.clone();
        error.set(None);
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let name = name.clone();
                    async move { client.audience(kind, &name, None).await }
                })
                .await;
            match answer {
                Ok(Conditional::Data { value, etag: tag }) => {
                    let Audience { everyone: all, roles, groups, users, default_for: default } = value;
                    everyone.set(all);
                    may.show(&roles, &groups, &users);
                    default_for.show(&default.roles, &default.groups, &default.users);
                    etag.set(tag);
                }
                Ok(Conditional::NotModified) => {}
                Err(failed) => error.set(Some(i18n.now().error(&failed))),
            }
            open.set(true);
        });
    });
    // So that the same one can be opened again.
    Effect::new(move |was: Option<bool>| {
        let is = open.get();
        if was == Some(true) && !is {
            target.set(None);
        }
        is
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some((kind, name)) = target.get_untracked() else { return };
        let (roles, groups, users) = may.said();
        let (default_roles, default_groups, default_users) = default_for.said();
        let default_for = DefaultFor { roles: default_roles, groups: default_groups, users: default_users };
        let audience = Audience { everyone: everyone.get_untracked(), roles, groups, users, default_for };
        let (session, tag) = (session.clone(), etag.get_untracked());
        error.set(None);
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let (name, audience, tag) = (name.clone(), audience.clone(), tag.clone());
                    async move { client.put_audience(kind, &name, &audience, tag.as_deref()).await }
                })
                .await;
            match answer {
                Ok(_) => {
                    announcement.set((i18n.admin_now().audience_saved)(&name));
                    open.set(false);
                    on_saved.run(());
                }
                Err(failed) => error.set(Some(i18n.now().error(&failed))),
            }
        });
    };
    let title = Signal::derive(move || {
        let name = target.get().map(|(_, name)| name).unwrap_or_default();
        (i18n.admin().audience_title)(&name)
    });
    let choice = move |all: bool,
                       testid: &'static str,
                       words: fn(&'static Texts, &'static AdminTexts) -> &'static str| {
        view! {
            <label class="check">
                <input
                    type="radio" name="audience-everyone" data-testid=testid
                    prop:checked=move || everyone.get() == all on:change=move |_| everyone.set(all)
                />
                <span>{move || words(i18n.t(), i18n.admin())}</span>
            </label>
        }
    };
    view! {
        <Dialog open id="audience-title" title>
            <form class="stack" novalidate on:submit=submit>
                <fieldset class="group">
                    <legend>{move || i18n.admin().audience}</legend>
                    {choice(true, "audience-everyone", |_, a| a.everyone)}
                    {choice(false, "audience-some", |_, a| a.only_these)}
                    <div class="stack" class:hidden=move || everyone.get()>
                        <NameFields id="may" names=may/>
                    </div>
                </fieldset>
                <fieldset class="group">
                    <legend>{move || i18n.admin().default_of}</legend>
                    <p class="field-help">{move || i18n.admin().default_hint}</p>
                    <NameFields id="default" names=default_for/>
                </fieldset>
                <FormActions
                    open testid="audience-save" submit=Signal::derive(move || i18n.t().save) error=(error, "audience-error")
                />
            </form>
        </Dialog>
    }
}

/// Roles to tick, groups and people to type.
#[component]
fn NameFields(
    /// Tells the two sets of fields apart.
    id: &'static str,
    names: Names,
) -> impl IntoView {
    let i18n = use_i18n();
    let none = Signal::stored(None::<&'static str>);
    let (groups, users) =
        if id == "may" { ("audience-groups", "audience-users") } else { ("default-groups", "default-users") };
    view! {
        <div class="checks">
            {ROLES.into_iter().zip(names.roles).map(|(role, ticked)| view! {
                <label class="check">
                    <input
                        type="checkbox" data-testid=format!("{id}-{}", role.as_str()) prop:checked=move || ticked.get()
                        on:change=move |event| ticked.set(event_target_checked(&event))
                    />
                    <span>{move || (i18n.admin().role)(role)}</span>
                </label>
            }).collect_view()}
        </div>
        <TextField
            id=groups testid=groups label=Signal::derive(move || i18n.admin().groups.to_owned())
            hint=Signal::derive(move || i18n.admin().names_hint.to_owned()) value=names.groups error=none
        />
        <TextField
            id=users testid=users label=Signal::derive(move || i18n.admin().people.to_owned())
            hint=Signal::derive(move || i18n.admin().names_hint.to_owned()) value=names.users error=none
        />
    }
}
