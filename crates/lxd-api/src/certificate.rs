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
    /// Trust password, for a client that is not trusted yet (LXD before 5.21).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub password: String,
    /// Trust token, for a client that is not trusted yet (newer LXD, Incus).
    #[serde(skip_serializing_if = "String::is_empty")]
    pub trust_token: String,
}
