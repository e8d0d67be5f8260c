//! `vms.toml`: every key, its default, and what of it makes no sense.
//!
//! Environment variables win over the file: `VMS__HTTP__LISTEN` is `listen` in `[http]`. Unknown keys are errors, so that
//! a typing mistake does not pass for a setting.

mod database;
mod http;
mod images;
mod log;
mod lxd;
mod machines;
mod operations;
mod overview;
mod problems;
mod quota;
mod site;
#[cfg(test)]
mod tests;
mod tokens;

use std::path::Path;
use std::time::Duration;

use anyhow::{Result, bail};
use figment::Figment;
use figment::providers::{Env, Format as _, Toml};
use serde::Deserialize;
use vms_auth::DirectoryConfig;

pub use self::database::DatabaseConfig;
pub use self::http::HttpConfig;
pub use self::images::ImagesConfig;
pub use self::log::{LogConfig, LogFormat};
pub use self::lxd::LxdConfig;
pub use self::machines::MachinesConfig;
pub use self::overview::OverviewConfig;
use self::problems::Problems;
pub use self::quota::QuotaConfig;
pub(crate) use self::site::LANGUAGES;
pub use self::site::SiteConfig;
pub use self::tokens::TokensConfig;

/// The whole configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it listens and what it serves.
    #[serde(default)]
    pub http: HttpConfig,
    /// The school's own words.
    #[serde(default)]
    pub site: SiteConfig,
    /// The database.
    #[serde(default)]
    pub database: DatabaseConfig,
    /// The school's LDAP directory.
    pub directory: DirectoryConfig,
    /// The LXD servers; at least one.
    pub lxd: Vec<LxdConfig>,
    /// What machines are like.
    #[serde(default)]
    pub machines: MachinesConfig,
    /// What may be uploaded.
    #[serde(default)]
    pub images: ImagesConfig,
    /// How much a person may have.
    #[serde(default)]
    pub quota: QuotaConfig,
    /// How closely the servers' load is followed.
    #[serde(default)]
    pub overview: OverviewConfig,
    /// How much may be under way at once.
    #[serde(default)]
    pub operations: vms_core::Limits,
    /// Lifetimes of logins.
    #[serde(default)]
    pub tokens: TokensConfig,
    /// The server's log.
    #[serde(default)]
    pub log: LogConfig,
}

impl Config {
    /// Reads a file, with the environment over it.
    ///
    /// # Errors
    /// Every key that cannot be read, one a line.
    pub fn load(path: &Path) -> Result<Self> {
        if !path.is_file() {
            bail!(
                "there is no file {}; name one with --config (docs/vms.example.toml is one to begin with)",
                path.display()
            );
        }
        Self::extract(&Figment::from(Toml::file_exact(path)).merge(Env::prefixed("VMS__").split("__")))
    }

    /// Reads the text of a file, without the environment.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str) -> Result<Self> {
        Self::extract(&Figment::from(Toml::string(text)))
    }

    fn extract(figment: &Figment) -> Result<Self> {
        figment.extract().map_err(|errors| {
            let lines: Vec<String> = errors
                .into_iter()
                .map(|error| {
                    let key = key_of(&error.path);
                    let from =
                        error.metadata.as_ref().map(|m| format!(" (from {})", m.name)).unwrap_or_default();
                    format!("{key}: {}{from}", error.kind)
                })
                .collect();
            anyhow::anyhow!("{}", lines.join("\n"))
        })
    }

    /// Everything that can be seen to be wrong without asking anybody, by key.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Problems::default();
        if let Err(error) = vms_auth::LdapDirectory::new(self.directory.clone()) {
            problems.note_keyed("[directory]", &error.to_string());
        }
        lxd::check(&self.lxd, &mut problems);
        self.http.check(&mut problems);
        self.site.check(&mut problems);
        self.machines.check(&mut problems);
        self.overview.check(&mut problems);
        operations::check(self.operations, &mut problems);
        self.tokens.check(&mut problems);
        self.log.check(&mut problems);
        problems.into_lines()
    }

    /// What works but should be looked at.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = self.directory.warnings();
        let https = self.http.public_url.as_ref().is_some_and(|url| url.scheme() == "https");
        if !self.http.listen.ip().is_loopback() && !https {
            warnings.push(
                "[http] public_url: the server is reachable from elsewhere without https; passwords travel unencrypted"
                    .into(),
            );
        }
        if self.tokens.signing_key_file.is_none() {
            warnings
                .push("[tokens] signing_key_file: without it every restart ends all access tokens".into());
        }
        warnings
    }

    /// The settings of the use cases.
    #[must_use]
    pub fn core_settings(&self) -> vms_core::Settings {
        vms_core::Settings {
            name_template: self.machines.name_template.clone(),
            default_image: self.machines.default_image.clone(),
            default_profile: self.machines.default_profile.clone(),
            allowed_images: self.machines.allowed_images.clone(),
            allow_dangerous_profiles: self.machines.allow_dangerous_profiles,
            quota: vms_types::Quota {
                machines: Some(self.quota.machines),
                running: self.quota.running,
                memory_bytes: self.quota.memory_bytes,
                cpus: self.quota.cpus,
                disk_bytes: self.quota.disk_bytes,
                snapshots_per_machine: self.quota.snapshots_per_machine,
            },
            sample_every: Some(Duration::from_secs(self.overview.sample_seconds)).filter(|d| !d.is_zero()),
            operations: self.operations,
            stop_timeout: Duration::from_secs(self.machines.stop_timeout_seconds),
            refresh_ttl: Duration::from_secs(self.tokens.refresh_ttl_seconds),
        }
    }
}

/// `["http", "listen"]` as people write it: `[http] listen`.
fn key_of(path: &[String]) -> String {
    match path {
        [] => "the file".to_owned(),
        [section] => format!("[{section}]"),
        [section, rest @ ..] => format!("[{section}] {}", rest.join(".")),
    }
}
