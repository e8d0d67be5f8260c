//! Language and theme: kept in the browser's local storage and applied to `<html>`.

use leptos::prelude::*;

use crate::i18n::Lang;

const LANG_KEY: &str = "vms.lang";
const THEME_KEY: &str = "vms.theme";

/// Light, dark, or what the operating system says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Theme {
    /// As the operating system says.
    Auto,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The one after it, for a button that goes through all.
    pub(crate) const fn next(self) -> Self {
        match self {
            Self::Auto => Self::Light,
            Self::Light => Self::Dark,
            Self::Dark => Self::Auto,
        }
    }
}

/// Reads a value from local storage; a browser that forbids it (private mode) is as if nothing was stored.
pub(crate) fn stored(key: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
}

/// Keeps a value in local storage, or removes it. A browser that forbids it forgets when the page closes.
pub(crate) fn store(key: &str, value: Option<&str>) {
    if let Ok(Some(storage)) = window().local_storage() {
        let result = match value {
            Some(value) => storage.set_item(key, value),
            None => storage.remove_item(key),
        };
        if result.is_err() {
            leptos::logging::warn!("{key} cannot be kept in local storage");
        }
    }
}

fn set_root_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        // Fails only for a name that is no attribute name, and ours are constants.
        let _ = root.set_attribute(name, value);
    }
}

/// The stored language, if the person chose one.
pub(crate) fn chosen_lang() -> Option<Lang> {
    stored(LANG_KEY).as_deref().and_then(Lang::from_tag)
}

/// Keeps a choice of language.
pub(crate) fn choose_lang(lang: Lang) {
    store(LANG_KEY, Some(lang.tag()));
}

/// The theme in use; follows the stored choice and keeps changes.
pub(crate) fn theme_signal() -> RwSignal<Theme> {
    let first = match stored(THEME_KEY).as_deref() {
        Some("light") => Theme::Light,
        Some("dark") => Theme::Dark,
        _ => Theme::Auto,
    };
    let theme = RwSignal::new(first);
    Effect::new(move || {
        let word = theme.get().as_str();
        store(THEME_KEY, Some(word));
        set_root_attribute("data-theme", word);
    });
    theme
}

/// Keeps `<html lang>` and the page's title right.
pub(crate) fn follow_lang(lang: RwSignal<Lang>, title: Signal<String>) {
    Effect::new(move || {
        set_root_attribute("lang", lang.get().tag());
        document().set_title(&title.get());
    });
}
