//! Accessibility by axe-core, the rules engine that the browsers' own tools use. It comes from the npm registry into
//! the cache, once; nothing of it is part of this repository.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use xtask::{proc, repo};

use super::Browser;

/// The version; what it finds may differ from one to the next.
const VERSION: &str = "4.11.1";

/// WCAG 2.2 AA and all that it contains.
const TAGS: [&str; 5] = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/// The text of axe-core.
///
/// # Errors
/// When it is not in the cache and npm cannot bring it.
pub fn source() -> Result<String> {
    let home = repo::cache().join(format!("axe-core-{VERSION}"));
    let file = home.join("node_modules/axe-core/axe.min.js");
    if !file.is_file() {
        install(&home).with_context(|| {
            format!(
                "cannot get axe-core {VERSION}; npm has to be installed, or the file be at {}",
                file.display()
            )
        })?;
    }
    std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))
}

/// Into a directory beside it first: an interrupted installation is none.
fn install(home: &PathBuf) -> Result<()> {
    std::fs::create_dir_all(repo::cache())?;
    let fresh = tempfile::Builder::new().prefix("axe-").tempdir_in(repo::cache())?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(fresh.path());
    proc::output(npm.arg(format!("axe-core@{VERSION}")))?;
    if home.exists() {
        std::fs::remove_dir_all(home)?;
    }
    std::fs::rename(fresh.keep(), home)?;
    Ok(())
}

/// Fails when the page, as it is now, breaks a rule of WCAG 2.2 AA. `page` names it in the message.
///
/// # Panics
/// When it does.
pub async fn assert_accessible(browser: &Browser, axe: &str, page: &str) {
    let options = json!({
        "runOnly": { "type": "tag", "values": TAGS },
        // A rule of WCAG 2.2 that axe leaves off unless it is asked for.
        "rules": { "target-size": { "enabled": true } },
        "resultTypes": ["violations"],
    });
    let loaded = browser.script("return typeof window.axe", Vec::new()).await;
    if loaded == "undefined" {
        browser.script(&format!("{axe}; return null"), Vec::new()).await;
    }
    let script = "const done = arguments[1]; window.axe.run(document, arguments[0]).then(\
                  r => done({ passes: r.passes.length, violations: r.violations.map(v => ({ id: v.id, help: v.help, \
                  nodes: v.nodes.map(n => n.html.slice(0, 300) + ' — ' + n.failureSummary) })) }), \
                  e => done({ error: String(e) }))";
    let result = browser.driver.execute_async(script, vec![options]).await;
    let result: Value = result.unwrap_or_else(|error| panic!("axe on {page}: {error}")).json().clone();
    let violations = result["violations"].as_array().unwrap_or_else(|| panic!("axe on {page}: {result:#}"));
    assert!(violations.is_empty(), "{page} breaks WCAG 2.2 AA: {result:#}");
    // Of an empty page nobody could complain.
    assert!(
        result["passes"].as_u64().unwrap_or_default() >= 10,
        "{page}: axe hardly found anything to look at"
    );
}
