//! Faults as data: which request goes wrong, and how.
//!
//! ```
//! use std::time::Duration;
//! use lxd_sim::{Action, Fault, Nth};
//!
//! let slow = Fault::on("GET", "/1.0/instances/*", Action::Delay(Duration::from_secs(2)));
//! let once = Fault::on("POST", "/1.0/instances", Action::FailOperationMidway("disk full".into())).nth(Nth::Only(1));
//! assert_ne!(slow, once);
//! ```

use std::time::Duration;

/// One thing that goes wrong. Given to [`SimHandle::inject`](crate::SimHandle::inject).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests.
    pub on: On,
    /// What happens to them.
    pub action: Action,
}

/// Which requests a fault meets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct On {
    /// The method; `None` is any.
    pub method: Option<String>,
    /// The path without its query. A segment `*` is any one segment; a last segment `**` is any rest.
    pub path: String,
    /// Which of the requests that match, counted from 1 since the fault was injected.
    pub nth: Nth,
}

/// Which of the matching requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nth {
    /// All.
    #[default]
    Every,
    /// This one only.
    Only(u64),
    /// The first so many.
    First(u64),
    /// This one and all after it.
    From(u64),
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// The request waits, then goes on as usual.
    Delay(Duration),
    /// It is refused with this error and nothing is done.
    Error {
        /// HTTP status.
        code: u16,
        /// LXD's words.
        message: String,
    },
    /// It is never answered, and nothing is done.
    Hang,
    /// The connection is closed without an answer, and nothing is done.
    CloseConnection,
    /// It is carried out, but the connection is closed in place of the answer.
    LoseAnswer,
    /// Every open events websocket is closed; the request itself goes on as usual.
    DropEvents,
    /// The request is accepted; the operation it begins fails halfway with this message.
    FailOperationMidway(String),
}

impl Fault {
    /// All requests with this method (`*` is any) and path pattern (see [`On::path`]).
    pub fn on(method: &str, path: &str, action: Action) -> Self {
        let method = (method != "*").then(|| method.to_ascii_uppercase());
        Self { on: On { method, path: path.to_owned(), nth: Nth::Every }, action }
    }

    /// Only some of them.
    #[must_use]
    pub fn nth(mut self, nth: Nth) -> Self {
        self.on.nth = nth;
        self
    }
}

impl On {
    fn matches(&self, method: &str, path: &str) -> bool {
        if self.method.as_deref().is_some_and(|wanted| wanted != method) {
            return false;
        }
        let mut pattern = self.path.trim_matches('/').split('/');
        let mut segments = path.trim_matches('/').split('/');
        loop {
            match (pattern.next(), segments.next()) {
                (Some("**"), Some(_)) | (None, None) => return true,
                (Some("*"), Some(_)) => {}
                (Some(wanted), Some(segment)) if wanted == segment => {}
                _ => return false,
            }
        }
    }
}

impl Nth {
    fn includes(self, count: u64) -> bool {
        match self {
            Self::Every => true,
            Self::Only(n) => count == n,
            Self::First(n) => count <= n,
            Self::From(n) => count >= n,
        }
    }
}

/// The faults in force, and how often each has matched.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<(Fault, u64)>);

impl Faults {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.0.push((fault, 0));
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to this request. Counts it.
    pub(crate) fn meet(&mut self, method: &str, path: &str) -> Vec<Action> {
        let mut actions = Vec::new();
        for (fault, count) in &mut self.0 {
            if fault.on.matches(method, path) {
                *count += 1;
                if fault.on.nth.includes(*count) {
                    actions.push(fault.action.clone());
                }
            }
        }
        actions
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Fault, Faults, Nth};

    #[test]
    fn patterns_meet_what_they_say() {
        let meets =
            |pattern: &str, path: &str| Fault::on("GET", pattern, Action::Hang).on.matches("GET", path);
        assert!(meets("/1.0/instances/*", "/1.0/instances/a"));
        assert!(!meets("/1.0/instances/*", "/1.0/instances"));
        assert!(!meets("/1.0/instances/*", "/1.0/instances/a/state"));
        assert!(meets("/1.0/**", "/1.0/instances/a/state"));
        assert!(!meets("/1.0/instances", "/1.0/images"));
        assert!(!Fault::on("PUT", "/1.0", Action::Hang).on.matches("GET", "/1.0"));
        assert!(Fault::on("*", "/1.0", Action::Hang).on.matches("DELETE", "/1.0"));
    }

    #[test]
    fn only_the_second_is_met() {
        let mut faults = Faults::default();
        faults.add(Fault::on("GET", "/1.0", Action::Hang).nth(Nth::Only(2)));
        let met: Vec<usize> = (0..3).map(|_| faults.meet("GET", "/1.0").len()).collect();
        assert_eq!(met, [0, 1, 0]);
    }
}
