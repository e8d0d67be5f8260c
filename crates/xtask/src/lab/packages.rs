//! What each part of the lab needs on the machine, and how it gets there.
//!
//! As root on Debian or Ubuntu missing packages are installed by apt. Elsewhere it is said what is missing.

use std::path::Path;

use anyhow::{Result, bail};

use crate::{apt, proc, ui};

/// A real part that tests can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// LXD, with what it needs for bridges, btrfs pools and the tiny image.
    Lxd,
    /// Incus, beside it.
    Incus,
    /// OpenLDAP's server.
    Slapd,
    /// PostgreSQL.
    Postgres,
    /// Chromium and its WebDriver.
    Chromium,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 5] = [Self::Lxd, Self::Incus, Self::Slapd, Self::Postgres, Self::Chromium];

    /// The word that [`super::need`] takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lxd => "lxd",
            Self::Incus => "incus",
            Self::Slapd => "slapd",
            Self::Postgres => "postgres",
            Self::Chromium => "chromium",
        }
    }

    /// The part with that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// All names.
    pub fn names() -> Vec<&'static str> {
        Self::ALL.into_iter().map(Self::name).collect()
    }

    /// Debian's packages for it.
    pub const fn packages(self) -> &'static [&'static str] {
        match self {
            Self::Lxd => &[
                "lxd",
                "lxd-client",
                "lxd-tools",
                "dnsmasq-base",
                "nftables",
                "iptables",
                "iproute2",
                "squashfs-tools",
                "busybox-static",
                "btrfs-progs",
            ],
            Self::Incus => &[
                "incus-base",
                "incus-client",
                "dnsmasq-base",
                "nftables",
                "iproute2",
                "squashfs-tools",
                "busybox-static",
                "btrfs-progs",
            ],
            Self::Slapd => &["slapd", "ldap-utils"],
            Self::Postgres => &["postgresql"],
            Self::Chromium => &["chromium", "chromium-driver"],
        }
    }

    /// Why this part cannot be used here, or `None` when it can.
    pub fn missing(self) -> Option<String> {
        let programs: &[&str] = match self {
            Self::Lxd => &["lxd", "lxc", "busybox", "ip", "dnsmasq"],
            Self::Incus => &["incus", "busybox", "ip", "dnsmasq"],
            Self::Slapd => &["slapd", "ldapadd"],
            Self::Postgres => &["runuser"],
            Self::Chromium => &["chromedriver", "chromium"],
        };
        let mut absent: Vec<String> = programs
            .iter()
            .filter(|name| proc::which(name).is_none())
            .map(|name| (*name).to_owned())
            .collect();
        match self {
            Self::Incus if super::daemon::incusd().is_none() => absent.push("incusd".to_owned()),
            Self::Postgres if super::postgres::bin_dir().is_none() => {
                absent.push("initdb and postgres".to_owned());
            }
            _ => {}
        }
        if !absent.is_empty() {
            return Some(format!(
                "{} is not installed (Debian's packages: {})",
                absent.join(", "),
                self.packages().join(" ")
            ));
        }
        match self {
            Self::Lxd | Self::Incus if !apt::is_root() => {
                Some("only root can run system containers".to_owned())
            }
            Self::Postgres if !apt::is_root() => {
                Some("only root can start it under the user postgres".to_owned())
            }
            Self::Lxd | Self::Incus if !Path::new("/sys/fs/cgroup").is_dir() => {
                Some("the machine has no cgroups".to_owned())
            }
            _ => None,
        }
    }
}

/// Installs what `parts` lack, where that can be; says what cannot be used and why.
///
/// Gives the parts that are still missing, with the reason.
pub fn ensure(parts: &[Part]) -> Vec<(Part, String)> {
    let mut left = Vec::new();
    for part in parts {
        let Some(reason) = part.missing() else { continue };
        match install(*part) {
            Ok(()) => {
                if let Some(reason) = part.missing() {
                    left.push((*part, reason));
                }
            }
            Err(error) => left.push((*part, format!("{reason}; {error:#}"))),
        }
    }
    left
}

/// Installs the packages of one part.
///
/// # Errors
/// When this is not Debian or Ubuntu, when we are not root, or when apt fails.
pub fn install(part: Part) -> Result<()> {
    if !apt::is_here() {
        bail!("packages are installed by themselves only on Debian and Ubuntu");
    }
    if !apt::is_root() {
        bail!(
            "packages are installed by themselves only as root: sudo apt-get install {}",
            part.packages().join(" ")
        );
    }
    let missing = apt::not_installed(part.packages())?;
    if missing.is_empty() {
        return Ok(());
    }
    let step = ui::Step::begin(format!("apt-get install {}", missing.join(" ")), "10–60 s");
    if let Err(error) = apt::install(&missing) {
        if part != Part::Incus {
            return Err(error);
        }
        // Incus came into Debian with the release after bookworm; before, it is in the backports.
        ui::say("    not in the listed suites; trying the backports of this release");
        apt::install_from_backports(&missing)?;
    }
    step.done();
    Ok(())
}
