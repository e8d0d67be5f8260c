//! `cargo xtask …`: see `cargo xtask --help`.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use xtask::lab::command::LabOptions;
use xtask::lab::packages;
use xtask::suites::Selection;
use xtask::{build, checks, ci, demo, lab, suites, toolchain, ui};

/// Everything one does with this repository beyond `cargo build`.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Build and start the whole system with simulated machines and a small directory; Ctrl-C ends it.
    Demo(demo::DemoOptions),
    /// Run all tests, those with real LXD, Incus, OpenLDAP, PostgreSQL and Chromium too.
    Test {
        /// Only these suites: unit, doc, directory, conformance, system, browser …
        suites: Vec<String>,
        /// Only tests whose name contains this.
        #[arg(long)]
        filter: Option<String>,
    },
    /// What CI runs: lints, drift checks, then everything that `test` does.
    Ci,
    /// Start real LXD (or Incus) and OpenLDAP for trying by hand; Ctrl-C takes them down.
    Lab(LabOptions),
    /// Get what the build of the pages needs: std for the browser, trunk, wasm-bindgen.
    Setup,
    /// Install the packages of the real parts (as root, on Debian or Ubuntu).
    Packages,
    /// Build the pages as they are delivered, in frontend/dist.
    Pages,
    /// Build the pages and the server.
    Build,
    /// Write openapi/vms.json as the server describes itself.
    Openapi {
        /// Only say whether the file that is checked in is up to date.
        #[arg(long)]
        check: bool,
    },
    /// Measure release builds; the figures go to docs/benchmarks. `cargo xtask bench -- --help` says what there is.
    Bench {
        /// What to measure, and how: handed on to `vms-bench`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check that no crate uses one it must not use.
    CheckDeps,
    /// Check the length and the content of Rust files.
    CheckFiles,
}

fn main() -> ExitCode {
    match run(Cli::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            ui::say(format!("\nerror: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Demo(options) => demo::run(&options),
        Task::Test { suites, filter } => suites::test(&Selection { only: suites, filter }),
        Task::Ci if std::env::var_os("CI").is_none() => as_ci(),
        Task::Ci => ci::run(),
        Task::Lab(options) => lab::command::run(&options),
        Task::Setup => {
            for directory in toolchain::ensure()?.directories {
                ui::answer(directory.display().to_string())?;
            }
            Ok(())
        }
        Task::Packages => {
            let missing = packages::ensure(&packages::Part::ALL);
            for (part, reason) in &missing {
                ui::say(format!("{}: {reason}", part.name()));
            }
            anyhow::ensure!(missing.is_empty(), "not everything could be installed");
            Ok(())
        }
        Task::Pages => build::pages().map(|_| ()),
        Task::Build => {
            build::pages()?;
            build::server()
        }
        Task::Openapi { check } => checks::openapi::run(check),
        Task::Bench { arguments } => build::bench(&arguments),
        Task::CheckDeps => checks::deps::check(),
        Task::CheckFiles => checks::files::check(),
    }
}

/// Starts this program again with `CI` set: from then on everything we start knows that nothing may be skipped.
fn as_ci() -> Result<()> {
    let program = std::env::current_exe().context("cannot find out which program this is")?;
    let error = Command::new(program).args(std::env::args_os().skip(1)).env("CI", "true").exec();
    Err(error).context("cannot start again with CI set")
}
