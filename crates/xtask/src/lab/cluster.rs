//! A real LXD cluster on one machine: every member in a network namespace of its own, joined by a veth pair.
//!
//! ```text
//!   namespace …a                          namespace …b
//!   lxd node1  10.1.1.101:8443 ── veth ── 10.1.1.102:8443  lxd node2
//! ```
//! Their unix sockets are ordinary files, so everything outside talks to a member by its socket. Each daemon
//! also gets a mount namespace: it needs a `/sys` that shows its own network, with the machine's cgroups bound
//! back into it (without them snapshots fail with "freezing the container failed"), and all its mounts vanish
//! with it.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};

use super::reaper::Reaper;
use super::{image, open_dir, subnet};
use crate::proc;

/// Name of the bridge on every member.
const BRIDGE: &str = "vmsbr0";
/// The bridge's address on every member: each has the same one, in its own namespace.
const GATEWAY: &str = "10.98.0.1/24";

/// Starts a daemon inside a new mount namespace, with a `/sys` of the network namespace it is in.
const ENTER: &str = "mkdir -p \"$1/cg\" && mount --rbind /sys/fs/cgroup \"$1/cg\" && mount -t sysfs sysfs /sys && \
                     mount --rbind \"$1/cg\" /sys/fs/cgroup && exec lxd --group root --logfile \"$1/daemon.log\"";

const UNDO: &str = r#"
export LXD_DIR="$DIR/node1" LXD_CONF="$DIR/node1/client"
if [ -S "$LXD_DIR/unix.socket" ] && timeout 10 lxc list --format csv --columns n >"$DIR/left" 2>/dev/null </dev/null; then
    timeout 60 xargs -r -P 4 -n 1 lxc delete --force <"$DIR/left" >/dev/null
fi
end_ours "lxd dnsmasq"
unmount_below
for n in $NAMESPACES; do
    if [ -e "/run/netns/$n" ]; then ip netns delete "$n"; fi
done
"#;

/// One member.
#[derive(Debug)]
struct Member {
    name: &'static str,
    address: &'static str,
    namespace: String,
    dir: PathBuf,
    process: Mutex<Option<Child>>,
}

/// A running cluster of two members. Dropping it removes every trace.
#[derive(Debug)]
pub struct Cluster {
    members: [Member; 2],
    reaper: Option<Reaper>,
}

impl Cluster {
    /// Starts two daemons and joins them. Takes about 10 s.
    ///
    /// # Errors
    /// When LXD is missing, we are not root, or a step fails.
    pub fn start() -> Result<Self> {
        let dir = open_dir("vms-cluster-")?;
        let id = format!("vms{:06x}", subnet::random()? & 0x00ff_ffff);
        let member = |name: &'static str, address: &'static str, letter: char| Member {
            name,
            address,
            namespace: format!("{id}{letter}"),
            dir: dir.join(name),
            process: Mutex::new(None),
        };
        let members = [member("node1", "10.1.1.101", 'a'), member("node2", "10.1.1.102", 'b')];
        let [a, b] = members.each_ref().map(|member| &member.namespace);
        let reaper = Reaper::arm(&dir, &format!("NAMESPACES='{a} {b}'\n{UNDO}"))?;
        let cluster = Self { members, reaper: Some(reaper) };
        cluster.connect()?;
        let [first, second] = &cluster.members;
        first.start()?;
        first.preseed(&first_preseed(first)).with_context(|| first.explain("made the first member"))?;
        cluster.import_image(&dir)?;
        let printed = first.lxc(&["cluster", "add", second.name])?;
        let token = printed.split_whitespace().last().context("`lxc cluster add` printed no token")?;
        second.start()?;
        second
            .preseed(&join_preseed(second, token))
            .with_context(|| second.explain("joined to the cluster"))?;
        Ok(cluster)
    }

    /// Names of the members.
    pub fn names(&self) -> [&'static str; 2] {
        self.members.each_ref().map(|member| member.name)
    }

    /// The network namespaces of the members.
    pub fn namespaces(&self) -> Vec<String> {
        self.members.iter().map(|member| member.namespace.clone()).collect()
    }

    /// The unix socket of a member.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn socket(&self, name: &str) -> Result<PathBuf> {
        Ok(self.member(name)?.dir.join("unix.socket"))
    }

    /// The endpoint of a member as our configuration writes it.
    ///
    /// # Errors
    /// When there is no such member.
    pub fn endpoint(&self, name: &str) -> Result<String> {
        Ok(format!("unix://{}", self.socket(name)?.display()))
    }

    /// What every machine's address begins with.
    pub fn address_prefix(&self) -> &'static str {
        "10.98.0."
    }

    /// The alias of the tiny image.
    pub fn image_alias(&self) -> &'static str {
        image::ALIAS
    }

    /// Runs `lxc` against a member.
    ///
    /// # Errors
    /// When it fails, or there is no such member.
    pub fn lxc(&self, name: &str, args: &[&str]) -> Result<String> {
        self.member(name)?.lxc(args)
    }

    /// Kills a member with SIGKILL, as a power cut would.
    ///
    /// # Errors
    /// When there is no such member, or it cannot be killed.
    pub fn kill9(&self, name: &str) -> Result<()> {
        if let Some(mut child) = self.member(name)?.process().take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Starts a killed member again and waits until it answers.
    ///
    /// # Errors
    /// When there is no such member, or it does not answer in a minute.
    pub fn start_again(&self, name: &str) -> Result<()> {
        self.member(name)?.start()
    }

    fn member(&self, name: &str) -> Result<&Member> {
        self.members.iter().find(|member| member.name == name).with_context(|| format!("no member {name}"))
    }

    /// Two namespaces, and a cable between them.
    fn connect(&self) -> Result<()> {
        let [first, second] = &self.members;
        for member in &self.members {
            ip(&["netns", "add", &member.namespace])?;
            ip(&["-n", &member.namespace, "link", "set", "lo", "up"])?;
        }
        let (near, far) = (&first.namespace, &second.namespace);
        ip(&["link", "add", "cable", "netns", near, "type", "veth", "peer", "name", "cable", "netns", far])?;
        for member in &self.members {
            let address = format!("{}/24", member.address);
            ip(&["-n", &member.namespace, "address", "add", &address, "dev", "cable"])?;
            ip(&["-n", &member.namespace, "link", "set", "cable", "up"])?;
        }
        Ok(())
    }

    fn import_image(&self, dir: &Path) -> Result<()> {
        let tarball = dir.join("busybox.tar.gz");
        image::write(&tarball)?;
        let path = tarball.to_str().context("the temporary directory is not UTF-8")?;
        let [first, _] = &self.members;
        first.lxc(&["image", "import", path, "--alias", image::ALIAS]).map(drop)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.reaper.take());
        for member in &self.members {
            let child = member.process().take();
            if let Some(Err(error)) = child.map(|mut child| child.wait()) {
                crate::ui::say(format!("lost track of {}: {error}", member.name));
            }
        }
    }
}

impl Member {
    fn start(&self) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        if !self.dir.exists() {
            std::fs::create_dir(&self.dir)?;
            std::fs::set_permissions(&self.dir, std::fs::Permissions::from_mode(0o711))?;
        }
        let mut command = self.inside(&["unshare", "--mount", "--", "sh", "-c", ENTER, "sh"]);
        command.arg(&self.dir);
        let child = proc::spawn_logged(&mut command, &self.dir.join("output.log"))?;
        *self.process() = Some(child);
        proc::output(&mut self.inside(&["timeout", "90", "lxd", "waitready", "--timeout", "60"]))
            .map(drop)
            .with_context(|| self.explain("ready"))
    }

    fn preseed(&self, text: &str) -> Result<()> {
        proc::output_with_input(&mut self.inside(&["timeout", "90", "lxd", "init", "--preseed"]), text)
            .map(drop)
    }

    fn lxc(&self, args: &[&str]) -> Result<String> {
        let mut command = Command::new("timeout");
        command.args(["120", "lxc"]).args(args);
        proc::output(self.environment(&mut command))
    }

    /// A command in this member's network namespace.
    fn inside(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net=/run/netns/{}", self.namespace)).arg("--").args(words);
        self.environment(&mut command);
        command
    }

    fn environment<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .env("LXD_DIR", &self.dir)
            .env("LXD_CONF", self.dir.join("client"))
            .current_dir(&self.dir)
            .process_group(0)
    }

    fn explain(&self, what: &str) -> String {
        format!(
            "{} could not be {what}. The end of its logs:\n{}\n{}",
            self.name,
            proc::tail(&self.dir.join("daemon.log"), 8),
            proc::tail(&self.dir.join("output.log"), 8)
        )
    }

    fn process(&self) -> MutexGuard<'_, Option<Child>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ip(args: &[&str]) -> Result<()> {
    proc::output(Command::new("ip").args(args)).map(drop)
}

fn first_preseed(member: &Member) -> String {
    format!(
        "config:\n  core.https_address: {}:8443\nstorage_pools:\n- name: default\n  driver: dir\nnetworks:\n- name: \
         {BRIDGE}\n  type: bridge\n  config:\n    ipv4.address: {GATEWAY}\n    ipv4.nat: \"false\"\n    ipv6.address: \
         none\nprofiles:\n- name: default\n  devices:\n    root:\n      path: /\n      pool: default\n      type: \
         disk\n    eth0:\n      name: eth0\n      network: {BRIDGE}\n      type: nic\ncluster:\n  server_name: {}\n  \
         enabled: true\n",
        member.address, member.name
    )
}

fn join_preseed(member: &Member, token: &str) -> String {
    format!(
        "cluster:\n  enabled: true\n  server_address: {}:8443\n  cluster_token: {token}\n  member_config:\n  - entity: \
         storage-pool\n    name: default\n    key: source\n    value: \"\"\n",
        member.address
    )
}
