//! Which test binaries there are: cargo compiles them all in one go and says where they lie.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{proc, repo};

/// One compiled test program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestBinary {
    /// The target's name: that of the crate for unit tests, of the file for integration tests.
    pub name: String,
    /// Directory of its package; tests run there.
    pub package: PathBuf,
    /// The program.
    pub program: PathBuf,
    /// Whether it needs real parts.
    pub real: bool,
}

/// The order in which the known suites run; others come after them.
const ORDER: [&str; 4] = ["directory", "conformance", "system", "browser"];

#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Profile {
    test: bool,
}

/// Compiles the binaries of the workspace and every test, the real ones too.
pub fn compile() -> Result<Vec<TestBinary>> {
    let mut command = repo::cargo();
    command.args(["build", "--workspace", "--exclude", "vms-frontend", "--features", "vms-tests/real"]);
    command.args(["--bins", "--tests", "--message-format", "json-render-diagnostics"]);
    let out = command.stderr(Stdio::inherit()).output().context("cannot start cargo")?;
    if !out.status.success() {
        bail!("`{}` failed", proc::shown(&command));
    }
    let binaries = parse(&String::from_utf8_lossy(&out.stdout), &real_suites()?);
    if binaries.is_empty() {
        bail!("cargo compiled no test at all");
    }
    Ok(binaries)
}

fn parse(messages: &str, real: &BTreeSet<String>) -> Vec<TestBinary> {
    let mut binaries: Vec<TestBinary> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Message>(line).ok())
        .filter(|message| message.reason == "compiler-artifact")
        .filter(|message| message.profile.as_ref().is_some_and(|profile| profile.test))
        .filter_map(|message| {
            let target = message.target?;
            let package = message.manifest_path?.parent()?.to_owned();
            let of_tests = package.file_name().is_some_and(|name| name == "tests");
            let real =
                of_tests && target.kind.iter().any(|kind| kind == "test") && real.contains(&target.name);
            Some(TestBinary { name: target.name, package, program: message.executable?, real })
        })
        .collect();
    binaries.sort_by_key(|binary| {
        let rank = ORDER.iter().position(|name| *name == binary.name).unwrap_or(ORDER.len());
        (binary.real, rank, binary.package.clone(), binary.name.clone())
    });
    binaries
}

/// The test targets of the `tests` package that need the feature `real`.
fn real_suites() -> Result<BTreeSet<String>> {
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(default)]
        test: Vec<Entry>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    struct Entry {
        name: String,
        #[serde(default)]
        required_features: Vec<String>,
    }
    let file = repo::root().join("tests/Cargo.toml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let manifest: Manifest =
        toml::from_str(&text).with_context(|| format!("cannot parse {}", file.display()))?;
    Ok(manifest
        .test
        .into_iter()
        .filter(|entry| entry.required_features.iter().any(|feature| feature == "real"))
        .map(|entry| entry.name)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifacts_become_binaries_in_order() {
        let line = |package: &str, name: &str, kind: &str, test: bool| {
            serde_json::json!({
                "reason": "compiler-artifact", "manifest_path": format!("/r/{package}/Cargo.toml"),
                "target": {"name": name, "kind": [kind]}, "profile": {"test": test}, "executable": format!("/t/{name}"),
            })
            .to_string()
        };
        let messages = [
            line("tests", "browser", "test", true),
            line("crates/vms-auth", "directory", "test", true),
            line("tests", "directory", "test", true),
            line("crates/vms-server", "vms", "bin", false),
            "{\"reason\":\"build-finished\",\"success\":true}".to_owned(),
        ]
        .join("\n");
        let real = ["browser", "directory"].map(str::to_owned).into();
        let found: Vec<_> =
            parse(&messages, &real).into_iter().map(|binary| (binary.name, binary.real)).collect();
        let expected = [("directory", false), ("directory", true), ("browser", true)];
        assert_eq!(found, expected.map(|(name, real)| (name.to_owned(), real)));
    }
}
