//! The standard library for `wasm32-unknown-unknown`: by rustup where its server can be reached, from source
//! where it cannot.
//!
//! The source is Debian's package of exactly this compiler's version, by the machine's own apt, or a tarball
//! named by `VMS_RUST_SRC_TARBALL`. Building it takes half a minute: cargo builds an empty crate with
//! `-Zbuild-std`, and what comes out is put where rustup would have put it, and written into rustup's books,
//! so that `targets = [..]` in rust-toolchain.toml and `rustup target remove` work as ever.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::{Compiler, WASM, rustc};
use crate::{apt, proc, repo, ui};

/// `rustup` or `source`; anything else, or nothing: rustup first, but the source in CI.
const SWITCH: &str = "VMS_WASM_STD";
/// A tarball with the `library/` folder of the compiler's source.
const TARBALL: &str = "VMS_RUST_SRC_TARBALL";
/// Seconds that rustup may take. It downloads about 25 MB.
const RUSTUP_TIMEOUT: &str = "300";
/// Where the package may be; a version moves from unstable to testing to the backports of stable.
const SUITES: [&str; 6] = ["trixie-backports", "forky-backports", "trixie", "forky", "testing", "unstable"];

/// Gets it when it is missing.
pub fn ensure(compiler: &Compiler) -> Result<()> {
    if works()? {
        return Ok(());
    }
    let switch = std::env::var(SWITCH).unwrap_or_default();
    let from_source = match switch.as_str() {
        "source" => true,
        "rustup" => false,
        _ => std::env::var_os("CI").is_some(),
    };
    if !from_source {
        match by_rustup() {
            Ok(()) => return Ok(()),
            Err(error) if switch == "rustup" => return Err(error),
            Err(error) => ui::say(format!("    {error:#}; building it from source instead")),
        }
    }
    let step = ui::Step::begin(format!("building the standard library for {WASM} from source"), "about 40 s");
    build(compiler)?;
    if !works()? {
        bail!("the standard library for {WASM} was built, but a program cannot be compiled with it");
    }
    step.done();
    Ok(())
}

/// Whether a program can be compiled and linked for the browser, with link-time optimisation as the pages are.
fn works() -> Result<bool> {
    let dir = tempfile::tempdir()?;
    let source = dir.path().join("probe.rs");
    std::fs::write(&source, "fn main() { println!(\"{:?}\", std::env::args().count()); }\n")?;
    let out = rustc()
        .args(["--edition=2024", "--target", WASM, "-Cpanic=abort", "-Clto=fat", "-Copt-level=0", "-o"])
        .arg(dir.path().join("probe.wasm"))
        .arg(&source)
        .output()
        .context("cannot start rustc")?;
    Ok(out.status.success())
}

fn by_rustup() -> Result<()> {
    if proc::which("rustup").is_none() {
        bail!("there is no rustup here");
    }
    let step = ui::Step::begin(format!("rustup target add {WASM}"), "10–60 s; it may take five minutes");
    // In the root of the repository rustup takes the toolchain that rust-toolchain.toml names.
    let mut command = Command::new("timeout");
    command.args([RUSTUP_TIMEOUT, "rustup", "target", "add", WASM]).current_dir(repo::root());
    proc::run(&mut command).context("rustup could not get it")?;
    if !works()? {
        bail!("rustup says that it installed {WASM}, but a program cannot be compiled for it");
    }
    step.done();
    Ok(())
}

fn build(compiler: &Compiler) -> Result<()> {
    let dir = tempfile::tempdir()?;
    let source = SourceLink::make(compiler, dir.path())?;
    let libraries = build_std(dir.path())?;
    drop(source);
    install(compiler, &libraries)?;
    // What was compiled against another std does not link with this one (E0463).
    let stale = repo::target().join(WASM);
    if stale.exists() {
        std::fs::remove_dir_all(&stale).with_context(|| format!("cannot remove {}", stale.display()))?;
    }
    Ok(())
}

/// The source of std where `-Zbuild-std` looks for it; taken away again when dropped, if we put it there.
struct SourceLink(Option<PathBuf>);

impl SourceLink {
    fn make(compiler: &Compiler, dir: &Path) -> Result<Self> {
        let place = compiler.sysroot.join("lib/rustlib/src/rust/library");
        if place.join("std/Cargo.toml").is_file() {
            return Ok(Self(None)); // the component rust-src
        }
        let library = fetch(compiler, dir)?;
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).with_context(|| {
                format!("cannot write to the compiler's own directory {}", parent.display())
            })?;
        }
        if place.is_symlink() {
            std::fs::remove_file(&place)?; // left by a run that was killed
        }
        std::os::unix::fs::symlink(&library, &place)
            .with_context(|| format!("cannot write to the compiler's own directory: {}", place.display()))?;
        Ok(Self(Some(place)))
    }
}

impl Drop for SourceLink {
    fn drop(&mut self) {
        let Some(place) = &self.0 else { return };
        if let Err(error) = std::fs::remove_file(place) {
            ui::say(format!("could not remove {}: {error}", place.display()));
        }
    }
}

/// Gets the `library/` folder of the compiler's source.
fn fetch(compiler: &Compiler, dir: &Path) -> Result<PathBuf> {
    let unpacked = dir.join("source");
    std::fs::create_dir(&unpacked)?;
    if let Some(tarball) = std::env::var_os(TARBALL) {
        ui::say(format!("    source: {}", tarball.display()));
        proc::output(Command::new("tar").arg("-xf").arg(&tarball).arg("-C").arg(&unpacked))?;
    } else {
        let package = debian_package(compiler, dir).with_context(|| {
            format!(
                "there is no source of std {0}. Either let `rustup target add {WASM}` reach its server, or set \
                 {TARBALL} to a tarball with the `library` folder of Rust {0}",
                compiler.version
            )
        })?;
        ui::say(format!("    source: {}", package.file_name().unwrap_or_default().display()));
        proc::output(Command::new("dpkg-deb").arg("-x").arg(&package).arg(&unpacked))?;
    }
    let version = &compiler.version;
    [
        unpacked.join("library"),
        unpacked.clone(),
        unpacked.join(format!("usr/src/rustc-{version}/library")),
        unpacked.join(format!("rustc-{version}-src/library")),
    ]
    .into_iter()
    .find(|library| library.join("std/Cargo.toml").is_file())
    .context("the source of std was unpacked, but has no library/std")
}

fn debian_package(compiler: &Compiler, dir: &Path) -> Result<PathBuf> {
    if !apt::is_here() {
        bail!("this is no Debian, so it has no source package");
    }
    let work = dir.join("apt");
    std::fs::create_dir(&work)?;
    apt::download("rust-src", &compiler.version, &SUITES, &work)
}

/// Builds std with an empty crate; gives its `.rlib`s.
fn build_std(dir: &Path) -> Result<Vec<PathBuf>> {
    let seed = dir.join("seed");
    std::fs::create_dir_all(seed.join("src"))?;
    std::fs::write(
        seed.join("Cargo.toml"),
        "[package]\nname = \"seed\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n",
    )?;
    std::fs::write(seed.join("src/lib.rs"), "#![no_std]\n")?;
    let target = dir.join("target");
    proc::run(
        repo::cargo()
            .current_dir(&seed)
            .args(["build", "--release", "-Zbuild-std=std,panic_abort,proc_macro,test", "--target", WASM])
            .arg("--target-dir")
            .arg(&target)
            .env("RUSTC_BOOTSTRAP", "1")
            .env("RUSTFLAGS", "-Cembed-bitcode=yes -Zforce-unstable-if-unmarked")
            .env_remove("CARGO_TARGET_DIR"),
    )?;
    let mut libraries = Vec::new();
    for entry in std::fs::read_dir(target.join(WASM).join("release/deps"))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".rlib") && !name.starts_with("libseed") {
            libraries.push(path);
        }
    }
    if libraries.is_empty() {
        bail!("building std gave no library");
    }
    Ok(libraries)
}

/// Puts the libraries where rustup puts them, and writes them into its books where there is a rustup.
fn install(compiler: &Compiler, libraries: &[PathBuf]) -> Result<()> {
    let rustlib = compiler.sysroot.join("lib/rustlib");
    let relative = format!("lib/rustlib/{WASM}/lib");
    let place = compiler.sysroot.join(&relative);
    if place.exists() {
        std::fs::remove_dir_all(&place)?; // a half one, or one of another build
    }
    std::fs::create_dir_all(&place)
        .with_context(|| format!("cannot write to the compiler's own directory {}", place.display()))?;
    let mut manifest = String::new();
    for library in libraries {
        let name = library.file_name().context("a library without a name")?;
        std::fs::copy(library, place.join(name))?;
        manifest.push_str(&format!("file:{relative}/{}\n", name.display()));
    }
    let (components, config) = (rustlib.join("components"), rustlib.join("multirust-config.toml"));
    if !components.is_file() || !config.is_file() {
        return Ok(()); // not a toolchain of rustup
    }
    let component = format!("rust-std-{WASM}");
    std::fs::write(rustlib.join(format!("manifest-{component}")), manifest)?;
    append_once(&components, &component, &format!("{component}\n"))?;
    append_once(
        &config,
        &format!("target = \"{WASM}\""),
        &format!("\n[[components]]\npkg = \"rust-std\"\ntarget = \"{WASM}\"\nis_extension = false\n"),
    )
}

/// Appends `text` to a file which does not have `mark` in it yet.
fn append_once(file: &Path, mark: &str, text: &str) -> Result<()> {
    let mut content = std::fs::read_to_string(file)?;
    if content.contains(mark) {
        return Ok(());
    }
    if !content.ends_with('\n') {
        content.push('\n');
    }
    content.push_str(text);
    std::fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_of_rustup_are_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("components");
        std::fs::write(&file, "cargo-x\nrustc-x").unwrap();
        for _ in 0..2 {
            append_once(&file, "rust-std-wasm", "rust-std-wasm\n").unwrap();
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "cargo-x\nrustc-x\nrust-std-wasm\n");
    }
}
