//! `[http]`: where the portal listens, what it serves, and whose words about addresses it believes.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;
use url::Url;
use vms_api::Network;

use super::Problems;

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

impl HttpConfig {
    /// What is wrong in this section.
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(dir) = &self.static_dir
            && let Some(missing) =
                ["index.html", "admin/index.html"].into_iter().find(|page| !dir.join(page).is_file())
        {
            problems.note(
                "[http] static_dir",
                format!("{} has no {missing}; build the pages, or leave the key out", dir.display()),
            );
        }
    }
}
