//! Asking before something that cannot be undone.

use std::sync::Arc;

use leptos::prelude::*;

use super::dialog::Dialog;
use crate::i18n::use_i18n;

/// A question, and what happens on yes.
#[derive(Clone)]
pub(crate) struct Question {
    pub(crate) title: String,
    pub(crate) text: String,
    /// The word on the button that does it.
    pub(crate) yes: &'static str,
    pub(crate) action: Arc<dyn Fn() + Send + Sync>,
}

/// Where components put their question.
#[derive(Clone, Copy)]
pub(crate) struct Confirm {
    open: RwSignal<bool>,
    question: RwSignal<Option<Question>>,
}

impl Confirm {
    /// No question yet.
    pub(crate) fn new() -> Self {
        Self { open: RwSignal::new(false), question: RwSignal::new(None) }
    }

    /// Asks.
    pub(crate) fn ask(self, question: Question) {
        self.question.set(Some(question));
        self.open.set(true);
    }
}

/// The one dialog for all questions.
#[component]
pub(crate) fn ConfirmDialog() -> impl IntoView {
    let i18n = use_i18n();
    let Confirm { open, question } = expect_context::<Confirm>();
    let read =
        move |part: fn(&Question) -> String| question.with(|q| q.as_ref().map(part).unwrap_or_default());
    let title = Signal::derive(move || read(|q| q.title.clone()));
    let yes = move |_| {
        open.set(false);
        if let Some(question) = question.get_untracked() {
            (question.action)();
        }
    };
    view! {
        <Dialog open id="confirm-title" title>
            <p class="dialog-text">{move || read(|q| q.text.clone())}</p>
            <div class="dialog-actions">
                <button
                    class="button" type="button" data-testid="confirm-cancel" autofocus
                    on:click=move |_| open.set(false)
                >
                    {move || i18n.t().cancel}
                </button>
                <button class="button danger" type="button" data-testid="confirm-ok" on:click=yes>
                    {move || read(|q| q.yes.to_owned())}
                </button>
            </div>
        </Dialog>
    }
}
