//! Entries in memory, and searching them as LDAP says (RFC 4511 §4.5).

use std::collections::HashMap;

use ldap3_proto::proto::{LdapFilter, LdapPartialAttribute, LdapSearchScope, LdapSubstringFilter};

/// Attributes that no search shows or matches.
const SECRET: &str = "userPassword";
/// Attributes that are only shown to who asks for them by name.
const OPERATIONAL: [&str; 1] = ["memberOf"];

/// One entry.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) dn: String,
    pub(super) attributes: Vec<(&'static str, Vec<String>)>,
}

impl Entry {
    pub(super) const fn new(dn: String) -> Self {
        Self { dn, attributes: Vec::new() }
    }

    pub(super) fn with(
        mut self,
        name: &'static str,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.attributes.push((name, values.into_iter().map(Into::into).collect()));
        self
    }

    fn values(&self, name: &str) -> &[String] {
        self.attributes
            .iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map_or(&[], |(_, values)| values.as_slice())
    }

    /// What a search that asked for `wanted` gets (RFC 4511 §4.5.1.8).
    pub(super) fn select(&self, wanted: &[String], types_only: bool) -> Vec<LdapPartialAttribute> {
        let asked = |name: &str| wanted.iter().any(|one| one.eq_ignore_ascii_case(name));
        let all = wanted.is_empty() || asked("*");
        self.attributes
            .iter()
            .filter(|(name, _)| *name != SECRET)
            .filter(|(name, _)| asked(name) || if OPERATIONAL.contains(name) { asked("+") } else { all })
            .map(|(name, values)| LdapPartialAttribute {
                atype: (*name).to_owned(),
                vals: if types_only {
                    Vec::new()
                } else {
                    values.iter().map(|value| value.clone().into_bytes()).collect()
                },
            })
            .collect()
    }

    /// Whether the filter matches; `None` is LDAP's third value, *undefined*.
    pub(super) fn matches(&self, filter: &LdapFilter) -> Option<bool> {
        match filter {
            LdapFilter::And(all) => {
                let outcomes: Vec<_> = all.iter().map(|one| self.matches(one)).collect();
                if outcomes.contains(&Some(false)) {
                    Some(false)
                } else {
                    outcomes.into_iter().collect::<Option<Vec<_>>>().map(|_| true)
                }
            }
            LdapFilter::Or(any) => {
                let outcomes: Vec<_> = any.iter().map(|one| self.matches(one)).collect();
                if outcomes.contains(&Some(true)) {
                    Some(true)
                } else {
                    outcomes.into_iter().collect::<Option<Vec<_>>>().map(|_| false)
                }
            }
            LdapFilter::Not(inner) => self.matches(inner).map(|matches| !matches),
            LdapFilter::Present(name) => self.any(name, |_| true),
            LdapFilter::Equality(name, value) | LdapFilter::Approx(name, value) => {
                let value = folded(name, value);
                self.any(name, |own| own == value)
            }
            LdapFilter::Substring(name, parts) => self.any(name, |own| has_parts(own, name, parts)),
            // Nothing here has an order, and no matching rules are known.
            LdapFilter::GreaterOrEqual(..) | LdapFilter::LessOrEqual(..) | LdapFilter::Extensible(_) => None,
        }
    }

    fn any(&self, name: &str, test: impl Fn(&str) -> bool) -> Option<bool> {
        if name.eq_ignore_ascii_case(SECRET) {
            return None;
        }
        Some(self.values(name).iter().any(|value| test(&folded(name, value))))
    }
}

/// A value in the form in which it is compared: names as DNs are, `memberUid` exactly, all else without case.
fn folded(attribute: &str, value: &str) -> String {
    match attribute.to_ascii_lowercase().as_str() {
        "member" | "memberof" => normal_dn(value),
        "memberuid" => value.to_owned(),
        _ => value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase(),
    }
}

/// The names here have no escapes in them, so blanks and case are all there is to even out.
pub(super) fn normal_dn(dn: &str) -> String {
    dn.split(',')
        .map(|rdn| rdn.split('=').map(str::trim).collect::<Vec<_>>().join("="))
        .collect::<Vec<_>>()
        .join(",")
        .to_lowercase()
}

fn has_parts(value: &str, name: &str, parts: &LdapSubstringFilter) -> bool {
    let fold = |part: &String| folded(name, part);
    let mut rest = value;
    if let Some(initial) = parts.initial.as_ref().map(fold) {
        match rest.strip_prefix(initial.as_str()) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    for part in parts.any.iter().map(fold) {
        match rest.split_once(part.as_str()) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    parts.final_.as_ref().map(fold).is_none_or(|last| rest.ends_with(last.as_str()))
}

/// All entries, found by their DN.
#[derive(Debug)]
pub(super) struct Tree {
    /// By normal DN, in the order in which they were added.
    entries: Vec<(String, Entry)>,
    index: HashMap<String, usize>,
}

impl Tree {
    /// Adds `memberOf` to everybody whom a `member` names, as OpenLDAP's overlay of that name does.
    pub(super) fn new(entries: Vec<Entry>) -> Self {
        let mut groups_of: HashMap<String, Vec<String>> = HashMap::new();
        for group in &entries {
            for member in group.values("member") {
                groups_of.entry(normal_dn(member)).or_default().push(group.dn.clone());
            }
        }
        let entries: Vec<_> = entries
            .into_iter()
            .map(|entry| {
                let key = normal_dn(&entry.dn);
                let entry = match groups_of.remove(&key) {
                    Some(groups) => entry.with("memberOf", groups),
                    None => entry,
                };
                (key, entry)
            })
            .collect();
        let index = entries.iter().enumerate().map(|(place, (key, _))| (key.clone(), place)).collect();
        Self { entries, index }
    }

    pub(super) fn get(&self, dn: &str) -> Option<&Entry> {
        let place = self.index.get(&normal_dn(dn))?;
        self.entries.get(*place).map(|(_, entry)| entry)
    }

    /// Whether this is the password of that entry.
    pub(super) fn password_is(&self, dn: &str, password: &str) -> bool {
        self.get(dn).is_some_and(|entry| entry.values(SECRET).iter().any(|own| own == password))
    }

    /// All entries in scope that match; `None` when there is no entry `base`.
    pub(super) fn search(
        &self,
        base: &str,
        scope: &LdapSearchScope,
        filter: &LdapFilter,
    ) -> Option<Vec<&Entry>> {
        self.get(base)?;
        let base = normal_dn(base);
        let below = format!(",{base}");
        let in_scope = |dn: &str| {
            let rdn = dn.strip_suffix(&below);
            match scope {
                LdapSearchScope::Base => dn == base,
                LdapSearchScope::OneLevel => rdn.is_some_and(|rdn| !rdn.contains(',')),
                LdapSearchScope::Subtree => dn == base || rdn.is_some(),
                LdapSearchScope::Children => rdn.is_some(),
            }
        };
        Some(
            self.entries
                .iter()
                .filter(|(dn, entry)| in_scope(dn) && entry.matches(filter) == Some(true))
                .map(|(_, entry)| entry)
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use ldap3_proto::parse_ldap_filter_str;

    use super::*;
    use crate::directory::Directory;

    fn found(base: &str, scope: &LdapSearchScope, filter: &str) -> Vec<String> {
        let tree = Tree::new(Directory::school().entries());
        let filter = parse_ldap_filter_str(filter).unwrap();
        let rdn = |entry: &&Entry| entry.dn.split(',').next().unwrap().to_owned();
        tree.search(base, scope, &filter).unwrap().iter().map(rdn).collect()
    }

    #[test]
    fn filters() {
        let people =
            |filter: &str| found("ou=people,dc=escola,dc=example", &LdapSearchScope::OneLevel, filter);
        assert_eq!(people("(uid=BRUNO)"), ["uid=bruno"]);
        assert_eq!(people("(&(uid=bruno)(sn=Souza))"), Vec::<String>::new());
        assert_eq!(people("(|(uid=bruno)(sn=Souza))"), ["uid=bruno", "uid=ana"]);
        // The crate's text form knows neither blanks nor `=` in a value; on the wire there is no text form.
        let tree = Tree::new(Directory::school().entries());
        let bruno = tree.get("uid=bruno,ou=people,dc=escola,dc=example").unwrap();
        let equal = |name: &str, value: &str| LdapFilter::Equality(name.to_owned(), value.to_owned());
        let student = equal("memberOf", "CN=Alunos, ou=groups, dc=escola, dc=example");
        assert_eq!(bruno.matches(&student), Some(true));
        assert_eq!(bruno.matches(&LdapFilter::Not(Box::new(student))), Some(false));
        assert_eq!(
            bruno.matches(&equal("memberOf", "cn=professores,ou=groups,dc=escola,dc=example")),
            Some(false)
        );
        assert_eq!(bruno.matches(&equal("uid", "*")), Some(false));
        assert_eq!(people("(cn=b*no*zzet*i)"), ["uid=bruno"]);
        assert_eq!(people("(cn=*ouz*)"), ["uid=ana"]);
        assert_eq!(people("(cn=*x*)"), Vec::<String>::new());
        // Undefined is neither true nor false, negated or not.
        assert_eq!(people("(userPassword=bruno)"), Vec::<String>::new());
        assert_eq!(people("(!(userPassword=bruno))"), Vec::<String>::new());
    }

    #[test]
    fn scopes() {
        let base = "dc=escola,dc=example";
        assert_eq!(found(base, &LdapSearchScope::Base, "(objectClass=*)"), ["dc=escola"]);
        assert_eq!(
            found(base, &LdapSearchScope::OneLevel, "(objectClass=*)"),
            ["ou=people", "ou=groups", "ou=unix", "ou=services"]
        );
        assert_eq!(found(base, &LdapSearchScope::Subtree, "(uid=ana)"), ["uid=ana"]);
        assert_eq!(
            found("DC=Escola, dc=example", &LdapSearchScope::Subtree, "(memberUid=ana)"),
            ["cn=alunos"]
        );
    }

    #[test]
    fn passwords_are_never_shown_and_member_of_only_when_asked_for() {
        let tree = Tree::new(Directory::school().entries());
        let bruno = tree.get("uid=bruno,ou=people,dc=escola,dc=example").unwrap();
        let names = |wanted: &[&str]| -> Vec<String> {
            let wanted: Vec<String> = wanted.iter().map(|name| (*name).to_owned()).collect();
            bruno.select(&wanted, false).into_iter().map(|attribute| attribute.atype).collect()
        };
        assert!(!names(&[]).contains(&"memberOf".to_owned()));
        assert!(!names(&["*", "+", "userPassword"]).contains(&"userPassword".to_owned()));
        assert_eq!(names(&["memberof", "MAIL"]), ["mail", "memberOf"]);
        assert!(names(&["1.1"]).is_empty());
    }
}
