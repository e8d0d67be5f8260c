//! `[directory]` of the configuration file: the keys, their defaults, and what of it makes no sense.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer, de};
use url::{Host, Url};
use vms_types::Role;

use crate::error::ConfigError;

/// The `[directory]` section.
///
/// Two ways to find out whether a password is right:
/// - **search, then bind** (the usual way): `base_dn` and `user_filter` find the one entry, as `bind_dn` or
///   anonymously, and the password is tried on that entry;
/// - **direct bind**: `user_dn_template` says what everybody's DN looks like.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DirectoryConfig {
    /// One URL or a list (`ldap://`, `ldaps://`, `ldapi://`), tried in turn. Key `url` (or `urls`).
    #[serde(alias = "urls", deserialize_with = "one_or_many")]
    pub url: Vec<String>,
    /// Whether `ldap://` connections are secured with StartTLS before anything else is said.
    #[serde(default)]
    pub start_tls: bool,
    /// PEM file of the authorities that sign the directory's certificate. Default: those of the system.
    pub ca_file: Option<PathBuf>,
    /// Service account that searches. Default: search anonymously.
    pub bind_dn: Option<String>,
    /// File that holds the service account's password (one line).
    pub bind_password_file: Option<PathBuf>,
    /// Where people are searched. Needed unless `user_dn_template` is given.
    pub base_dn: Option<String>,
    /// Finds a person; `{username}` stands for what was typed (escaped). It has to match exactly one entry.
    #[serde(default = "default_user_filter")]
    pub user_filter: String,
    /// Where groups are searched. Default: no search; groups come from `memberOf` alone.
    pub group_base_dn: Option<String>,
    /// Finds a person's groups; `{dn}` and `{username}` stand for the person found (escaped).
    #[serde(default = "default_group_filter")]
    pub group_filter: String,
    /// The role of whoever is in none of the groups below; `none` lets nobody else in.
    #[serde(default)]
    pub default_role: DefaultRole,
    /// Which groups give which role.
    #[serde(default)]
    pub roles: RoleGroups,
    /// Direct bind: the DN of a person, such as `uid={username},ou=people,dc=school`.
    pub user_dn_template: Option<String>,
    /// Longest wait for one answer of one server, in seconds.
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u64,
    /// What the directory calls things.
    #[serde(default)]
    pub attributes: AttributeNames,
}

/// `[directory.roles]`: lists of group DNs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleGroups {
    /// Groups whose members are administrators.
    pub admin: Vec<String>,
    /// Groups whose members are teachers.
    pub teacher: Vec<String>,
    /// Groups whose members are students.
    pub student: Vec<String>,
}

/// `[directory.attributes]`: names of attributes. The defaults fit `inetOrgPerson` in OpenLDAP; for Active Directory
/// set `username = "sAMAccountName"`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttributeNames {
    /// The user name. Its value, in lower case, is who somebody is here.
    pub username: String,
    /// The full name: one name, or several, of which the first that has a value counts.
    #[serde(deserialize_with = "one_or_many")]
    pub display_name: Vec<String>,
    /// The mail address.
    pub email: String,
    /// The DNs of the groups a person is in. Empty: do not ask.
    pub member_of: String,
}

impl Default for AttributeNames {
    fn default() -> Self {
        Self {
            username: "uid".into(),
            display_name: vec!["displayName".into(), "cn".into()],
            email: "mail".into(),
            member_of: "memberOf".into(),
        }
    }
}

/// The role of whoever is in no group that has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefaultRole {
    /// A student.
    #[default]
    Student,
    /// A teacher.
    Teacher,
    /// An administrator. Only for trying things out.
    Admin,
    /// Not let in.
    None,
}

impl DefaultRole {
    pub(crate) const fn role(self) -> Option<Role> {
        match self {
            Self::Student => Some(Role::Student),
            Self::Teacher => Some(Role::Teacher),
            Self::Admin => Some(Role::Admin),
            Self::None => None,
        }
    }
}

fn default_user_filter() -> String {
    "(uid={username})".into()
}

fn default_group_filter() -> String {
    "(|(member={dn})(uniqueMember={dn})(memberUid={username}))".into()
}

const fn default_timeout() -> u64 {
    5
}

impl DirectoryConfig {
    /// Longest wait for one answer.
    pub(crate) const fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    /// The URLs, parsed.
    ///
    /// # Errors
    /// When there is none, or one that is no LDAP URL with a host.
    pub(crate) fn parsed_urls(&self) -> Result<Vec<Url>, ConfigError> {
        if self.url.is_empty() {
            return Err(ConfigError::new(
                "url",
                "names no server; write for example \"ldaps://ldap.school.example\"",
            ));
        }
        self.url.iter().map(|text| parse_url(text)).collect()
    }

    /// Checks what can be checked without asking the directory.
    ///
    /// # Errors
    /// The first key that cannot work.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match (&self.bind_dn, &self.bind_password_file) {
            (Some(_), None) => {
                return Err(ConfigError::new(
                    "bind_password_file",
                    "is missing; bind_dn needs a password, and it stands in a file",
                ));
            }
            (None, Some(_)) => {
                return Err(ConfigError::new("bind_dn", "is missing, but bind_password_file is given"));
            }
            _ => {}
        }
        for (key, dn) in [
            ("bind_dn", self.bind_dn.as_deref()),
            ("base_dn", self.base_dn.as_deref()),
            ("group_base_dn", self.group_base_dn.as_deref()),
            ("user_dn_template", self.user_dn_template.as_deref()),
        ] {
            if let Some(text) = dn
                && crate::dn::Dn::parse(text).is_none()
            {
                return Err(ConfigError::new(
                    key,
                    format!("{text:?} is no DN (such as \"ou=people,dc=school\")"),
                ));
            }
        }
        match &self.user_dn_template {
            Some(template) if !template.contains("{username}") => {
                return Err(ConfigError::new(
                    "user_dn_template",
                    "has no {username} in it: everybody would be the same person",
                ));
            }
            None if self.base_dn.is_none() => {
                return Err(ConfigError::new(
                    "base_dn",
                    "is missing; say where people are, or give user_dn_template",
                ));
            }
            _ => {}
        }
        if !self.user_filter.contains("{username}") {
            return Err(ConfigError::new(
                "user_filter",
                "has no {username} in it: it would not look for the person who logs in",
            ));
        }
        if !self.group_filter.contains("{dn}") && !self.group_filter.contains("{username}") {
            return Err(ConfigError::new(
                "group_filter",
                "has neither {dn} nor {username} in it: everybody would be in every group",
            ));
        }
        for (key, filter) in [("user_filter", &self.user_filter), ("group_filter", &self.group_filter)] {
            let sample = filter.replace("{username}", "a").replace("{dn}", "cn=a");
            if ldap3::parse_filter(&sample).is_err() {
                return Err(ConfigError::new(key, format!("{filter:?} is no LDAP filter (RFC 4515)")));
            }
        }
        if self.attributes.username.is_empty() {
            return Err(ConfigError::new("attributes.username", "is empty; it is who somebody is"));
        }
        if !(1..=60).contains(&self.timeout_seconds) {
            return Err(ConfigError::new("timeout_seconds", "must be from 1 to 60"));
        }
        Ok(())
    }

    /// What works but should be looked at, for `vms check-config` and the log at start.
    #[must_use]
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for url in self.url.iter().filter_map(|text| parse_url(text).ok()) {
            if url.scheme() == "ldap" && !self.start_tls && !is_loopback(&url) {
                warnings.push(format!(
                    "[directory] url: passwords travel to {url} unencrypted; use ldaps:// or start_tls = true"
                ));
            }
        }
        if self.default_role == DefaultRole::Admin {
            warnings.push("[directory] default_role: everybody in the directory is an administrator".into());
        }
        warnings
    }
}

fn parse_url(text: &str) -> Result<Url, ConfigError> {
    let url =
        Url::parse(text).map_err(|error| ConfigError::new("url", format!("{text:?} is no URL: {error}")))?;
    if !matches!(url.scheme(), "ldap" | "ldaps" | "ldapi") {
        return Err(ConfigError::new(
            "url",
            format!("{text:?} must begin with ldap://, ldaps:// or ldapi://"),
        ));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(ConfigError::new(
            "url",
            format!("{text:?} names no host (ldapi: the socket's path, with %2F for /)"),
        ));
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || !url.username().is_empty() {
        return Err(ConfigError::new(
            "url",
            format!("{text:?} may only name a server; base and account have keys of their own"),
        ));
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // For a scheme the URL standard does not know, an IPv4 address stays text.
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Reads `"a"` as `["a"]`.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    struct OneOrMany;
    impl<'de> de::Visitor<'de> for OneOrMany {
        type Value = Vec<String>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("a string or a list of strings")
        }

        fn visit_str<E: de::Error>(self, one: &str) -> Result<Self::Value, E> {
            Ok(vec![one.to_owned()])
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut many: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(one) = many.next_element()? {
                all.push(one);
            }
            Ok(all)
        }
    }
    deserializer.deserialize_any(OneOrMany)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    fn parse(text: &str) -> DirectoryConfig {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn the_smallest_section_is_enough() {
        let config = parse("url = 'ldaps://ldap.school.example'\nbase_dn = 'dc=school'");
        config.check().unwrap();
        assert_eq!(config.parsed_urls().unwrap().len(), 1);
        assert_eq!(config.user_filter, "(uid={username})");
        assert_eq!(config.default_role, DefaultRole::Student);
        assert!(config.warnings().is_empty());
    }

    #[test]
    fn all_keys_are_read_and_others_refused() {
        let config = parse(
            "url = ['ldap://a', 'ldap://b:1389']\nstart_tls = true\nca_file = '/ca'\nbind_dn = 'cn=s,dc=x'\n\
             bind_password_file = '/p'\nbase_dn = 'dc=x'\nuser_filter = '(cn={username})'\ngroup_base_dn = 'ou=g,dc=x'\n\
             group_filter = '(member={dn})'\ndefault_role = 'none'\ntimeout_seconds = 2\n\
             [roles]\nadmin = ['cn=a,dc=x']\nteacher = []\nstudent = []\n\
             [attributes]\nusername = 'sAMAccountName'\ndisplay_name = 'cn'\nemail = 'mail'\nmember_of = ''",
        );
        config.check().unwrap();
        assert_eq!(config.parsed_urls().unwrap().len(), 2);
        assert_eq!(config.attributes.display_name, ["cn"]);
        assert!(toml::from_str::<DirectoryConfig>("url = 'ldap://a'\nno_tls_verify = true").is_err());
    }

    #[test]
    fn nonsense_is_refused_by_key() {
        let base = "url = 'ldap://a'\nbase_dn = 'dc=x'\n";
        for (more, key) in [
            ("bind_dn = 'cn=s,dc=x'", "bind_password_file"),
            ("bind_password_file = '/p'", "bind_dn"),
            ("user_filter = '(uid=bruno)'", "user_filter"),
            ("user_filter = '(uid={username}'", "user_filter"),
            ("group_filter = '(objectClass=*)'", "group_filter"),
            ("user_dn_template = 'uid=bruno,dc=x'", "user_dn_template"),
            ("user_dn_template = '{username}@school'", "user_dn_template"),
            ("timeout_seconds = 0", "timeout_seconds"),
            ("group_base_dn = 'groups'", "group_base_dn"),
        ] {
            match parse(&format!("{base}{more}")).check() {
                Err(error) => assert_eq!(error.key, key, "{more}"),
                Ok(()) => panic!("{more} was accepted"),
            }
        }
        assert_eq!(parse("url = 'ldap://a'").check().unwrap_err().key, "base_dn");
        for url in ["http://a", "a", "ldap://", "ldap://a/dc=x", "ldap://u@a"] {
            assert_eq!(
                parse(&format!("url = '{url}'\nbase_dn = 'dc=x'")).parsed_urls().unwrap_err().key,
                "url",
                "{url}"
            );
        }
    }

    #[test]
    fn unencrypted_passwords_over_a_network_are_warned_about() {
        let warnings = |url: &str| parse(&format!("url = '{url}'\nbase_dn = 'dc=x'")).warnings().len();
        assert_eq!(warnings("ldap://ldap.school.example"), 1);
        assert_eq!(warnings("ldap://127.0.0.1:3389"), 0);
        assert_eq!(warnings("ldap://localhost"), 0);
        assert_eq!(warnings("ldaps://ldap.school.example"), 0);
    }
}
