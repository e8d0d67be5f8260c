//! All parts together: database, fleet, directory, use cases, HTTP.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpServer;
use actix_web::dev::ServerHandle;
use anyhow::{Context as _, Result, bail};
use lxd_client::Client;
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};
use vms_api::{AppState, WebSettings};
use vms_auth::{AccessTokens, LdapDirectory, SigningKey, TokenSettings};
use vms_core::Vms;
use vms_db::Datastore;
use vms_fleet::Fleet;
use vms_types::Site;

use crate::config::{Config, LANGUAGES};
use crate::metrics;

/// Seconds that open requests have to end when the server stops. A client that waits for an operation asks again.
const SHUTDOWN_SECONDS: u64 = 3;

/// How long a connection may rest before it is closed. Longer than what reverse proxies keep theirs (nginx: 60 s): who
/// closes first must be the one that asks, or a request meets a closing connection and is lost, and only a GET is tried again.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// A running server.
pub struct Server {
    address: SocketAddr,
    vms: Vms,
    fleet: Fleet,
    handle: ServerHandle,
    serving: JoinHandle<std::io::Result<()>>,
    /// Ends with the server.
    _upkeep: JoinSet<()>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Server {
    /// Starts everything. LXD servers and the directory may be away: they are tried when they are needed.
    ///
    /// # Errors
    /// What of the configuration cannot be used, by key; a database that does not open; a port that is taken.
    pub async fn start(config: &Config) -> Result<Self> {
        let problems = config.problems();
        if !problems.is_empty() {
            bail!("{}", problems.join("\n"));
        }
        for warning in config.warnings() {
            tracing::warn!("{warning}");
        }
        // Before anything that counts.
        let upkeep = metrics::start()?;
        let (vms, fleet) = use_cases(config).await?;
        let state = AppState::new(vms.clone(), web_settings(config))?;
        vms.begin().await.context("the unfinished operations cannot be taken up")?;
        let http = HttpServer::new(move || vms_api::app(&state))
            .disable_signals()
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(Duration::from_secs(10))
            .bind(config.http.listen)
            .with_context(|| format!("[http] listen: cannot listen on {}", config.http.listen))?;
        let address = http.addrs().first().copied().context("the server listens nowhere")?;
        let server = http.run();
        let handle = server.handle();
        let serving = tokio::spawn(server);
        tracing::info!(%address, version = env!("CARGO_PKG_VERSION"), "VMS is listening");
        Ok(Self { address, vms, fleet, handle, serving, _upkeep: upkeep })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mirror of the servers, for tests that wait for one to answer.
    #[must_use]
    pub const fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Lets the jobs write down where they are, answers what is under way, and ends.
    ///
    /// # Errors
    /// If the HTTP server had ended with an error.
    pub async fn stop(self) -> Result<()> {
        tracing::info!("stopping");
        self.vms.shutdown().await;
        self.handle.stop(true).await;
        self.serving.await.context("the HTTP server's task broke")?.context("the HTTP server failed")
    }

    /// Serves until `signal` comes or the HTTP server ends by itself.
    async fn serve_until(mut self, signal: impl Future<Output = Result<()>>) -> Result<()> {
        tokio::select! {
            ended = &mut self.serving => {
                ended.context("the HTTP server's task broke")?.context("the HTTP server failed")?;
                bail!("the HTTP server ended by itself")
            }
            received = signal => received?,
        }
        self.stop().await
    }
}

/// Runs the server until SIGTERM or SIGINT. `ready` is told the address once it listens.
///
/// # Errors
/// As [`Server::start`].
pub async fn run(config: &Config, ready: Option<oneshot::Sender<SocketAddr>>) -> Result<()> {
    let server = Server::start(config).await?;
    if let Some(ready) = ready
        && ready.send(server.address()).is_err()
    {
        tracing::debug!("nobody waits for the address");
    }
    server.serve_until(signal()).await
}

async fn signal() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("cannot receive SIGTERM")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot receive SIGINT"),
        _ = terminate.recv() => Ok(()),
    }
}

/// The use cases on database, fleet and directory, without HTTP. Also what `vms reconcile` works with.
pub(crate) async fn use_cases(config: &Config) -> Result<(Vms, Fleet)> {
    let db = Datastore::open(&config.database.url).await.context("[database] url")?;
    let mut clients = Vec::new();
    for server in &config.lxd {
        let client =
            Client::new(server.client_config()?).with_context(|| format!("[[lxd]] {}", server.name))?;
        clients.push((server.name.clone(), client));
    }
    let fleet = Fleet::start(clients);
    let directory = LdapDirectory::new(config.directory.clone())?;
    let key = match &config.tokens.signing_key_file {
        Some(file) => SigningKey::load_or_create(file).context("[tokens] signing_key_file")?,
        None => SigningKey::generate()?,
    };
    let lifetime = Duration::from_secs(config.tokens.access_ttl_seconds);
    let tokens = AccessTokens::new(TokenSettings { lifetime, ..TokenSettings::default() }, key)?;
    let vms = Vms::new(config.core_settings(), db, fleet.clone(), Arc::new(directory), tokens);
    Ok((vms, fleet))
}

fn web_settings(config: &Config) -> WebSettings {
    let site = &config.site;
    let mut languages = vec![site.default_language.clone()];
    languages.extend(LANGUAGES.iter().filter(|l| **l != site.default_language).map(|l| (*l).to_owned()));
    WebSettings {
        site: Site {
            title: site.title.clone(),
            institution: site.institution.clone(),
            welcome: site.welcome.clone(),
            contact: site.contact.clone(),
            logo_url: None,
            languages,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        public_url: config.http.public_url.clone(),
        allowed_origins: config.http.allowed_origins.clone(),
        static_dir: config.http.static_dir.clone(),
        logo_file: site.logo_file.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        max_image_bytes: config.images.max_upload_bytes,
        metrics_allowed: config.http.metrics_allowed.clone(),
        metrics: Some(metrics::render),
    }
}
