//! A real LXD or Incus of our own: its own directory, its own bridge and range, its own pool, a tiny image.
//!
//! ```no_run
//! # fn main() -> anyhow::Result<()> {
//! use xtask::lab::{Lxd, LxdOptions};
//! let lxd = Lxd::start(LxdOptions::default())?;
//! lxd.lxc(&["launch", lxd.image_alias(), "c1"])?;
//! println!("{}", lxd.socket().display());
//! # Ok(()) }
//! ```
//! Dropping it deletes its machines, shuts it down and removes every trace (see [`super::reaper`]).

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::Signal;

use super::reaper::Reaper;
use super::subnet::{self, Subnet};
use super::{image, open_dir};
use crate::proc;

/// Where Debian and others put the Incus daemon.
const INCUSD: [&str; 4] =
    ["/usr/libexec/incus/incusd", "/usr/lib/incus/incusd", "/opt/incus/bin/incusd", "/usr/bin/incusd"];

/// The Incus daemon's program, which is not on PATH.
pub fn incusd() -> Option<PathBuf> {
    INCUSD.iter().map(PathBuf::from).find(|path| proc::is_executable(path))
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flavour {
    /// LXD.
    #[default]
    Lxd,
    /// Incus.
    Incus,
}

impl Flavour {
    const fn client(self) -> &'static str {
        match self {
            Self::Lxd => "lxc",
            Self::Incus => "incus",
        }
    }

    const fn dir_variable(self) -> &'static str {
        match self {
            Self::Lxd => "LXD_DIR",
            Self::Incus => "INCUS_DIR",
        }
    }

    const fn conf_variable(self) -> &'static str {
        match self {
            Self::Lxd => "LXD_CONF",
            Self::Incus => "INCUS_CONF",
        }
    }

    /// The command that speaks to the daemon about itself: `waitready`, `init`, `shutdown`.
    const fn admin(self) -> &'static [&'static str] {
        match self {
            Self::Lxd => &["lxd"],
            Self::Incus => &["incus", "admin"],
        }
    }
}

/// The storage pool, always called `default`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pool {
    /// Plain directories: works everywhere; snapshots are copies.
    #[default]
    Dir,
    /// btrfs in a loop file of that many GiB: snapshots at once, and quotas that bite.
    Btrfs {
        /// Size of the loop file.
        gib: u32,
    },
}

/// How to start a daemon.
#[derive(Debug, Clone, Copy, Default)]
pub struct DaemonOptions {
    /// LXD or Incus.
    pub flavour: Flavour,
    /// Storage.
    pub pool: Pool,
    /// Also listen on HTTPS, on a free port of 127.0.0.1.
    pub https: bool,
    /// Let a machine have several interfaces on the bridge: LXD refuses that where the bridge names machines.
    pub many_interfaces: bool,
}

impl DaemonOptions {
    /// Incus instead of LXD.
    pub fn incus() -> Self {
        Self { flavour: Flavour::Incus, ..Self::default() }
    }

    /// With an HTTPS listener.
    #[must_use]
    pub fn with_https(mut self) -> Self {
        self.https = true;
        self
    }

    /// On a btrfs pool of that many GiB.
    #[must_use]
    pub fn with_btrfs(mut self, gib: u32) -> Self {
        self.pool = Pool::Btrfs { gib };
        self
    }
}

/// A running daemon. See the module.
#[derive(Debug)]
pub struct Daemon {
    flavour: Flavour,
    dir: PathBuf,
    bridge: String,
    subnet: Subnet,
    https_port: Option<u16>,
    process: Mutex<Option<Child>>,
    reaper: Option<Reaper>,
}

/// What the reaper does for a daemon. Nicely while it answers, thoroughly afterwards.
const UNDO: &str = r#"
export "$DIR_VARIABLE=$DIR" "$CONF_VARIABLE=$DIR/client"
if [ -S "$DIR/unix.socket" ] && [ -n "$(ours "$DAEMONS")" ] && timeout 5 $CLIENT list --format csv --columns n >"$DIR/left" 2>/dev/null </dev/null; then
    timeout 60 xargs -r -P 4 -n 1 $CLIENT delete --force <"$DIR/left" >/dev/null
    timeout 40 $ADMIN shutdown --timeout 30 </dev/null >/dev/null
fi
end_ours "$DAEMONS"
unmount_below
if [ -e "/sys/class/net/$BRIDGE" ]; then ip link delete "$BRIDGE"; fi
for family in lxd incus; do
    command -v nft >/dev/null || break
    nft list table inet $family 2>/dev/null | sed -n "s/^[[:space:]]*chain \([a-z]*\.$BRIDGE\) .*/\1/p" | while read -r chain; do
        nft delete chain inet $family "$chain"
    done
done
"#;

impl Daemon {
    /// Starts a daemon, with a pool, a bridge, a default profile and the tiny image. Takes 3–6 s.
    ///
    /// # Errors
    /// When a program is missing, we are not root, or a step fails; the message carries the end of its log.
    pub fn start(options: DaemonOptions) -> Result<Self> {
        let flavour = options.flavour;
        let dir = open_dir(match flavour {
            Flavour::Lxd => "vms-lxd-",
            Flavour::Incus => "vms-incus-",
        })?;
        let bridge = subnet::bridge_name(match flavour {
            Flavour::Lxd => "vmslxd",
            Flavour::Incus => "vmsinc",
        })?;
        let settings = format!(
            "DIR_VARIABLE={}\nCONF_VARIABLE={}\nCLIENT={}\nADMIN='{}'\nBRIDGE={bridge}\nDAEMONS='lxd incusd dnsmasq lxc'\n",
            flavour.dir_variable(),
            flavour.conf_variable(),
            flavour.client(),
            flavour.admin().join(" "),
        );
        let reaper = Reaper::arm(&dir, &format!("{settings}{UNDO}"))?;
        let https_port = options.https.then(proc::free_port).transpose()?;
        let daemon = Self {
            flavour,
            dir,
            bridge,
            subnet: Subnet::free()?,
            https_port,
            process: Mutex::new(None),
            reaper: Some(reaper),
        };
        daemon.start_again()?;
        daemon.prepare(&options).with_context(|| daemon.explain("prepared"))?;
        Ok(daemon)
    }

    /// The directory of the daemon (`LXD_DIR`, `INCUS_DIR`).
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// LXD or Incus.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Its unix socket.
    pub fn socket(&self) -> PathBuf {
        self.dir.join("unix.socket")
    }

    /// The endpoint as our configuration writes it: `unix:///…/unix.socket`.
    pub fn endpoint(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The name of its bridge.
    pub fn bridge(&self) -> &str {
        &self.bridge
    }

    /// What each address on its bridge begins with: `10.70.12.`.
    pub fn address_prefix(&self) -> String {
        self.subnet.prefix()
    }

    /// The alias of the tiny image.
    pub fn image_alias(&self) -> &'static str {
        image::ALIAS
    }

    /// `https://127.0.0.1:port`, when started with [`DaemonOptions::https`].
    pub fn https_url(&self) -> Option<String> {
        self.https_port.map(|port| format!("https://127.0.0.1:{port}"))
    }

    /// The daemon's own TLS certificate, to pin.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn server_cert_pem(&self) -> Result<String> {
        let file = self.dir.join("server.crt");
        std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
    }

    /// Makes the daemon trust the client certificate in that PEM file.
    ///
    /// # Errors
    /// When the daemon refuses it.
    pub fn trust_client_cert(&self, pem: &Path) -> Result<()> {
        let pem = pem.to_str().context("the path of the certificate is not UTF-8")?;
        let add = match self.flavour {
            Flavour::Lxd => "add",
            Flavour::Incus => "add-certificate",
        };
        self.lxc(&["config", "trust", add, pem]).map(drop)
    }

    /// Where the daemon logs.
    pub fn log(&self) -> PathBuf {
        self.dir.join("daemon.log")
    }

    /// Runs the daemon's own client (`lxc` or `incus`) and gives its standard output. At most two minutes.
    ///
    /// # Errors
    /// When it fails; the message carries what it said.
    pub fn lxc(&self, args: &[&str]) -> Result<String> {
        proc::output(self.client().args(args))
    }

    /// The daemon's own client, with the environment that makes it speak to this daemon.
    pub fn client(&self) -> Command {
        let mut command = Command::new("timeout");
        command.args(["120", self.flavour.client()]);
        self.environment(&mut command);
        command
    }

    /// Ends the daemon as a package upgrade does (SIGTERM): the API is gone, its machines keep running.
    ///
    /// # Errors
    /// When it cannot be signalled or waited for.
    pub fn stop(&self) -> Result<()> {
        if let Some(mut child) = self.process().take() {
            proc::stop_child(&mut child, Duration::from_secs(30))?;
        }
        Ok(())
    }

    /// Kills the daemon with SIGKILL, as a crash would.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill9(&self) -> Result<()> {
        if let Some(mut child) = self.process().take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Holds the daemon still (SIGSTOP), as an overloaded host would: it accepts connections, but answers none.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn freeze(&self) -> Result<()> {
        self.send(Signal::STOP)
    }

    /// Lets it go on (SIGCONT).
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn thaw(&self) -> Result<()> {
        self.send(Signal::CONT)
    }

    /// [`Self::stop`] and [`Self::start_again`].
    ///
    /// # Errors
    /// As those.
    pub fn restart(&self) -> Result<()> {
        self.stop()?;
        self.start_again()
    }

    /// Starts the daemon after [`Self::stop`] or [`Self::kill9`], and waits until it answers.
    ///
    /// # Errors
    /// When it does not answer in a minute; the message carries the end of its log.
    pub fn start_again(&self) -> Result<()> {
        let program = match self.flavour {
            Flavour::Lxd => proc::which("lxd").context("lxd is not installed")?,
            Flavour::Incus => incusd().context("incusd is not installed")?,
        };
        self.end_dnsmasq()?;
        let log = self.log();
        let mut command = Command::new(program);
        command.args(["--group", "root", "--logfile"]).arg(&log);
        self.environment(&mut command);
        let child = proc::spawn_logged(&mut command, &self.dir.join("output.log"))?;
        *self.process() = Some(child);
        let mut wait = self.admin(&["waitready", "--timeout", "60"]);
        proc::output(&mut wait).map(drop).with_context(|| self.explain("ready"))
    }

    /// Ends the DHCP server that an earlier run of the daemon left. The daemon itself does so, and starts the next a tenth of
    /// a second later; on a busy machine the address is still held then, and the bridge is away for a minute.
    fn end_dnsmasq(&self) -> Result<()> {
        let file = self.dir.join("networks").join(&self.bridge).join("dnsmasq.pid");
        let Ok(written) = std::fs::read_to_string(&file) else { return Ok(()) };
        let Some(pid) = written.lines().find_map(|line| line.strip_prefix("pid: ")?.parse().ok()) else {
            bail!("{} names no process: {written}", file.display());
        };
        let ours = || {
            let command = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&command).contains(&*self.dir.to_string_lossy())
        };
        // It may have ended by itself between the look and the signal.
        if ours() && proc::signal(pid, Signal::TERM).is_err() && ours() {
            bail!("the DHCP server {pid} cannot be ended");
        }
        let gone = || Ok((!ours()).then_some(()));
        proc::wait_for("the DHCP server of an earlier run to end", Duration::from_secs(10), gone)
    }

    fn prepare(&self, options: &DaemonOptions) -> Result<()> {
        let storage = match options.pool {
            Pool::Dir => "driver: dir".to_owned(),
            Pool::Btrfs { gib } => format!("driver: btrfs\n  config:\n    size: {gib}GiB"),
        };
        let listen = self
            .https_port
            .map(|port| format!("config:\n  core.https_address: 127.0.0.1:{port}\n"))
            .unwrap_or_default();
        let dns = if options.many_interfaces { "\n    dns.mode: none" } else { "" };
        let preseed = format!(
            "{listen}storage_pools:\n- name: default\n  {storage}\nnetworks:\n- name: {bridge}\n  type: bridge\n  \
             config:\n    ipv4.address: {gateway}\n    ipv4.nat: \"false\"\n    ipv6.address: none{dns}\nprofiles:\n- name: \
             default\n  devices:\n    root:\n      path: /\n      pool: default\n      type: disk\n    eth0:\n      name: \
             eth0\n      network: {bridge}\n      type: nic\n",
            bridge = self.bridge,
            gateway = self.subnet.gateway(),
        );
        proc::output_with_input(&mut self.admin(&["init", "--preseed"]), &preseed)?;
        let tarball = self.dir.join("busybox.tar.gz");
        image::write(&tarball)?;
        let path = tarball.to_str().context("the temporary directory is not UTF-8")?;
        self.lxc(&["image", "import", path, "--alias", image::ALIAS])?;
        std::fs::remove_file(&tarball)?;
        Ok(())
    }

    fn admin(&self, args: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.arg("90").args(self.flavour.admin()).args(args);
        self.environment(&mut command);
        command
    }

    fn environment(&self, command: &mut Command) {
        command
            .env(self.flavour.dir_variable(), &self.dir)
            .env(self.flavour.conf_variable(), self.dir.join("client"))
            .current_dir(&self.dir)
            .process_group(0);
    }

    fn send(&self, signal: Signal) -> Result<()> {
        match self.process().as_ref() {
            Some(child) => proc::signal(child.id(), signal),
            None => bail!("the daemon is not running"),
        }
    }

    fn explain(&self, what: &str) -> String {
        format!(
            "{} in {} could not be {what}. The end of its logs:\n{}\n{}",
            self.flavour.client(),
            self.dir.display(),
            proc::tail(&self.log(), 8),
            proc::tail(&self.dir.join("output.log"), 8)
        )
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        // A panic of another thread while it held the lock leaves nothing half done: an Option is an Option.
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let child = self.process().take();
        // A daemon held by SIGSTOP would not hear the reaper's polite words.
        if let Some(child) = &child
            && let Err(error) = proc::signal(child.id(), Signal::CONT)
        {
            crate::ui::say(format!("{} has ended by itself: {error:#}", self.flavour.client()));
        }
        drop(self.reaper.take());
        if let Some(Err(error)) = child.map(|mut child| child.wait()) {
            crate::ui::say(format!("lost track of {}: {error}", self.flavour.client()));
        }
    }
}
