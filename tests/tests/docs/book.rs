//! Reading the book: its files, links, headings and fenced blocks.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// A file of the repository.
pub fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
}

/// Every page: the book, the decisions, and what stands at the root.
pub fn pages() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"].into_iter().map(|name| root().join(name)).collect();
    let mut folders = ["docs/src", "docs/adr", "docs/benchmarks"].map(|name| root().join(name)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // docs/src/adr and docs/src/benchmarks lead to folders that are read by themselves.
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The text without fenced blocks: what is shown there is no link and no heading.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            lines.push(line);
        }
    }
    assert!(!fenced, "a fenced block is not closed");
    lines.join("\n")
}

/// Targets of links and pictures that lead to files of the repository.
pub fn local_links(text: &str) -> Vec<String> {
    prose(text)
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.contains("://") && !target.starts_with("mailto:"))
        .map(str::to_owned)
        .collect()
}

/// The anchors of a page's headings, as mdBook makes them.
pub fn anchors(text: &str) -> BTreeSet<String> {
    prose(text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter_map(|c| match c {
                    ' ' => Some('-'),
                    c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                    _ => None,
                })
                .collect()
        })
        .collect()
}

/// The fenced blocks of a language, in order.
pub fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Option<(bool, Vec<&str>)> = None;
    for line in text.lines() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => open = Some((info.trim() == language, Vec::new())),
            (Some(_), Some((true, lines))) => found.push(lines.join("\n")),
            (Some(_), Some((false, _))) | (None, None) => {}
            (None, Some((wanted, mut lines))) => {
                lines.push(line);
                open = Some((wanted, lines));
            }
        }
    }
    found
}

#[test]
fn the_reader_reads() {
    let text = "# A `b` c!\n[x](y.md#z) ![p](q.png) [web](https://a.example)\n```sh\ncurl a\n```\n```text\n[n](o)\n```\n";
    assert_eq!(local_links(text), ["y.md#z", "q.png"]);
    assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), ["a-b-c"]);
    assert_eq!(blocks(text, "sh"), ["curl a"]);
}
