//! Distinguished names, compared as a directory compares them (RFC 4514 syntax, the usual matching rules).
//!
//! `CN=Alunos, OU=Groups,dc=x` in the configuration and `cn=alunos,ou=groups,dc=x` in a `memberOf` are one and the
//! same group. Comparing the strings would silently lose somebody's role.

/// A parsed name, in a form in which equal names are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dn {
    /// Each RDN is a sorted list of (type, value), both folded.
    rdns: Vec<Vec<(String, String)>>,
    /// The first RDN's first value as it was written.
    short_name: String,
}

impl Dn {
    /// Reads a name; `None` when it is none. The empty name (the root) is refused: nobody is or is in the root.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rdns = Vec::new();
        let mut short_name = None;
        let mut rdn = Vec::new();
        let mut rest = text.chars().peekable();
        loop {
            let kind = read_type(&mut rest)?;
            let (value, end) = read_value(&mut rest)?;
            short_name.get_or_insert_with(|| value.clone());
            rdn.push((kind, fold(&value)));
            if end != End::Plus {
                rdn.sort();
                rdns.push(std::mem::take(&mut rdn));
            }
            if end == End::Text {
                return Some(Self { rdns, short_name: short_name? });
            }
        }
    }

    /// The value of the first RDN: the `alunos` of `cn=alunos,ou=groups,dc=x`.
    pub(crate) fn short_name(&self) -> &str {
        &self.short_name
    }

    /// Whether both name the same entry.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        self.rdns == other.rdns
    }
}

/// What came after a value.
#[derive(PartialEq, Eq)]
enum End {
    Plus,
    Comma,
    Text,
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn read_type(rest: &mut Chars<'_>) -> Option<String> {
    let mut kind = String::new();
    loop {
        match rest.next()? {
            '=' => break,
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ' ') => {
                kind.push(c.to_ascii_lowercase());
            }
            _ => return None,
        }
    }
    let kind = kind.trim();
    (!kind.is_empty() && !kind.contains(' ')).then(|| kind.to_owned())
}

/// Reads up to the next unescaped `,`, `;` or `+`. Escapes are bytes, so the value is put together as bytes.
fn read_value(rest: &mut Chars<'_>) -> Option<(String, End)> {
    while rest.next_if_eq(&' ').is_some() {}
    let mut bytes = Vec::new();
    // Blanks at the end belong to the value only where they were escaped.
    let mut keep = 0;
    let mut utf8 = [0; 4];
    let quoted = rest.next_if_eq(&'"').is_some();
    let mut open = quoted;
    let end = loop {
        match rest.next() {
            None if open => return None,
            None => break End::Text,
            Some('"') if open => open = false,
            Some(',' | ';') if !open => break End::Comma,
            Some('+') if !open => break End::Plus,
            Some('\\') => {
                let c = rest.next()?;
                match (c.to_digit(16), rest.peek().and_then(|low| low.to_digit(16))) {
                    (Some(high), Some(low)) => {
                        rest.next();
                        bytes.push(u8::try_from(high * 16 + low).ok()?);
                    }
                    _ => bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes()),
                }
                keep = bytes.len();
            }
            Some(' ') if quoted && !open => {}
            Some(_) if quoted && !open => return None,
            Some(c) => {
                bytes.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
                if c != ' ' || open {
                    keep = bytes.len();
                }
            }
        }
    };
    bytes.truncate(keep);
    let value = String::from_utf8(bytes).ok()?;
    (!value.is_empty()).then_some((value, end))
}

/// Lower case, runs of blanks as one: what `caseIgnoreMatch` does.
fn fold(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Dn;

    fn same(a: &str, b: &str) -> bool {
        Dn::parse(a).unwrap().same_as(&Dn::parse(b).unwrap())
    }

    #[test]
    fn spelling_does_not_matter() {
        assert!(same("cn=alunos,ou=groups,dc=x", "CN = Alunos , OU=Groups, DC=x"));
        assert!(same("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x"));
        assert!(same(r"cn=Silva\, Ana,dc=x", r"cn=Silva\2c Ana,dc=x"));
        assert!(same(r#"cn="Silva, Ana",dc=x"#, r"cn=Silva\, Ana,dc=x"));
        assert!(same(r"cn=Jos\c3\a9,dc=x", "cn=josé,dc=x"));
        assert!(same("cn=a  b,dc=x", "cn=A B,dc=x"));
    }

    #[test]
    fn other_names_stay_other() {
        assert!(!same("cn=alunos,dc=x", "cn=alunos,ou=groups,dc=x"));
        assert!(!same(r"cn=a\,cn=b,dc=x", "cn=a,cn=b,dc=x"));
        assert!(!same("cn=a,dc=x", "uid=a,dc=x"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in
            ["", "alunos", "cn", "cn=", "=a", "cn=a,", "cn=a,,dc=x", "cn=a\\", r#"cn="a"#, "c n=a", r"cn=\ff"]
        {
            assert!(Dn::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_short_name_is_the_first_value_as_written() {
        assert_eq!(Dn::parse("CN=Domain Users,dc=x").unwrap().short_name(), "Domain Users");
        assert_eq!(Dn::parse(r"cn=a\2cb ,dc=x").unwrap().short_name(), "a,b");
    }
}
