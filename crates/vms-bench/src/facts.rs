//! What a figure is worth nothing without: the machine, the versions, the day, the command.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use xtask::{proc, repo};

/// The machine and the versions.
#[derive(Debug, Clone)]
pub struct Facts {
    machine: String,
    versions: String,
    date: String,
    quick: bool,
}

impl Facts {
    /// Asks the machine.
    ///
    /// # Errors
    /// When `/proc`, git or the compiler do not answer.
    pub fn gather(quick: bool) -> Result<Self> {
        let info = read("/proc/cpuinfo")?;
        let cpu = value(&info, "model name").unwrap_or("unknown processor").trim().to_owned();
        let cores = info.lines().filter(|line| line.starts_with("processor")).count();
        let memory = read("/proc/meminfo")?;
        let kib: u64 =
            value(&memory, "MemTotal").and_then(|v| v.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0);
        let kernel = read("/proc/sys/kernel/osrelease")?;
        let git = |args: &[&str]| proc::output(Command::new("git").current_dir(repo::root()).args(args));
        let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
        let changed = !git(&["status", "--porcelain", "--untracked-files=no", "--", ":!docs"])?.is_empty();
        let rustc = proc::output(Command::new("rustc").current_dir(repo::root()).arg("--version"))?;
        let lxd = proc::which("lxd")
            .and_then(|lxd| proc::output(Command::new(lxd).arg("--version")).ok())
            .map_or_else(String::new, |version| format!(", LXD {}", version.trim()));
        Ok(Self {
            machine: format!(
                "{cores} × {cpu}, {} GiB memory, Linux {}",
                kib.div_ceil(1 << 20),
                kernel.trim()
            ),
            versions: format!(
                "VMS {}{}{lxd}, {}",
                commit.trim(),
                if changed { " with changes" } else { "" },
                rustc.split(" (").next().unwrap_or_default()
            ),
            date: chrono::Utc::now().format("%Y-%m-%d").to_string(),
            quick,
        })
    }

    /// One line above the figures of a part.
    pub fn line(&self, part: &str) -> String {
        let quick = if self.quick { " --quick" } else { "" };
        format!("*{} · {} · {} · `cargo xtask bench {part}{quick}`*", self.date, self.machine, self.versions)
    }
}

fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(Path::new(file)).with_context(|| format!("cannot read {file}"))
}

fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == key)
        .map(|(_, value)| value)
}
