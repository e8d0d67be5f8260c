//! How xtask speaks: one place that writes to the terminal, so that every step looks the same and says
//! what it does, how long it usually takes, and how long it took.
//!
//! All of it goes to standard error: standard output stays free for what a command *answers* (a document, a list).

use std::io::Write as _;
use std::time::{Duration, Instant};

/// Writes one line to standard error. A terminal that went away is no reason to stop working.
pub fn say(line: impl AsRef<str>) {
    drop(writeln!(std::io::stderr(), "{}", line.as_ref()));
}

/// Writes one line to standard output: the answer of a command.
///
/// # Errors
/// When standard output is closed.
pub fn answer(line: impl AsRef<str>) -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{}", line.as_ref())
}

/// A step that takes a while. Says what it does at once and how long it took when it is done.
#[derive(Debug)]
pub struct Step {
    what: String,
    since: Instant,
}

impl Step {
    /// Begins a step. `usual` says how long it usually takes, in words ("about 25 s").
    pub fn begin(what: impl Into<String>, usual: &str) -> Self {
        let what = what.into();
        if usual.is_empty() {
            say(format!("==> {what}"));
        } else {
            say(format!("==> {what} (usually {usual})"));
        }
        Self { what, since: Instant::now() }
    }

    /// Ends the step and gives the time it took.
    pub fn done(self) -> Duration {
        let took = self.since.elapsed();
        say(format!("    done in {}: {}", seconds(took), self.what));
        took
    }
}

/// A duration as people read it: `0.4 s`, `12 s`, `3 min 05 s`.
pub fn seconds(took: Duration) -> String {
    let whole = took.as_secs();
    if whole >= 60 {
        format!("{} min {:02} s", whole / 60, whole % 60)
    } else if whole >= 10 {
        format!("{whole} s")
    } else {
        format!("{:.1} s", took.as_secs_f64())
    }
}

/// A box around lines, for what must not be overlooked.
pub fn boxed(lines: &[String]) {
    let width = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    say(format!("┌─{}─┐", "─".repeat(width)));
    for line in lines {
        let pad = " ".repeat(width.saturating_sub(line.chars().count()));
        say(format!("│ {line}{pad} │"));
    }
    say(format!("└─{}─┘", "─".repeat(width)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(430)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(12)), "12 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }
}
