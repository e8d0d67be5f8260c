//! A real PostgreSQL cluster of our own, in a temporary directory, on a free port of 127.0.0.1.
//!
//! It refuses to run as root, so it runs under the user `postgres` that Debian's package makes. Durability is
//! off: what is in it lives as long as the test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::open_dir;
use super::reaper::Reaper;
use crate::proc;

/// Where the newest installed PostgreSQL keeps `initdb` and `postgres`.
pub fn bin_dir() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let version = entry.file_name().to_str()?.parse().ok()?;
            Some((version, entry.path().join("bin")))
        })
        .filter(|(_, bin)| {
            proc::is_executable(&bin.join("initdb")) && proc::is_executable(&bin.join("postgres"))
        })
        .collect();
    versions.sort();
    versions.pop().map(|(_, bin)| bin)
}

/// A running PostgreSQL. Dropping it ends it and removes its data.
#[derive(Debug)]
pub struct Postgres {
    bin: PathBuf,
    dir: PathBuf,
    port: u16,
    process: Child,
    reaper: Option<Reaper>,
}

impl Postgres {
    /// Makes a cluster and starts it. Takes about 2 s.
    ///
    /// # Errors
    /// When PostgreSQL is not installed, we are not root, or it does not come up; the message carries its log.
    pub fn start() -> Result<Self> {
        let bin = bin_dir().context("PostgreSQL is not installed (Debian's package: postgresql)")?;
        let dir = open_dir("vms-postgres-")?;
        let reaper = Reaper::arm(&dir, "end_ours postgres INT")?;
        let data = dir.join("data");
        proc::run(Command::new("chown").arg("postgres:").arg(&dir))?;
        proc::output(
            as_postgres(&bin.join("initdb"))
                .args([
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C",
                    "--no-sync",
                    "--username=postgres",
                    "-D",
                ])
                .arg(&data),
        )?;
        let port = proc::free_port()?;
        let log = dir.join("postgres.log");
        let process = proc::spawn_logged(
            as_postgres(&bin.join("postgres"))
                .arg("-D")
                .arg(&data)
                .args(["-h", "127.0.0.1", "-p", &port.to_string(), "-k"])
                .arg(&dir)
                .args(["-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"]),
            &log,
        )?;
        let mut postgres = Self { bin, dir, port, process, reaper: Some(reaper) };
        postgres.wait_ready().with_context(|| format!("PostgreSQL said: {}", proc::tail(&log, 8)))?;
        Ok(postgres)
    }

    /// The directory that holds its data, its log and its socket.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The address of a database that exists: `postgres://postgres@127.0.0.1:port/postgres`.
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// A new, empty database; gives its address.
    ///
    /// # Errors
    /// When the name is taken or no database name.
    pub fn create_database(&self, name: &str) -> Result<String> {
        proc::output(
            Command::new(self.bin.join("createdb"))
                .args(["-h", "127.0.0.1", "-U", "postgres", "-p", &self.port.to_string(), "--", name])
                .current_dir("/"),
        )?;
        Ok(self.url_of(name))
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    fn wait_ready(&mut self) -> Result<()> {
        let check = self.bin.join("pg_isready");
        let port = self.port.to_string();
        let process = &mut self.process;
        proc::wait_for("PostgreSQL", Duration::from_secs(30), || {
            if let Some(status) = process.try_wait()? {
                anyhow::bail!("it ended ({status})");
            }
            let ready =
                proc::output(Command::new(&check).args(["-q", "-h", "127.0.0.1", "-p", &port])).is_ok();
            Ok(ready.then_some(()))
        })
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.reaper.take());
        if let Err(error) = self.process.wait() {
            crate::ui::say(format!("lost track of PostgreSQL in {}: {error}", self.dir.display()));
        }
    }
}

/// A command that runs `program` as the user `postgres`.
fn as_postgres(program: &Path) -> Command {
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]).arg(program).current_dir("/");
    command
}
