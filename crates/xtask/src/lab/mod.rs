//! The lab: real LXD, Incus, OpenLDAP, PostgreSQL and Chromium, started for a test and taken down after it.
//!
//! Everything lives in temporary directories of its own and undoes itself when it is dropped: also on panic,
//! and (see [`reaper`]) when the process that started it is killed. Nothing here touches a daemon, a database
//! or a bridge that was there before.

pub mod chromium;
pub mod cluster;
pub mod command;
pub mod daemon;
pub mod image;
pub mod packages;
pub mod postgres;
pub mod reaper;
pub mod slapd;
pub mod subnet;

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

pub use chromium::Chromedriver;
pub use cluster::Cluster;
pub use daemon::{Daemon, DaemonOptions, Flavour, Pool};
pub use packages::Part;
pub use postgres::Postgres;

/// Real LXD; see [`Daemon`].
pub type Lxd = Daemon;
/// How to start real LXD; see [`DaemonOptions`].
pub type LxdOptions = DaemonOptions;

/// Environment variable: a file to which [`need`] appends what could not run (`cargo xtask test` reads it).
pub const SKIP_REPORT: &str = "VMS_SKIP_REPORT";

/// Whether the machine has what a test needs: `lxd`, `incus`, `slapd`, `postgres` or `chromium`.
///
/// Tests call it first: `if !xtask::lab::need("lxd") { return; }`. When the part is missing the reason is
/// printed (and recorded for the summary of `cargo xtask test`), and `false` comes back.
///
/// # Panics
/// When the part is missing and the environment variable `CI` is set: there, a suite that cannot run is a
/// failure. Also when `what` is no part of the lab.
#[must_use]
#[expect(clippy::panic, reason = "a test helper: in CI a missing part must fail the test that needs it")]
pub fn need(what: &str) -> bool {
    let Some(part) = Part::named(what) else {
        panic!("the lab has no part called {what:?}; it has {}", Part::names().join(", "));
    };
    let Some(reason) = part.missing() else {
        return true;
    };
    if std::env::var_os("CI").is_some() {
        panic!("{what} is needed here, because CI is set, but {reason}");
    }
    let line = format!("SKIPPED what needs {what}, because {reason}");
    crate::ui::say(&line);
    if let Some(path) = std::env::var_os(SKIP_REPORT) {
        let written = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&path)
            .and_then(|mut file| writeln!(file, "{line}"));
        if let Err(error) = written {
            crate::ui::say(format!("(and {} cannot be written: {error})", PathBuf::from(path).display()));
        }
    }
    false
}

/// A new temporary directory that other users' processes may pass through (0711) but not list: unprivileged
/// containers, and PostgreSQL under its own user, have to reach what lies inside.
///
/// It is *not* removed by itself: the [`reaper::Reaper`] that goes with it does that.
///
/// # Errors
/// When it cannot be made.
pub fn open_dir(prefix: &str) -> Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .context("cannot make a temporary directory")?
        .keep();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o711))?;
    Ok(dir)
}
