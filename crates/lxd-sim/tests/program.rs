//! The program `lxd-sim`: it serves, and leaves nothing behind.

use std::{
    io::{BufRead, BufReader, Read, Write},
    os::unix::net::UnixStream,
    process::{Child, Command, Stdio},
};

/// Ends the program also when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only if it has already ended, which is what they are for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn it_serves_until_sigterm_and_removes_its_socket() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let socket = dir.path().join("unix.socket");
    // A socket that a crash left behind is no obstacle.
    drop(std::os::unix::net::UnixListener::bind(&socket)?);
    let mut command = Command::new(env!("CARGO_BIN_EXE_lxd-sim"));
    command.arg("--socket").arg(&socket).args(["--scenario", "demo", "--timing", "instant"]);
    let mut program = Running(command.stdout(Stdio::piped()).spawn()?);
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().ok_or("no output")?).read_line(&mut line)?;
    assert_eq!(line.trim(), format!("serving unix://{}", socket.display()));

    let mut stream = UnixStream::connect(&socket)?;
    stream.write_all(
        b"GET /1.0/instances/vmbrunomaquinaa HTTP/1.1\r\nHost: lxd\r\nConnection: close\r\n\r\n",
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK") && answer.contains("\"user.vms.owner\":\"bruno\""),
        "{answer}"
    );

    // A second one does not take the socket away.
    let second = command.stderr(Stdio::piped()).output()?;
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && words.contains("already served"), "{words}");

    let killed = Command::new("kill").arg("-TERM").arg(program.0.id().to_string()).status()?;
    assert!(killed.success());
    assert!(program.0.wait()?.success());
    assert!(!socket.exists(), "the socket is left behind");
    Ok(())
}
