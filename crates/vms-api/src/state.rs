//! What all handlers share: the use cases, the school's words, and what was worked out once at start.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use url::{Origin, Url};
use vms_core::Vms;
use vms_types::Site;

use crate::assets::{ContentPolicy, Logo};
use crate::metrics::Network;
use crate::openapi::RouteTable;

/// What the HTTP layer needs of the configuration.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// What the login page shows. `logo_url` is filled in here.
    pub site: Site,
    /// Where people reach the portal, such as `https://vms.school.example`. Cookies are `Secure` when it is https.
    pub public_url: Option<Url>,
    /// Origins of other pages that may use the session cookie, such as `http://localhost:8081` of a frontend developer.
    pub allowed_origins: Vec<Url>,
    /// The built pages; `None` serves the API only.
    pub static_dir: Option<PathBuf>,
    /// The school's logo, an image file.
    pub logo_file: Option<PathBuf>,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The largest image that may be uploaded.
    pub max_image_bytes: u64,
    /// Who may read `/metrics`.
    pub metrics_allowed: Vec<Network>,
    /// Writes `/metrics`; without it there is no such page.
    pub metrics: Option<fn() -> String>,
}

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct SetupError {
    /// The key of the configuration.
    pub key: &'static str,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

/// Shared by all workers. Cheap to clone.
#[derive(Clone)]
pub struct AppState {
    inner: Arc<Inner>,
}

struct Inner {
    vms: Vms,
    settings: WebSettings,
    origins: Vec<Origin>,
    policy: ContentPolicy,
    logo: Option<Logo>,
    routes: RouteTable,
}

impl AppState {
    /// Reads the files that the settings name and works out what does not change.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn new(vms: Vms, mut settings: WebSettings) -> Result<Self, SetupError> {
        let policy = ContentPolicy::of(settings.static_dir.as_deref())?;
        let logo = settings.logo_file.as_deref().map(Logo::read).transpose()?;
        settings.site.logo_url = logo.as_ref().map(|_| Logo::PATH.to_owned());
        let origins = settings.public_url.iter().chain(&settings.allowed_origins).map(Url::origin).collect();
        let routes = RouteTable::new();
        Ok(Self { inner: Arc::new(Inner { vms, settings, origins, policy, logo, routes }) })
    }

    /// The use cases.
    pub(crate) fn vms(&self) -> &Vms {
        &self.inner.vms
    }

    /// The school's words.
    pub(crate) fn site(&self) -> &Site {
        &self.inner.settings.site
    }

    /// Whether the portal is reached over https only.
    pub(crate) fn is_https(&self) -> bool {
        self.inner.settings.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }

    /// Whether pages of this origin may use the session cookie.
    pub(crate) fn knows_origin(&self, origin: &Origin) -> bool {
        self.inner.origins.contains(origin)
    }

    /// Whether this address is a reverse proxy of ours.
    pub(crate) fn trusts_proxy(&self, address: IpAddr) -> bool {
        self.inner.settings.trusted_proxies.contains(&address)
    }

    /// The largest image that may be uploaded.
    pub(crate) fn max_image_bytes(&self) -> u64 {
        self.inner.settings.max_image_bytes
    }

    /// Who may read `/metrics`.
    pub(crate) fn metrics_allowed(&self) -> &[Network] {
        &self.inner.settings.metrics_allowed
    }

    /// Writes `/metrics`.
    pub(crate) fn metrics(&self) -> Option<fn() -> String> {
        self.inner.settings.metrics
    }

    /// Where the pages lie.
    pub(crate) fn static_dir(&self) -> Option<&std::path::Path> {
        self.inner.settings.static_dir.as_deref()
    }

    pub(crate) fn policy(&self) -> &ContentPolicy {
        &self.inner.policy
    }

    pub(crate) fn logo(&self) -> Option<&Logo> {
        self.inner.logo.as_ref()
    }

    pub(crate) fn routes(&self) -> &RouteTable {
        &self.inner.routes
    }
}
