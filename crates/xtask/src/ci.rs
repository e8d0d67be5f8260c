//! `cargo xtask ci`: what CI runs. Cheap checks first, then everything. Each step runs, whatever the others
//! said, so that one run shows all that is wrong.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::suites::{self, Selection};
use crate::toolchain::{self, WASM};
use crate::{checks, proc, repo, ui};

/// Runs every step.
///
/// # Errors
/// When a step failed; a table of all steps has been printed then.
pub fn run() -> Result<()> {
    let since = Instant::now();
    let mut steps: Vec<(&str, Duration, Result<()>)> = Vec::new();
    let mut step = |name: &'static str, work: &dyn Fn() -> Result<()>| {
        ui::say(format!("\n##### {name}"));
        let since = Instant::now();
        let result = work();
        if let Err(error) = &result {
            ui::say(format!("!!!!! {name}: {error:#}"));
        }
        steps.push((name, since.elapsed(), result));
    };
    step("format", &|| proc::run(repo::cargo().args(["fmt", "--all", "--check"])));
    step("check-files", &checks::files::check);
    step("check-deps", &checks::deps::check);
    step("clippy", &|| {
        let mut command = repo::cargo();
        command.args(["clippy", "--workspace", "--exclude", "vms-frontend", "--all-targets"]);
        proc::run(command.args(["--features", "vms-tests/real", "--", "-D", "warnings"]))
    });
    step("std for the browser", &toolchain::ensure_wasm_std);
    step("types and client in the browser", &|| {
        proc::run(repo::cargo().args(["check", "-p", "vms-types", "-p", "vms-client", "--target", WASM]))
    });
    step("clippy for the browser", &|| {
        proc::run(repo::cargo().args([
            "clippy",
            "-p",
            "vms-frontend",
            "--target",
            WASM,
            "--",
            "-D",
            "warnings",
        ]))
    });
    step("openapi", &|| checks::openapi::run(true));
    step("test", &|| suites::test(&Selection::default()));

    let mut lines = Vec::new();
    for (name, took, result) in &steps {
        let verdict = if result.is_ok() { "passed" } else { "FAILED" };
        lines.push(format!("{name:<32} {verdict:<8} {}", ui::seconds(*took)));
    }
    lines.push(format!("{:<32} {:<8} {}", "all", "", ui::seconds(since.elapsed())));
    ui::boxed(&lines);
    let failed: Vec<&str> =
        steps.iter().filter(|(_, _, result)| result.is_err()).map(|(name, _, _)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}
