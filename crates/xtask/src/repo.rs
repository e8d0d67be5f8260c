//! Where the repository and its build results lie.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// A binary that `cargo build` made in the dev profile.
pub fn binary(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// A binary that `cargo build --release` made.
pub fn release_binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// Where tools and other things that outlive `cargo clean` are kept: `$XDG_CACHE_HOME/vms` or `~/.cache/vms`.
pub fn cache() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(std::env::temp_dir)
        .join("vms")
}

/// The cargo that runs us (or the one on PATH), in the root of the repository.
///
/// What the outer cargo put into our environment about *this* package is taken out: build scripts of other
/// packages would otherwise be run again and again because these variables differ.
pub fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root());
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "OUT_DIR" {
            command.env_remove(name.as_ref());
        }
    }
    command
}
