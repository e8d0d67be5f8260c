//! The portal that is measured: the release build of `vms`, with a directory of many people, before some LXD.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use toml::{Table, Value};
use xtask::directory::{Directory, DirectoryServer};
use xtask::lab::{open_dir, reaper::Reaper};
use xtask::vms_toml::VmsToml;
use xtask::{proc, repo, ui};

/// Environment variable: a built `vms` to measure in place of the one of this tree, to compare the two.
const BINARY: &str = "VMS_BINARY";

/// What stands behind and before the portal.
#[derive(Debug)]
pub struct PortalOptions {
    /// LXD's endpoint, as the configuration writes it.
    pub endpoint: String,
    /// Image and profile of new machines.
    pub defaults: (&'static str, &'static str),
    /// Who can log in.
    pub people: Directory,
    /// The built pages.
    pub pages: Option<PathBuf>,
}

/// A running portal. Dropping it ends it and removes its database.
#[derive(Debug)]
pub struct Portal {
    port: u16,
    log: PathBuf,
    process: Child,
    directory: DirectoryServer,
    /// Ends the server also when we are killed.
    reaper: Option<Reaper>,
}

impl Portal {
    /// Starts the server, which `cargo xtask bench` has built, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start; the message carries its log.
    pub async fn open(options: PortalOptions) -> Result<Self> {
        let program = std::env::var_os(BINARY).map_or_else(|| repo::release_binary("vms"), PathBuf::from);
        let dir = open_dir("vms-bench-")?;
        let reaper = Reaper::arm(&dir, "end_ours vms")?;
        let people =
            DirectoryServer::start(options.people, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
        let port = proc::free_port()?;
        let text = VmsToml {
            port,
            static_dir: options.pages,
            lxd: ("lxd", options.endpoint),
            directory: people.vms_config(),
            state: &dir,
            defaults: Some(options.defaults),
        }
        .text();
        let mut whole: Table = text.parse()?;
        // The longest the server allows: nobody logs in again while we measure.
        set(&mut whole, "tokens", "access_ttl_seconds", 900.into())?;
        let file = dir.join("vms.toml");
        std::fs::write(&file, whole.to_string())?;
        let log = dir.join("vms.log");
        let mut command = Command::new(program);
        command.args(["serve", "--config"]).arg(&file).current_dir(&dir);
        let process = proc::spawn_logged(&mut command, &log)?;
        let mut portal = Self { port, log, process, directory: people, reaper: Some(reaper) };
        portal.ready().await.with_context(|| format!("the end of its log:\n{}", portal.log()))?;
        Ok(portal)
    }

    async fn ready(&mut self) -> Result<()> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        let url = format!("{}/readyz", self.url());
        for _ in 0..600 {
            if let Some(status) = self.process.try_wait()? {
                bail!("vms ended ({status})");
            }
            if http.get(&url).send().await.is_ok_and(|answer| answer.status() == 200) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("vms was not ready within a minute")
    }

    /// `http://127.0.0.1:port`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// The process of the server.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        proc::tail(&self.log, 15)
    }

    /// How often the directory was asked for a password so far.
    pub fn binds(&self) -> usize {
        self.directory.asked().binds
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        if let Err(error) = proc::stop_child(&mut self.process, Duration::from_secs(20)) {
            ui::say(format!("could not end vms: {error:#}"));
        }
        drop(self.reaper.take());
    }
}

fn set(whole: &mut Table, section: &str, key: &str, value: Value) -> Result<()> {
    let table = whole.entry(section).or_insert_with(|| Table::new().into());
    table.as_table_mut().with_context(|| format!("[{section}] is no table"))?.insert(key.to_owned(), value);
    Ok(())
}
