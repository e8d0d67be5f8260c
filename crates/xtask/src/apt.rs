//! Debian's packages, by the machine's own apt: its mirrors, its proxies, its keys, its checksums.
//!
//! Two things are wanted that a plain `apt-get install` does not give: packages of a *suite the machine does
//! not list* (Incus from backports, a std source package of exactly the compiler's version), and only for us:
//! the machine's list of sources stays as it is. apt takes other lists by options, so no file in `/etc` changes.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::proc;

/// Seconds that apt waits for another apt to finish.
const LOCK_TIMEOUT: &str = "DPkg::Lock::Timeout=300";
/// Debian's own keyring; a suite that the machine does not list yet is verified with it.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Where this machine gets Debian from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Base address, as the machine's sources name it.
    pub uri: String,
    /// Code name of the release it runs (`bookworm`).
    pub codename: String,
}

/// An `apt-get` that asks nothing and waits for locks.
pub fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").args(["-q", "-y", "-o", LOCK_TIMEOUT]);
    command
}

/// Whether this is Debian or a relative, with apt and dpkg.
pub fn is_here() -> bool {
    proc::which("apt-get").is_some() && proc::which("dpkg-query").is_some()
}

/// Whether we run as root.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Which of `packages` are not installed.
///
/// # Errors
/// When dpkg cannot be asked.
pub fn not_installed(packages: &[&'static str]) -> Result<Vec<&'static str>> {
    let mut missing = Vec::new();
    for package in packages {
        let out = Command::new("dpkg-query")
            .args(["--show", "--showformat", "${db:Status-Status}", package])
            .output()
            .context("cannot start dpkg-query")?;
        if String::from_utf8_lossy(&out.stdout) != "installed" {
            missing.push(*package);
        }
    }
    Ok(missing)
}

/// The mirror of Debian that the machine's own sources name.
///
/// # Errors
/// When apt cannot be asked, or lists no Debian.
pub fn mirror() -> Result<Mirror> {
    let codename = release_codename()?;
    if let Some(mirror) = mirror_in(&index_targets(None)?, &codename) {
        return Ok(mirror);
    }
    // A machine whose lists were never fetched (a fresh container) shows none: fetch them, for us alone.
    let lists = tempfile::tempdir()?;
    std::fs::create_dir(lists.path().join("partial"))?;
    proc::output(
        Command::new("apt-get")
            .args(["-q", "-o", "APT::Sandbox::User=root"])
            .args(private(lists.path()))
            .arg("update"),
    )?;
    mirror_in(&index_targets(Some(lists.path()))?, &codename)
        .with_context(|| format!("the sources of apt list no {codename}/main, so there is no mirror to ask"))
}

/// What apt fetches, as `URI|code name|component` lines, according to its lists in `lists` (or the machine's).
fn index_targets(lists: Option<&Path>) -> Result<String> {
    let mut command = Command::new("apt-get");
    if let Some(lists) = lists {
        command.args(private(lists));
    }
    proc::output(command.args([
        "indextargets",
        "--format",
        "$(REPO_URI)|$(CODENAME)|$(COMPONENT)",
        "Created-By: Packages",
    ]))
}

/// The option that makes apt keep its lists in `lists`.
fn private(lists: &Path) -> [String; 2] {
    ["-o".to_owned(), format!("Dir::State::lists={}", lists.display())]
}

/// Picks the mirror out of `URI|release|component` lines.
fn mirror_in(listed: &str, codename: &str) -> Option<Mirror> {
    listed.lines().find_map(|line| {
        let mut fields = line.split('|');
        let (uri, release, component) = (fields.next()?, fields.next()?, fields.next()?);
        (release == codename && component == "main")
            .then(|| Mirror { uri: uri.trim_end_matches('/').to_owned(), codename: codename.to_owned() })
    })
}

/// The code name in `/etc/os-release`.
fn release_codename() -> Result<String> {
    let text = std::fs::read_to_string("/etc/os-release").context("cannot read /etc/os-release")?;
    text.lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .map(|name| name.trim_matches('"').to_owned())
        .context("/etc/os-release names no VERSION_CODENAME")
}

/// Installs packages, without what they only recommend. `apt-get update` runs only when apt does not know them.
///
/// # Errors
/// When apt refuses or fails.
pub fn install(packages: &[&str]) -> Result<()> {
    let simulate = |packages: &[&str]| {
        let mut command = apt_get();
        command.args(["--simulate", "--no-install-recommends", "install"]).args(packages);
        proc::output(&mut command)
    };
    if simulate(packages).is_err() {
        proc::run(apt_get().arg("update"))?;
    }
    let install =
        |packages: &[&str]| proc::run(apt_get().args(["--no-install-recommends", "install"]).args(packages));
    if install(packages).is_err() {
        // A list that is older than the mirror names files that are gone.
        proc::run(apt_get().arg("update"))?;
        install(packages)?;
    }
    Ok(())
}

/// Installs packages of `{codename}-backports`, whether or not the machine lists that suite.
///
/// # Errors
/// When there is no mirror, or apt refuses or fails.
pub fn install_from_backports(packages: &[&str]) -> Result<()> {
    let mirror = mirror()?;
    let suite = format!("{}-backports", mirror.codename);
    let dir = tempfile::tempdir()?;
    let list = dir.path().join("sources.list");
    let mut text = match std::fs::read_to_string("/etc/apt/sources.list") {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).context("cannot read /etc/apt/sources.list"),
    };
    text.push_str(&source_line(&mirror, &suite));
    std::fs::write(&list, text)?;
    let with_list = || {
        let mut command = apt_get();
        command.arg("-o").arg(format!("Dir::Etc::sourcelist={}", list.display()));
        command
    };
    proc::run(with_list().arg("update"))?;
    proc::run(
        with_list().args(["--no-install-recommends", "--target-release", &suite, "install"]).args(packages),
    )
}

/// One line of sources.list, verified with Debian's keyring.
fn source_line(mirror: &Mirror, suite: &str) -> String {
    format!("\ndeb [signed-by={KEYRING}] {} {suite} main\n", mirror.uri)
}

/// Downloads the newest package `name` whose version starts with `version`, looking through `suites`
/// (`None` stands for the backports of the machine's own release), into `dir`; gives the `.deb`.
///
/// Needs no root and changes nothing outside `dir`. apt verifies signature and checksum.
///
/// # Errors
/// When no suite has that version, or the download fails.
pub fn download(name: &str, version: &str, suites: &[&str], dir: &Path) -> Result<PathBuf> {
    let mirror = mirror()?;
    for sub in ["lists/partial", "cache/archives/partial", "deb"] {
        std::fs::create_dir_all(dir.join(sub))?;
    }
    let list = dir.join("sources.list");
    let options = |program: &str| {
        let mut command = Command::new(program);
        for (key, value) in [
            ("Dir::Etc::sourcelist", list.clone()),
            ("Dir::Etc::sourceparts", PathBuf::from("-")),
            ("Dir::State::lists", dir.join("lists")),
            ("Dir::Cache", dir.join("cache")),
            ("Acquire::Languages", PathBuf::from("none")),
        ] {
            command.arg("-o").arg(format!("{key}={}", value.display()));
        }
        // Our directory is not readable for apt's own sandbox user.
        command.args(["-o", "APT::Sandbox::User=root"]);
        command
    };
    let mut tried = Vec::new();
    for suite in suites {
        tried.push(*suite);
        std::fs::write(&list, source_line(&mirror, suite))?;
        if let Err(error) = proc::output(options("apt-get").args(["-q", "update"])) {
            crate::ui::say(format!("    {suite} cannot be read: {error:#}"));
            continue;
        }
        let known = proc::output(options("apt-cache").args(["madison", name]))?;
        if let Some(full) = version_in(&known, version) {
            proc::output(
                options("apt-get")
                    .args(["-q", "download"])
                    .arg(format!("{name}={full}"))
                    .current_dir(dir.join("deb")),
            )?;
            return std::fs::read_dir(dir.join("deb"))?
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
                .with_context(|| format!("apt downloaded {name} {full}, but left no .deb"));
        }
    }
    bail!("no {name} {version} in any of {} on {}", tried.join(", "), mirror.uri)
}

/// The first version in the output of `apt-cache madison` whose upstream part is `version`.
fn version_in(madison: &str, version: &str) -> Option<String> {
    madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim).find_map(|full| {
        full.strip_prefix(version).filter(|rest| rest.starts_with(['+', '-', '~'])).map(|_| full.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_the_one_of_the_release_itself() {
        let listed = "http://a.example/security/|bookworm-security|main\n\
                      http://b.example/tools/|nodistro|main\n\
                      http://c.example/debian/|bookworm|contrib\n\
                      http://c.example/debian/|bookworm|main\n";
        let mirror = mirror_in(listed, "bookworm").unwrap();
        assert_eq!(mirror.uri, "http://c.example/debian");
        assert_eq!(mirror_in(listed, "trixie"), None);
    }

    #[test]
    fn only_exactly_the_wanted_version_is_taken() {
        let madison =
            " rust-src | 1.95.10+dfsg1-2 | x\n rust-src | 1.95.0+dfsg1-2~bpo13+1 | http://m trixie\n";
        assert_eq!(version_in(madison, "1.95.0").unwrap(), "1.95.0+dfsg1-2~bpo13+1");
        assert_eq!(version_in(madison, "1.95.1"), None);
    }
}
