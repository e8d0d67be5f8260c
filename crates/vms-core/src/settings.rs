//! What the school decided: names, images, quotas, lifetimes.

use std::time::Duration;

use vms_types::Quota;

use crate::jobs::Limits;

/// Settings of the use cases, from `[machines]`, `[quota]`, `[overview]`, `[operations]` and `[tokens]` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Template of instance names, with `{user}` and `{name}`.
    pub name_template: String,
    /// Image of a machine for which none is asked; the first allowed one if `None`.
    pub default_image: Option<String>,
    /// Profile of a machine for which none is asked.
    pub default_profile: String,
    /// Aliases that may be used; all if empty.
    pub allowed_images: Vec<String>,
    /// Whether administrators may write profiles that could harm the host.
    pub allow_dangerous_profiles: bool,
    /// What a person may use for whom nothing else was decided. What it does not say is not limited.
    pub quota: Quota,
    /// How often servers are asked what is used, at most; `None`: never.
    pub sample_every: Option<Duration>,
    /// How much may be under way at once.
    pub operations: Limits,
    /// Seconds a machine has to shut down cleanly.
    pub stop_timeout: Duration,
    /// How long a session lasts without being used.
    pub refresh_ttl: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name_template: "vm{user}{name}".into(),
            default_image: None,
            default_profile: "default".into(),
            allowed_images: Vec::new(),
            allow_dangerous_profiles: false,
            quota: Quota { machines: Some(10), ..Quota::default() },
            sample_every: Some(Duration::from_secs(15)),
            operations: Limits::default(),
            stop_timeout: Duration::from_secs(30),
            refresh_ttl: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

impl Settings {
    /// Whether machines may be made from this image.
    #[must_use]
    pub fn allows_image(&self, alias: &str) -> bool {
        self.allowed_images.is_empty() || self.allowed_images.iter().any(|a| a == alias)
    }
}
