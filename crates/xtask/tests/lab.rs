//! The lab itself, with the real parts: each starts, works, and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use xtask::lab::{Chromedriver, Cluster, Daemon, DaemonOptions, Postgres, need};
use xtask::proc;

/// LXD and Incus look at every interface of the host while they make a bridge, and give up when one that they have just
/// seen, a machine's of another daemon, is gone a moment later. So one daemon's tour follows the other's.
fn alone_on_the_host() -> MutexGuard<'static, ()> {
    static HOST: Mutex<()> = Mutex::new(());
    // A tour that failed has cleaned up too.
    HOST.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Launches a machine, waits for its address, restarts the daemon under it, and looks for leftovers.
fn tour(options: DaemonOptions) {
    let _host = alone_on_the_host();
    let daemon = Daemon::start(options).unwrap();
    let (dir, bridge) = (daemon.dir().to_owned(), daemon.bridge().to_owned());
    daemon.lxc(&["launch", daemon.image_alias(), "c1"]).unwrap();
    let address = proc::wait_for("the address of c1", Duration::from_secs(30), || {
        let listed = daemon.lxc(&["list", "--format", "csv", "--columns", "4"])?;
        Ok(listed.contains(&daemon.address_prefix()).then_some(listed))
    })
    .unwrap();
    assert!(address.contains("eth0"), "{address}");

    daemon.restart().unwrap();
    assert_eq!(daemon.lxc(&["list", "--format", "csv", "--columns", "ns"]).unwrap().trim(), "c1,RUNNING");
    daemon.kill9().unwrap();
    assert!(daemon.lxc(&["list"]).is_err(), "a killed daemon answered");
    daemon.start_again().unwrap();
    assert_eq!(daemon.lxc(&["list", "--format", "csv", "--columns", "n"]).unwrap().trim(), "c1");

    if let Some(url) = daemon.https_url() {
        assert!(daemon.server_cert_pem().unwrap().contains("BEGIN CERTIFICATE"));
        let address = url.strip_prefix("https://").unwrap();
        std::net::TcpStream::connect(address).unwrap();
    }
    drop(daemon);
    assert_gone(&dir);
    assert!(!Path::new("/sys/class/net").join(bridge).exists(), "the bridge is still there");
}

/// No directory, no mount and no process of it is left.
fn assert_gone(dir: &Path) {
    assert!(!dir.exists(), "{} is still there", dir.display());
    let name = dir.to_str().unwrap();
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(name), "mounts are left below {name}");
    let processes = proc::output(Command::new("ps").args(["-eo", "pid,stat,args"])).unwrap();
    assert!(!processes.contains(name), "processes are left: {processes}");
    assert!(!Path::new(&format!("{name}.undo.log")).exists(), "the reaper complained");
}

#[test]
fn lxd_starts_works_and_leaves_nothing() {
    if need("lxd") {
        tour(DaemonOptions::default().with_https());
    }
}

#[test]
fn lxd_on_btrfs() {
    if need("lxd") {
        tour(DaemonOptions::default().with_btrfs(1));
    }
}

#[test]
fn a_cluster_of_two_moves_a_machine() {
    if !need("lxd") {
        return;
    }
    let _host = alone_on_the_host();
    let cluster = Cluster::start().unwrap();
    let namespaces = cluster.namespaces();
    let [first, second] = cluster.names();
    let dir = cluster.socket(first).unwrap().ancestors().nth(2).unwrap().to_owned();
    let members = cluster.lxc(first, &["cluster", "list", "--format", "csv"]).unwrap();
    assert_eq!(members.matches("ONLINE").count(), 2, "{members}");
    cluster.lxc(first, &["launch", cluster.image_alias(), "c1", "--target", second]).unwrap();
    proc::wait_for("the address of c1", Duration::from_secs(30), || {
        let listed = cluster.lxc(second, &["list", "--format", "csv", "--columns", "4"])?;
        Ok(listed.contains(cluster.address_prefix()).then_some(()))
    })
    .unwrap();
    cluster.lxc(first, &["snapshot", "c1", "before"]).unwrap();
    cluster.lxc(first, &["stop", "--force", "c1"]).unwrap();
    cluster.lxc(first, &["move", "c1", "--target", first]).unwrap();
    let location = cluster.lxc(second, &["list", "--format", "csv", "--columns", "nL"]).unwrap();
    assert_eq!(location.trim(), format!("c1,{first}"));
    cluster.kill9(second).unwrap();
    assert!(cluster.lxc(second, &["list"]).is_err(), "a killed member answered");
    cluster.start_again(second).unwrap();
    assert_eq!(cluster.lxc(second, &["list", "--format", "csv", "--columns", "n"]).unwrap().trim(), "c1");
    drop(cluster);
    assert_gone(&dir);
    let left = proc::output(Command::new("ip").args(["netns", "list"])).unwrap();
    assert!(namespaces.iter().all(|name| !left.contains(name)), "{left}");
}

#[test]
fn incus_starts_works_and_leaves_nothing() {
    if need("incus") {
        tour(DaemonOptions::incus());
    }
}

#[test]
fn postgres_starts_works_and_leaves_nothing() {
    if !need("postgres") {
        return;
    }
    let postgres = Postgres::start().unwrap();
    let url = postgres.create_database("school").unwrap();
    let port = url.rsplit(':').next().unwrap().split('/').next().unwrap().to_owned();
    assert!(postgres.create_database("school").unwrap_err().to_string().contains("already exists"));
    drop(postgres);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port.parse::<u16>().unwrap())).is_err());
}

#[test]
fn chromium_opens_a_session() {
    if !need("chromium") {
        return;
    }
    let driver = Chromedriver::start().unwrap();
    let body = serde_json::json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:chromeOptions": {"args": driver.arguments().unwrap()},
    }}});
    let answer = post(&driver.url(), "/session", &body.to_string());
    assert!(answer.contains("sessionId"), "{answer}");
    let profile = driver.arguments().unwrap().pop().unwrap();
    let dir = Path::new(profile.strip_prefix("--user-data-dir=").unwrap()).parent().unwrap().to_owned();
    drop(driver);
    assert_gone(&dir);
}

/// The least HTTP client that can ask chromedriver.
fn post(url: &str, path: &str, body: &str) -> String {
    use std::io::{BufRead as _, Read as _, Write as _};
    let address = url.strip_prefix("http://").unwrap();
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reader = std::io::BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut answer = vec![0; length];
    reader.read_exact(&mut answer).unwrap();
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_killed_owner_leaves_nothing_either() {
    if !need("postgres") {
        return;
    }
    // This very test binary, started again, plays the owner that is killed.
    if let Ok(file) = std::env::var("VMS_LAB_TEST_VICTIM") {
        let postgres = Postgres::start().unwrap();
        std::fs::write(file, postgres.dir().to_str().unwrap()).unwrap();
        loop {
            std::thread::park();
        }
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_owner_leaves_nothing_either"])
        .env("VMS_LAB_TEST_VICTIM", file.path())
        .spawn()
        .unwrap();
    let dir = proc::wait_for("the victim's PostgreSQL", Duration::from_secs(60), || {
        let text = std::fs::read_to_string(file.path())?;
        Ok((!text.is_empty()).then_some(text))
    })
    .unwrap();
    assert!(Path::new(&dir).exists());
    victim.kill().unwrap();
    victim.wait().unwrap();
    proc::wait_for("the reaper", Duration::from_secs(30), || Ok((!Path::new(&dir).exists()).then_some(())))
        .unwrap();
}
