//! Running test programs: their output is shown as it comes, and counted.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use super::Selection;
use super::binaries::TestBinary;
use super::summary::{Row, Verdict};
use crate::lab::SKIP_REPORT;
use crate::{proc, ui};

/// Seconds after which a test program that still runs is ended: a suite that hangs is a suite that fails.
const LONGEST: &str = "1500";

/// What libtest's last lines say, added up.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Count {
    passed: u32,
    failed: u32,
}

/// Runs all `binaries` as one suite, one after the other.
pub fn run_all(suite: &str, binaries: &[TestBinary], selection: &Selection) -> Row {
    suite_row(suite, |skips, count, notes| {
        for binary in binaries {
            let mut command = Command::new("timeout");
            command
                .args(["--foreground", "--kill-after=30", LONGEST])
                .arg(&binary.program)
                .args(&selection.filter)
                .current_dir(&binary.package)
                .env("CARGO_MANIFEST_DIR", &binary.package)
                .env(SKIP_REPORT, skips);
            if binary.real {
                // Real daemons and a browser on two cores: one test at a time.
                command.arg("--test-threads=1");
            }
            let package = binary.package.file_name().unwrap_or_default().to_string_lossy().into_owned();
            ui::say(format!("    --- {package}: {}", binary.name));
            if let Err(error) = shown_and_counted(&mut command, count) {
                notes.push(format!("{package}/{}: {error:#}", binary.name));
            }
        }
    })
}

/// Runs one `cargo test …` as a suite.
pub fn run_cargo(suite: &str, command: &mut Command) -> Row {
    suite_row(suite, |skips, count, notes| {
        if let Err(error) = shown_and_counted(command.env(SKIP_REPORT, skips), count) {
            notes.push(format!("{error:#}"));
        }
    })
}

fn suite_row(suite: &str, work: impl FnOnce(&std::path::Path, &mut Count, &mut Vec<String>)) -> Row {
    let step = ui::Step::begin(format!("suite {suite}"), "");
    let since = Instant::now();
    let (mut count, mut notes, mut skipped) = (Count::default(), Vec::new(), Vec::new());
    match tempfile::NamedTempFile::new() {
        Ok(skips) => {
            work(skips.path(), &mut count, &mut notes);
            match std::fs::read_to_string(skips.path()) {
                Ok(text) => skipped.extend(text.lines().map(str::to_owned)),
                Err(error) => notes.push(format!("the list of what was skipped cannot be read: {error}")),
            }
        }
        Err(error) => notes.push(format!("cannot make a temporary file: {error}")),
    }
    step.done();
    skipped.sort();
    skipped.dedup();
    let verdict = if !notes.is_empty() || count.failed > 0 {
        Verdict::Failed
    } else if !skipped.is_empty() {
        Verdict::Incomplete
    } else {
        Verdict::Passed
    };
    notes.extend(skipped);
    Row {
        suite: suite.to_owned(),
        verdict,
        passed: count.passed,
        failed: count.failed,
        took: since.elapsed(),
        notes,
    }
}

/// Runs a command, shows its standard output as it comes, and adds up the results that libtest prints.
fn shown_and_counted(command: &mut Command, count: &mut Count) -> Result<()> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{}`", proc::shown(command)))?;
    let out = child.stdout.take().context("no standard output")?;
    for line in BufReader::new(out).split(b'\n') {
        let line = line?;
        let line = String::from_utf8_lossy(&line);
        ui::say(&line);
        if let Some(more) = parse_result(&line) {
            count.passed += more.passed;
            count.failed += more.failed;
        }
    }
    let status = child.wait()?;
    match status.code() {
        Some(0) => Ok(()),
        Some(124 | 137) => bail!("ended after {LONGEST} s, because it still ran"),
        _ => bail!("failed ({status})"),
    }
}

/// `test result: ok. 6 passed; 0 failed; …`
fn parse_result(line: &str) -> Option<Count> {
    let line = line.trim().strip_prefix("test result: ")?;
    let number = |word: &str| {
        line.split([';', '.'])
            .map(str::trim)
            .find_map(|part| part.strip_suffix(word))
            .and_then(|n| n.trim().parse().ok())
    };
    Some(Count { passed: number("passed")?, failed: number("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_counted() {
        let line = "test result: FAILED. 12 passed; 3 failed; 0 ignored; 0 measured; 1 filtered out; finished in 0.00s";
        assert_eq!(parse_result(line), Some(Count { passed: 12, failed: 3 }));
        assert_eq!(parse_result("test a ... ok"), None);
    }

    #[test]
    fn a_program_that_dies_is_a_failed_suite_even_when_it_counted_no_failure() {
        let row = suite_row("x", |_, count, notes| {
            let mut command = Command::new("sh");
            command.args(["-c", "echo 'test result: ok. 1 passed; 0 failed; 0 ignored'; exit 9"]);
            if let Err(error) = shown_and_counted(&mut command, count) {
                notes.push(error.to_string());
            }
        });
        assert_eq!((row.verdict, row.passed), (Verdict::Failed, 1));
    }

    #[test]
    fn what_was_skipped_makes_the_suite_incomplete() {
        let row = suite_row("x", |skips, _, _| std::fs::write(skips, "SKIPPED a\nSKIPPED a\n").unwrap());
        assert_eq!((row.verdict, row.notes), (Verdict::Incomplete, vec!["SKIPPED a".to_owned()]));
    }
}
