//! The subcommands of `vms`.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use clap::{Args, Parser, Subcommand};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use vms_db::Datastore;

use crate::config::Config;
use crate::{server, start_logging};

/// How long `reconcile` waits for the servers to be listed.
const LISTING: Duration = Duration::from_secs(15);
/// How long `healthcheck` waits for an answer.
const HEALTH: Duration = Duration::from_secs(5);

/// Virtual Machine System: everyone's own Linux machines, from a browser.
#[derive(Debug, Parser)]
#[command(name = "vms", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the portal until SIGTERM or Ctrl-C
    Serve(WithConfig),
    /// Read the configuration and say what is wrong, by key; asks nobody
    CheckConfig(WithConfig),
    /// Bring the database's schema up to date
    Migrate(WithConfig),
    /// Print the OpenAPI document
    Openapi,
    /// Compare table and servers, take in what belongs to somebody, and report
    Reconcile(WithConfig),
    /// Ask a running vms whether it is well
    Healthcheck(WithConfig),
}

#[derive(Debug, Args)]
struct WithConfig {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "vms.toml", env = "VMS_CONFIG")]
    config: PathBuf,
}

impl WithConfig {
    fn load(&self) -> Result<Config> {
        Config::load(&self.config).with_context(|| format!("{} cannot be used", self.config.display()))
    }
}

impl Cli {
    /// Does what the command line says.
    ///
    /// # Errors
    /// What went wrong, for standard error.
    pub async fn run(self) -> Result<()> {
        match self.command {
            Command::Serve(with) => {
                let config = with.load()?;
                start_logging(&config.log)?;
                server::run(&config, None).await
            }
            Command::CheckConfig(with) => check(&with),
            Command::Migrate(with) => migrate(&with.load()?).await,
            Command::Openapi => say(vms_api::document_text().trim_end()),
            Command::Reconcile(with) => {
                let config = with.load()?;
                start_logging(&config.log)?;
                reconcile(&config).await
            }
            Command::Healthcheck(with) => healthcheck(&with.load()?).await,
        }
    }
}

fn say(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").context("cannot write to standard output")
}

fn check(with: &WithConfig) -> Result<()> {
    let config = with.load()?;
    for warning in config.warnings() {
        say(&format!("look at  {warning}"))?;
    }
    let problems = config.problems();
    if problems.is_empty() {
        return say(&format!("{} is in order", with.config.display()));
    }
    for problem in &problems {
        say(&format!("wrong    {problem}"))?;
    }
    bail!("{} cannot be used: {} to correct", with.config.display(), problems.len())
}

async fn migrate(config: &Config) -> Result<()> {
    let db = Datastore::connect(&config.database.url).await.context("[database] url")?;
    let applied = db.migrate().await.context("the schema cannot be brought up to date")?;
    if applied.is_empty() {
        return say("the schema is up to date");
    }
    applied.iter().try_for_each(|version| say(&format!("applied  {version}")))
}

async fn reconcile(config: &Config) -> Result<()> {
    let (vms, fleet) = server::use_cases(config).await?;
    for listed in fleet.servers() {
        let mut connected = listed.watch_connected();
        // Who does not answer in time is reported as silent.
        drop(tokio::time::timeout(LISTING, connected.wait_for(|answers| *answers)).await);
    }
    let report = vms.reconcile().await?;
    vms.shutdown().await;
    for (word, names) in [
        ("adopted", &report.adopted),
        ("renamed", &report.renamed),
        ("missing", &report.missing),
        ("foreign", &report.foreign),
        ("silent ", &report.silent),
    ] {
        names.iter().try_for_each(|name| say(&format!("{word}  {name}")))?;
    }
    say(&format!("{} adopted, {} missing", report.adopted.len(), report.missing.len()))
}

async fn healthcheck(config: &Config) -> Result<()> {
    let listen = config.http.listen;
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let address = SocketAddr::new(ip, listen.port());
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let uri = format!("http://{address}/readyz").parse().context("the address is no URL")?;
    let asked = tokio::time::timeout(HEALTH, async {
        let answer = client.get(uri).await.with_context(|| format!("nobody answers on {address}"))?;
        let status = answer.status();
        let body = answer.into_body().collect().await.context("the answer broke off")?.to_bytes();
        anyhow::Ok((status, String::from_utf8_lossy(&body).into_owned()))
    });
    let (status, body) =
        asked.await.with_context(|| format!("no answer from {address} within 5 seconds"))??;
    say(&body)?;
    if status.is_success() { Ok(()) } else { bail!("{address} is not ready ({status})") }
}
