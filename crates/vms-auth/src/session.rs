//! One conversation with one directory server: connect, secure, bind, search, say goodbye.
//!
//! Every step has a deadline, and every failure is sorted into the two kinds that matter to the caller: "ask another
//! server, or later" ([`AuthError::Unavailable`]) and "somebody has to change something" ([`AuthError::Misconfigured`]).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ldap3::{
    Ldap, LdapConnAsync, LdapConnSettings, LdapError, LdapResult, Scope, SearchEntry, SearchOptions,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::error::{AuthError, ConfigError};

/// The result codes of RFC 4511, appendix A, that are told apart here.
pub(crate) mod code {
    pub(crate) const SUCCESS: u32 = 0;
    pub(crate) const TIME_LIMIT: u32 = 3;
    pub(crate) const SIZE_LIMIT: u32 = 4;
    pub(crate) const STRONGER_AUTH: u32 = 8;
    pub(crate) const ADMIN_LIMIT: u32 = 11;
    pub(crate) const CONFIDENTIALITY: u32 = 13;
    pub(crate) const CONSTRAINT: u32 = 19;
    pub(crate) const NO_SUCH_OBJECT: u32 = 32;
    pub(crate) const INAPPROPRIATE_AUTH: u32 = 48;
    pub(crate) const INVALID_CREDENTIALS: u32 = 49;
    pub(crate) const INSUFFICIENT_ACCESS: u32 = 50;
    pub(crate) const BUSY: u32 = 51;
    pub(crate) const UNAVAILABLE: u32 = 52;
    pub(crate) const UNWILLING: u32 = 53;
}

/// How to reach a server.
#[derive(Clone)]
pub(crate) struct Connector {
    pub(crate) start_tls: bool,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) timeout: Duration,
}

impl Connector {
    /// Opens a connection, and secures it when the URL or StartTLS says so.
    pub(crate) async fn connect(&self, url: &Url) -> Result<Session, AuthError> {
        let settings = LdapConnSettings::new()
            .set_conn_timeout(self.timeout)
            .set_starttls(self.start_tls)
            .set_config(Arc::clone(&self.tls));
        let (connection, ldap) =
            LdapConnAsync::from_url_with_settings(settings, url).await.map_err(|error| match error {
                LdapError::LdapResult { result } => {
                    AuthError::misconfigured(format!("{url} refuses StartTLS ({result}); use ldaps://, or start_tls = false"))
                }
                LdapError::Timeout { .. } => AuthError::unavailable(format!(
                    "{url} did not let itself be connected within {} s",
                    self.timeout.as_secs()
                )),
                other if is_certificate_problem(&other) => AuthError::unavailable(format!(
                    "the certificate of {url} is not trusted ({other}); look at ca_file, and at the names in the certificate"
                )),
                other => AuthError::unavailable(format!("cannot connect to {url}: {other}")),
            })?;
        // Ends by itself when the last handle is gone.
        tokio::spawn(async move {
            if let Err(error) = connection.drive().await {
                tracing::debug!(%error, "a directory connection ended with an error");
            }
        });
        Ok(Session { ldap, timeout: self.timeout, server: url.to_string() })
    }
}

fn is_certificate_problem(error: &LdapError) -> bool {
    let rustls_error = match error {
        LdapError::Rustls { source } => Some(source),
        LdapError::Io { source } => source.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    matches!(rustls_error, Some(rustls::Error::InvalidCertificate(_)))
}

/// An open connection.
pub(crate) struct Session {
    ldap: Ldap,
    timeout: Duration,
    server: String,
}

/// What a search found.
pub(crate) struct Found {
    pub(crate) entries: Vec<SearchEntry>,
    /// There is more than was asked for.
    pub(crate) truncated: bool,
}

/// What a bind with a person's password came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Yes,
    Refused,
}

impl Session {
    /// Tries a person's password.
    pub(crate) async fn bind_person(&mut self, dn: &str, password: &str) -> Result<Bound, AuthError> {
        let result = self.bind(dn, password).await?;
        match result.rc {
            code::SUCCESS => Ok(Bound::Yes),
            code::INVALID_CREDENTIALS => Ok(Bound::Refused),
            // No password set, entry gone meanwhile, account locked or expired: the person cannot log in with this.
            code::NO_SUCH_OBJECT
            | code::INAPPROPRIATE_AUTH
            | code::CONSTRAINT
            | code::INSUFFICIENT_ACCESS
            | code::UNWILLING => {
                tracing::info!(%dn, server = %self.server, %result, "the directory refuses this account");
                Ok(Bound::Refused)
            }
            _ => Err(self.refused("a person's bind", &result)),
        }
    }

    /// Binds as the service account.
    pub(crate) async fn bind_service(&mut self, dn: &str, password: &str) -> Result<(), AuthError> {
        let result = self.bind(dn, password).await?;
        match result.rc {
            code::SUCCESS => Ok(()),
            code::INVALID_CREDENTIALS => Err(AuthError::misconfigured(format!(
                "{} refuses the service account {dn:?}; check bind_dn and the password in bind_password_file",
                self.server
            ))),
            _ => Err(self.refused(&format!("the bind as {dn:?}"), &result)),
        }
    }

    async fn bind(&mut self, dn: &str, password: &str) -> Result<LdapResult, AuthError> {
        let result = self.ldap.with_timeout(self.timeout).simple_bind(dn, password).await;
        result.map_err(|error| self.broken("a bind", &error))
    }

    /// Searches; at most `limit` entries come back. A base that is not there is a mistake in the configuration.
    pub(crate) async fn search(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        limit: i32,
    ) -> Result<Found, AuthError> {
        self.find(base, scope, filter, attributes, limit).await?.ok_or_else(|| {
            AuthError::misconfigured(format!(
                "{} shows no entry {base:?}: either it does not exist, or it may not be read without a bind_dn that has the right to",
                self.server
            ))
        })
    }

    /// Looks whether there is an entry of this name.
    pub(crate) async fn look(&mut self, dn: &str) -> Result<Found, AuthError> {
        let found = self.find(dn, Scope::Base, "(objectClass=*)", &["1.1"], 1).await?;
        Ok(found.unwrap_or(Found { entries: Vec::new(), truncated: false }))
    }

    /// Searches; `None` when there is no such base.
    async fn find(
        &mut self,
        base: &str,
        scope: Scope,
        filter: &str,
        attributes: &[&str],
        limit: i32,
    ) -> Result<Option<Found>, AuthError> {
        let outcome = self
            .ldap
            .with_timeout(self.timeout)
            .with_search_options(SearchOptions::new().sizelimit(limit))
            .search(base, scope, filter, attributes)
            .await;
        let ldap3::SearchResult(entries, result) =
            outcome.map_err(|error| self.broken(&format!("the search below {base:?}"), &error))?;
        match result.rc {
            code::SUCCESS | code::SIZE_LIMIT => Ok(Some(Found {
                entries: entries.into_iter().map(SearchEntry::construct).collect(),
                truncated: result.rc == code::SIZE_LIMIT,
            })),
            code::NO_SUCH_OBJECT => Ok(None),
            _ => Err(self.refused(&format!("the search below {base:?}"), &result)),
        }
    }

    /// Says goodbye. Only politeness: nothing is lost when the server no longer listens.
    pub(crate) async fn close(mut self) {
        if let Err(error) = self.ldap.with_timeout(self.timeout).unbind().await {
            tracing::debug!(server = %self.server, %error, "the directory connection was gone before the unbind");
        }
    }

    fn broken(&self, what: &str, error: &LdapError) -> AuthError {
        match error {
            LdapError::Timeout { .. } => AuthError::unavailable(format!(
                "{} did not answer {what} within {} s",
                self.server,
                self.timeout.as_secs()
            )),
            LdapError::FilterParsing => {
                AuthError::misconfigured(format!("the filter of {what} is no LDAP filter"))
            }
            other => AuthError::unavailable(format!("{} dropped {what}: {other}", self.server)),
        }
    }

    fn refused(&self, what: &str, result: &LdapResult) -> AuthError {
        let server = &self.server;
        match result.rc {
            code::BUSY | code::UNAVAILABLE | code::TIME_LIMIT | code::ADMIN_LIMIT => {
                AuthError::unavailable(format!("{server} cannot do {what} now ({result})"))
            }
            code::CONFIDENTIALITY | code::STRONGER_AUTH => AuthError::misconfigured(format!(
                "{server} wants encryption for {what} ({result}); set start_tls = true, or use ldaps://"
            )),
            _ => AuthError::misconfigured(format!(
                "{server} refuses {what} ({result}); a service account in bind_dn may be needed, or more rights for it"
            )),
        }
    }
}

/// The TLS settings: verified always, against `ca_file` or else the system's authorities.
///
/// # Errors
/// When `ca_file` cannot be read or holds no certificate.
pub(crate) fn tls_config(ca_file: Option<&Path>) -> Result<ClientConfig, ConfigError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        let wrong = |problem: String| ConfigError::new("ca_file", format!("{} {problem}", path.display()));
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| wrong(format!("cannot be read as PEM: {error:?}")))?;
        if certificates.is_empty() {
            return Err(wrong("holds no certificate (no -----BEGIN CERTIFICATE-----)".into()));
        }
        for certificate in certificates {
            roots
                .add(certificate)
                .map_err(|error| wrong(format!("holds a certificate that cannot be used: {error}")))?;
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "an authority of this system cannot be read");
        }
        let (_, unusable) = roots.add_parsable_certificates(found.certs);
        tracing::debug!(usable = roots.len(), unusable, "authorities of this system");
    }
    // The provider is named, so that nothing depends on which one some other crate switched on.
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| ConfigError::new("url", format!("TLS cannot be set up: {error}")))
        .map(|builder| builder.with_root_certificates(roots).with_no_client_auth())
}
