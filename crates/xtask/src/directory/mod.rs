//! A directory of people: as data, as a small LDAP server in this process, and as LDIF for real OpenLDAP.
//!
//! The demo and the fast tests log in against the server here, over a real socket and real LDAP; the system tests
//! log in against slapd. Both hold the same people, because both are made from the same [`Directory`].
//!
//! ```text
//! dc=escola,dc=example
//! ├── ou=people      uid=bruno, uid=ana, uid=prof, uid=admin      (password = user name)
//! ├── ou=groups      cn=alunos, cn=professores, cn=administradores  (groupOfNames)
//! ├── ou=unix        the same groups as posixGroup
//! └── ou=services    cn=vms: an account that only searches          (password: SERVICE_PASSWORD)
//! ```

mod people;
mod server;
mod tree;

pub use people::{Directory, Group, Person, SERVICE_PASSWORD};
pub use server::{Asked, DirectoryServer};
