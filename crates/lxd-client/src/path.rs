//! The one place where request paths are built: every segment validated and percent-encoded, `project` and
//! `target` added the same way everywhere.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::Error;

/// Everything but RFC 3986's unreserved characters is encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path below `/1.0`, with its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApiPath {
    path: String,
    query: String,
    /// The path with `{name}` for every name: for what is counted.
    template: String,
}

impl ApiPath {
    /// `/1.0`
    pub(crate) fn root() -> Self {
        Self { path: "/1.0".to_owned(), query: String::new(), template: "/1.0".to_owned() }
    }

    /// Appends a fixed word of the API.
    pub(crate) fn at(mut self, word: &'static str) -> Self {
        self.path.push('/');
        self.path.push_str(word);
        self.template.push('/');
        self.template.push_str(word);
        self
    }

    /// Appends a name that came from outside.
    ///
    /// # Errors
    /// [`Error::InvalidName`] if it could mean another path: empty, `.`, `..`, with `/`, `\` or control
    /// characters, or longer than 255 bytes.
    pub(crate) fn name(self, what: &'static str, name: &str) -> Result<Self, Error> {
        if name.contains('/') {
            return Err(invalid(what, name, "it contains a slash"));
        }
        self.name_with_slash(what, name)
    }

    /// As [`ApiPath::name`], but slashes are allowed (encoded): aliases of images have them (`debian/12`).
    pub(crate) fn name_with_slash(mut self, what: &'static str, name: &str) -> Result<Self, Error> {
        let reason = if name.is_empty() {
            "it is empty"
        } else if name.len() > 255 {
            "it is longer than 255 bytes"
        } else if name.split('/').any(|part| part == "." || part == "..") {
            "it would lead to another path"
        } else if name.chars().any(|c| c.is_control() || c == '\\') {
            "it contains a control character or a backslash"
        } else {
            self.path.push('/');
            self.path.extend(utf8_percent_encode(name, ENCODED));
            self.template.push_str("/{name}");
            return Ok(self);
        };
        Err(invalid(what, name, reason))
    }

    /// Adds `key=value` to the query.
    pub(crate) fn query(mut self, key: &'static str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.push_str(key);
        self.query.push('=');
        self.query.extend(utf8_percent_encode(value, ENCODED));
        self
    }

    /// Adds `recursion=n`: whole objects in place of their paths.
    pub(crate) fn recursion(mut self, depth: &'static str) -> Self {
        self.template.push_str("?recursion=");
        self.template.push_str(depth);
        self.query("recursion", depth)
    }

    /// Adds `target=member`, if there is one. Extension `clustering`.
    pub(crate) fn target(self, member: Option<&str>) -> Self {
        match member {
            Some(member) => self.query("target", member),
            None => self,
        }
    }

    /// Adds `project=name`, if there is one. Called once, by the client.
    pub(crate) fn project(self, project: Option<&str>) -> Self {
        match project {
            Some(project) => self.query("project", project),
            None => self,
        }
    }

    /// The path without its query, for messages.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path with `{name}` for every name, and the recursion, which says most about the cost.
    pub(crate) fn template(&self) -> &str {
        &self.template
    }

    /// As it goes on the wire.
    pub(crate) fn wire(&self) -> String {
        format!("{}{}", self.path, self.query)
    }
}

fn invalid(what: &'static str, name: &str, reason: &'static str) -> Error {
    Error::InvalidName { what, name: name.chars().take(80).collect(), reason }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::ApiPath;

    fn instances() -> ApiPath {
        ApiPath::root().at("instances")
    }

    #[test]
    fn names_cannot_leave_their_segment() {
        let long = "x".repeat(256);
        for name in ["", ".", "..", "../x", "a/b", "a\\b", "a\0b", "a\nb", "a\u{7f}b", long.as_str()] {
            assert!(instances().name("instance", name).is_err(), "{name:?} was let through");
        }
    }

    #[test]
    fn what_is_special_is_encoded() {
        let path = instances().name("instance", "a?b#c d%2Fé&=").unwrap().at("state");
        assert_eq!(path.wire(), "/1.0/instances/a%3Fb%23c%20d%252F%C3%A9%26%3D/state");
        assert_eq!(instances().name("instance", "vm-1.a_b~c").unwrap().wire(), "/1.0/instances/vm-1.a_b~c");
    }

    #[test]
    fn the_template_names_nobody() {
        let path = instances()
            .name("instance", "vmbrunoa")
            .unwrap()
            .at("snapshots")
            .recursion("1")
            .project(Some("p"));
        assert_eq!(path.template(), "/1.0/instances/{name}/snapshots?recursion=1");
    }

    #[test]
    fn aliases_keep_their_slash_but_not_their_dots() {
        let aliases = || ApiPath::root().at("images").at("aliases");
        assert_eq!(
            aliases().name_with_slash("alias", "debian/12").unwrap().wire(),
            "/1.0/images/aliases/debian%2F12"
        );
        assert!(aliases().name_with_slash("alias", "a/../b").is_err());
    }

    #[test]
    fn project_target_and_recursion_share_one_query() {
        let path = instances().recursion("1").target(Some("node 2")).project(Some("a&b"));
        assert_eq!(path.wire(), "/1.0/instances?recursion=1&target=node%202&project=a%26b");
        assert_eq!(instances().target(None).project(None).wire(), "/1.0/instances");
    }
}
