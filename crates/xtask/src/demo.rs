//! `cargo xtask demo`: the whole system on one machine, with nothing set up. The directory is an LDAP server in
//! this process, LXD is simulated (or a real one, by `--lxd SOCKET`), the database is a fresh SQLite file.
//!
//! Everything is in `target/demo/`; Ctrl-C takes it all down. Should this process be killed, the reaper ends
//! the others.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::directory::{Directory, DirectoryServer};
use crate::lab::{open_dir, reaper::Reaper};
use crate::vms_toml::VmsToml;
use crate::{build, proc, repo, ui};

/// Options of the demo.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// Leave the pages to `trunk serve` in frontend/, which hands /api on to this server.
    #[arg(long)]
    api_only: bool,
    /// Port of 127.0.0.1 to listen on.
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Do not open a browser.
    #[arg(long)]
    no_open: bool,
    /// The unix socket of a real LXD or Incus, in place of the simulated one.
    #[arg(long, value_name = "SOCKET")]
    lxd: Option<PathBuf>,
}

/// Image and profile of the simulated server that new machines get.
const SIMULATED: (&str, &str) = ("debian-12", "alunos");

/// Programs of the demo that run beside this process. Dropping ends them, last started first.
struct Children {
    running: Vec<(&'static str, Child, PathBuf)>,
    /// Ends them should we be killed; also removes the directory with the socket.
    _reaper: Reaper,
}

impl Children {
    fn start(&mut self, name: &'static str, command: &mut Command, log: &Path) -> Result<()> {
        let child = proc::spawn_logged(command, log)?;
        self.running.push((name, child, log.to_owned()));
        Ok(())
    }

    /// An error when one of them has ended.
    fn all_alive(&mut self) -> Result<()> {
        for (name, child, log) in &mut self.running {
            if let Some(status) = child.try_wait()? {
                bail!("{name} ended ({status}). The end of {}:\n{}", log.display(), proc::tail(log, 15));
            }
        }
        Ok(())
    }
}

impl Drop for Children {
    fn drop(&mut self) {
        for (name, child, _) in self.running.iter_mut().rev() {
            if let Err(error) = proc::stop_child(child, Duration::from_secs(10)) {
                ui::say(format!("could not end {name}: {error:#}"));
            }
        }
    }
}

/// Builds and runs the demo until Ctrl-C.
///
/// # Errors
/// When the port is taken, something does not build, or a part ends by itself.
pub fn run(options: &DemoOptions) -> Result<()> {
    port_is_free(options.port)?;
    let pages = if options.api_only { None } else { Some(build::pages()?) };
    build::server()?;
    tokio::runtime::Runtime::new().context("cannot start the runtime")?.block_on(serve(options, pages))
}

async fn serve(options: &DemoOptions, pages: Option<PathBuf>) -> Result<()> {
    let state = fresh_state()?;
    let run_dir = open_dir("vms-demo-")?;
    let mut children =
        Children { running: Vec::new(), _reaper: Reaper::arm(&run_dir, "end_ours 'vms lxd-sim'")? };

    // A class, so that the teacher has students to look after.
    let school = Directory::school().with_group("turma-a", &["bruno", "ana", "prof"]);
    let people = DirectoryServer::start(school, SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).await?;
    let socket = match &options.lxd {
        Some(socket) => real_socket(socket)?,
        None => start_simulator(&mut children, &run_dir, &state)?,
    };
    let config = VmsToml {
        port: options.port,
        static_dir: pages,
        lxd: ("local", format!("unix://{}", socket.display())),
        directory: people.vms_config(),
        state: &state,
        defaults: options.lxd.is_none().then_some(SIMULATED),
    };
    std::fs::write(state.join("vms.toml"), config.text())?;
    // By this link the server's command line names the directory that the reaper looks for.
    let link = run_dir.join("state");
    std::os::unix::fs::symlink(&state, &link)?;
    let log = state.join("vms.log");
    children.start(
        "vms",
        Command::new(repo::binary("vms")).arg("serve").arg("--config").arg(link.join("vms.toml")),
        &log,
    )?;
    proc::wait_for("the server to be ready", Duration::from_secs(60), || {
        children.all_alive()?;
        Ok((status_of(options.port, &Asking::Get("/readyz")) == Some(200)).then_some(()))
    })
    .with_context(|| format!("the end of {}:\n{}", log.display(), proc::tail(&log, 15)))?;

    // As on the first day of term: who is in which class is known of those who have been there.
    for student in ["bruno", "ana"] {
        let body = format!("{{\"username\":\"{student}\",\"password\":\"{student}\"}}");
        let status = status_of(options.port, &Asking::Post("/api/v1/auth/login", &body));
        if status != Some(200) {
            bail!(
                "{student} cannot log in ({status:?}). The end of {}:\n{}",
                log.display(),
                proc::tail(&log, 15)
            );
        }
    }
    greet(options, &state);
    if !options.no_open && !options.api_only {
        open_browser(&url(options.port));
    }
    let ended = interrupted_or(&mut children).await;
    ui::say("stopping");
    drop(children);
    people.stop().await;
    ended
}

/// Waits for Ctrl-C or SIGTERM (fine), or for the end of a child (an error).
async fn interrupted_or(children: &mut Children) -> Result<()> {
    let mut look = tokio::time::interval(Duration::from_millis(300));
    let interrupted = interrupted();
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            done = &mut interrupted => return done,
            _ = look.tick() => children.all_alive()?,
        }
    }
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// When signals cannot be received.
pub async fn interrupted() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut hangup) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    tokio::select! {
        done = tokio::signal::ctrl_c() => done.context("cannot receive Ctrl-C"),
        _ = terminate.recv() => Ok(()),
        _ = hangup.recv() => Ok(()),
    }
}

fn port_is_free(port: u16) -> Result<()> {
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) => bail!(
            "cannot listen on 127.0.0.1:{port} ({error}). End what listens there, or choose another: \
             cargo xtask demo --port {}",
            port.saturating_add(1)
        ),
    }
}

/// `target/demo`, empty.
fn fresh_state() -> Result<PathBuf> {
    let state = repo::target().join("demo");
    if state.exists() {
        std::fs::remove_dir_all(&state).with_context(|| format!("cannot empty {}", state.display()))?;
    }
    std::fs::create_dir_all(&state)?;
    Ok(state)
}

fn real_socket(socket: &Path) -> Result<PathBuf> {
    let socket = socket.canonicalize().with_context(|| format!("there is no socket {}", socket.display()))?;
    UnixStream::connect(&socket).with_context(|| {
        format!("nobody answers on {}; is LXD running, and may you use it?", socket.display())
    })?;
    Ok(socket)
}

fn start_simulator(children: &mut Children, run_dir: &Path, state: &Path) -> Result<PathBuf> {
    let socket = run_dir.join("lxd.socket");
    children.start(
        "lxd-sim",
        Command::new(repo::binary("lxd-sim"))
            .arg("--socket")
            .arg(&socket)
            .args(["--scenario", "demo"])
            .env("RUST_LOG", "info"),
        &state.join("lxd-sim.log"),
    )?;
    proc::wait_for("the simulated LXD", Duration::from_secs(20), || {
        children.all_alive()?;
        Ok(UnixStream::connect(&socket).ok())
    })?;
    Ok(socket)
}

/// A request to the server.
enum Asking<'a> {
    Get(&'a str),
    /// With JSON.
    Post(&'a str, &'a str),
}

/// The HTTP status of the answer, or `None` while nobody answers.
fn status_of(port: u16, asking: &Asking<'_>) -> Option<u16> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    // In one piece: whoever answers the first of several may close before the last is sent.
    let request = match asking {
        Asking::Get(path) => format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"),
        Asking::Post(path, body) => format!(
            "POST {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ),
    };
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = [0_u8; 12];
    stream.read_exact(&mut answer).ok()?;
    std::str::from_utf8(&answer).ok()?.strip_prefix("HTTP/1.")?.get(2..)?.trim().parse().ok()
}

fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

fn greet(options: &DemoOptions, state: &Path) {
    let mut lines = vec![
        format!("VMS is running: {}", url(options.port)),
        String::new(),
        "user     password   role".to_owned(),
        "bruno    bruno      student, with three machines".to_owned(),
        "ana      ana        student".to_owned(),
        "prof     prof       teacher".to_owned(),
        "admin    admin      administrator".to_owned(),
        String::new(),
        format!("API      {}/docs", url(options.port)),
        format!("logs     {}", state.join("vms.log").display()),
        "stop     Ctrl-C".to_owned(),
    ];
    if options.lxd.is_some() {
        lines.retain(|line| !line.starts_with("bruno"));
        lines.insert(3, "bruno    bruno      student".to_owned());
    }
    if options.api_only {
        lines.insert(1, "API only; the pages: cd frontend && trunk serve".to_owned());
    }
    ui::boxed(&lines);
}

/// Opens a browser where there is a desktop. That it cannot is no failure: the address stands in the box.
fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let desktop = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if !(cfg!(target_os = "macos") || desktop) || proc::which(opener).is_none() {
        return;
    }
    let mut command = Command::new(opener);
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        ui::say(format!("(no browser could be opened: {error})"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_said_with_a_way_out() {
        let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let error = port_is_free(taken.local_addr().unwrap().port()).unwrap_err().to_string();
        assert!(error.contains("--port"), "{error}");
    }

    #[test]
    fn the_status_is_read() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            // All of it: closing with something unread would take the answer back.
            let mut request = Vec::new();
            let mut byte = [0_u8];
            while !request.ends_with(b"\r\n\r\n") {
                stream.read_exact(&mut byte).unwrap();
                request.extend(byte);
            }
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\n\r\n").unwrap();
        });
        assert_eq!(status_of(port, &Asking::Get("/readyz")), Some(503));
        server.join().unwrap();
        assert_eq!(status_of(port, &Asking::Get("/readyz")), None, "nobody listens any more");
    }
}
