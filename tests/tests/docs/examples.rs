//! The `curl` examples of the API guide, run in order by a shell against a running server.
//!
//! The comment `# -> 202` behind a command says which status the answer has. `curl` is replaced by a function that also tells
//! the status, so that the guide can stay as a reader would type it.

use std::process::Command;

use crate::book::{blocks, read, root};

/// Before the first block: each command that fails ends the run, and every answer's status goes to standard error.
const PRELUDE: &str =
    "set -eu\ncurl() { command curl --max-time 90 -w '%{stderr}\\n@status %{http_code}\\n' \"$@\"; }\n";

/// The statuses that a block says its commands have.
fn promised(block: &str) -> Vec<u16> {
    block
        .lines()
        .filter_map(|line| line.split_once("# -> "))
        .flat_map(|(_, codes)| codes.split_whitespace())
        .map(|code| code.parse().unwrap_or_else(|_| panic!("{code:?} is no status, in:\n{block}")))
        .collect()
}

/// What the shell saw of each block: statuses, in order.
fn seen(stderr: &str) -> Vec<Vec<u16>> {
    let mut blocks: Vec<Vec<u16>> = Vec::new();
    for line in stderr.lines() {
        if line.starts_with("@block") {
            blocks.push(Vec::new());
        } else if let Some(code) = line.strip_prefix("@status ") {
            blocks.last_mut().unwrap().push(code.parse().unwrap());
        }
    }
    blocks
}

/// Runs all examples of the guide against `base`, such as `http://127.0.0.1:8080`.
pub fn run(base: &str) {
    let examples = blocks(&read(&root().join("docs/src/api-guide.md")), "sh");
    assert!(examples.len() > 20, "only {} examples were found in the guide", examples.len());
    let mut script = PRELUDE.to_owned();
    for block in &examples {
        script.push_str("printf '@block\\n' >&2\n");
        script.push_str(block);
        script.push('\n');
    }
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("BASE", base)
        .output()
        .unwrap_or_else(|error| panic!("cannot start a shell: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(!stderr.contains(": not found"), "the examples need curl and sed:\n{stderr}");
    let seen = seen(&stderr);
    for (block, statuses) in examples.iter().zip(&seen) {
        assert_eq!(
            *statuses,
            promised(block),
            "the statuses of this example:\n{block}\n\nsaid the answers:\n{stdout}\n\nsaid the shell:\n{stderr}"
        );
    }
    assert!(
        output.status.success() && seen.len() == examples.len(),
        "this example failed ({}):\n{}\n\nsaid the answers:\n{stdout}\n\nsaid the shell:\n{stderr}",
        output.status,
        examples.get(seen.len().saturating_sub(1)).unwrap()
    );
}

#[test]
fn statuses_are_read() {
    assert_eq!(promised("curl a  # -> 200\nrun b \\\n  -d x  # -> 202 200\nf() { :; }"), [200, 202, 200]);
    assert_eq!(seen("@block\n\n@status 200\n@block\nx\n"), [vec![200], vec![]]);
}
