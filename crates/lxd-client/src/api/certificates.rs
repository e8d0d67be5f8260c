//! Trusted certificates: `/1.0/certificates`.

use http::Method;
use lxd_api::{Certificate, CertificatesPost};

use crate::{
    client::{Client, NO_BODY, Tagged},
    error::Error,
    path::ApiPath,
};

fn certificates() -> ApiPath {
    ApiPath::root().at("certificates")
}

fn certificate(fingerprint: &str) -> Result<ApiPath, Error> {
    certificates().name("certificate fingerprint", fingerprint)
}

impl Client {
    /// `GET /1.0/certificates?recursion=1`: whom LXD trusts.
    ///
    /// # Errors
    /// Those of every request: unreachable, timeout, untrusted.
    pub async fn certificates(&self) -> Result<Vec<Certificate>, Error> {
        self.list(certificates().recursion("1")).await
    }

    /// `GET /1.0/certificates/<fingerprint>`; the beginning of the fingerprint is enough.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn certificate(&self, fingerprint: &str) -> Result<Tagged<Certificate>, Error> {
        self.get(certificate(fingerprint)?).await
    }

    /// `POST /1.0/certificates`: LXD will trust this certificate. Restricting it to projects needs extension
    /// `certificate_project`.
    ///
    /// # Errors
    /// [`Error::Conflict`] if it is already trusted (some versions: [`Error::Api`], 400).
    pub async fn add_certificate(&self, request: &CertificatesPost) -> Result<(), Error> {
        self.change(Method::POST, certificates(), Some(request), None).await
    }

    /// `DELETE /1.0/certificates/<fingerprint>`: LXD no longer trusts it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_certificate(&self, fingerprint: &str) -> Result<(), Error> {
        self.change(Method::DELETE, certificate(fingerprint)?, NO_BODY, None).await
    }
}
