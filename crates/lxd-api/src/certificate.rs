//! Trusted certificates. `/1.0/certificates`.

use serde::{Deserialize, Serialize};

use crate::wire::{is_false, null_default};

/// `GET /1.0/certificates/<fingerprint>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    /// SHA-256 of the certificate, hexadecimal.
    pub fingerprint: String,
    /// The certificate, PEM.
    pub certificate: String,
    /// Name.
    pub name: String,
    /// `client`, `server` or `metrics`.
    #[serde(rename = "type")]
    pub kind: String,
    /// May only use `projects`. Extension `certificate_project`.
    pub restricted: bool,
    /// Projects of a restricted certificate.
    #[serde(deserialize_with = "null_default")]
    pub projects: Vec<String>,
}

/// Body of `POST /1.0/certificates`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificatesPost {
    /// Name.
    pub name: String,
    /// `client` or `metrics`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Base64 of the DER form (a PEM without its header lines). Empty over HTTPS is the one in use.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub certificate: String,
    /// May only use `projects`.
    #[serde(skip_serializing_if = "is_false")]
    pub restricted: bool,
    /// Projects of a restricted certificate.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "null_default")]
    pub projects: Vec<String>,
    /// LXD shall make a token, with which a client adds its own certificate; the answer is an operation with it.
    /// Extension `certificate_token`.
    #[serde(skip_serializing_if = "is_false")]
    pub token: bool,
    /// Trust password, for a client that is not trusted yet (LXD before 5.21).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Trust token, for a client that is not trusted yet (newer LXD, Incus).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trust_token: String,
}

/// What the metadata of the operation holds that [`CertificatesPost::token`] begins, and what a token is: these, as JSON
/// in base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificateAddToken {
    /// Name that the certificate will have.
    pub client_name: String,
    /// The server's own certificate, SHA-256.
    pub fingerprint: String,
    /// Where the server is.
    #[serde(deserialize_with = "null_default")]
    pub addresses: Vec<String>,
    /// What the client shows.
    pub secret: String,
    /// Until when, RFC 3339; empty: until it is used.
    #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_default")]
    pub expires_at: String,
}
