//! `cargo xtask test`: everything, with a summary at the end that cannot be overlooked.
//!
//! All tests are compiled once; then every test binary is run directly. Those of the `tests` package that need
//! real parts (`required-features = ["real"]`) are suites of their own, each with its line in the summary.
//! A failing suite does not stop the others.

mod binaries;
mod runner;
mod summary;

use anyhow::Result;

use crate::lab::packages;
use crate::{build, repo, ui};
use binaries::TestBinary;
use runner::run_all;
use summary::{Row, Verdict};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only suites with these names; empty means all.
    pub only: Vec<String>,
    /// Only tests whose name contains this.
    pub filter: Option<String>,
}

impl Selection {
    fn wants(&self, suite: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == suite)
    }
}

/// Name of the suite of all tests that need nothing but this repository.
const UNIT: &str = "unit";
/// Name of the suite of examples in the documentation.
const DOC: &str = "doc";

/// Runs the selected suites.
///
/// # Errors
/// When a suite failed, or (in CI) could not run; the summary has been printed then.
pub fn test(selection: &Selection) -> Result<()> {
    let mut rows = Vec::new();
    for (part, reason) in packages::ensure(&packages::Part::ALL) {
        ui::say(format!("    {} cannot be used here: {reason}", part.name()));
    }

    let step = ui::Step::begin("compiling the server and all tests", "5 min the first time");
    let compiled = binaries::compile();
    let took = step.done();
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(error) => {
            rows.push(Row::broken("compile", took, format!("{error:#}")));
            return summary::print(&rows);
        }
    };
    let (real, plain): (Vec<TestBinary>, Vec<TestBinary>) =
        compiled.into_iter().partition(|binary| binary.real);

    if selection.wants(UNIT) {
        rows.push(run_all(UNIT, &plain, selection));
    }
    if selection.wants(DOC) {
        rows.push(runner::run_cargo(
            DOC,
            repo::cargo().args([
                "test",
                "--doc",
                "--no-fail-fast",
                "--workspace",
                "--exclude",
                "vms-frontend",
            ]),
        ));
    }
    if real.iter().any(|binary| selection.wants(&binary.name)) {
        rows.extend(pages());
        for binary in real.iter().filter(|binary| selection.wants(&binary.name)) {
            rows.push(run_all(&binary.name, std::slice::from_ref(binary), selection));
        }
    }
    for name in &selection.only {
        if !rows.iter().any(|row| row.suite == *name) {
            rows.push(Row::broken(name, std::time::Duration::ZERO, "there is no such suite".to_owned()));
        }
    }
    summary::print(&rows)
}

/// The pages, which the browser suite clicks on. A row only when they do not build.
fn pages() -> Option<Row> {
    if !build::has_pages() {
        return None;
    }
    let since = std::time::Instant::now();
    build::pages().err().map(|error| Row::broken("pages", since.elapsed(), format!("{error:#}")))
}

impl Row {
    fn broken(suite: &str, took: std::time::Duration, reason: String) -> Self {
        Self {
            suite: suite.to_owned(),
            verdict: Verdict::Failed,
            passed: 0,
            failed: 0,
            took,
            notes: vec![reason],
        }
    }
}
