//! Where results go: `docs/benchmarks/NAME.csv`, `NAME.svg`, and the page's own part of `docs/benchmarks/README.md`.
//!
//! The page is written by people; between `<!-- begin NAME -->` and `<!-- end NAME -->` this program writes what it
//! measured, and touches nothing else.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use xtask::{repo, ui};

use crate::facts::Facts;

/// Where all of it lies.
pub fn directory() -> PathBuf {
    repo::root().join("docs/benchmarks")
}

/// Writes a table of values: `docs/benchmarks/NAME.csv`.
///
/// # Errors
/// When the file cannot be written.
pub fn csv(name: &str, heads: &[&str], rows: &[Vec<String>]) -> Result<()> {
    let mut text = heads.join(",");
    text.push('\n');
    for row in rows {
        text.push_str(&row.join(","));
        text.push('\n');
    }
    let file = directory().join(format!("{name}.csv"));
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// A table of the page. The columns after the first are numbers, most often, and stand right.
pub fn table(heads: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("| {} |\n", heads.join(" | "));
    let lines = heads.iter().enumerate().map(|(index, _)| if index == 0 { "---" } else { "---:" });
    // Writing to a String cannot fail.
    let _ = writeln!(text, "| {} |", lines.collect::<Vec<_>>().join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}

/// A promise, and whether it was kept.
#[derive(Debug, Clone)]
pub struct Verdict {
    what: String,
    expected: String,
    measured: String,
    kept: bool,
}

impl Verdict {
    /// `kept` is judged by the caller, who has the numbers.
    pub fn new(
        what: impl Into<String>,
        expected: impl Into<String>,
        measured: impl Into<String>,
        kept: bool,
    ) -> Self {
        Self { what: what.into(), expected: expected.into(), measured: measured.into(), kept }
    }
}

/// The promises as a table; also said at once.
pub fn verdicts(verdicts: &[Verdict]) -> String {
    let rows: Vec<Vec<String>> = verdicts
        .iter()
        .map(|v| {
            let word = if v.kept { "met" } else { "**missed**" };
            ui::say(format!(
                "    {:<7} {}: {} (expected {})",
                word.trim_matches('*'),
                v.what,
                v.measured,
                v.expected
            ));
            vec![v.what.clone(), v.expected.clone(), v.measured.clone(), word.to_owned()]
        })
        .collect();
    table(&["", "expected", "measured", ""], &rows)
}

/// Puts what was measured into its place on the page.
///
/// # Errors
/// When the page cannot be read or written, or has no such place.
pub fn section(name: &str, facts: &Facts, body: &str) -> Result<()> {
    let file = directory().join("README.md");
    let page = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let text = format!("{}\n\n{}", facts.line(name), body.trim());
    let new = replaced(&page, name, &text)
        .with_context(|| format!("{} has no place for {name}", file.display()))?;
    std::fs::write(&file, new).with_context(|| format!("cannot write {}", file.display()))?;
    ui::say(format!("    written: docs/benchmarks/README.md, {name}"));
    Ok(())
}

fn replaced(page: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- begin {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{text}\n\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_part_of_the_page_is_touched() {
        let page = "# A\n<!-- begin x -->\nold\n<!-- end x -->\nrest\n<!-- begin y -->\n<!-- end y -->\n";
        let once = replaced(page, "x", "new").unwrap();
        assert_eq!(once, page.replace("old", "\nnew\n"));
        assert_eq!(replaced(&once, "x", "new").unwrap(), once, "twice is as once");
        assert!(replaced(page, "z", "new").is_none());
    }

    #[test]
    fn tables_are_markdown() {
        let rows = vec![vec!["a".to_owned(), "1".to_owned()]];
        assert_eq!(table(&["what", "ms"], &rows), "| what | ms |\n| --- | ---: |\n| a | 1 |\n");
    }
}
