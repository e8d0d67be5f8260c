//! `cargo xtask bench`: measures release builds on this machine and writes what it found to `docs/benchmarks`.
//!
//! Every bench starts what it needs (on loopback addresses and sockets only), ends by itself and takes everything down
//! again, also when it is killed. What is promised stands beside what was measured, met or missed.

mod chart;
mod facts;
mod figures;
mod latency;
mod load;
mod people;
mod poll;
mod portal;
mod process;
mod report;
mod screens;
mod spa;
mod stats;
mod target;
mod visit;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{Parser, ValueEnum};
use xtask::lab::Part;
use xtask::lab::packages;
use xtask::ui;

use crate::facts::Facts;

/// Measures the system; the results go to docs/benchmarks.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Options {
    /// What to measure; everything if nothing is named.
    #[arg(value_enum)]
    benches: Vec<Bench>,
    /// Fewer machines and shorter: for trying, not for publishing.
    #[arg(long)]
    quick: bool,
    /// Only what needs no real LXD.
    #[arg(long)]
    simulated: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Bench {
    /// Bytes of the first visit, and the time to a usable table in Chromium.
    Spa,
    /// Every screen of an administrator, with 1,000 machines and 500 people.
    Screens,
    /// Thousands who look: answer times, memory, requests to LXD.
    Poll,
    /// From LXD's event to a thousand websockets.
    Latency,
    /// The four measurements of the thesis, on real LXD.
    Figures,
    /// All of them.
    All,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::say(format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    let wanted =
        |bench| options.benches.is_empty() || options.benches.iter().any(|b| *b == bench || *b == Bench::All);
    need(if options.simulated { &[Part::Chromium] } else { &[Part::Chromium, Part::Lxd] })?;
    // Our HTTP client insists on a TLS provider even for plain HTTP; a second installation is refused.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    std::fs::create_dir_all(report::directory())?;
    let facts = Facts::gather(options.quick)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    runtime.block_on(async {
        if wanted(Bench::Spa) {
            spa::run(&facts, options.quick).await.context("bench spa")?;
        }
        if wanted(Bench::Screens) {
            screens::run(&facts, options.quick).await.context("bench screens")?;
        }
        if wanted(Bench::Poll) {
            poll::run(&facts, options.quick, options.simulated).await.context("bench poll")?;
        }
        if wanted(Bench::Latency) {
            latency::run(&facts, options.quick, options.simulated).await.context("bench latency")?;
        }
        if wanted(Bench::Figures) && !options.simulated {
            figures::run(&facts, options.quick).await.context("bench figures")?;
        }
        Ok(())
    })
}

fn need(parts: &[Part]) -> Result<()> {
    let missing = packages::ensure(parts);
    if !missing.is_empty() {
        let reasons: Vec<_> =
            missing.iter().map(|(part, reason)| format!("{}: {reason}", part.name())).collect();
        bail!("this cannot be measured here:\n{}", reasons.join("\n"));
    }
    Ok(())
}
