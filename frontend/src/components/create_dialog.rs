//! Making a machine: name, image, profile, a note, and whether to turn it on.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use uuid::Uuid;
use vms_client::ClientError;
use vms_types::{CreateMachine, FieldError, Image, MachineName, ProblemCode, Profile, QuotaView};
use wasm_bindgen_futures::spawn_local;

use super::dialog::Dialog;
use super::field::TextField;
use super::form_actions::FormActions;
use super::quota::{QuotaRest, use_quota};
use crate::commands::use_commands;
use crate::i18n::{field_error, use_i18n};

/// Longest note, as the API says.
const DESCRIPTION_MAX: usize = 500;

/// Everything the form holds. A handle: copies share their signals.
#[derive(Clone, Copy)]
struct Form {
    name: RwSignal<String>,
    image: RwSignal<String>,
    profile: RwSignal<String>,
    description: RwSignal<String>,
    start: RwSignal<bool>,
    images: RwSignal<Vec<Image>>,
    profiles: RwSignal<Vec<Profile>>,
    /// What the person may use, and uses; nothing until the server has answered.
    quota: RwSignal<Option<QuotaView>>,
    /// Whether the name was touched; an empty form is not scolded.
    touched: RwSignal<bool>,
    /// What the server said about fields; goes away when the field changes.
    errors: RwSignal<Vec<FieldError>>,
    error: RwSignal<Option<String>>,
    busy: RwSignal<bool>,
    /// Names this attempt. Sending again after a lost answer makes no second machine.
    key: RwSignal<String>,
}

impl Form {
    fn new() -> Self {
        Self {
            name: RwSignal::new(String::new()),
            image: RwSignal::new(String::new()),
            profile: RwSignal::new(String::new()),
            description: RwSignal::new(String::new()),
            start: RwSignal::new(true),
            images: RwSignal::new(Vec::new()),
            profiles: RwSignal::new(Vec::new()),
            quota: RwSignal::new(None),
            touched: RwSignal::new(false),
            errors: RwSignal::new(Vec::new()),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
            key: RwSignal::new(Uuid::new_v4().to_string()),
        }
    }

    fn changed(self, field: &str) {
        self.errors.update(|errors| errors.retain(|error| error.field != field));
        self.key.set(Uuid::new_v4().to_string());
    }

    fn clear(self) {
        self.name.set(String::new());
        self.description.set(String::new());
        self.touched.set(false);
        self.errors.set(Vec::new());
        self.error.set(None);
        self.key.set(Uuid::new_v4().to_string());
    }

    fn request(self) -> CreateMachine {
        let filled = |text: String| (!text.is_empty()).then_some(text);
        CreateMachine {
            name: self.name.get_untracked().trim().to_owned(),
            image: filled(self.image.get_untracked()),
            profile: filled(self.profile.get_untracked()),
            description: filled(self.description.get_untracked().trim().to_owned()),
            start: self.start.get_untracked(),
            owner: None,
            server: None,
        }
    }

    fn offer(self, images: Vec<Image>, profiles: Vec<Profile>) {
        let keeps = |known: &str, mut names: Vec<(String, bool)>| {
            names.sort_by_key(|(_, default)| !default);
            let still = names.iter().any(|(name, _)| name == known);
            if still {
                known.to_owned()
            } else {
                names.into_iter().next().map_or_else(String::new, |(n, _)| n)
            }
        };
        let image = keeps(
            &self.image.get_untracked(),
            images.iter().map(|image| (image.alias.clone(), image.default)).collect(),
        );
        let profile = keeps(
            &self.profile.get_untracked(),
            profiles.iter().map(|profile| (profile.name.clone(), profile.default)).collect(),
        );
        self.images.set(images);
        self.profiles.set(profiles);
        self.image.set(image);
        self.profile.set(profile);
    }
}

/// The dialog behind *Nova máquina*.
#[component]
pub(crate) fn CreateDialog(open: RwSignal<bool>) -> impl IntoView {
    let i18n = use_i18n();
    let commands = use_commands();
    let quota = use_quota();
    let form = Form::new();

    let loader = commands.session.clone();
    Effect::new(move || {
        if !open.get() {
            return;
        }
        let (session, asker) = (loader.clone(), loader.clone());
        spawn_local(async move {
            // Whoever is over it is told by the server, too.
            if let Ok(me) = asker.call(|client| async move { client.me().await }).await {
                form.quota.set(Some(me.quota));
            }
        });
        spawn_local(async move {
            let images = session.call(|client| async move { client.images().await }).await;
            let profiles = session.call(|client| async move { client.profiles().await }).await;
            match (images, profiles) {
                (Ok(images), Ok(profiles)) => form.offer(images.items, profiles.items),
                (Err(error), _) | (_, Err(error)) => form.error.set(Some(i18n.now().error(&error))),
            }
        });
    });

    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        form.touched.set(true);
        let request = form.request();
        if form.busy.get_untracked()
            || MachineName::parse(&request.name).is_err()
            || request.description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION_MAX)
        {
            return;
        }
        form.busy.set(true);
        form.error.set(None);
        let commands = commands.clone();
        spawn_local(async move {
            let key = form.key.get_untracked();
            let answer = commands
                .session
                .call(|client| {
                    let (request, key) = (request.clone(), key.clone());
                    async move { client.create_machine(&request, &key).await }
                })
                .await;
            form.busy.set(false);
            match answer {
                Ok(operation) => {
                    let name = operation.machine.as_ref().map_or(request.name, |m| m.instance.clone());
                    commands.follow(&operation, name);
                    form.clear();
                    open.set(false);
                }
                Err(error) => refuse(form, &error, i18n.now()),
            }
        });
    };

    let texts = move || i18n.t();
    let name_error = Signal::derive(move || {
        let said = form.errors.with(|errors| field_error(texts(), errors, "name"));
        said.or_else(|| {
            let error = form.name.with(|name| MachineName::parse(name.trim()).err());
            error.filter(|_| form.touched.get()).and_then(|error| (texts().field)(error.code()))
        })
    });
    let description_error = Signal::derive(move || {
        let long = form.description.with(|text| text.trim().chars().count() > DESCRIPTION_MAX);
        long.then(|| texts().description_long)
            .or_else(|| form.errors.with(|errors| field_error(texts(), errors, "description")))
    });
    let label = move |read: fn(&'static crate::i18n::Texts) -> &'static str| {
        Signal::derive(move || read(i18n.t()).to_owned())
    };
    view! {
        <Dialog open id="create-title" title=label(|t| t.create_title)>
            <p class="dialog-text">
                {move || {
                    let q = quota.get();
                    format!("{}: {} / {} · {}", texts().machines, q.used, q.limit, (texts().quota_left)(q.left()))
                }}
            </p>
            <QuotaRest quota=form.quota/>
            <form class="stack" novalidate on:submit=submit>
                <TextField
                    id="create-name" testid="create-name" first=true label=label(|t| t.name) hint=label(|t| t.name_hint)
                    value=form.name error=name_error
                    on_change=move |()| { form.touched.set(true); form.changed("name"); }
                />
                <ImageField form/>
                <ProfileField form/>
                <TextField
                    id="create-description" testid="create-description"
                    label=Signal::derive(move || format!("{} ({})", texts().description, texts().optional))
                    hint=Signal::derive(String::new) value=form.description error=description_error
                    on_change=move |()| form.changed("description")
                />
                <label class="check">
                    <input
                        type="checkbox" data-testid="create-start" prop:checked=move || form.start.get()
                        on:change=move |event| { form.start.set(event_target_checked(&event)); form.changed("start"); }
                    />
                    <span>{move || texts().start_after}</span>
                </label>
                <FormActions
                    open testid="create-submit" submit=Signal::derive(move || texts().create) busy=form.busy
                    error=(form.error, "create-error")
                />
            </form>
        </Dialog>
    }
}

/// Puts the server's answer where it belongs: at its field, or over the buttons.
fn refuse(form: Form, error: &ClientError, texts: &'static crate::i18n::Texts) {
    if !error.is_passing() {
        form.key.set(Uuid::new_v4().to_string());
    }
    let ClientError::Problem(problem) = error else {
        form.error.set(Some(texts.error(error)));
        return;
    };
    let mut errors = problem.errors.clone();
    if problem.code == ProblemCode::NameTaken && errors.is_empty() {
        errors.push(FieldError::new("name", ProblemCode::NameTaken.as_str(), ""));
    }
    let shown = ["name", "image", "profile", "description"];
    if errors.is_empty() || errors.iter().any(|error| !shown.contains(&error.field.as_str())) {
        form.error.set(Some(texts.error(error)));
    }
    form.errors.set(errors);
}

#[component]
fn ImageField(form: Form) -> impl IntoView {
    let i18n = use_i18n();
    let error = move || form.errors.with(|errors| field_error(i18n.t(), errors, "image"));
    view! {
        <div class="field">
            <label for="create-image">{move || i18n.t().image}</label>
            <select
                id="create-image" data-testid="create-image" class="input select" aria-describedby="create-image-help"
                prop:value=move || form.image.get() aria-invalid=move || error().is_some().to_string()
                on:change=move |event| { form.image.set(event_target_value(&event)); form.changed("image"); }
            >
                <For each=move || form.images.get() key=|image| image.alias.clone() let:image>
                    {
                        let alias = image.alias.clone();
                        let text = if image.description.is_empty() { alias.clone() }
                            else { format!("{} · {}", image.alias, image.description) };
                        let chosen = alias.clone();
                        view! {
                            <option value=alias prop:selected=move || form.image.get() == chosen>{text}</option>
                        }
                    }
                </For>
            </select>
            <p id="create-image-help" class="field-help wrong" aria-live="polite">{error}</p>
        </div>
    }
}

#[component]
fn ProfileField(form: Form) -> impl IntoView {
    let i18n = use_i18n();
    let error = move || form.errors.with(|errors| field_error(i18n.t(), errors, "profile"));
    let help = move || {
        error().map(str::to_owned).or_else(|| {
            let name = form.profile.get();
            form.profiles.with(|all| all.iter().find(|p| p.name == name).map(|p| (i18n.t().limits)(p.limits)))
        })
    };
    view! {
        <div class="field">
            <label for="create-profile">{move || i18n.t().profile}</label>
            <select
                id="create-profile" data-testid="create-profile" class="input select"
                aria-describedby="create-profile-help" prop:value=move || form.profile.get()
                aria-invalid=move || error().is_some().to_string()
                on:change=move |event| { form.profile.set(event_target_value(&event)); form.changed("profile"); }
            >
                <For each=move || form.profiles.get() key=|profile| profile.name.clone() let:profile>
                    {
                        let name = profile.name.clone();
                        let text = if profile.description.is_empty() { name.clone() }
                            else { format!("{} · {}", profile.name, profile.description) };
                        let chosen = name.clone();
                        view! {
                            <option value=name prop:selected=move || form.profile.get() == chosen>{text}</option>
                        }
                    }
                </For>
            </select>
            <p
                id="create-profile-help" class="field-help" class:wrong=move || error().is_some()
                aria-live="polite"
            >{help}</p>
        </div>
    }
}
