//! `cargo xtask openapi`: writes `openapi/vms.json` as the server describes itself, or (`--check`) says where
//! the file that is checked in differs from it.

use anyhow::{Context as _, Result, bail};

use crate::{build, proc, repo, ui};

/// Writes the document, or compares it.
///
/// # Errors
/// When the server cannot be built or asked, or, with `check`, when the document is out of date.
pub fn run(check: bool) -> Result<()> {
    build::server()?;
    let mut fresh = proc::output(std::process::Command::new(repo::binary("vms")).arg("openapi"))?;
    let parsed: serde_json::Value =
        serde_json::from_str(&fresh).context("`vms openapi` wrote something that is not JSON")?;
    if parsed.get("openapi").is_none() {
        bail!("`vms openapi` wrote JSON that is no OpenAPI document");
    }
    if !fresh.ends_with('\n') {
        fresh.push('\n');
    }
    let file = repo::root().join("openapi/vms.json");
    if !check {
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&file, fresh).with_context(|| format!("cannot write {}", file.display()))?;
        ui::say(format!("wrote {}", file.display()));
        return Ok(());
    }
    let kept = std::fs::read_to_string(&file)
        .with_context(|| format!("cannot read {}; make it by `cargo xtask openapi`", file.display()))?;
    if kept == fresh {
        ui::say("openapi: openapi/vms.json is what the server says");
        return Ok(());
    }
    let line = (1..).zip(kept.lines().zip(fresh.lines())).find(|(_, (old, new))| old != new);
    let place = match line {
        Some((number, (old, new))) => format!("line {number}:\n- {old}\n+ {new}"),
        None => "one is longer than the other".to_owned(),
    };
    bail!("openapi/vms.json is not what the server says ({place})\nRun `cargo xtask openapi` and commit it.")
}
