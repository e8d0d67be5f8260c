//! Asking for a snapshot's name: a new one of one machine or of many, or another for one that is there.

use std::sync::Arc;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use vms_types::SnapshotName;

use super::dialog::Dialog;
use super::field::TextField;
use super::form_actions::FormActions;
use crate::i18n::use_i18n;

/// What is named, and what happens then.
#[derive(Clone)]
pub(crate) struct Naming {
    /// The machine whose snapshot it is; none when it is about many.
    pub(crate) instance: Option<String>,
    /// The name it has until now; none for a new one.
    pub(crate) old: Option<String>,
    /// Names that are in use.
    pub(crate) taken: Vec<String>,
    /// Gets a name that is good and not in use.
    pub(crate) action: Arc<dyn Fn(String) + Send + Sync>,
}

impl Naming {
    /// What is wrong with a name.
    fn wrong(&self, text: &str) -> Option<&'static str> {
        match SnapshotName::parse(text) {
            Err(error) => Some(error.code()),
            Ok(_) if self.old.as_deref() != Some(text) && self.taken.iter().any(|name| name == text) => {
                Some("name-taken")
            }
            Ok(_) => None,
        }
    }
}

/// Where components ask for a name. A handle: copies share it.
#[derive(Clone, Copy)]
pub(crate) struct SnapshotNaming {
    open: RwSignal<bool>,
    what: RwSignal<Option<Naming>>,
}

impl SnapshotNaming {
    /// Nothing to name.
    pub(crate) fn new() -> Self {
        Self { open: RwSignal::new(false), what: RwSignal::new(None) }
    }

    /// Asks.
    pub(crate) fn ask(self, what: Naming) {
        self.what.set(Some(what));
        self.open.set(true);
    }
}

/// The one dialog for the names of all snapshots.
#[component]
pub(crate) fn NameDialog() -> impl IntoView {
    let i18n = use_i18n();
    let SnapshotNaming { open, what } = expect_context::<SnapshotNaming>();
    let name = RwSignal::new(String::new());
    let touched = RwSignal::new(false);
    Effect::new(move || {
        if open.get() {
            touched.set(false);
            name.set(what.with_untracked(|what| what.as_ref()?.old.clone()).unwrap_or_default());
        }
    });
    let old = Memo::new(move |_| what.with(|what| what.as_ref()?.old.clone()));
    let wrong = move || what.with(|what| what.as_ref()?.wrong(name.get().trim()));
    let error = Signal::derive(move || {
        wrong().filter(|_| touched.get()).map(|code| (i18n.t().field)(code).unwrap_or(i18n.t().field_unknown))
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        touched.set(true);
        if untrack(wrong).is_some() {
            return;
        }
        let text = name.get_untracked().trim().to_owned();
        open.set(false);
        if let Some(what) = what.get_untracked().filter(|what| what.old.as_ref() != Some(&text)) {
            (what.action)(text);
        }
    };
    let submit = Callback::new(submit);
    let title = Signal::derive(move || {
        let t = i18n.t();
        match (old.get(), what.with(|what| what.as_ref()?.instance.clone())) {
            (Some(old), _) => (t.rename_snapshot)(&old),
            (None, Some(instance)) => format!("{} · {instance}", t.create_snapshot),
            (None, None) => t.create_snapshot.to_owned(),
        }
    });
    let renames = move || old.with(Option::is_some);
    view! {
        <Dialog open id="snapshot-title" title>
            <Show when=move || open.get()>
                <form class="stack" novalidate on:submit=move |event| submit.run(event)>
                    <TextField
                        id="snapshot-name" testid="snapshot-name" first=true value=name error
                        label=Signal::derive(move || {
                            if renames() { i18n.t().new_name } else { i18n.t().snapshot_name }.to_owned()
                        })
                        hint=Signal::derive(move || i18n.t().snapshot_hint.to_owned())
                        on_change=move |()| touched.set(true)
                    />
                    <FormActions
                        open testid="snapshot-save"
                        submit=Signal::derive(move || {
                            if renames() { i18n.t().rename } else { i18n.t().create_snapshot }
                        })
                    />
                </form>
            </Show>
        </Dialog>
    }
}
