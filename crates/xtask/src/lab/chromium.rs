//! Real Chromium, driven over WebDriver: starts `chromedriver` on a free port; the caller opens sessions with
//! the arguments of [`Chromedriver::arguments`].

use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::open_dir;
use super::reaper::Reaper;
use crate::proc;

/// Flags that keep Chromium quiet: no window, no network of its own, no first-run pages.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
];

/// A running chromedriver. Dropping it ends it and every browser it started.
#[derive(Debug)]
pub struct Chromedriver {
    dir: PathBuf,
    port: u16,
    process: Child,
    reaper: Option<Reaper>,
}

impl Chromedriver {
    /// Starts chromedriver. Takes less than a second.
    ///
    /// # Errors
    /// When it is not installed or does not come up; the message carries its log.
    pub fn start() -> Result<Self> {
        let program = proc::which("chromedriver")
            .context("chromedriver is not installed (Debian's packages: chromium chromium-driver)")?;
        let dir = open_dir("vms-chromium-")?;
        // The browsers name the directory by their --user-data-dir, chromedriver by its --log-path.
        let reaper = Reaper::arm(
            &dir,
            "end_ours 'chromedriver chromium chrome chrome_crashpad chrome_crashpad_handler'",
        )?;
        let port = proc::free_port()?;
        let log = dir.join("chromedriver.log");
        let mut process = proc::spawn_logged(
            Command::new(program).arg(format!("--port={port}")).arg(format!("--log-path={}", log.display())),
            &dir.join("output.log"),
        )?;
        let ready = proc::wait_for("chromedriver", Duration::from_secs(20), || {
            if let Some(status) = process.try_wait()? {
                bail!("it ended ({status})");
            }
            Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())
        });
        let driver = Self { dir, port, process, reaper: Some(reaper) };
        ready.with_context(|| {
            format!("chromedriver said: {}", proc::tail(&driver.dir.join("output.log"), 8))
        })?;
        Ok(driver)
    }

    /// The address that a WebDriver client connects to.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The arguments for one browser session: each has a new profile directory of its own.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub fn arguments(&self) -> Result<Vec<String>> {
        let profile = tempfile::Builder::new().prefix("profile-").tempdir_in(&self.dir)?.keep();
        let mut arguments: Vec<String> = FLAGS.iter().map(|flag| (*flag).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        Ok(arguments)
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        drop(self.reaper.take());
        if let Err(error) = self.process.wait() {
            crate::ui::say(format!("lost track of chromedriver: {error}"));
        }
    }
}
