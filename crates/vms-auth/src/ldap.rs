//! Login against an LDAP directory.
//!
//! **Search, then bind**: find the one entry that matches what was typed, then try the password on that entry. The
//! entry is what counts afterwards, not what was typed: `BRUNO` and `bruno` are one person. **Direct bind** leaves the
//! search out. Either way the groups are read after the password was found right, so that a wrong password and an
//! unknown user cost the same two questions and get the same answer.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ldap3::{Scope, SearchEntry, dn_escape, ldap_escape};
use url::Url;

use crate::config::{AttributeNames, DirectoryConfig};
use crate::dn::Dn;
use crate::error::{AuthError, ConfigError};
use crate::roles::RoleMap;
use crate::session::{Bound, Connector, Session, tls_config};
use crate::{Authenticator, Identity, Presence, username};

/// Groups beyond this number are not read. Nobody is in that many, and the answer has to end somewhere.
const MAX_GROUPS: i32 = 1000;

/// An LDAP directory: OpenLDAP, 389, Active Directory.
///
/// Opens a connection per login and closes it again: a school logs in a few times a second at most, and a connection
/// whose bind was a person's is best not used by the next one. Cheap to clone.
#[derive(Clone)]
pub struct LdapDirectory {
    inner: Arc<Inner>,
}

struct Inner {
    urls: Vec<Url>,
    /// The server that answered last: asked first, so that a dead one is not waited for at every login.
    preferred: AtomicUsize,
    connector: Connector,
    /// DN and password of the account that searches.
    service: Option<(String, String)>,
    base_dn: Option<String>,
    user_filter: String,
    user_dn_template: Option<String>,
    group_base_dn: Option<String>,
    group_filter: String,
    attributes: AttributeNames,
    roles: RoleMap,
}

// By hand, so that the service account's password cannot get into a log.
impl fmt::Debug for LdapDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapDirectory").field("urls", &self.inner.urls).finish_non_exhaustive()
    }
}

impl LdapDirectory {
    /// Checks the configuration and reads the files it names. Asks no server yet: the portal starts also while the
    /// directory is down.
    ///
    /// # Errors
    /// The first key whose value cannot be used.
    pub fn new(config: DirectoryConfig) -> Result<Self, ConfigError> {
        config.check()?;
        let urls = config.parsed_urls()?;
        let roles = RoleMap::new(&config.roles, config.default_role)?;
        let tls = tls_config(config.ca_file.as_deref())?;
        let connector =
            Connector { start_tls: config.start_tls, tls: Arc::new(tls), timeout: config.timeout() };
        let service = match (config.bind_dn, config.bind_password_file) {
            (Some(dn), Some(file)) => {
                let password = std::fs::read_to_string(&file).map_err(|error| {
                    ConfigError::new(
                        "bind_password_file",
                        format!("{} cannot be read: {error}", file.display()),
                    )
                })?;
                let password = password.trim_end_matches(['\r', '\n']).to_owned();
                // An empty one would be an anonymous bind that looks like success (RFC 4513 §5.1.2).
                if password.is_empty() {
                    return Err(ConfigError::new(
                        "bind_password_file",
                        format!("{} is empty", file.display()),
                    ));
                }
                Some((dn, password))
            }
            _ => None,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                urls,
                preferred: AtomicUsize::new(0),
                connector,
                service,
                base_dn: config.base_dn,
                user_filter: config.user_filter,
                user_dn_template: config.user_dn_template,
                group_base_dn: config.group_base_dn,
                group_filter: config.group_filter,
                attributes: config.attributes,
                roles,
            }),
        })
    }
}

#[async_trait]
impl Authenticator for LdapDirectory {
    async fn authenticate(&self, typed: &str, password: &str) -> Result<Identity, AuthError> {
        // An empty password would be an "unauthenticated bind", which many directories answer with success.
        let (Some(name), false) = (username::checked(typed), password.is_empty()) else {
            return Err(AuthError::InvalidCredentials);
        };
        let job = Job::Login { name: name.to_owned(), password: password.to_owned() };
        match Inner::run(Arc::clone(&self.inner), job).await? {
            Done::Login(Some(identity)) => Ok(*identity),
            Done::Login(None) | Done::Presence(_) | Done::Health => Err(AuthError::InvalidCredentials),
        }
    }

    async fn presence(&self, username: &str) -> Result<Presence, AuthError> {
        let job = Job::Presence { name: username.to_owned() };
        match Inner::run(Arc::clone(&self.inner), job).await? {
            Done::Presence(presence) => Ok(presence),
            Done::Login(_) | Done::Health => Ok(Presence::Untold),
        }
    }

    async fn health(&self) -> Result<(), AuthError> {
        Inner::run(Arc::clone(&self.inner), Job::Health).await.map(|_| ())
    }
}

enum Job {
    Login { name: String, password: String },
    Presence { name: String },
    Health,
}

/// What came of a job.
enum Done {
    /// `None`: the password is not accepted.
    Login(Option<Box<Identity>>),
    Presence(Presence),
    Health,
}

/// A person's entry whose password was right.
struct Person {
    entry: SearchEntry,
    /// The user name as the directory writes it.
    name: String,
}

impl Inner {
    /// Does the job with the first server that answers.
    async fn run(this: Arc<Self>, job: Job) -> Result<Done, AuthError> {
        // In a task of its own: the LDAP library panics on answers that are not LDAP, and a broken server
        // must not take more with it than this login. Every step in it has a deadline, so the task ends.
        tokio::spawn(async move { this.try_servers(&job).await }).await.unwrap_or_else(|error| {
            tracing::error!(%error, "a directory server sent something that is not LDAP");
            Err(AuthError::unavailable("the server sent something that is not LDAP"))
        })
    }

    async fn try_servers(&self, job: &Job) -> Result<Done, AuthError> {
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failures = Vec::new();
        for (index, url) in self.urls.iter().enumerate().cycle().skip(first).take(self.urls.len()) {
            match self.at(url, job).await {
                Err(AuthError::Unavailable { detail }) => {
                    tracing::warn!(%detail, "a directory server does not answer");
                    failures.push(detail);
                }
                outcome => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return outcome;
                }
            }
        }
        Err(AuthError::unavailable(failures.join("; ")))
    }

    async fn at(&self, url: &Url, job: &Job) -> Result<Done, AuthError> {
        // Each step has its own deadline; this one is for a server that drips.
        let patience = self.connector.timeout * 2;
        let conversation = async {
            let mut session = self.connector.connect(url).await?;
            let outcome = match job {
                Job::Login { name, password } => {
                    self.login(&mut session, name, password).await.map(|who| Done::Login(who.map(Box::new)))
                }
                Job::Presence { name } => self.look_for(&mut session, name).await.map(Done::Presence),
                Job::Health => self.greet(&mut session).await.map(|()| Done::Health),
            };
            session.close().await;
            outcome
        };
        tokio::time::timeout(patience, conversation).await.unwrap_or_else(|_| {
            Err(AuthError::unavailable(format!("{url} did not finish within {} s", patience.as_secs())))
        })
    }

    /// Asks as little as shows that a login would find somebody.
    async fn greet(&self, session: &mut Session) -> Result<(), AuthError> {
        self.bind_service(session).await?;
        let base = match (&self.user_dn_template, &self.base_dn) {
            // With direct binds we may not be allowed to read anything before one.
            (Some(_), _) | (None, None) => "",
            (None, Some(base)) => base,
        };
        session.search(base, Scope::Base, "(objectClass=*)", &["1.1"], 1).await.map(|_| ())
    }

    /// Whether somebody has this name. By the attribute that names people here, not by `user_filter`: that may want
    /// something else to be typed.
    async fn look_for(&self, session: &mut Session, name: &str) -> Result<Presence, AuthError> {
        self.bind_service(session).await?;
        let found = match (&self.user_dn_template, &self.base_dn) {
            (None, base) => {
                let filter = format!("({}={})", self.attributes.username, ldap_escape(name));
                let base = base.as_deref().unwrap_or_default();
                session.search(base, Scope::Subtree, &filter, &["1.1"], 1).await?
            }
            // Nobody is asked who may not read: an entry that is kept from us looks like one that is not there.
            (Some(_), _) if self.service.is_none() => return Ok(Presence::Untold),
            (Some(template), _) => {
                let dn = template.replace("{username}", &dn_escape(name));
                session.look(&dn).await?
            }
        };
        Ok(if found.entries.is_empty() { Presence::Absent } else { Presence::Present })
    }

    async fn login(
        &self,
        session: &mut Session,
        name: &str,
        password: &str,
    ) -> Result<Option<Identity>, AuthError> {
        let person = match &self.user_dn_template {
            Some(template) => self.direct_bind(session, template, name, password).await?,
            None => self.search_then_bind(session, name, password).await?,
        };
        match person {
            Some(person) => self.identity(session, person).await.map(Some),
            None => Ok(None),
        }
    }

    async fn search_then_bind(
        &self,
        session: &mut Session,
        name: &str,
        password: &str,
    ) -> Result<Option<Person>, AuthError> {
        self.bind_service(session).await?;
        let base = self.base_dn.as_deref().unwrap_or_default();
        let filter = self.user_filter.replace("{username}", &ldap_escape(name));
        let found = session.search(base, Scope::Subtree, &filter, &self.person_attributes(), 2).await?;
        let mut entries = found.entries.into_iter();
        let (Some(entry), None, false) = (entries.next(), entries.next(), found.truncated) else {
            // Nobody, or more than one. The password is tried all the same, on an entry that cannot be, so that the
            // time of the answer does not say which names exist.
            if session.bind_person(&format!("cn=nobody-{},{base}", uuid::Uuid::new_v4()), password).await?
                == Bound::Yes
            {
                return Err(AuthError::misconfigured(
                    "the directory accepts a bind as somebody who does not exist",
                ));
            }
            tracing::debug!(%filter, "not exactly one entry of the directory matches");
            return Ok(None);
        };
        if entry.dn.is_empty() {
            return Err(AuthError::misconfigured("user_filter matches the root of the directory"));
        }
        match session.bind_person(&entry.dn, password).await? {
            Bound::Refused => Ok(None),
            Bound::Yes => {
                // Groups are read with the rights of the service account, not with the person's.
                self.bind_service(session).await?;
                self.person(entry).map(Some)
            }
        }
    }

    async fn direct_bind(
        &self,
        session: &mut Session,
        template: &str,
        name: &str,
        password: &str,
    ) -> Result<Option<Person>, AuthError> {
        let dn = template.replace("{username}", &dn_escape(name));
        if session.bind_person(&dn, password).await? == Bound::Refused {
            return Ok(None);
        }
        self.bind_service(session).await?;
        let found = session.search(&dn, Scope::Base, "(objectClass=*)", &self.person_attributes(), 1).await?;
        match found.entries.into_iter().next() {
            Some(entry) => self.person(entry).map(Some),
            None => Err(AuthError::misconfigured(format!(
                "{dn:?} may log in but not be read; give a bind_dn that may read it"
            ))),
        }
    }

    async fn bind_service(&self, session: &mut Session) -> Result<(), AuthError> {
        match &self.service {
            Some((dn, password)) => session.bind_service(dn, password).await,
            None => Ok(()),
        }
    }

    fn person_attributes(&self) -> Vec<&str> {
        let names = &self.attributes;
        [&names.username, &names.email, &names.member_of]
            .into_iter()
            .chain(&names.display_name)
            .map(String::as_str)
            .filter(|name| !name.is_empty())
            .collect()
    }

    fn person(&self, entry: SearchEntry) -> Result<Person, AuthError> {
        let attribute = &self.attributes.username;
        // A person may have several names; whichever was typed, it has to be the same person here.
        let name = values(&entry, attribute)
            .iter()
            .filter_map(|value| username::checked(value))
            .min_by_key(|value| value.to_lowercase())
            .map(ToOwned::to_owned);
        match name {
            Some(name) => Ok(Person { entry, name }),
            None => Err(AuthError::misconfigured(format!(
                "{:?} has no usable {attribute:?}; set attributes.username to the attribute that holds the user name",
                entry.dn
            ))),
        }
    }

    async fn identity(&self, session: &mut Session, person: Person) -> Result<Identity, AuthError> {
        let groups = self.groups(session, &person).await?;
        let username = person.name.to_lowercase();
        let Some(role) = self.roles.role_of(&groups) else {
            return Err(AuthError::NotAllowed { username });
        };
        let first = |attribute: &String| {
            values(&person.entry, attribute).iter().map(|value| value.trim()).find(|value| !value.is_empty())
        };
        let display_name =
            self.attributes.display_name.iter().find_map(first).unwrap_or(&person.name).to_owned();
        let email = first(&self.attributes.email).map(ToOwned::to_owned);
        let short_names: BTreeSet<&str> = groups.iter().map(Dn::short_name).collect();
        Ok(Identity {
            username,
            display_name,
            email,
            groups: short_names.into_iter().map(ToOwned::to_owned).collect(),
            role,
        })
    }

    /// The groups that `memberOf` names, and those that a search finds.
    async fn groups(&self, session: &mut Session, person: &Person) -> Result<Vec<Dn>, AuthError> {
        let mut names: Vec<String> = values(&person.entry, &self.attributes.member_of).to_vec();
        if let Some(base) = &self.group_base_dn {
            let filter = self
                .group_filter
                .replace("{dn}", &ldap_escape(person.entry.dn.as_str()))
                .replace("{username}", &ldap_escape(person.name.as_str()));
            let found = session.search(base, Scope::Subtree, &filter, &["1.1"], MAX_GROUPS).await?;
            if found.truncated {
                tracing::warn!(dn = %person.entry.dn, "in so many groups that not all could be read");
            }
            names.extend(found.entries.into_iter().map(|entry| entry.dn));
        }
        Ok(names
            .iter()
            .filter_map(|name| {
                let dn = Dn::parse(name);
                if dn.is_none() {
                    tracing::warn!(group = %name, "the directory names a group by something that is no DN; left out");
                }
                dn
            })
            .collect())
    }
}

/// The values of an attribute; its name's case is the server's business.
fn values<'a>(entry: &'a SearchEntry, attribute: &str) -> &'a [String] {
    entry
        .attrs
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(attribute))
        .map_or(&[], |(_, values)| values.as_slice())
}
