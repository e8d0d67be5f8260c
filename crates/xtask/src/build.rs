//! Building the two halves of the product: the server's binaries by cargo, the pages by trunk.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::toolchain::{self, PageTools};
use crate::{precompress, proc, repo, ui};

/// Where the built pages lie.
pub fn dist() -> PathBuf {
    repo::root().join("frontend/dist")
}

/// Whether the pages exist in the tree as something trunk can build.
pub fn has_pages() -> bool {
    repo::root().join("frontend/index.html").is_file()
}

/// Builds the pages as they are delivered: small, and with hashed names. Gets the tools first.
///
/// # Errors
/// When a tool cannot be had or the build fails.
pub fn pages() -> Result<PathBuf> {
    if !has_pages() {
        bail!("frontend/index.html is missing, so there are no pages to build");
    }
    let tools = toolchain::ensure()?;
    let step = ui::Step::begin("building the pages", "2–3 min the first time, seconds afterwards");
    // In this order: the first clears the directory that the second one builds below.
    for (config, built) in [("Trunk.toml", dist()), ("admin/Trunk.toml", dist().join("admin"))] {
        proc::run(trunk(&tools)?.args(["build", "--release", "--config", config, "--dist"]).arg(&built))
            .context("the pages do not build")?;
        precompress::directory(&built)?;
    }
    step.done();
    Ok(dist())
}

/// trunk, in `frontend/`, without a network of its own, with its tools on PATH.
fn trunk(tools: &PageTools) -> Result<Command> {
    let mut command = Command::new("trunk");
    command
        .current_dir(repo::root().join("frontend"))
        .env("PATH", tools.path()?)
        .env("TRUNK_OFFLINE", "true")
        .env("TRUNK_SKIP_VERSION_CHECK", "true")
        // trunk reads NO_COLOR as a boolean and stops at `NO_COLOR=1`.
        .env_remove("NO_COLOR");
    Ok(command)
}

/// Builds the server and the simulator in the dev profile: quick to build, quick enough to use.
///
/// # Errors
/// When they do not compile.
pub fn server() -> Result<()> {
    let step = ui::Step::begin("building the server and the simulated LXD", "3–4 min the first time");
    proc::run(repo::cargo().args(["build", "-p", "vms-server", "-p", "lxd-sim", "--bins"]))
        .context("the server does not build")?;
    step.done();
    Ok(())
}

/// Builds the server optimized, and the program that measures it, and becomes the latter. It is a package of its own, so
/// that nobody builds it who only wants the demo.
///
/// # Errors
/// When they do not compile, or the program cannot be started. It does not come back otherwise.
pub fn bench(arguments: &[OsString]) -> Result<()> {
    let step = ui::Step::begin("building the server and the benches, optimized", "7 min the first time");
    // In one command: two would choose different features for crates below both, and build those twice.
    proc::run(repo::cargo().args(["build", "--release", "-p", "vms-server", "-p", "vms-bench", "--bins"]))
        .context("the server does not build")?;
    step.done();
    Err(Command::new(repo::release_binary("vms-bench")).args(arguments).exec())
        .context("cannot start vms-bench")
}
