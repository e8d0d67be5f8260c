//! Running other programs: with errors that say which command failed and what it printed, with deadlines,
//! and in process groups of their own, so that Ctrl-C reaches us first and we end our children in order.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal};

/// The path of a program on PATH (and in the sbin directories, which are not on everyone's PATH).
pub fn which(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|file| is_executable(file))
}

/// Whether `file` is a regular file that may be executed.
pub fn is_executable(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// The command as one would type it.
pub fn shown(command: &Command) -> String {
    std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Runs a command whose output the user should see.
///
/// # Errors
/// When it cannot be started or ends with another code than 0.
pub fn run(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Runs a command and gives what it wrote to standard output.
///
/// # Errors
/// When it cannot be started or fails; the message carries what it wrote to standard error.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !out.status.success() {
        bail!(
            "`{}` failed ({}): {}",
            shown(command),
            out.status,
            String::from_utf8_lossy(&out.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Runs a command that reads `input`, and gives its standard output.
///
/// # Errors
/// As [`output`].
pub fn output_with_input(command: &mut Command, input: &str) -> Result<String> {
    use std::io::{Seek as _, Write as _};
    let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
    file.write_all(input.as_bytes())?;
    file.rewind()?;
    let name = shown(command);
    let out = command.stdin(file).output().with_context(|| format!("cannot start `{name}`"))?;
    if !out.status.success() {
        bail!("`{name}` failed ({}): {}", out.status, String::from_utf8_lossy(&out.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Starts a program that keeps running, in a process group of its own; what it writes is appended to `log`.
///
/// # Errors
/// When the log cannot be opened or the program not be started.
pub fn spawn_logged(command: &mut Command, log: &Path) -> Result<Child> {
    let out = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("cannot open the log {}", log.display()))?;
    let err = out.try_clone()?;
    command
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err)
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))
}

/// Ends a child: SIGTERM, then SIGKILL when it is still there after `patience`.
///
/// # Errors
/// When the child can neither be signalled nor waited for.
pub fn stop_child(child: &mut Child, patience: Duration) -> Result<()> {
    if child.try_wait()?.is_some() {
        return Ok(());
    }
    signal(child.id(), Signal::TERM)?;
    let deadline = Instant::now() + patience;
    while Instant::now() < deadline {
        if child.try_wait()?.is_some() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Sends a signal to one process of ours, by its id.
///
/// # Errors
/// When there is no such process or it may not be signalled.
pub fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).context("not a process id")?;
    rustix::process::kill_process(pid, signal).context("cannot signal the process")
}

/// Asks `ready` again and again (every 50 ms) until it gives a value or the time is over.
///
/// # Errors
/// When `patience` is over; the message says what was waited for.
pub fn wait_for<T>(
    what: &str,
    patience: Duration,
    mut ready: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = ready()? {
            return Ok(value);
        }
        if Instant::now() >= deadline {
            bail!("waited {} for {what}, in vain", crate::ui::seconds(patience));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A TCP port of 127.0.0.1 that was free a moment ago.
///
/// # Errors
/// When no socket can be bound at all.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("cannot bind to 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

/// The last lines of a log, for error messages. An unreadable log is said, not hidden.
pub fn tail(log: &Path, lines: usize) -> String {
    match std::fs::read(log) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let all: Vec<&str> = text.lines().collect();
            all.get(all.len().saturating_sub(lines)..).unwrap_or_default().join("\n")
        }
        Err(error) => format!("(the log {} cannot be read: {error})", log.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_the_command_wrote() {
        let error =
            output(Command::new("sh").args(["-c", "echo broken >&2; exit 3"])).unwrap_err().to_string();
        assert!(error.contains("broken") && error.contains("sh -c"), "{error}");
    }

    #[test]
    fn a_deaf_child_is_killed_after_the_patience() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let mut child = spawn_logged(
            Command::new("sh").args(["-c", "trap '' TERM; echo up; while :; do sleep 1; done"]),
            &log,
        )
        .unwrap();
        wait_for("the child", Duration::from_secs(5), || Ok(tail(&log, 1).contains("up").then_some(())))
            .unwrap();
        stop_child(&mut child, Duration::from_millis(100)).unwrap();
        assert!(child.try_wait().unwrap().is_some());
    }

    #[test]
    fn waiting_ends() {
        let error = wait_for::<()>("nothing", Duration::from_millis(60), || Ok(None)).unwrap_err();
        assert!(error.to_string().contains("nothing"));
    }
}
