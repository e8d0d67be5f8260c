//! `cargo xtask lab`: the real parts, for trying by hand. Prints a ready `vms.toml` and waits for Ctrl-C.

use anyhow::{Context as _, Result, bail};
use clap::Args;

use super::daemon::{Daemon, DaemonOptions, Flavour};
use super::packages::{self, Part};
use super::postgres::Postgres;
use super::slapd::{Slapd, SlapdOptions};
use crate::vms_toml::VmsToml;
use crate::{build, repo, ui};

/// Options of the lab.
#[derive(Debug, Clone, Args)]
pub struct LabOptions {
    /// Incus in place of LXD.
    #[arg(long)]
    incus: bool,
    /// A btrfs pool of that many GiB: quick snapshots, and disk quotas that bite. Without it plain directories.
    #[arg(long, value_name = "GIB")]
    btrfs: Option<u32>,
    /// Also PostgreSQL, in place of the SQLite file.
    #[arg(long)]
    postgres: bool,
    /// Port that the printed configuration tells the server to listen on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

/// Starts the parts, explains how to use them, and takes them down on Ctrl-C.
///
/// # Errors
/// When a part is missing or does not start.
pub fn run(options: &LabOptions) -> Result<()> {
    let daemon_part = if options.incus { Part::Incus } else { Part::Lxd };
    let mut parts = vec![daemon_part, Part::Slapd];
    if options.postgres {
        parts.push(Part::Postgres);
    }
    let missing = packages::ensure(&parts);
    if !missing.is_empty() {
        let reasons: Vec<_> =
            missing.iter().map(|(part, reason)| format!("{}: {reason}", part.name())).collect();
        bail!("the lab cannot run here:\n{}", reasons.join("\n"));
    }
    // Before anything is started, so that an early Ctrl-C is not lost.
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let interrupted = runtime.spawn(crate::demo::interrupted());

    let step = ui::Step::begin(format!("starting {} and slapd", daemon_part.name()), "5 s");
    let slapd = Slapd::start(SlapdOptions { anonymous_search: true, ..SlapdOptions::default() })?;
    let daemon = Daemon::start(DaemonOptions {
        flavour: if options.incus { Flavour::Incus } else { Flavour::Lxd },
        pool: options.btrfs.map_or(super::Pool::Dir, |gib| super::Pool::Btrfs { gib }),
        https: true,
        ..DaemonOptions::default()
    })?;
    let postgres = options.postgres.then(Postgres::start).transpose()?;
    step.done();

    let state = repo::target().join("lab");
    if state.exists() {
        std::fs::remove_dir_all(&state)?;
    }
    std::fs::create_dir_all(&state)?;
    let mut text = VmsToml {
        port: options.port,
        static_dir: build::dist().is_dir().then(build::dist),
        lxd: ("lab", daemon.endpoint()),
        directory: slapd.vms_config(),
        state: &state,
        defaults: Some((daemon.image_alias(), "default")),
    }
    .text();
    if let Some(postgres) = &postgres {
        let sqlite = format!("sqlite://{}", state.join("vms.db").display());
        text = text.replace(&sqlite, &postgres.create_database("vms")?);
    }
    let config = state.join("vms.toml");
    std::fs::write(&config, &text)?;
    explain(&daemon, &slapd, &config, &text);
    runtime.block_on(interrupted)??;
    ui::say("taking everything down");
    Ok(())
}

fn explain(daemon: &Daemon, slapd: &Slapd, config: &std::path::Path, text: &str) {
    let (client, variable) = match daemon.flavour() {
        Flavour::Lxd => ("lxc", "LXD_DIR"),
        Flavour::Incus => ("incus", "INCUS_DIR"),
    };
    ui::say(format!("\n# {}\n{text}", config.display()));
    ui::boxed(&[
        "The lab is running. Ctrl-C takes everything down.".to_owned(),
        String::new(),
        format!("server     cargo run -p vms-server -- serve --config {}", config.display()),
        format!("machines   {variable}={} {client} list", daemon.dir().display()),
        format!("https      {}", daemon.https_url().unwrap_or_default()),
        format!("people     ldapsearch -x -H {} -b {}", slapd.url(), slapd.people().base_dn),
        "users      bruno, ana, prof, admin; each password is the user name".to_owned(),
    ]);
}
