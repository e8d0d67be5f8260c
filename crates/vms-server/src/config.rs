//! `vms.toml`: every key, its default, and what of it makes no sense.
//!
//! Environment variables win over the file: `VMS__HTTP__LISTEN` is `listen` in `[http]`. Unknown keys are errors, so that
//! a typing mistake does not pass for a setting.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use figment::Figment;
use figment::providers::{Env, Format as _, Toml};
use lxd_client::{ClientConfig, Endpoint, TlsIdentity};
use serde::Deserialize;
use url::Url;
use vms_api::Network;
use vms_auth::DirectoryConfig;

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

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// The built pages; without it only the API is served.
    pub static_dir: Option<PathBuf>,
    /// Where people reach the portal. With https the session cookie is `Secure`.
    pub public_url: Option<Url>,
    /// Other origins whose pages may use the session cookie.
    pub allowed_origins: Vec<Url>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Addresses and networks that may read `/metrics`.
    pub metrics_allowed: Vec<Network>,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            static_dir: None,
            public_url: None,
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            metrics_allowed: Network::loopback(),
        }
    }
}

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

/// `[database]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DatabaseConfig {
    /// `sqlite://PATH` or `postgres://USER:PASSWORD@HOST/NAME`.
    pub url: String,
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self { url: "sqlite://vms.db".into() }
    }
}

/// `[[lxd]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LxdConfig {
    /// What it is called here; unique.
    pub name: String,
    /// `unix:///var/lib/lxd/unix.socket` or `https://host:8443`.
    pub endpoint: String,
    /// Our certificate, PEM; needed for https.
    pub client_cert_file: Option<PathBuf>,
    /// Its private key, PEM; needed for https.
    pub client_key_file: Option<PathBuf>,
    /// LXD's own certificate, PEM; needed for https. Exactly this one is accepted.
    pub server_cert_file: Option<PathBuf>,
    /// LXD project to work in; LXD's `default` if absent.
    pub project: Option<String>,
}

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

/// `[images]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImagesConfig {
    /// The largest image that may be uploaded, in bytes.
    pub max_upload_bytes: u64,
}

impl Default for ImagesConfig {
    fn default() -> Self {
        Self { max_upload_bytes: 10 << 30 }
    }
}

/// `[quota]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaConfig {
    /// Machines a person may have, running or not.
    pub machines: u32,
    /// Machines a person may have running at the same time; no limit if absent, here and below.
    pub running: Option<u32>,
    /// Memory of a person's machines together, in bytes.
    pub memory_bytes: Option<u64>,
    /// CPUs of a person's machines together.
    pub cpus: Option<u32>,
    /// Disk of a person's machines together, in bytes.
    pub disk_bytes: Option<u64>,
    /// Snapshots a machine may have.
    pub snapshots_per_machine: Option<u32>,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        Self {
            machines: 10,
            running: None,
            memory_bytes: None,
            cpus: None,
            disk_bytes: None,
            snapshots_per_machine: None,
        }
    }
}

/// `[overview]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OverviewConfig {
    /// Seconds between two looks at what servers and machines use; 0 never looks.
    pub sample_seconds: u64,
}

impl Default for OverviewConfig {
    fn default() -> Self {
        let every = vms_core::Settings::default().sample_every;
        Self { sample_seconds: every.map_or(0, |every| every.as_secs()) }
    }
}

/// `[tokens]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokensConfig {
    /// Life of an access token, at most 900 seconds.
    pub access_ttl_seconds: u64,
    /// How long a session lasts without being used, in seconds.
    pub refresh_ttl_seconds: u64,
    /// Ed25519 key (PKCS #8, PEM), made if the file does not exist; a new key at every start if absent.
    pub signing_key_file: Option<PathBuf>,
}

impl Default for TokensConfig {
    fn default() -> Self {
        Self { access_ttl_seconds: 900, refresh_ttl_seconds: 7 * 24 * 3600, signing_key_file: None }
    }
}

/// `[log]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// `info`, or a filter such as `info,vms_fleet=debug`.
    pub level: String,
    /// For people or for programs.
    pub format: LogFormat,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
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
        let mut found = Vec::new();
        let mut note = |key: &str, problem: &str| found.push(format!("{key}: {problem}"));
        if let Err(error) = vms_auth::LdapDirectory::new(self.directory.clone()) {
            note_raw(&mut note, &error.to_string());
        }
        if self.lxd.is_empty() {
            note("[[lxd]]", "no server is named; write at least name and endpoint");
        }
        let mut names = BTreeSet::new();
        for server in &self.lxd {
            if server.name.is_empty() || !names.insert(&server.name) {
                note("[[lxd]] name", &format!("{:?} is empty or used twice", server.name));
            }
            if let Err(error) = server.client_config() {
                note(&format!("[[lxd]] {}", server.name), &format!("{error:#}"));
            }
        }
        if let Some(dir) = &self.http.static_dir
            && let Some(missing) =
                ["index.html", "admin/index.html"].into_iter().find(|page| !dir.join(page).is_file())
        {
            note(
                "[http] static_dir",
                &format!("{} has no {missing}; build the pages, or leave the key out", dir.display()),
            );
        }
        if let Some(file) = &self.site.logo_file
            && !file.is_file()
        {
            note("[site] logo_file", &format!("{} is no file", file.display()));
        }
        if !LANGUAGES.contains(&self.site.default_language.as_str()) {
            note(
                "[site] default_language",
                &format!("{:?} is none of {LANGUAGES:?}", self.site.default_language),
            );
        }
        for key in ["{user}", "{name}"] {
            if !self.machines.name_template.contains(key) {
                note(
                    "[machines] name_template",
                    &format!("has no {key} in it: two machines would get one name"),
                );
            }
        }
        if let Some(image) = &self.machines.default_image
            && !(self.machines.allowed_images.is_empty() || self.machines.allowed_images.contains(image))
        {
            note("[machines] default_image", &format!("{image:?} is not among allowed_images"));
        }
        if !(1..=600).contains(&self.machines.stop_timeout_seconds) {
            note("[machines] stop_timeout_seconds", "must be from 1 to 600");
        }
        if self.overview.sample_seconds > 3600 {
            note("[overview] sample_seconds", "must be from 1 to 3600, or 0 for never");
        }
        let limits = self.operations;
        for (key, value) in [
            ("per_user", limits.per_user),
            ("per_server", limits.per_server),
            ("queue", limits.queue),
            ("queue_per_user", limits.queue_per_user),
        ] {
            if !(1..=100_000).contains(&value) {
                note(&format!("[operations] {key}"), "must be from 1 to 100000");
            }
        }
        let longest = vms_auth::MAX_ACCESS_TTL.as_secs();
        if !(1..=longest).contains(&self.tokens.access_ttl_seconds) {
            note("[tokens] access_ttl_seconds", &format!("must be from 1 to {longest}"));
        }
        if self.tokens.refresh_ttl_seconds < self.tokens.access_ttl_seconds {
            note("[tokens] refresh_ttl_seconds", "is shorter than access_ttl_seconds");
        }
        if let Err(error) = crate::logging::filter(&self.log.level) {
            note("[log] level", &format!("{:?} is no filter: {error}", self.log.level));
        }
        found
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

/// A problem that begins with its own key.
fn note_raw(note: &mut impl FnMut(&str, &str), text: &str) {
    match text.split_once(": ") {
        Some((key, problem)) => note(key, problem),
        None => note("[directory]", text),
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

impl LxdConfig {
    /// What the client needs, with the files read.
    ///
    /// # Errors
    /// An endpoint that is none, or files that are missing for https.
    pub fn client_config(&self) -> Result<ClientConfig> {
        let endpoint: Endpoint = self.endpoint.parse().context("endpoint")?;
        let mut config = ClientConfig::new(endpoint.clone());
        if let Endpoint::Https { .. } = endpoint {
            config = config.with_tls(TlsIdentity {
                client_cert_pem: pem("client_cert_file", self.client_cert_file.as_deref())?,
                client_key_pem: pem("client_key_file", self.client_key_file.as_deref())?,
                server_cert_pem: pem("server_cert_file", self.server_cert_file.as_deref())?,
            });
        }
        if let Some(project) = &self.project {
            config = config.with_project(project);
        }
        Ok(config)
    }
}

fn pem(key: &str, file: Option<&Path>) -> Result<String> {
    let file = file.with_context(|| format!("{key} is missing; an https endpoint needs it"))?;
    std::fs::read_to_string(file).with_context(|| format!("{key}: {} cannot be read", file.display()))
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
