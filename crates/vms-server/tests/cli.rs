//! The `vms` program as an administrator meets it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn vms(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vms"));
    command.args(arguments).env_remove("VMS_CONFIG");
    command
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A configuration whose directory and LXD are away: the portal has to start all the same.
fn configuration(dir: &Path, more: &str) -> PathBuf {
    let file = dir.join("vms.toml");
    let text = format!(
        "[database]\nurl = \"sqlite://{0}/vms.db\"\n[tokens]\nsigning_key_file = \"{0}/key.pem\"\n\
         [directory]\nurl = \"ldap://127.0.0.1:1\"\nbase_dn = \"dc=school\"\n\
         [[lxd]]\nname = \"lxd1\"\nendpoint = \"unix://{0}/none.socket\"\n{more}",
        dir.display()
    );
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn check_config_says_what_is_wrong_by_key_and_what_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let good = configuration(dir.path(), "");
    let output = vms(&["check-config", "--config"]).arg(&good).output().unwrap();
    assert!(output.status.success() && said(&output).contains("in order"), "{}", said(&output));

    let output =
        vms(&["check-config", "--config"]).arg(&good).env("VMS__QUOTA__MACHINES", "many").output().unwrap();
    assert!(!output.status.success() && said(&output).contains("[quota] machines"), "{}", said(&output));

    let bad = configuration(dir.path(), "[machines]\nname_template = \"vm\"\n");
    let output = vms(&["check-config", "--config"]).arg(&bad).output().unwrap();
    assert!(!output.status.success(), "{}", said(&output));
    for words in ["[machines] name_template: has no {user}", "has no {name}"] {
        assert!(said(&output).contains(words), "{}", said(&output));
    }
    let output = vms(&["check-config", "--config", "/nowhere/vms.toml"]).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("/nowhere/vms.toml"), "{}", said(&output));
}

#[test]
fn migrate_brings_the_schema_up_to_date_once() {
    let dir = tempfile::tempdir().unwrap();
    let file = configuration(dir.path(), "");
    let first = vms(&["migrate", "--config"]).arg(&file).output().unwrap();
    assert!(first.status.success() && said(&first).contains("applied"), "{}", said(&first));
    let second = vms(&["migrate", "--config"]).arg(&file).output().unwrap();
    assert!(second.status.success() && said(&second).contains("up to date"), "{}", said(&second));
}

#[test]
fn openapi_prints_the_document_that_is_checked_in() {
    let output = vms(&["openapi"]).output().unwrap();
    let kept =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/vms.json")).unwrap();
    assert!(String::from_utf8_lossy(&output.stdout) == kept, "run `cargo xtask openapi` and commit it");
}

/// Ends the server when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            self.0.kill().expect("the server cannot be ended");
            self.0.wait().expect("the server cannot be waited for");
        }
    }
}

#[test]
fn serve_starts_without_directory_and_lxd_and_ends_cleanly_on_sigterm() {
    let dir = tempfile::tempdir().unwrap();
    let file = configuration(dir.path(), "[log]\nformat = \"json\"\n");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let listen = format!("127.0.0.1:{port}");
    let command = |word: &str| {
        let mut command = vms(&[word, "--config"]);
        command.arg(&file).env("VMS__HTTP__LISTEN", &listen);
        command
    };
    let mut server = Running(command("serve").stderr(Stdio::piped()).spawn().unwrap());
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let output = command("healthcheck").output().unwrap();
        // It answers, and says truthfully that LXD does not.
        if said(&output).contains("does not answer\"") {
            assert!(!output.status.success());
            break;
        }
        assert!(Instant::now() < deadline && matches!(server.0.try_wait(), Ok(None)), "{}", said(&output));
        std::thread::sleep(Duration::from_millis(50));
    }
    let killed = Command::new("kill").args(["-TERM", &server.0.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = server.0.wait().unwrap();
    let mut log = String::new();
    server.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(status.success(), "{status}: {log}");
    assert!(log.lines().all(|line| line.starts_with('{')), "each line is JSON: {log}");
    assert!(log.contains("VMS is listening") && log.contains("stopping"), "{log}");
}

#[test]
fn a_port_that_is_taken_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let file = configuration(dir.path(), "");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let output = vms(&["serve", "--config"]).arg(&file).env("VMS__HTTP__LISTEN", &listen).output().unwrap();
    assert!(
        !output.status.success()
            && said(&output).contains(&format!("[http] listen: cannot listen on {listen}"))
    );
}
