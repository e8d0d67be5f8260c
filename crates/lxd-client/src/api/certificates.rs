//! Trusted certificates: `/1.0/certificates`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use lxd_api::{Certificate, CertificateAddToken, CertificatesPost};
use rustls::pki_types::{CertificateDer, pem::PemObject};

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

    /// `POST /1.0/certificates` with `token`: LXD makes a token, with which a client that holds none of our secrets adds its
    /// own certificate once (`lxc remote add`). Extension `certificate_token`.
    ///
    /// # Errors
    /// [`Error::MissingExtension`] before LXD 4.20.
    pub async fn issue_token(&self, name: &str) -> Result<String, Error> {
        self.require_extension("certificate_token").await?;
        let request = CertificatesPost {
            name: name.to_owned(),
            kind: "client".into(),
            token: true,
            ..CertificatesPost::default()
        };
        let operation = self.start(Method::POST, certificates(), Some(&request), None).await?;
        let metadata = &operation.operation().metadata;
        let text = |key: &str| metadata.get(key).and_then(|value| value.as_str()).map(str::to_owned);
        let addresses = metadata.get("addresses").and_then(|value| value.as_array());
        let Some((secret, fingerprint)) = text("secret").zip(text("fingerprint")) else {
            return Err(Error::Decode {
                path: "/1.0/certificates".into(),
                reason: "an operation without a token".into(),
            });
        };
        let token = CertificateAddToken {
            client_name: name.to_owned(),
            fingerprint,
            addresses: addresses
                .into_iter()
                .flatten()
                .filter_map(|address| address.as_str().map(str::to_owned))
                .collect(),
            secret,
            expires_at: text("expiresAt").unwrap_or_default(),
        };
        // As `lxc` writes it.
        Ok(STANDARD.encode(serde_json::to_vec(&token).map_err(|error| Error::Decode {
            path: "/1.0/certificates".into(),
            reason: error.to_string(),
        })?))
    }

    /// Whether it is the certificate that we show to LXD ourselves. Over a unix socket we show none.
    #[must_use]
    pub fn is_own(&self, certificate: &Certificate) -> bool {
        let der = CertificateDer::from_pem_slice(certificate.certificate.as_bytes());
        self.inner.own.as_ref().is_some_and(|own| der.is_ok_and(|der| der == *own))
    }

    /// `DELETE /1.0/certificates/<fingerprint>`: LXD no longer trusts it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete_certificate(&self, fingerprint: &str) -> Result<(), Error> {
        self.change(Method::DELETE, certificate(fingerprint)?, NO_BODY, None).await
    }
}

/// A certificate in PEM as [`CertificatesPost::certificate`] takes it; `None` if it is none.
#[must_use]
pub fn certificate_body(pem: &str) -> Option<String> {
    CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let lines = pem.lines().map(str::trim);
    let body = lines.skip_while(|line| !line.starts_with("-----BEGIN CERTIFICATE")).skip(1);
    Some(body.take_while(|line| !line.starts_with("-----")).collect())
}
