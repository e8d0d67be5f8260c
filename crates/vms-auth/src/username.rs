//! What may be typed as a user name.
//!
//! The directory decides which names exist, so the rules here are few: the rest is escaped, not forbidden. They keep
//! out what cannot be a name and would only make logs and filters worse.

/// Longest user name, in characters.
const MAX_CHARS: usize = 64;

/// The name without blanks around it, or `None` when it is empty, longer than 64 characters, or has control
/// characters (NUL, line ends, escape sequences).
pub(crate) fn checked(typed: &str) -> Option<&str> {
    // Control characters are looked for before trimming: trimming would silently eat a line end.
    if typed.chars().any(char::is_control) {
        return None;
    }
    let name = typed.trim();
    (!name.is_empty() && name.chars().count() <= MAX_CHARS).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::checked;

    #[test]
    fn odd_names_pass_and_impossible_ones_do_not() {
        for (typed, name) in
            [("bruno", "bruno"), (" bruno ", "bruno"), ("*", "*"), ("josé", "josé"), ("a)(b", "a)(b")]
        {
            assert_eq!(checked(typed), Some(name));
        }
        let long = "ü".repeat(65);
        for typed in ["", "   ", "a\0b", "bruno\n", "\u{1b}[0m", long.as_str()] {
            assert_eq!(checked(typed), None, "{typed:?}");
        }
        assert!(checked(&"ü".repeat(64)).is_some());
    }
}
