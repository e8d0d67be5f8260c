//! `[site]`: the school's name, words and logo.

use std::path::PathBuf;

use serde::Deserialize;

use super::Problems;

/// `[site]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteConfig {
    /// The system's name.
    pub title: String,
    /// The school.
    pub institution: String,
    /// A paragraph of welcome.
    pub welcome: String,
    /// Where to ask for help.
    pub contact: String,
    /// The school's logo, an image file.
    pub logo_file: Option<PathBuf>,
    /// `pt-BR` or `en`.
    pub default_language: String,
}

impl Default for SiteConfig {
    fn default() -> Self {
        Self {
            title: "Sistema de Máquinas Virtuais".into(),
            institution: String::new(),
            welcome: String::new(),
            contact: String::new(),
            logo_file: None,
            default_language: LANGUAGES[0].into(),
        }
    }
}

/// The languages of the pages.
pub(crate) const LANGUAGES: [&str; 2] = ["pt-BR", "en"];

impl SiteConfig {
    /// What is wrong in this section.
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(file) = &self.logo_file
            && !file.is_file()
        {
            problems.note("[site] logo_file", format!("{} is no file", file.display()));
        }
        if !LANGUAGES.contains(&self.default_language.as_str()) {
            problems.note(
                "[site] default_language",
                format!("{:?} is none of {LANGUAGES:?}", self.default_language),
            );
        }
    }
}
