//! What building the pages needs beyond cargo: the compiler's `wasm32-unknown-unknown` target, trunk and
//! wasm-bindgen. [`ensure`] gets all of it on a machine that has nothing but a Rust toolchain.

mod tools;
mod wasm_std;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::{proc, repo};

/// The target of the pages.
pub const WASM: &str = "wasm32-unknown-unknown";

/// Everything that the build of the pages needs, found or made.
#[derive(Debug, Clone)]
pub struct PageTools {
    /// Directories with `trunk` and `wasm-bindgen`, to be put first on PATH.
    pub directories: Vec<PathBuf>,
}

impl PageTools {
    /// PATH with the tools first.
    ///
    /// # Errors
    /// When a directory has a colon in its name.
    pub fn path(&self) -> Result<OsString> {
        let old = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(self.directories.iter().cloned().chain(std::env::split_paths(&old)))
            .context("a directory of the tools has a colon in its name")
    }
}

/// Gets what is missing. The first time takes minutes and says so; afterwards it only looks, in under a second.
///
/// # Errors
/// When something can be had in no way; the message names the ways.
pub fn ensure() -> Result<PageTools> {
    ensure_wasm_std()?;
    let trunk = tools::ensure_trunk()?;
    let bindgen = tools::ensure_wasm_bindgen()?;
    Ok(PageTools { directories: [trunk, bindgen].into_iter().flatten().collect() })
}

/// Gets the compiler's standard library for the browser, if it is missing.
///
/// # Errors
/// As [`ensure`].
pub fn ensure_wasm_std() -> Result<()> {
    wasm_std::ensure(&Compiler::here()?)
}

/// The compiler that this repository is built with.
#[derive(Debug)]
pub struct Compiler {
    /// `1.95.0`.
    pub version: String,
    /// Where it and its libraries lie.
    pub sysroot: PathBuf,
}

impl Compiler {
    /// Asks rustc.
    ///
    /// # Errors
    /// When there is no rustc, or it answers in a way nobody knows.
    pub fn here() -> Result<Self> {
        let verbose = proc::output(rustc().arg("-vV"))?;
        let version = verbose
            .lines()
            .find_map(|line| line.strip_prefix("release: "))
            .context("`rustc -vV` names no release")?
            .to_owned();
        let sysroot = proc::output(rustc().args(["--print", "sysroot"]))?;
        Ok(Self { version, sysroot: PathBuf::from(sysroot.trim()) })
    }
}

/// rustc as the root of the repository pins it.
fn rustc() -> Command {
    let program = std::env::var_os("RUSTC").unwrap_or_else(|| OsString::from("rustc"));
    let mut command = Command::new(program);
    command.current_dir(repo::root());
    command
}
