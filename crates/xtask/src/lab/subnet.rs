//! Names and ranges for bridges that clash with nothing on the machine.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::proc;

/// A private /24 for one bridge, `10.x.y.0/24`, with the bridge itself at `.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    x: u8,
    y: u8,
}

impl Subnet {
    /// One that no address and no route of this machine touches. Chosen at random, so that two test
    /// processes that start at once hardly ever meet.
    ///
    /// # Errors
    /// When the machine's addresses cannot be listed.
    pub fn free() -> Result<Self> {
        let taken = proc::output(Command::new("ip").args(["-o", "-4", "route", "show", "table", "all"]))?;
        let mut seed = random()?;
        for _ in 0..1000 {
            let [x, y, ..] = seed.to_le_bytes();
            let candidate = Self { x: 64 + x % 64, y };
            if !taken.contains(&format!("10.{}.{}.", candidate.x, candidate.y)) {
                return Ok(candidate);
            }
            seed = random()?;
        }
        anyhow::bail!("found no free 10.x.y.0/24 on this machine")
    }

    /// The bridge's address with its length: `10.70.12.1/24`.
    pub fn gateway(self) -> String {
        format!("10.{}.{}.1/24", self.x, self.y)
    }

    /// What every address of it begins with: `10.70.12.`.
    pub fn prefix(self) -> String {
        format!("10.{}.{}.", self.x, self.y)
    }
}

/// Sixty-four random bits.
///
/// # Errors
/// When the kernel gives none.
pub fn random() -> Result<u64> {
    use std::io::Read as _;
    let mut bytes = [0_u8; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .context("cannot read /dev/urandom")?;
    Ok(u64::from_le_bytes(bytes))
}

/// A name for a bridge: at most 15 characters, and not in use.
///
/// # Errors
/// When the kernel gives no random bits.
pub fn bridge_name(prefix: &str) -> Result<String> {
    loop {
        let name = format!("{prefix}{:06x}", random()? & 0x00ff_ffff);
        if !std::path::Path::new("/sys/class/net").join(&name).exists() {
            return Ok(name);
        }
    }
}
