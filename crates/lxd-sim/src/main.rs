//! `lxd-sim`: the simulated LXD server as a program, until SIGTERM or Ctrl-C.

use std::{io::Write as _, path::PathBuf};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use lxd_sim::{Timing, scenario};
use tokio::signal::unix::{SignalKind, signal};

/// A simulated LXD server on a unix socket.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Where to listen.
    #[arg(long, value_name = "PATH")]
    socket: PathBuf,
    /// What is there from the beginning.
    #[arg(long, value_enum, default_value = "demo")]
    scenario: Scenario,
    /// How long things take.
    #[arg(long, value_enum, default_value = "demo")]
    timing: Speed,
    /// Listen for HTTPS too, on a free port of 127.0.0.1.
    #[arg(long)]
    https: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Scenario {
    /// Images, profiles, and three machines of the student bruno.
    Demo,
    /// Images and profiles.
    Empty,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Speed {
    /// As a small real server feels.
    Demo,
    /// Everything at once.
    Instant,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let builder = match arguments.scenario {
        Scenario::Demo => scenario::demo(),
        Scenario::Empty => scenario::empty(),
    };
    let builder = builder.socket(&arguments.socket).timing(match arguments.timing {
        Speed::Demo => Timing::demo(),
        Speed::Instant => Timing::instant(),
    });
    let builder = if arguments.https { builder.https() } else { builder };
    let sim = builder.start().await?;
    let mut out = std::io::stdout();
    writeln!(out, "serving {}", sim.endpoint())?;
    if let Some(url) = sim.https_url() {
        writeln!(out, "serving {url}")?;
    }
    tokio::select! {
        _ = terminate.recv() => {}
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot wait for Ctrl-C")?,
    }
    sim.stop().await;
    Ok(())
}
