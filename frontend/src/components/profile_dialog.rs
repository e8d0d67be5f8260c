//! A profile as a form, and as the text that LXD shows: two views of one thing. Who goes from one to the other takes along
//! what was changed, and what the form does not understand stays as it is.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_client::ClientError;
use vms_types::profile::{Config, Devices, dangers};
use vms_types::profile_yaml;
use vms_types::{FieldError, NewProfile, ProfileDetail, ProfileUpdate};
use wasm_bindgen_futures::spawn_local;

use super::dialog::Dialog;
use super::field::TextField;
use super::form_actions::FormActions;
use super::profile_fields::{Fields, FormFields};
use crate::i18n::{AdminTexts, I18n, Texts, field_error, use_i18n};
use crate::session::use_session;
use crate::store::use_store;

/// The profile that is edited. A handle: copies share it.
#[derive(Clone, Copy)]
pub(crate) struct Editor {
    open: RwSignal<bool>,
    /// Whether it is a new one, whose name is asked for.
    new: RwSignal<bool>,
    name: RwSignal<String>,
    /// LXD's maps, to which the form is applied.
    base: RwSignal<(Config, Devices)>,
    fields: Fields,
    /// Whether the text is shown, and not the form.
    raw: RwSignal<bool>,
    text: RwSignal<String>,
    etag: RwSignal<Option<String>>,
    errors: RwSignal<Vec<FieldError>>,
    error: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
}

impl Editor {
    /// Closed.
    pub(crate) fn new() -> Self {
        Self {
            open: RwSignal::new(false),
            new: RwSignal::new(true),
            name: RwSignal::new(String::new()),
            base: RwSignal::default(),
            fields: Fields::new(),
            raw: RwSignal::new(false),
            text: RwSignal::new(String::new()),
            etag: RwSignal::new(None),
            errors: RwSignal::new(Vec::new()),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
        }
    }

    /// Begins a new profile with these devices.
    pub(crate) fn begin(self, devices: Devices) {
        self.name.set(String::new());
        self.show(true, ProfileUpdate { description: String::new(), config: Config::new(), devices }, None);
    }

    /// Opens one that exists, as it was seen.
    pub(crate) fn open(self, detail: ProfileDetail, etag: Option<String>) {
        let ProfileDetail { name, description, config, devices, .. } = detail;
        self.name.set(name);
        self.show(false, ProfileUpdate { description, config, devices }, etag);
    }

    fn show(self, new: bool, profile: ProfileUpdate, etag: Option<String>) {
        self.new.set(new);
        self.etag.set(etag);
        self.errors.set(Vec::new());
        self.error.set(None);
        self.busy.set(false);
        self.raw.set(false);
        self.take(profile);
        self.open.set(true);
    }

    /// Puts a profile into the form.
    fn take(self, profile: ProfileUpdate) {
        self.fields.show(&profile);
        self.base.set((profile.config, profile.devices));
    }

    /// The profile as it stands in the view that is shown.
    fn profile(self, i18n: I18n) -> Result<ProfileUpdate, String> {
        if self.raw.get() {
            return self
                .text
                .with(|text| profile_yaml::read(text))
                .map_err(|bad| (i18n.admin().bad_line)(bad.0));
        }
        let (mut config, mut devices) = self.base.get();
        let form = self.fields.form(i18n)?;
        form.apply(&mut config, &mut devices).map_err(|error| error_words(i18n, &error))?;
        Ok(ProfileUpdate { description: self.fields.description.get().trim().to_owned(), config, devices })
    }

    /// Goes to the other view, if what stands in this one can be taken along.
    fn turn(self, raw: bool, i18n: I18n) {
        if self.raw.get_untracked() == raw {
            return;
        }
        match untrack(|| self.profile(i18n)) {
            Ok(profile) => {
                self.error.set(None);
                if raw {
                    self.text.set(profile_yaml::write(&profile));
                }
                self.take(profile);
                self.raw.set(raw);
            }
            Err(error) => self.error.set(Some(error)),
        }
    }
}

/// A field of LXD's maps and what is wrong with it.
fn error_words(i18n: I18n, error: &FieldError) -> String {
    let texts = i18n.t();
    let words = if error.code == "dangerous" {
        i18n.admin().dangerous_refused
    } else {
        (texts.field)(&error.code).unwrap_or(texts.field_unknown)
    };
    format!("{}: {words}", error.field)
}

/// The dialog.
#[component]
pub(crate) fn ProfileDialog(
    editor: Editor,
    /// Called after it was saved.
    #[prop(into)]
    on_saved: Callback<()>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let announcement = use_store().announcement;
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if editor.busy.get_untracked() {
            return;
        }
        let profile = match untrack(|| editor.profile(i18n)) {
            Ok(profile) => profile,
            Err(error) => return editor.error.set(Some(error)),
        };
        editor.errors.set(Vec::new());
        editor.error.set(None);
        editor.busy.set(true);
        let (name, new, tag) = (
            editor.name.get_untracked().trim().to_owned(),
            editor.new.get_untracked(),
            editor.etag.get_untracked(),
        );
        let session = session.clone();
        spawn_local(async move {
            let answer = session
                .call(|client| {
                    let (name, profile, tag) = (name.clone(), profile.clone(), tag.clone());
                    async move {
                        if new {
                            let ProfileUpdate { description, config, devices } = profile;
                            client.create_profile(&NewProfile { name, description, config, devices }).await
                        } else {
                            client.update_profile(&name, &profile, tag.as_deref()).await
                        }
                    }
                })
                .await;
            editor.busy.set(false);
            match answer {
                Ok(_) => {
                    announcement.set((i18n.admin_now().profile_saved)(&name));
                    editor.open.set(false);
                    on_saved.run(());
                }
                Err(error) => untrack(|| refuse(editor, &error, i18n)),
            }
        });
    };
    let title = Signal::derive(move || {
        if editor.new.get() {
            i18n.admin().new_profile.to_owned()
        } else {
            (i18n.admin().profile_title)(&editor.name.get())
        }
    });
    let name_error =
        Signal::derive(move || editor.errors.with(|errors| field_error(i18n.t(), errors, "name")));
    let view = move |raw: bool,
                     testid: &'static str,
                     words: fn(&'static Texts, &'static AdminTexts) -> &'static str| {
        view! {
            <button
                type="button" data-testid=testid aria-pressed=move || (editor.raw.get() == raw).to_string()
                on:click=move |_| editor.turn(raw, i18n)
            >{move || words(i18n.t(), i18n.admin())}</button>
        }
    };
    view! {
        <Dialog open=editor.open id="profile-title" title>
            <form class="stack wide-form" novalidate on:submit=submit>
                <Show when=move || editor.new.get()>
                    <TextField
                        id="profile-name" testid="profile-name" label=Signal::derive(move || i18n.t().name.to_owned())
                        hint=Signal::derive(move || i18n.admin().profile_name_hint.to_owned()) value=editor.name
                        error=name_error on_change=move |()| editor.errors.set(Vec::new())
                    />
                </Show>
                <div class="switch views" role="group" aria-label=move || i18n.admin().views>
                    {view(false, "profile-form", |_, a| a.view_form)}
                    {view(true, "profile-raw", |_, a| a.view_raw)}
                </div>
                <div class="stack" class:hidden=move || editor.raw.get()>
                    <FormFields fields=editor.fields/>
                </div>
                <div class="field" class:hidden=move || !editor.raw.get()>
                    <label for="profile-text">{move || i18n.admin().view_raw}</label>
                    <textarea
                        id="profile-text" data-testid="profile-text" class="input code" rows="18" spellcheck="false"
                        autocapitalize="none" prop:value=move || editor.text.get()
                        on:input=move |event| editor.text.set(event_target_value(&event))
                    ></textarea>
                </div>
                <Dangers editor/>
                <FormActions
                    open=editor.open testid="profile-save" submit=Signal::derive(move || i18n.t().save) busy=editor.busy
                    error=(editor.error, "profile-error")
                />
            </form>
        </Dialog>
    }
}

/// The keys that could harm the host, as soon as they stand there.
#[component]
fn Dangers(editor: Editor) -> impl IntoView {
    let i18n = use_i18n();
    let found = Memo::new(move |_| {
        let profile = if editor.open.get() { editor.profile(i18n).ok() } else { None };
        let errors = profile.map(|profile| dangers(&profile.config, &profile.devices)).unwrap_or_default();
        errors.into_iter().map(|error| error.field).collect::<Vec<_>>()
    });
    view! {
        <div aria-live="polite">
            {move || (!found.with(Vec::is_empty)).then(|| view! {
                <div class="warning" data-testid="profile-dangers">
                    <p>{move || i18n.admin().dangerous}</p>
                    <ul>{found.get().into_iter().map(|key| view! { <li><code>{key}</code></li> }).collect_view()}</ul>
                </div>
            })}
        </div>
    }
}

/// Puts the server's answer where it belongs: at the name, or over the buttons with the keys it is about.
fn refuse(editor: Editor, error: &ClientError, i18n: I18n) {
    let ClientError::Problem(problem) = error else {
        editor.error.set(Some(i18n.t().error(error)));
        return;
    };
    let others: Vec<String> = problem
        .errors
        .iter()
        .filter(|error| error.field != "name" || !editor.new.get_untracked())
        .map(|error| error_words(i18n, error))
        .collect();
    if problem.errors.is_empty() {
        editor.error.set(Some(i18n.t().error(error)));
    } else if !others.is_empty() {
        editor.error.set(Some(others.join(" ")));
    }
    editor.errors.set(problem.errors.clone());
}
