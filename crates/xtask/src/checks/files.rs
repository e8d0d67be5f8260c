//! `cargo xtask check-files`: Rust files stay short, begin by saying what they are for, and hold nothing unfinished.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::{proc, repo, ui};

/// Longest Rust file, in lines.
const LONGEST: usize = 600;

/// Words that must not be merged, put together here so that this file does not hold them itself.
const FORBIDDEN: &[(&str, &str)] = &[
    (concat!("todo", "!("), "unfinished"),
    (concat!("unimplemented", "!("), "unfinished"),
    (concat!("#[", "ignore"), "a test that does not run tests nothing"),
    (concat!("FIX", "ME"), "repair it, or open an issue"),
    (concat!("danger_accept_", "invalid_certs"), "certificates are verified, or pinned"),
    (concat!("set_no_tls_", "verify"), "certificates are verified, or pinned"),
];

/// Checks every Rust file that git knows, or would add.
///
/// # Errors
/// With every file that breaks a rule.
pub fn check() -> Result<()> {
    let root = repo::root();
    let listed = proc::output(Command::new("git").current_dir(&root).args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        "*.rs",
    ]))?;
    let mut wrong = Vec::new();
    let mut count = 0_usize;
    for name in listed.lines() {
        let path = root.join(name);
        if !path.is_file() {
            continue; // deleted, but not yet committed
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {name}"))?;
        wrong.extend(judge(Path::new(name), &text));
        count += 1;
    }
    if !wrong.is_empty() {
        bail!("{}", wrong.join("\n"));
    }
    ui::say(format!("check-files: {count} Rust files, none over {LONGEST} lines, nothing unfinished"));
    Ok(())
}

fn judge(name: &Path, text: &str) -> Vec<String> {
    let name = name.display();
    let mut wrong = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        wrong.push(format!("{name}: {lines} lines, {LONGEST} are the most; divide it"));
    }
    if !text.trim_start().starts_with("//!") {
        wrong.push(format!("{name}: does not begin with `//!`, saying what it is for"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        for (word, why) in FORBIDDEN {
            if line.contains(word) {
                wrong.push(format!("{name}:{number}: `{word}`: {why}"));
            }
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_headless_and_unfinished_files_are_found() {
        let name = Path::new("x.rs");
        assert_eq!(judge(name, "//! Good.\nfn f() {}\n"), Vec::<String>::new());
        assert_eq!(judge(name, "fn f() {}\n").len(), 1);
        assert_eq!(judge(name, &format!("//! Long.\n{}", "\n".repeat(LONGEST))).len(), 1);
        let unfinished = format!("//! Bad.\nfn f() {{ {}) }}\n", FORBIDDEN[0].0);
        assert!(judge(name, &unfinished)[0].starts_with("x.rs:2:"));
    }
}
