//! One person: what the directory says, what an administrator decided, and what they hold.

use std::future::Future;
use std::sync::Arc;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_client::{ClientError, Conditional};
use vms_types::{PatchUser, ProblemCode, Role, UserView};
use wasm_bindgen_futures::spawn_local;

use super::holdings::Holdings;
use super::{role_of, state_of, when};
use crate::components::confirm::{Confirm, Question};
use crate::components::dialog::Dialog;
use crate::components::icon::Icon;
use crate::components::quota_fields::{QuotaFields, QuotaForm};
use crate::i18n::{I18n, PeopleTexts, use_i18n};
use crate::pages::admin::quotas::ROLES;
use crate::session::{Client, Session, use_session};

/// What was asked of the directory is good for so long, in milliseconds; later it is asked when the card is opened.
const FRESH: f64 = 600_000.0;

/// The dialog with a person's card. `changed` is told how they are now.
#[component]
pub(super) fn UserCard(
    open: RwSignal<bool>,
    chosen: RwSignal<Option<String>>,
    #[prop(into)] changed: Callback<UserView>,
) -> impl IntoView {
    let title = RwSignal::new(String::new());
    let shown = move || chosen.get().filter(|_| open.get());
    view! {
        <Dialog open id="user-title" title=title>
            {move || shown().map(|name| {
                title.set(name.clone());
                view! { <CardBody name title changed/> }
            })}
        </Dialog>
    }
}

/// What the card shows. A handle: copies share it.
#[derive(Clone, Copy)]
struct Card {
    user: RwSignal<Option<UserView>>,
    etag: StoredValue<Option<String>>,
    /// The role that is chosen; empty for the directory's.
    role: RwSignal<String>,
    quota: QuotaForm,
    error: RwSignal<Option<String>>,
    said: RwSignal<String>,
    busy: RwSignal<bool>,
    title: RwSignal<String>,
    changed: Callback<UserView>,
    i18n: I18n,
}

impl Card {
    /// Reads the person again; `fill` puts what was decided about them into the form, too.
    async fn read(self, session: &Session, name: &str, fill: bool) {
        let answer = session
            .call(|client| {
                let name = name.to_owned();
                async move { client.user(&name, None).await }
            })
            .await;
        // The card may be closed by now.
        if self.user.is_disposed() {
            return;
        }
        match answer {
            Ok(Conditional::Data { value, etag }) => {
                self.etag.set_value(etag);
                if fill {
                    self.role.set(value.role_override.map(Role::as_str).unwrap_or_default().to_owned());
                    self.quota.show(&value.quota.unwrap_or_default());
                }
                self.title.set(value.display_name.clone());
                self.changed.run(value.clone());
                self.user.set(Some(value));
            }
            Ok(Conditional::NotModified) => {}
            Err(error) => self.error.set(Some(self.i18n.now().error(&error))),
        }
    }

    /// Gives a command, says what became of it, and reads the person again.
    fn give<F, R>(self, session: &Session, done: fn(&PeopleTexts) -> &'static str, fill: bool, make: F)
    where
        F: Fn(Client, String) -> R + 'static,
        R: Future<Output = Result<(), ClientError>> + 'static,
    {
        let Some(name) = self.user.with_untracked(|user| user.as_ref().map(|user| user.username.clone()))
        else {
            return;
        };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        self.error.set(None);
        self.said.set(String::new());
        let session = session.clone();
        spawn_local(async move {
            let answer = session.call(|client| make(client, name.clone())).await;
            if self.busy.try_set(false).is_some() {
                return;
            }
            let texts = self.i18n.people_now();
            let taken = answer.is_ok();
            match answer {
                Ok(()) => self.said.set(done(texts).to_owned()),
                Err(ClientError::Problem(problem)) if problem.code == ProblemCode::PreconditionFailed => {
                    self.error.set(Some(texts.changed_meanwhile.to_owned()));
                }
                Err(error) => self.error.set(Some(self.i18n.now().error(&error))),
            }
            // What is typed stays when it was not taken.
            self.read(&session, &name, fill && taken).await;
        });
    }

    fn patch(self, session: &Session, patch: PatchUser, fill: bool) {
        let etag = self.etag.get_value();
        self.give(
            session,
            |texts| texts.saved,
            fill,
            move |client, name| {
                let (patch, etag) = (patch.clone(), etag.clone());
                async move { client.patch_user(&name, &patch, etag.as_deref()).await.map(drop) }
            },
        );
    }

    fn check(self, session: &Session) {
        self.give(
            session,
            |_| "",
            false,
            |client, name| async move { client.check_user(&name).await.map(drop) },
        );
    }
}

#[component]
fn CardBody(name: String, title: RwSignal<String>, changed: Callback<UserView>) -> impl IntoView {
    let session = use_session();
    let i18n = use_i18n();
    let card = Card {
        user: RwSignal::new(None),
        etag: StoredValue::new(None),
        role: RwSignal::new(String::new()),
        quota: QuotaForm::new(),
        error: RwSignal::new(None),
        said: RwSignal::new(String::new()),
        busy: RwSignal::new(false),
        title,
        changed,
        i18n,
    };
    let (reader, of, owner) = (session.clone(), name.clone(), name.clone());
    spawn_local(async move {
        card.read(&reader, &of, true).await;
        let asked = card.user.try_with_untracked(|user| user.as_ref().map(|user| user.directory_checked_at));
        let old = |at: chrono::DateTime<chrono::Utc>| {
            // Milliseconds of this century are exact in a float.
            let at = f64::from(u32::try_from(at.timestamp()).unwrap_or_default()) * 1000.0;
            js_sys::Date::now() - at > FRESH
        };
        if asked.flatten().is_some_and(old) {
            card.check(&reader);
        }
    });
    let again = session.clone();
    let handed = move |()| {
        let (session, name) = (again.clone(), name.clone());
        spawn_local(async move { card.read(&session, &name, false).await });
    };
    view! {
        <p class="form-error" data-testid="user-error" role="alert">{move || card.error.get()}</p>
        <p class="form-said" data-testid="user-said" role="status">{move || card.said.get()}</p>
        <Show when=move || card.user.with(Option::is_some)>
            <Facts card/>
            <Commands card/>
            <Decisions card/>
        </Show>
        <Holdings owner said=move |text| card.said.set(text) handed/>
    }
}

/// What the directory says, and what is.
#[component]
fn Facts(card: Card) -> impl IntoView {
    let i18n = use_i18n();
    let facts = move || {
        let (t, admin) = (i18n.people(), i18n.admin());
        card.user.get().map(|user| {
            let directory = (t.in_directory)(user.in_directory, &when(i18n, user.directory_checked_at));
            let facts = [
                (t.login_name, user.username.clone()),
                (t.email, user.email.clone().unwrap_or_default()),
                (t.column_role, role_of(t, &user)),
                (t.column_groups, user.groups.join(", ")),
                (t.directory, directory),
                (t.first_login, when(i18n, user.created_at)),
                (t.column_last_login, when(i18n, user.last_login_at)),
                (admin.state, state_of(t, &user).0.to_owned()),
            ];
            let shown = facts.into_iter().filter(|(_, text)| !text.is_empty());
            shown.map(|(title, text)| view! { <div><dt>{title}</dt><dd>{text}</dd></div> }).collect_view()
        })
    };
    view! { <dl class="details facts" data-testid="user-facts">{facts}</dl> }
}

/// Locking, ending sessions, asking the directory.
#[component]
fn Commands(card: Card) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let confirm = expect_context::<Confirm>();
    let locked = move || card.user.with(|user| user.as_ref().is_some_and(|user| user.disabled));
    let name = move || {
        card.user
            .with_untracked(|user| user.as_ref().map(|user| user.display_name.clone()).unwrap_or_default())
    };
    let set_lock = move |session: &Session, disabled: bool| {
        card.patch(session, PatchUser { disabled: Some(disabled), ..PatchUser::default() }, false);
    };
    let (locker, signer, checker) = (session.clone(), session.clone(), session);
    let lock = move |_| {
        if untrack(locked) {
            set_lock(&locker, false);
            return;
        }
        let t = i18n.people_now();
        let session = locker.clone();
        let action = Arc::new(move || set_lock(&session, true));
        confirm.ask(Question {
            title: (t.lock_title)(&name()),
            text: t.lock_text.to_owned(),
            yes: t.lock,
            action,
        });
    };
    let sign_out = move |_| {
        let t = i18n.people_now();
        let session = signer.clone();
        let action = Arc::new(move || {
            card.give(
                &session,
                |texts| texts.signed_out,
                false,
                |client, name| async move { client.sign_out_user(&name).await },
            );
        });
        confirm.ask(Question {
            title: (t.sign_out_title)(&name()),
            text: t.sign_out_text.to_owned(),
            yes: t.sign_out,
            action,
        });
    };
    let busy = move || card.busy.get().to_string();
    view! {
        <div class="card-commands">
            <button class="button" type="button" data-testid="user-lock" aria-disabled=busy on:click=lock>
                {move || if locked() { i18n.people().unlock } else { i18n.people().lock }}
            </button>
            <button class="button" type="button" data-testid="user-sign-out" aria-disabled=busy on:click=sign_out>
                <Icon glyph=crate::components::icon::Glyph::Logout/>
                {move || i18n.people().sign_out}
            </button>
            <button
                class="button" type="button" data-testid="user-check" aria-disabled=busy
                on:click=move |_| card.check(&checker)
            >
                {move || i18n.people().check_directory}
            </button>
        </div>
    }
}

/// The role and the quota that an administrator decides.
#[component]
fn Decisions(card: Card) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(quota) = card.quota.read() else { return };
        let patch = PatchUser {
            role_override: Some(card.role.with_untracked(|word| Role::parse(word))),
            quota: Some(Some(quota).filter(|quota| !quota.is_empty())),
            disabled: None,
        };
        card.patch(&session, patch, true);
    };
    let of_directory = move || {
        let t = i18n.people();
        let role = card.user.with(|user| user.as_ref().map(|user| user.directory_role));
        role.map(|role| (t.role_of_directory)((t.role)(role)))
    };
    view! {
        <form class="stack" novalidate on:submit=submit>
            <div class="field">
                <label for="user-role">{move || i18n.people().column_role}</label>
                <select
                    id="user-role" data-testid="user-role" class="input select"
                    on:change=move |event| card.role.set(event_target_value(&event))
                >
                    <option value="" prop:selected=move || card.role.with(String::is_empty)>{of_directory}</option>
                    {ROLES.map(|role| view! {
                        <option value=role.as_str() prop:selected=move || card.role.with(|word| word == role.as_str())>
                            {move || (i18n.people().role)(role)}
                        </option>
                    }).into_iter().collect_view()}
                </select>
            </div>
            <fieldset class="plain">
                <legend>{move || i18n.people().own_quota}</legend>
                <p class="field-help">{move || i18n.people().own_quota_hint}</p>
                <QuotaFields
                    form=card.quota prefix="user"
                    in_force=Signal::derive(move || card.user.with(|user| user.as_ref().map(|user| user.allowed)))
                />
            </fieldset>
            <div class="dialog-actions">
                <button
                    class="button primary" type="submit" data-testid="user-save"
                    aria-disabled=move || card.busy.get().to_string()
                >
                    {move || i18n.t().save}
                </button>
            </div>
        </form>
    }
}
