//! A tiny image for containers, made without a network: busybox and a few scripts, 1 MB.
//!
//! It boots in a fraction of a second, asks for an address by DHCP, and reacts to shutdown and restart. The
//! tarball is LXD's "unified" format: `metadata.yaml` and `rootfs/`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use flate2::{Compression, write::GzEncoder};
use tar::{Builder, EntryType, Header};

use crate::proc;

/// The alias under which the lab imports it.
pub const ALIAS: &str = "busybox";

const INITTAB: &str = "\
::sysinit:/etc/rc
::respawn:/bin/udhcpc -f -i eth0 -s /etc/udhcpc.sh
::ctrlaltdel:/bin/poweroff
::shutdown:/bin/true
";

const RC: &str = "\
#!/bin/sh
hostname \"$(cat /etc/hostname 2>/dev/null || echo machine)\"
ip link set lo up
ip link set eth0 up
";

const UDHCPC: &str = "\
#!/bin/sh
case \"$1\" in
deconfig) ip addr flush dev \"$interface\"; ip link set \"$interface\" up ;;
bound | renew)
    ip addr flush dev \"$interface\"
    ip addr add \"$ip/${mask:-24}\" dev \"$interface\"
    [ -n \"$router\" ] && ip route replace default via \"${router%% *}\"
    : >/etc/resolv.conf
    for server in $dns; do echo \"nameserver $server\" >>/etc/resolv.conf; done
    ;;
esac
exit 0
";

type Tarball = Builder<GzEncoder<std::fs::File>>;

/// Writes the image to `file` (a `.tar.gz`).
///
/// # Errors
/// When there is no *static* busybox on the machine, or the file cannot be written.
pub fn write(file: &Path) -> Result<()> {
    let busybox = proc::which("busybox").context("no busybox here (Debian's package: busybox-static)")?;
    let program = std::fs::read(&busybox)?;
    // The name of the dynamic loader, if there is one, stands in the first page, right after the ELF headers.
    if program.iter().take(4096).copied().collect::<Vec<u8>>().windows(4).any(|window| window == b"/ld-") {
        bail!("{} is dynamically linked; the image needs the static one (busybox-static)", busybox.display());
    }
    let applets = proc::output(Command::new(&busybox).arg("--list"))?;
    let architecture = std::env::consts::ARCH;
    let out = std::fs::File::create(file).with_context(|| format!("cannot write {}", file.display()))?;
    let mut tarball = Builder::new(GzEncoder::new(out, Compression::fast()));

    let metadata = format!(
        "architecture: {architecture}\ncreation_date: 1767225600\nproperties:\n  architecture: {architecture}\n  \
         description: Busybox (lab)\n  os: busybox\n  release: lab\n"
    );
    text(&mut tarball, "metadata.yaml", 0o644, &metadata)?;
    for (dir, mode) in [
        ("rootfs", 0o755),
        ("rootfs/bin", 0o755),
        ("rootfs/sbin", 0o755),
        ("rootfs/etc", 0o755),
        ("rootfs/dev", 0o755),
        ("rootfs/proc", 0o755),
        ("rootfs/sys", 0o755),
        ("rootfs/run", 0o755),
        ("rootfs/usr", 0o755),
        ("rootfs/var", 0o755),
        ("rootfs/root", 0o700),
        ("rootfs/home", 0o755),
        ("rootfs/tmp", 0o1777),
    ] {
        let mut header = header(EntryType::Directory, mode, 0)?;
        tarball.append_data(&mut header, dir, std::io::empty())?;
    }
    let mut header = header(EntryType::Regular, 0o755, program.len())?;
    tarball.append_data(&mut header, "rootfs/bin/busybox", program.as_slice())?;
    for applet in applets.lines().filter(|name| !name.is_empty() && *name != "busybox" && *name != "init") {
        link(&mut tarball, &format!("rootfs/bin/{applet}"), "busybox")?;
    }
    link(&mut tarball, "rootfs/sbin/init", "/bin/busybox")?;
    text(&mut tarball, "rootfs/etc/inittab", 0o644, INITTAB)?;
    text(&mut tarball, "rootfs/etc/rc", 0o755, RC)?;
    text(&mut tarball, "rootfs/etc/udhcpc.sh", 0o755, UDHCPC)?;
    text(&mut tarball, "rootfs/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\n")?;
    text(&mut tarball, "rootfs/etc/group", 0o644, "root:x:0:\n")?;
    text(&mut tarball, "rootfs/etc/hostname", 0o644, "machine\n")?;
    tarball.into_inner()?.finish()?;
    Ok(())
}

fn header(kind: EntryType, mode: u32, size: usize) -> Result<Header> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_767_225_600);
    header.set_size(u64::try_from(size)?);
    Ok(header)
}

fn text(tarball: &mut Tarball, path: &str, mode: u32, content: &str) -> Result<()> {
    let mut header = header(EntryType::Regular, mode, content.len())?;
    tarball.append_data(&mut header, path, content.as_bytes())?;
    Ok(())
}

fn link(tarball: &mut Tarball, path: &str, target: &str) -> Result<()> {
    let mut header = header(EntryType::Symlink, 0o777, 0)?;
    tarball.append_link(&mut header, path, target)?;
    Ok(())
}
