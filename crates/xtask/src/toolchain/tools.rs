//! trunk and wasm-bindgen: taken from PATH when the version is right, otherwise built once by `cargo install`
//! into the cache (`~/.cache/vms/tools/<name>-<version>`), where `cargo clean` does not reach them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{proc, repo, ui};

/// The newest trunk that our compiler builds.
const TRUNK: &str = "0.21.14";

/// A tool that cargo can install.
struct Tool<'a> {
    package: &'a str,
    program: &'a str,
    version: &'a str,
    options: &'a [&'a str],
    /// Settings of cargo's release profile: these tools run for seconds, so building them must be quick.
    optimise: &'a str,
    usual: &'a str,
}

/// trunk's directory, or `None` when PATH has the right one.
pub fn ensure_trunk() -> Result<Option<PathBuf>> {
    Tool {
        package: "trunk",
        program: "trunk",
        version: TRUNK,
        options: &["--no-default-features"],
        optimise: "1",
        usual: "4 min",
    }
    .ensure()
}

/// wasm-bindgen's directory, or `None` when PATH has the right one. Its version must be exactly that of the
/// library in Cargo.lock.
pub fn ensure_wasm_bindgen() -> Result<Option<PathBuf>> {
    let lock = repo::root().join("Cargo.lock");
    let text = std::fs::read_to_string(&lock).with_context(|| format!("cannot read {}", lock.display()))?;
    let version = locked_version(&text, "wasm-bindgen")
        .with_context(|| format!("{} names no wasm-bindgen", lock.display()))?;
    Tool {
        package: "wasm-bindgen-cli",
        program: "wasm-bindgen",
        version: &version,
        options: &[],
        optimise: "0",
        usual: "1 min",
    }
    .ensure()
}

impl Tool<'_> {
    fn ensure(&self) -> Result<Option<PathBuf>> {
        if proc::which(self.program).is_some_and(|path| self.is_right(&path)) {
            return Ok(None);
        }
        let root = repo::cache().join("tools").join(format!("{}-{}", self.package, self.version));
        let bin = root.join("bin");
        if self.is_right(&bin.join(self.program)) {
            return Ok(Some(bin));
        }
        let step = ui::Step::begin(
            format!("building {} {} (once; kept in {})", self.package, self.version, root.display()),
            self.usual,
        );
        // First with the versions that its authors locked; a mirror that lacks one of them gets to choose.
        if let Err(error) = self.install(&root, true) {
            ui::say(format!("    {error:#}; trying again with the newest fitting versions"));
            self.install(&root, false)?;
        }
        if !self.is_right(&bin.join(self.program)) {
            bail!(
                "cargo installed {} into {}, but it is not version {}",
                self.package,
                bin.display(),
                self.version
            );
        }
        step.done();
        Ok(Some(bin))
    }

    fn install(&self, root: &Path, locked: bool) -> Result<()> {
        let mut command = repo::cargo();
        command
            .current_dir(std::env::temp_dir())
            .args(["install", self.package, "--version", self.version, "--force", "--root"])
            .arg(root)
            .args(self.options)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", self.optimise)
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
            .env_remove("CARGO_TARGET_DIR");
        if locked {
            command.arg("--locked");
        }
        proc::run(&mut command)
    }

    /// Whether `program` runs and says the wanted version.
    fn is_right(&self, program: &Path) -> bool {
        proc::is_executable(program)
            && proc::output(Command::new(program).arg("--version").env_remove("NO_COLOR"))
                .is_ok_and(|said| said.split_whitespace().nth(1) == Some(self.version))
    }
}

/// The version of `package` in the text of a Cargo.lock.
fn locked_version(lock: &str, package: &str) -> Option<String> {
    let lock: toml::Table = lock.parse().ok()?;
    lock.get("package")?
        .as_array()?
        .iter()
        .find(|entry| entry.get("name").and_then(toml::Value::as_str) == Some(package))?
        .get("version")?
        .as_str()
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_comes_from_the_lock() {
        let lock = "version = 4\n[[package]]\nname = \"wasm-bindgen-macro\"\nversion = \"0.1.0\"\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").unwrap(), "0.2.130");
        assert_eq!(locked_version(lock, "serde"), None);
    }
}
