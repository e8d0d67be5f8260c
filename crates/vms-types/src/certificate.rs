//! Whom a server trusts: certificates, and tokens with which one is added.

use serde::{Deserialize, Serialize};

/// A certificate that a server trusts (`GET /servers/{server}/certificates`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateView {
    /// SHA-256 of it, hexadecimal.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "fd200419b271f1dc2a5591b693cc5774b7f234e1ff8c6b78ad703b6888fe2b69")
    )]
    pub fingerprint: String,
    /// The name it was given.
    #[cfg_attr(feature = "openapi", schema(example = "notebook-da-coordenacao"))]
    pub name: String,
    /// `client`, `server` or `metrics`.
    #[cfg_attr(feature = "openapi", schema(example = "client"))]
    pub kind: String,
    /// Whether it may only use `projects`.
    pub restricted: bool,
    /// The projects of a restricted one.
    pub projects: Vec<String>,
    /// Whether it is the one that this system shows to the server: without it nothing works, so it stays.
    pub own: bool,
}

/// `POST /servers/{server}/certificates`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct NewCertificate {
    /// A name to know it by, 1 to 63 characters.
    #[cfg_attr(feature = "openapi", schema(example = "notebook-da-coordenacao"))]
    pub name: String,
    /// The certificate, in PEM. Without it the server makes a token, with which a client adds its own.
    #[cfg_attr(feature = "openapi", schema(example = json!(null)))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CertificateAdded {
    /// The certificate that is trusted now, if one was sent.
    pub certificate: Option<CertificateView>,
    /// The token, if none was sent: shown once, good once. `lxc remote add NAME TOKEN` uses it.
    #[cfg_attr(feature = "openapi", schema(example = "eyJjbGllbnRfbmFtZSI6Im5vdGVib29rIn0="))]
    pub token: Option<String>,
}
