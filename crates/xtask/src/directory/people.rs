//! People and groups as data, and what they look like as entries and as LDIF.

use super::tree::Entry;

/// The password of the service account, see [`Directory::service_dn`].
pub const SERVICE_PASSWORD: &str = "vms-service";

/// Somebody.
#[derive(Debug, Clone)]
pub struct Person {
    /// User name; it is the password, too.
    pub uid: String,
    /// First name.
    pub given_name: String,
    /// Last name.
    pub surname: String,
}

/// Some of them.
#[derive(Debug, Clone)]
pub struct Group {
    /// The group's name.
    pub cn: String,
    /// User names.
    pub members: Vec<String>,
}

/// Everybody.
#[derive(Debug, Clone)]
pub struct Directory {
    /// The entry above all others.
    pub base_dn: String,
    /// Everybody.
    pub people: Vec<Person>,
    /// All groups.
    pub groups: Vec<Group>,
}

const STUDENTS: &str = "alunos";
const TEACHERS: &str = "professores";
const ADMINS: &str = "administradores";

impl Directory {
    /// A small school: `bruno` and `ana` are students, `prof` is a teacher, `admin` an administrator.
    #[must_use]
    pub fn school() -> Self {
        let person = |uid: &str, given_name: &str, surname: &str| Person {
            uid: uid.to_owned(),
            given_name: given_name.to_owned(),
            surname: surname.to_owned(),
        };
        let group = |cn: &str, members: &[&str]| Group {
            cn: cn.to_owned(),
            members: members.iter().map(|uid| (*uid).to_owned()).collect(),
        };
        Self {
            base_dn: "dc=escola,dc=example".to_owned(),
            people: vec![
                person("bruno", "Bruno", "Rizzetti"),
                person("ana", "Ana", "Souza"),
                person("prof", "Paulo", "Monteiro"),
                person("admin", "Adriana", "Ferraz"),
            ],
            groups: vec![
                group(STUDENTS, &["bruno", "ana"]),
                group(TEACHERS, &["prof"]),
                group(ADMINS, &["admin"]),
            ],
        }
    }

    /// `count` more students, `aluno0001` and so on.
    #[must_use]
    pub fn with_people(mut self, count: usize) -> Self {
        const GIVEN: [&str; 7] = ["João", "Maria", "Pedro", "Júlia", "Lucas", "Inês", "Tiago"];
        const SURNAMES: [&str; 5] = ["Silva", "Conceição", "Oliveira", "Araújo", "Gonçalves"];
        let names = GIVEN.iter().cycle().zip(SURNAMES.iter().cycle());
        for (number, (given_name, surname)) in (1..=count).zip(names) {
            let uid = format!("aluno{number:04}");
            if let Some(students) = self.groups.iter_mut().find(|group| group.cn == STUDENTS) {
                students.members.push(uid.clone());
            }
            let (given_name, surname) = ((*given_name).to_owned(), (*surname).to_owned());
            self.people.push(Person { uid, given_name, surname });
        }
        self
    }

    /// One more person, in no group.
    #[must_use]
    pub fn with_person(mut self, uid: &str, given_name: &str, surname: &str) -> Self {
        self.people.push(Person {
            uid: uid.to_owned(),
            given_name: given_name.to_owned(),
            surname: surname.to_owned(),
        });
        self
    }

    /// The same without somebody, who has left the school.
    #[must_use]
    pub fn without_person(mut self, uid: &str) -> Self {
        self.people.retain(|person| person.uid != uid);
        for group in &mut self.groups {
            group.members.retain(|member| member != uid);
        }
        self
    }

    /// One more group.
    #[must_use]
    pub fn with_group(mut self, cn: &str, members: &[&str]) -> Self {
        let members = members.iter().map(|uid| (*uid).to_owned()).collect();
        self.groups.push(Group { cn: cn.to_owned(), members });
        self
    }

    /// Where people are.
    #[must_use]
    pub fn people_dn(&self) -> String {
        format!("ou=people,{}", self.base_dn)
    }

    /// Where groups are, as `groupOfNames`.
    #[must_use]
    pub fn groups_dn(&self) -> String {
        format!("ou=groups,{}", self.base_dn)
    }

    /// Where the same groups are as `posixGroup`.
    #[must_use]
    pub fn unix_dn(&self) -> String {
        format!("ou=unix,{}", self.base_dn)
    }

    /// The account that may search; its password is [`SERVICE_PASSWORD`].
    #[must_use]
    pub fn service_dn(&self) -> String {
        format!("cn=vms,ou=services,{}", self.base_dn)
    }

    /// Somebody's DN.
    #[must_use]
    pub fn person_dn(&self, uid: &str) -> String {
        format!("uid={uid},{}", self.people_dn())
    }

    /// The `[directory]` section of a `vms.toml` that logs in against this directory at `url`, searching anonymously.
    #[must_use]
    pub fn vms_config(&self, url: &str) -> String {
        let (people, groups) = (self.people_dn(), self.groups_dn());
        format!(
            "[directory]\nurl = \"{url}\"\nbase_dn = \"{people}\"\ndefault_role = \"none\"\n\n[directory.roles]\n\
             admin = [\"cn={ADMINS},{groups}\"]\nteacher = [\"cn={TEACHERS},{groups}\"]\nstudent = [\"cn={STUDENTS},{groups}\"]\n"
        )
    }

    /// All entries, parents first, groups last. Without `memberOf`: that follows from the groups.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let unit = |name: &str| {
            Entry::new(format!("ou={name},{}", self.base_dn))
                .with("objectClass", ["organizationalUnit"])
                .with("ou", [name])
        };
        let top =
            self.base_dn.split(',').next().and_then(|rdn| rdn.split_once('=')).map_or("", |(_, value)| value);
        let mut entries = vec![
            Entry::new(self.base_dn.clone())
                .with("objectClass", ["dcObject", "organization"])
                .with("dc", [top])
                .with("o", ["Escola"]),
            unit("people"),
            unit("groups"),
            unit("unix"),
            unit("services"),
            Entry::new(self.service_dn())
                .with("objectClass", ["organizationalRole", "simpleSecurityObject"])
                .with("cn", ["vms"])
                .with("userPassword", [SERVICE_PASSWORD]),
        ];
        entries.extend(self.people.iter().map(|person| {
            let full_name = format!("{} {}", person.given_name, person.surname);
            Entry::new(self.person_dn(&person.uid))
                .with("objectClass", ["inetOrgPerson"])
                .with("uid", [person.uid.as_str()])
                .with("cn", [full_name.as_str()])
                .with("displayName", [full_name.as_str()])
                .with("givenName", [person.given_name.as_str()])
                .with("sn", [person.surname.as_str()])
                .with("mail", [format!("{}@escola.example", person.uid)])
                .with("userPassword", [person.uid.as_str()])
        }));
        for (group, gid) in self.groups.iter().zip(2000_u32..) {
            let members = group.members.iter().map(|uid| self.person_dn(uid));
            entries.push(
                Entry::new(format!("cn={},{}", group.cn, self.groups_dn()))
                    .with("objectClass", ["groupOfNames"])
                    .with("cn", [group.cn.as_str()])
                    .with("member", members),
            );
            entries.push(
                Entry::new(format!("cn={},{}", group.cn, self.unix_dn()))
                    .with("objectClass", ["posixGroup"])
                    .with("cn", [group.cn.as_str()])
                    .with("gidNumber", [gid.to_string()])
                    .with("memberUid", group.members.iter().cloned()),
            );
        }
        entries
    }

    /// All entries as LDIF (RFC 2849), in an order in which they can be added.
    #[must_use]
    pub fn ldif(&self) -> String {
        let mut text = String::new();
        for entry in self.entries() {
            let mut line = |name: &str, value: &str| {
                // Two colons: base64, for what is not plain ASCII. LDIF cannot say it otherwise.
                if value.is_ascii() && !value.starts_with([' ', ':', '<']) && !value.ends_with(' ') {
                    text.push_str(&format!("{name}: {value}\n"));
                } else {
                    text.push_str(&format!("{name}:: {}\n", base64(value.as_bytes())));
                }
            };
            line("dn", &entry.dn);
            for (name, values) in &entry.attributes {
                values.iter().for_each(|value| line(name, value));
            }
            text.push('\n');
        }
        text
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ldif_holds_everybody_and_says_umlauts_in_base64() {
        let ldif = Directory::school().with_people(2).ldif();
        assert!(ldif.contains("dn: uid=bruno,ou=people,dc=escola,dc=example\n"));
        assert!(ldif.contains("cn: Bruno Rizzetti\n"));
        assert!(ldif.contains("cn:: TWFyaWEgQ29uY2Vpw6fDo28=\n"), "{ldif}");
        assert!(ldif.contains("member: uid=aluno0002,ou=people,dc=escola,dc=example\n"));
        assert!(ldif.starts_with("dn: dc=escola,dc=example\n"));
    }

    #[test]
    fn the_section_is_toml_with_the_three_roles() {
        let text = Directory::school().vms_config("ldap://127.0.0.1:1389");
        let parsed: toml::Table = toml::from_str(&text).unwrap();
        let roles = &parsed["directory"]["roles"];
        assert_eq!(roles["teacher"][0].as_str(), Some("cn=professores,ou=groups,dc=escola,dc=example"));
    }
}
