//! The catalogue: every word the pages show, in every language.
//!
//! A language is one value of [`Texts`]. A text that is missing in a language does not compile, and no component
//! writes a visible word of its own. Texts with a value in them are functions.

mod admin;
mod en;
mod people;
mod problems;
mod pt;

use leptos::prelude::*;
use vms_types::{MachineStatus, OperationKind};

pub(crate) use admin::{ACTIONS, AdminTexts, ImageTexts};
pub(crate) use people::{PeopleTexts, values as quota_values};
pub(crate) use problems::{Advice, field_error};

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lang {
    /// Brazilian Portuguese, the default.
    Pt,
    /// English.
    En,
}

impl Lang {
    /// The tag for `<html lang>` (BCP 47).
    pub(crate) const fn tag(self) -> &'static str {
        match self {
            Self::Pt => "pt-BR",
            Self::En => "en",
        }
    }

    /// The language a tag such as `pt`, `pt-BR` or `en-GB` asks for.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        match tag.split('-').next() {
            Some("pt") => Some(Self::Pt),
            Some("en") => Some(Self::En),
            _ => None,
        }
    }

    /// Its texts.
    pub(crate) const fn texts(self) -> &'static Texts {
        match self {
            Self::Pt => &pt::TEXTS,
            Self::En => &en::TEXTS,
        }
    }

    /// Its texts of the pages about people and what they may use.
    pub(crate) const fn people_texts(self) -> &'static PeopleTexts {
        match self {
            Self::Pt => &people::pt::TEXTS,
            Self::En => &people::en::TEXTS,
        }
    }

    /// Its texts of the administrators' pages.
    pub(crate) const fn admin_texts(self) -> &'static AdminTexts {
        match self {
            Self::Pt => &admin::pt::TEXTS,
            Self::En => &admin::en::TEXTS,
        }
    }
}

/// All texts of one language, but for those of the administrators' pages.
pub(crate) struct Texts {
    pub system_title: &'static str,
    pub skip_to_content: &'static str,
    pub language: &'static str,
    pub theme: fn(crate::preferences::Theme) -> &'static str,
    pub loading: &'static str,
    pub close: &'static str,
    pub cancel: &'static str,
    pub dismiss: &'static str,
    pub try_again: &'static str,

    pub login_heading: &'static str,
    pub username: &'static str,
    pub password: &'static str,
    pub log_in: &'static str,
    pub logging_in: &'static str,
    pub welcome_heading: fn(&str) -> String,
    pub fill_both: &'static str,
    pub contact: &'static str,
    pub session_over_title: &'static str,
    pub session_over_text: &'static str,
    pub log_out: &'static str,

    pub account: &'static str,
    pub machines: &'static str,
    pub quota_label: &'static str,
    pub quota_left: fn(u32) -> String,
    pub quota_full: &'static str,
    pub new_machine: &'static str,
    pub column_name: &'static str,
    pub column_ip: &'static str,
    pub column_commands: &'static str,
    pub empty_title: &'static str,
    pub empty_text: &'static str,
    pub live: &'static str,
    pub polling: &'static str,
    pub connecting: &'static str,
    pub offline: &'static str,

    pub not_started: &'static str,
    pub no_address: &'static str,
    pub waiting_address: &'static str,
    pub copy_address: fn(&str) -> String,
    pub copied: &'static str,
    pub stale: &'static str,
    pub status: fn(MachineStatus) -> &'static str,
    pub doing: fn(OperationKind) -> &'static str,
    pub done: fn(OperationKind, &str) -> String,
    pub failed: fn(OperationKind) -> &'static str,
    pub outcome_unknown: &'static str,
    pub cancelled: &'static str,
    pub sending: &'static str,

    pub turn_on: &'static str,
    pub turn_off: &'static str,
    pub resume: &'static str,
    pub restart: &'static str,
    pub freeze: &'static str,
    pub force_off: &'static str,
    pub reset: &'static str,
    pub delete: &'static str,
    pub more_commands: fn(&str) -> String,
    pub for_machine: fn(&str, &str) -> String,

    pub create_snapshot: &'static str,
    pub snapshot_name: &'static str,
    pub snapshot_hint: &'static str,
    pub snapshots: fn(usize) -> String,
    pub snapshots_of: fn(&str) -> String,
    pub restore: &'static str,
    pub remove: &'static str,
    pub rename: &'static str,
    pub save: &'static str,
    pub new_name: &'static str,
    pub rename_snapshot: fn(&str) -> String,

    pub confirm_delete_title: fn(&str) -> String,
    pub confirm_delete_text: &'static str,
    pub confirm_reset_title: fn(&str) -> String,
    pub confirm_reset_text: &'static str,
    pub confirm_force_title: fn(&str) -> String,
    pub confirm_force_text: &'static str,
    pub confirm_restore_title: fn(&str) -> String,
    pub confirm_restore_text: fn(&str) -> String,
    pub confirm_remove_title: fn(&str) -> String,
    pub confirm_remove_text: fn(&str) -> String,

    pub create_title: &'static str,
    pub name: &'static str,
    pub name_hint: &'static str,
    pub image: &'static str,
    pub profile: &'static str,
    pub description: &'static str,
    pub optional: &'static str,
    pub start_after: &'static str,
    pub create: &'static str,
    pub limits: fn(vms_types::Limits) -> String,
    pub limits_short: fn(vms_types::Limits) -> String,
    pub quota_numbers: fn(&vms_types::QuotaShortage) -> String,
    /// What is left of one quota; nothing was asked yet.
    pub quota_rest: fn(&vms_types::QuotaShortage) -> String,
    pub quota_now: &'static str,

    pub decimal_mark: char,
    pub usage: &'static str,
    pub usage_title: fn(&str) -> String,
    pub usage_none: &'static str,
    pub chart_cpu: &'static str,
    pub chart_memory: &'static str,
    pub chart_disk: &'static str,
    pub chart_received: &'static str,
    pub chart_sent: &'static str,
    pub chart_highest: fn(&str) -> String,
    pub chart_words: fn(&str, &str, &str) -> String,

    pub pages: &'static str,
    pub page: fn(crate::route::Route) -> &'static str,
    pub select_machine: fn(&str) -> String,

    pub advice: fn(vms_types::ProblemCode) -> Advice,
    pub advice_network: Advice,
    pub advice_unreadable: Advice,
    pub field: fn(&str) -> Option<&'static str>,
    pub field_unknown: &'static str,
    pub description_long: &'static str,
}

/// The language in use, from the context.
#[derive(Clone, Copy)]
pub(crate) struct I18n(pub RwSignal<Lang>);

impl I18n {
    /// The texts now; inside a view or effect it is run again when the language changes.
    pub(crate) fn t(self) -> &'static Texts {
        self.0.get().texts()
    }

    /// What only the administrators' pages say; otherwise like [`I18n::t`].
    pub(crate) fn admin(self) -> &'static AdminTexts {
        self.0.get().admin_texts()
    }

    /// What only the pages about people and quotas say; otherwise like [`I18n::t`].
    pub(crate) fn people(self) -> &'static PeopleTexts {
        self.0.get().people_texts()
    }

    /// The same outside of anything reactive.
    pub(crate) fn people_now(self) -> &'static PeopleTexts {
        self.0.get_untracked().people_texts()
    }

    /// The same outside of anything reactive.
    pub(crate) fn admin_now(self) -> &'static AdminTexts {
        self.0.get_untracked().admin_texts()
    }

    /// The texts now, outside of anything reactive.
    pub(crate) fn now(self) -> &'static Texts {
        self.0.get_untracked().texts()
    }
}

/// The catalogue of the component's context.
pub(crate) fn use_i18n() -> I18n {
    expect_context::<I18n>()
}
