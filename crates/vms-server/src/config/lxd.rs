//! `[[lxd]]`: the LXD servers and the certificates they are reached with.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use lxd_client::{ClientConfig, Endpoint, TlsIdentity};
use serde::Deserialize;

use super::Problems;

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

/// What is wrong with the list of servers.
pub(super) fn check(servers: &[LxdConfig], problems: &mut Problems) {
    if servers.is_empty() {
        problems.note("[[lxd]]", "no server is named; write at least name and endpoint");
    }
    let mut names = BTreeSet::new();
    for server in servers {
        if server.name.is_empty() || !names.insert(&server.name) {
            problems.note("[[lxd]] name", format!("{:?} is empty or used twice", server.name));
        }
        if let Err(error) = server.client_config() {
            problems.note(&format!("[[lxd]] {}", server.name), format!("{error:#}"));
        }
    }
}
