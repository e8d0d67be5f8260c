//! The list of what is wrong in a configuration.

/// Problems of a configuration, each with the key it is about, in the order they were found.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<String>);

impl Problems {
    /// Adds one. `key` is written as people write it: `[http] listen`.
    pub(super) fn note(&mut self, key: &str, problem: impl AsRef<str>) {
        self.0.push(format!("{key}: {}", problem.as_ref()));
    }

    /// Adds one whose text begins with its own key.
    pub(super) fn note_keyed(&mut self, section: &str, text: &str) {
        if text.contains(": ") { self.0.push(text.to_owned()) } else { self.note(section, text) }
    }

    /// All that were found, one line each.
    pub(super) fn into_lines(self) -> Vec<String> {
        self.0
    }
}
