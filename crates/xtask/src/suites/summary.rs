//! The last thing that is printed: which suites ran, with what result, and what did not run and why.

use std::time::Duration;

use anyhow::{Result, bail};

use crate::ui;

/// How a suite ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of it ran and passed.
    Passed,
    /// Something failed.
    Failed,
    /// What ran has passed, but something could not run.
    Incomplete,
}

/// One suite.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its name.
    pub suite: String,
    /// How it ended.
    pub verdict: Verdict,
    /// Tests that passed.
    pub passed: u32,
    /// Tests that failed.
    pub failed: u32,
    /// How long it took.
    pub took: Duration,
    /// Why it failed, and what it skipped.
    pub notes: Vec<String>,
}

/// Prints the summary.
///
/// # Errors
/// When a suite failed; in CI also when one is incomplete.
pub fn print(rows: &[Row]) -> Result<()> {
    let in_ci = std::env::var_os("CI").is_some();
    let lines = lines(rows);
    ui::boxed(&lines);
    let failed: Vec<_> = names(rows, |row| row.verdict == Verdict::Failed);
    let incomplete: Vec<_> = names(rows, |row| row.verdict == Verdict::Incomplete);
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    if in_ci && !incomplete.is_empty() {
        bail!("not all of it could run, which in CI is a failure: {}", incomplete.join(", "));
    }
    Ok(())
}

fn names(rows: &[Row], wanted: impl Fn(&Row) -> bool) -> Vec<String> {
    rows.iter().filter(|row| wanted(row)).map(|row| row.suite.clone()).collect()
}

fn lines(rows: &[Row]) -> Vec<String> {
    let mut lines =
        vec![format!("{:<14} {:<12} {:>7} {:>7}  {}", "suite", "result", "passed", "failed", "time")];
    for row in rows {
        let verdict = match row.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "FAILED",
            Verdict::Incomplete => "INCOMPLETE",
        };
        lines.push(format!(
            "{:<14} {verdict:<12} {:>7} {:>7}  {}",
            row.suite,
            row.passed,
            row.failed,
            ui::seconds(row.took)
        ));
    }
    for row in rows {
        for note in row.notes.iter().flat_map(|note| note.lines()) {
            // A box wider than a terminal is no box.
            let short: String = note.chars().take(110).collect();
            lines.push(format!("  {}: {short}", row.suite));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(verdict: Verdict) -> Row {
        Row {
            suite: "system".to_owned(),
            verdict,
            passed: 2,
            failed: 0,
            took: Duration::from_secs(3),
            notes: vec!["SKIPPED what needs lxd".to_owned()],
        }
    }

    #[test]
    fn what_did_not_run_is_said() {
        let text = lines(&[row(Verdict::Incomplete)]).join("\n");
        assert!(text.contains("INCOMPLETE") && text.contains("SKIPPED what needs lxd"), "{text}");
    }

    #[test]
    fn a_failed_suite_is_an_error() {
        assert!(print(&[row(Verdict::Passed), row(Verdict::Failed)]).is_err());
        assert!(print(&[row(Verdict::Passed)]).is_ok());
    }
}
