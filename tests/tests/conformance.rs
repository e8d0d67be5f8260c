//! The conformance suite against real LXD and real Incus.

#[path = "conformance/mod.rs"]
mod suite;

use std::{process::ExitCode, sync::Arc};

use anyhow::{Context as _, Result};
use futures::{FutureExt, future::BoxFuture};
use libtest_mimic::Arguments;
use lxd_client::{Client, ClientConfig};
use suite::{Ctx, Host, Shared, Stage, strike, trials};
use xtask::lab::{Daemon, DaemonOptions, need};

struct Real(Arc<Daemon>);

impl Host for Real {
    fn stop(&self) -> BoxFuture<'_, Result<()>> {
        async { tokio::task::block_in_place(|| self.0.stop()) }.boxed()
    }

    fn start(&self) -> BoxFuture<'_, Result<()>> {
        async { tokio::task::block_in_place(|| self.0.start_again()) }.boxed()
    }

    fn https_url(&self) -> Result<String> {
        self.0.https_url().context("it does not listen")
    }

    fn server_cert_pem(&self) -> Result<String> {
        self.0.server_cert_pem()
    }
}

fn set(options: DaemonOptions) -> Result<Stage<Arc<Daemon>>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let daemon = Arc::new(Daemon::start(options.with_https())?);
    let client = Client::new(ClientConfig::new(daemon.endpoint().parse()?))?;
    let ctx = Ctx::new(client, daemon.bridge(), daemon.image_alias(), Box::new(Real(Arc::clone(&daemon))));
    Ok(Stage { ctx, guard: daemon, runtime })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let (lxd, incus) = (Shared::default(), Shared::default());
    let mut all = Vec::new();
    // `--list` must not demand that the parts are there.
    if arguments.list || need("lxd") {
        all.extend(trials("lxd", &lxd, || set(DaemonOptions::default())));
    }
    if arguments.list || need("incus") {
        all.extend(trials("incus", &incus, || set(DaemonOptions::incus())));
    }
    let conclusion = libtest_mimic::run(&arguments, all);
    strike(&lxd);
    strike(&incus);
    conclusion.exit_code()
}
