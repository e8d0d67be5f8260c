//! Where LXD is, who we are to it, and how long we wait for it.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::Error;

/// Address of an LXD daemon: `unix:///var/lib/lxd/unix.socket` or `https://host:8443`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Endpoint {
    /// A unix socket on this machine. Whoever may open it is trusted.
    Unix(PathBuf),
    /// A server on the network. Needs a [`TlsIdentity`].
    Https {
        /// Host name or address; IPv6 without brackets.
        host: String,
        /// Port; LXD's habit is 8443, and that is the default here.
        port: u16,
    },
}

impl FromStr for Endpoint {
    type Err = Error;

    /// # Errors
    /// [`Error::InvalidConfig`] for anything but the two forms above.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = |why: &str| {
            Error::InvalidConfig(format!(
                "endpoint {text:?}: {why}; write unix:///path/to/unix.socket or https://host:8443"
            ))
        };
        if let Some(path) = text.strip_prefix("unix://") {
            return if path.starts_with('/') && path.len() > 1 {
                Ok(Self::Unix(PathBuf::from(path)))
            } else {
                Err(invalid("the path of the socket must be absolute"))
            };
        }
        let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
        if url.scheme() != "https" {
            return Err(invalid("the scheme is neither unix nor https"));
        }
        if url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
        {
            return Err(invalid("only a host and a port belong there"));
        }
        let host = match url.host() {
            Some(url::Host::Domain(name)) => name.to_owned(),
            Some(url::Host::Ipv4(address)) => address.to_string(),
            Some(url::Host::Ipv6(address)) => address.to_string(),
            None => return Err(invalid("the host is missing")),
        };
        // `Url` forgets an explicit 443, so only "no port written" may become LXD's default.
        let port = match url.port() {
            Some(port) => port,
            None if text.trim_end_matches('/').ends_with(":443") => 443,
            None => 8443,
        };
        Ok(Self::Https { host, port })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Https { host, port } if host.contains(':') => write!(f, "https://[{host}]:{port}"),
            Self::Https { host, port } => write!(f, "https://{host}:{port}"),
        }
    }
}

impl TryFrom<String> for Endpoint {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.to_string()
    }
}

/// Who we are to a server on the network, and which server we expect. All three are PEM texts.
#[derive(Clone)]
pub struct TlsIdentity {
    /// Our certificate, which LXD must trust (`lxc config trust add`).
    pub client_cert_pem: String,
    /// Its private key (PKCS #8, PKCS #1 or SEC 1).
    pub client_key_pem: String,
    /// LXD's own certificate (`server.crt`). Exactly this one is accepted: no authority, no host name.
    pub server_cert_pem: String,
}

impl fmt::Debug for TlsIdentity {
    /// Without the private key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

/// How long to wait. No request waits for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// Until a connection (TLS included) stands: 3 s.
    pub connect: Duration,
    /// From sending a request until its whole answer is there: 15 s. LXD's answers come in milliseconds;
    /// its long work goes on in operations.
    pub request: Duration,
    /// The same for an upload, which comes from somebody's browser and takes as long as its line needs: 6 h.
    pub upload: Duration,
    /// A websocket that is silent this long is asked (ping); silent for as long again, it is dead: 15 s.
    pub keepalive: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(3),
            request: Duration::from_secs(15),
            upload: Duration::from_secs(6 * 3600),
            keepalive: Duration::from_secs(15),
        }
    }
}

/// Everything [`Client::new`](crate::Client::new) needs.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Where LXD is.
    pub endpoint: Endpoint,
    /// Needed for HTTPS, unused for a unix socket.
    pub tls: Option<TlsIdentity>,
    /// LXD project to work in; `None` is LXD's `default`. Extension `projects`.
    pub project: Option<String>,
    /// How long to wait.
    pub timeouts: Timeouts,
}

impl ClientConfig {
    /// `endpoint` without TLS identity, in the default project, with the default timeouts.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self { endpoint, tls: None, project: None, timeouts: Timeouts::default() }
    }

    /// With a TLS identity.
    #[must_use]
    pub fn with_tls(mut self, tls: TlsIdentity) -> Self {
        self.tls = Some(tls);
        self
    }

    /// In this project.
    #[must_use]
    pub fn with_project(mut self, project: impl Into<String>) -> Self {
        self.project = Some(project.into());
        self
    }

    /// With these timeouts.
    #[must_use]
    pub fn with_timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Endpoint;

    #[test]
    fn both_forms_read_and_write_the_same() {
        for text in ["unix:///var/lib/lxd/unix.socket", "https://lxd.example:8443", "https://[::1]:9443"] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), text);
        }
        assert_eq!("https://lxd".parse::<Endpoint>().unwrap().to_string(), "https://lxd:8443");
        assert_eq!("https://lxd:443/".parse::<Endpoint>().unwrap().to_string(), "https://lxd:443");
    }

    #[test]
    fn everything_else_is_refused_with_the_remedy() {
        for text in [
            "",
            "http://lxd:8443",
            "unix://relative",
            "unix:///",
            "https://lxd/1.0",
            "https://u@lxd",
            "lxd:8443",
        ] {
            let message = text.parse::<Endpoint>().unwrap_err().to_string();
            assert!(message.contains("unix:///path"), "{text}: {message}");
        }
    }
}
