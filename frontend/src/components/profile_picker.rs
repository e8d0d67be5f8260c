//! Asks which profile the ticked machines shall carry.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_types::Profile;
use wasm_bindgen_futures::spawn_local;

use super::dialog::Dialog;
use super::form_actions::FormActions;
use crate::i18n::use_i18n;
use crate::session::use_session;

/// The dialog. What is chosen goes to `on_profile`.
#[component]
pub(crate) fn ProfilePicker(
    open: RwSignal<bool>,
    #[prop(into)] on_profile: Callback<String>,
) -> impl IntoView {
    let i18n = use_i18n();
    let session = use_session();
    let (profiles, chosen) = (RwSignal::new(Vec::<Profile>::new()), RwSignal::new(String::new()));
    let error = RwSignal::new(None::<String>);
    Effect::new(move || {
        if !open.get() {
            return;
        }
        let session = session.clone();
        error.set(None);
        spawn_local(async move {
            match session.call(|client| async move { client.profiles().await }).await {
                Ok(page) => {
                    let default = page.items.iter().find(|profile| profile.default).or(page.items.first());
                    chosen.set(default.map(|profile| profile.name.clone()).unwrap_or_default());
                    profiles.set(page.items);
                }
                Err(failed) => error.set(Some(i18n.now().error(&failed))),
            }
        });
    });
    let help = move || {
        let name = chosen.get();
        profiles.with(|all| all.iter().find(|p| p.name == name).map(|p| (i18n.t().limits)(p.limits)))
    };
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let name = chosen.get_untracked();
        if !name.is_empty() {
            open.set(false);
            on_profile.run(name);
        }
    };
    view! {
        <Dialog open id="bulk-profile-title" title=Signal::derive(move || i18n.admin().change_profile.to_owned())>
            <form class="stack" novalidate on:submit=submit>
                <p class="dialog-text">{move || i18n.admin().change_profile_text}</p>
                <div class="field">
                    <label for="bulk-profile-name">{move || i18n.t().profile}</label>
                    <select
                        id="bulk-profile-name" data-testid="bulk-profile-name" class="input select"
                        aria-describedby="bulk-profile-help" on:change=move |event| chosen.set(event_target_value(&event))
                    >
                        {move || profiles.get().into_iter().map(|profile| {
                            let (name, word) = (profile.name.clone(), profile.name.clone());
                            view! {
                                <option value=word prop:selected=move || chosen.get() == name>
                                    {profile.name}
                                </option>
                            }
                        }).collect_view()}
                    </select>
                    <p id="bulk-profile-help" class="field-help" aria-live="polite">{help}</p>
                </div>
                <FormActions
                    open testid="bulk-profile-ok" submit=Signal::derive(move || i18n.admin().change_profile)
                    error=(error, "bulk-profile-error")
                />
            </form>
        </Dialog>
    }
}
