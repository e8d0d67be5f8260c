//! What the forms of the page have in common: an alias, and what the server refuses.

use leptos::prelude::*;
use vms_client::ClientError;
use vms_types::image::check_alias;
use vms_types::{FieldError, Operation, ProblemCode};

use super::{Context, texts};
use crate::components::field::TextField;
use crate::i18n::{Texts, field_error, use_i18n};

/// The state of a form. A handle: copies share it.
#[derive(Clone, Copy)]
pub(super) struct Form {
    pub(super) alias: RwSignal<String>,
    pub(super) description: RwSignal<String>,
    pub(super) replace: RwSignal<bool>,
    pub(super) touched: RwSignal<bool>,
    pub(super) errors: RwSignal<Vec<FieldError>>,
    pub(super) error: RwSignal<Option<String>>,
    pub(super) busy: RwSignal<bool>,
}

impl Form {
    /// An empty form, which is empty again whenever it is opened.
    pub(super) fn new(open: RwSignal<bool>) -> Self {
        let form = Self {
            alias: RwSignal::new(String::new()),
            description: RwSignal::new(String::new()),
            replace: RwSignal::new(false),
            touched: RwSignal::new(false),
            errors: RwSignal::new(Vec::new()),
            error: RwSignal::new(None),
            busy: RwSignal::new(false),
        };
        Effect::new(move || {
            if open.get() {
                form.alias.set(String::new());
                form.description.set(String::new());
                form.replace.set(false);
                form.touched.set(false);
                form.errors.set(Vec::new());
                form.error.set(None);
            }
        });
        form
    }

    /// What is typed, without spaces around it; nothing for nothing.
    pub(super) fn description(self) -> Option<String> {
        Some(self.description.get_untracked().trim().to_owned()).filter(|text| !text.is_empty())
    }

    pub(super) fn alias(self) -> String {
        self.alias.get_untracked().trim().to_owned()
    }

    /// Whether it may be sent; what is wrong is shown from now on.
    pub(super) fn submit(self) -> bool {
        self.touched.set(true);
        let fine = check_alias("alias", &self.alias()).is_ok() && !self.busy.get_untracked();
        if fine {
            self.error.set(None);
            self.errors.set(Vec::new());
            self.busy.set(true);
        }
        fine
    }

    /// The server's answer: what it began is followed and the dialog closed, or what it refuses is said.
    pub(super) fn settle(
        self,
        open: RwSignal<bool>,
        context: &Context,
        answer: Result<Vec<Operation>, ClientError>,
        texts: &'static Texts,
    ) {
        match answer {
            Ok(begun) => {
                // The page may be gone by now.
                let _gone = self.busy.try_set(false);
                let _gone = open.try_set(false);
                context.follow(begun);
            }
            Err(error) => self.refuse(&error, texts),
        }
    }

    /// Puts the server's refusal where it belongs.
    pub(super) fn refuse(self, error: &ClientError, texts: &'static Texts) {
        let _gone = self.busy.try_set(false);
        let mut errors = match error {
            ClientError::Problem(problem) if problem.code == ProblemCode::NameTaken => Vec::new(),
            ClientError::Problem(problem) => problem.errors.clone(),
            _ => Vec::new(),
        };
        if matches!(error, ClientError::Problem(problem) if problem.code == ProblemCode::NameTaken) {
            errors.push(FieldError::new("alias", ProblemCode::NameTaken.as_str(), ""));
        }
        if errors.is_empty() {
            let _gone = self.error.try_set(Some(texts.error(error)));
        }
        let _gone = self.errors.try_set(errors);
    }

    /// What the server said of a field.
    pub(super) fn said(self, texts: &'static Texts, field: &'static str) -> Option<&'static str> {
        self.errors.with(|errors| field_error(texts, errors, field))
    }
}

/// The alias, the description, and whether another image loses the alias.
#[component]
pub(super) fn NameFields(form: Form, prefix: &'static str) -> impl IntoView {
    let i18n = use_i18n();
    let alias_error = Signal::derive(move || {
        let error = form.alias.with(|alias| check_alias("alias", alias.trim()).err());
        let own = error.filter(|_| form.touched.get());
        let own = own.map(|error| (i18n.t().field)(&error.code).unwrap_or(i18n.t().field_unknown));
        own.or_else(|| form.said(i18n.t(), "alias"))
    });
    view! {
        <TextField
            id=format!("{prefix}-alias") testid="image-alias"
            label=Signal::derive(move || texts(i18n.admin()).alias.to_owned())
            hint=Signal::derive(move || texts(i18n.admin()).alias_hint.to_owned()) value=form.alias error=alias_error
            on_change=move |()| form.errors.set(Vec::new())
        />
        <TextField
            id=format!("{prefix}-description") testid="image-description"
            label=Signal::derive(move || format!("{} ({})", i18n.t().description, i18n.t().optional))
            hint=Signal::derive(String::new) value=form.description
            error=Signal::derive(move || form.said(i18n.t(), "description"))
        />
        <label class="check">
            <input
                type="checkbox" data-testid="image-replace" prop:checked=move || form.replace.get()
                on:change=move |event| form.replace.set(event_target_checked(&event))
            />
            <span>{move || texts(i18n.admin()).replace}</span>
        </label>
    }
}
