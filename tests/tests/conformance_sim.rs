//! The conformance suite against the simulator.

#[path = "conformance/mod.rs"]
mod suite;

use std::{process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use futures::{FutureExt, future::BoxFuture};
use libtest_mimic::Arguments;
use lxd_client::{Client, ClientConfig};
use lxd_sim::{SimHandle, Simulator, Timing};
use suite::{Ctx, Host, Shared, Stage, strike, trials};

struct Sim(SimHandle);

impl Host for Sim {
    fn stop(&self) -> BoxFuture<'_, Result<()>> {
        self.0.stop().map(Ok).boxed()
    }

    fn start(&self) -> BoxFuture<'_, Result<()>> {
        async { Ok(self.0.start().await?) }.boxed()
    }

    fn https_url(&self) -> Result<String> {
        self.0.https_url().context("it does not listen")
    }

    fn server_cert_pem(&self) -> Result<String> {
        Ok(self.0.server_cert_pem().to_owned())
    }
}

/// Quick, but with the proportions of a real one: a clean stop takes longer than a second.
const TIMING: Timing = Timing {
    create: Duration::from_millis(60),
    start: Duration::from_millis(40),
    address: Duration::from_millis(120),
    stop: Duration::from_millis(1100),
    freeze: Duration::from_millis(10),
    snapshot: Duration::from_millis(30),
    restore: Duration::from_millis(40),
    delete: Duration::from_millis(20),
    update: Duration::from_millis(10),
    image: Duration::from_millis(20),
    ..Timing::instant()
};

fn set() -> Result<Stage<tempfile::TempDir>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let dir = tempfile::tempdir()?;
    let sim = runtime.block_on(
        Simulator::builder()
            .socket(dir.path().join("unix.socket"))
            .https()
            .timing(TIMING)
            .image("debian-12", "Debian 12 (bookworm)")
            .start(),
    )?;
    let client = Client::new(ClientConfig::new(sim.endpoint().parse()?))?;
    let ctx = Ctx::new(client, "lxdbr0", "debian-12", Box::new(Sim(sim)));
    Ok(Stage { ctx, guard: dir, runtime })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let shared = Shared::default();
    let conclusion = libtest_mimic::run(&arguments, trials("sim", &shared, set));
    strike(&shared);
    conclusion.exit_code()
}
