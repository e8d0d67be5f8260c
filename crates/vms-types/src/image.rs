//! Images as administrators see and manage them: by content, with all their names, on all servers.
//!
//! An image is known by its fingerprint, the SHA-256 of its content. People ask for it by an alias, which can be pointed
//! at a newer image; what machines can be made from is listed by alias in [`crate::catalog`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::problem::FieldError;
use crate::profile::ProfileUser;

/// An image with all that is known of it (`GET /images/all`, `GET /images/{image}`), for administrators.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageDetail {
    /// SHA-256 of its content.
    #[cfg_attr(feature = "openapi", schema(example = "5f1c0e…"))]
    pub fingerprint: String,
    /// The names to ask for it by, on any server.
    #[cfg_attr(feature = "openapi", schema(example = json!(["debian-12"])))]
    pub aliases: Vec<String>,
    /// What it is, in words.
    pub description: String,
    /// CPU architecture, as LXD names it.
    #[cfg_attr(feature = "openapi", schema(example = "x86_64"))]
    pub architecture: String,
    /// Size as stored, in bytes.
    pub size_bytes: u64,
    /// When it was built.
    pub created_at: Option<DateTime<Utc>>,
    /// When it came to the first of the servers.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// Where it came from and can be refreshed from.
    pub source: Option<ImageOrigin>,
    /// Whether the servers look for a newer one by themselves.
    pub auto_update: bool,
    /// Machines made from this very content, on all servers.
    pub machines: u32,
    /// Whether a machine gets it when no image is named.
    pub default: bool,
    /// The servers that have it.
    pub copies: Vec<ImageCopy>,
}

/// An image on one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageCopy {
    /// The server.
    #[cfg_attr(feature = "openapi", schema(example = "lxd1"))]
    pub server: String,
    /// Its names there.
    #[cfg_attr(feature = "openapi", schema(example = json!(["debian-12"])))]
    pub aliases: Vec<String>,
    /// When it came there.
    pub uploaded_at: Option<DateTime<Utc>>,
    /// The machines made from it there.
    pub used_by: Vec<ProfileUser>,
}

/// The image server that an image came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageOrigin {
    /// Its URL.
    #[cfg_attr(feature = "openapi", schema(example = "https://images.example.org"))]
    pub url: String,
    /// The image's alias there.
    #[cfg_attr(feature = "openapi", schema(example = "debian/12"))]
    pub alias: String,
}

/// An image to be fetched from another image server (`POST /images/import`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ImportImage {
    /// A server that speaks simplestreams. The LXD servers fetch from it themselves.
    #[cfg_attr(feature = "openapi", schema(example = "https://images.example.org"))]
    pub url: String,
    /// The image's alias there.
    #[cfg_attr(feature = "openapi", schema(example = "debian/12"))]
    pub source_alias: String,
    /// Its alias here.
    #[cfg_attr(feature = "openapi", schema(example = "debian-12"))]
    pub alias: String,
    /// What it is, in words; the source's own words if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Look for a newer one now and then.
    #[serde(default)]
    pub auto_update: bool,
    /// The alias may be another image's until now; that one loses it.
    #[serde(default)]
    pub replace: bool,
    /// The servers that shall have it; all if empty.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(example = json!([])))]
    pub servers: Vec<String>,
}

/// A machine or a snapshot that becomes an image (`POST /images/publish`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PublishImage {
    /// The machine, by `id` or `instance`. Without a snapshot it must be stopped.
    #[cfg_attr(feature = "openapi", schema(example = "vmprofmodelo"))]
    pub machine: String,
    /// One of its snapshots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "pronta"))]
    pub snapshot: Option<String>,
    /// The new image's alias.
    #[cfg_attr(feature = "openapi", schema(example = "aula-redes"))]
    pub alias: String,
    /// What it is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The alias may be another image's until now; that one loses it.
    #[serde(default)]
    pub replace: bool,
}

/// What is to change of an image (`PATCH /images/{image}`); what is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PatchImage {
    /// All its aliases, on every server that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = json!(["debian-12", "debian"])))]
    pub aliases: Option<Vec<String>>,
    /// What it is, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = "Debian 12 for the networks class"))]
    pub description: Option<String>,
    /// Whether the servers look for a newer one by themselves; only where it has a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(example = false))]
    pub auto_update: Option<bool>,
}

/// Longest alias, in characters.
pub const MAX_ALIAS: usize = 100;
/// Words that stand in paths where an alias could.
const RESERVED: [&str; 3] = ["all", "import", "publish"];

/// What is wrong with an alias, if something is. Stricter than LXD, so that it needs no quoting anywhere.
///
/// # Errors
/// The first rule it breaks.
pub fn check_alias(field: &str, alias: &str) -> Result<(), FieldError> {
    let wrong = |code: &str, message: &str| Err(FieldError::new(field, code, message));
    if alias.is_empty() {
        return wrong("required", "must not be empty");
    }
    if alias.chars().count() > MAX_ALIAS {
        return wrong("too-long", "must have at most 100 characters");
    }
    if !alias.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b)) {
        return wrong(
            "alias-character",
            "may contain only letters a-z, digits, dots, slashes, dashes and underscores",
        );
    }
    if !alias.split('/').all(|part| part.starts_with(|c: char| c.is_ascii_alphanumeric())) {
        return wrong("alphanumeric-first", "must start with a letter or a digit, after each slash too");
    }
    if RESERVED.contains(&alias) {
        return wrong("reserved", "is a word that this system needs itself");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_need_no_quoting() {
        for alias in ["debian-12", "debian/12/cloud", "a", "Aula_1.2"] {
            assert_eq!(check_alias("alias", alias), Ok(()), "{alias}");
        }
        let long = "a".repeat(101);
        for (alias, code) in [
            ("", "required"),
            (long.as_str(), "too-long"),
            ("a b", "alias-character"),
            ("máquina", "alias-character"),
            ("../a", "alphanumeric-first"),
            ("a//b", "alphanumeric-first"),
            ("a/", "alphanumeric-first"),
            ("-a", "alphanumeric-first"),
            ("import", "reserved"),
        ] {
            assert_eq!(check_alias("alias", alias).unwrap_err().code, code, "{alias}");
        }
    }
}
