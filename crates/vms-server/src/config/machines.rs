//! `[machines]`: what machines are called and made of.

use serde::Deserialize;

use super::Problems;

/// `[machines]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MachinesConfig {
    /// Instance names, with `{user}` and `{name}`.
    pub name_template: String,
    /// Image of a machine for which none is asked.
    pub default_image: Option<String>,
    /// Profile of a machine for which none is asked.
    pub default_profile: String,
    /// Aliases that may be used; all if empty.
    pub allowed_images: Vec<String>,
    /// Whether administrators may write profiles with keys and devices that could harm the host.
    pub allow_dangerous_profiles: bool,
    /// Seconds a machine has to shut down cleanly.
    pub stop_timeout_seconds: u64,
}

impl Default for MachinesConfig {
    fn default() -> Self {
        let defaults = vms_core::Settings::default();
        Self {
            name_template: defaults.name_template,
            default_image: defaults.default_image,
            default_profile: defaults.default_profile,
            allowed_images: defaults.allowed_images,
            allow_dangerous_profiles: defaults.allow_dangerous_profiles,
            stop_timeout_seconds: defaults.stop_timeout.as_secs(),
        }
    }
}

impl MachinesConfig {
    /// What is wrong in this section.
    pub(super) fn check(&self, problems: &mut Problems) {
        for key in ["{user}", "{name}"] {
            if !self.name_template.contains(key) {
                problems.note(
                    "[machines] name_template",
                    format!("has no {key} in it: two machines would get one name"),
                );
            }
        }
        if let Some(image) = &self.default_image
            && !(self.allowed_images.is_empty() || self.allowed_images.contains(image))
        {
            problems.note("[machines] default_image", format!("{image:?} is not among allowed_images"));
        }
        if !(1..=600).contains(&self.stop_timeout_seconds) {
            problems.note("[machines] stop_timeout_seconds", "must be from 1 to 600");
        }
    }
}
