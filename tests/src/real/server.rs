//! The real `vms` binary: started with a configuration of its own, killed and started again at will.

use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use xtask::lab::{open_dir, reaper::Reaper};
use xtask::{proc, repo};

/// Environment variable: a built `vms` to test in place of the one of this tree (a release build, say).
const BINARY: &str = "VMS_BINARY";

/// A running `vms serve`. Dropping it ends it and removes its database.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    dir: PathBuf,
    port: u16,
    process: Option<Child>,
    /// Ends the server also when the test that owns it is killed.
    reaper: Option<Reaper>,
}

impl Server {
    /// Starts the server and waits until it is ready. `configuration` gets the directory for its files and the port
    /// of 127.0.0.1 it shall listen on, and gives the text of `vms.toml`.
    ///
    /// # Errors
    /// When it does not build, does not start or is not ready in a minute; the message carries its log.
    pub fn start(configuration: impl FnOnce(&Path, u16) -> Result<String>) -> Result<Self> {
        let program = binary()?;
        let dir = open_dir("vms-server-")?;
        let reaper = Reaper::arm(&dir, "end_ours vms")?;
        let port = proc::free_port()?;
        std::fs::write(dir.join("vms.toml"), configuration(&dir, port)?)?;
        let mut server = Self { program, dir, port, process: None, reaper: Some(reaper) };
        server.start_again()?;
        Ok(server)
    }

    /// `http://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The end of its log, for messages.
    #[must_use]
    pub fn log(&self) -> String {
        proc::tail(&self.dir.join("vms.log"), 40)
    }

    /// Kills it with SIGKILL, as a crash or a power cut would.
    ///
    /// # Errors
    /// When it had ended by itself before.
    pub fn kill9(&mut self) -> Result<()> {
        let mut process = self.process.take().context("vms is not running")?;
        process.kill()?;
        let status = process.wait()?;
        if status.signal().is_none() {
            bail!("vms had ended by itself ({status}):\n{}", self.log());
        }
        Ok(())
    }

    /// Starts it again, with the same files and port.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub fn start_again(&mut self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(["serve", "--config"]).arg(self.dir.join("vms.toml")).current_dir(&self.dir);
        let process = proc::spawn_logged(&mut command, &self.dir.join("vms.log"))?;
        let process = self.process.insert(process);
        let port = self.port;
        proc::wait_for("vms to be ready", Duration::from_secs(60), || {
            if let Some(status) = process.try_wait()? {
                bail!("vms ended ({status})");
            }
            Ok(is_ready(port).then_some(()))
        })
        .with_context(|| format!("the end of its log:\n{}", self.log()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            xtask::ui::say(format!("--- the end of the log of vms:\n{}\n---", self.log()));
        }
        if let Some(process) = &mut self.process
            && let Err(error) = proc::stop_child(process, Duration::from_secs(20))
        {
            xtask::ui::say(format!("could not end vms: {error:#}"));
        }
        drop(self.reaper.take());
    }
}

/// Whether `GET /readyz` says 200. Plain bytes: this is asked before any client could be of use.
fn is_ready(port: u16) -> bool {
    use std::io::Write as _;
    let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) else { return false };
    let mut answer = [0_u8; 12];
    let asked = stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .and_then(|()| {
            stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        })
        .and_then(|()| stream.read_exact(&mut answer));
    asked.is_ok() && &answer == b"HTTP/1.1 200"
}

/// The server's program: built when it is missing, or older than a source file it was made from.
fn binary() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(BINARY) {
        return Ok(given.into());
    }
    let program = repo::binary("vms");
    if is_stale(&program) {
        xtask::build::server()?;
    }
    Ok(program)
}

/// Cargo writes beside every binary which files of this tree went into it (`vms: /…/main.rs /…/lib.rs …`).
fn is_stale(program: &Path) -> bool {
    let age = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified());
    let (Ok(built), Ok(made_from)) = (age(program), std::fs::read_to_string(program.with_extension("d")))
    else {
        return true;
    };
    let newer = |path: &str| age(Path::new(path)).map_or(true, |changed: SystemTime| changed > built);
    made_from.split_once(": ").is_none_or(|(_, files)| files.split_whitespace().any(newer))
}
