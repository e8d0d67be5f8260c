//! The Ed25519 key that signs access tokens.
//!
//! It stands in a PKCS#8 PEM file, as `openssl genpkey -algorithm ed25519` writes it. Without a file a new key is made
//! at every start: then a restart ends all access tokens, and clients refresh.

use std::fmt;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{DecodingKey, EncodingKey};
use sha2::{Digest as _, Sha256};

use crate::error::TokenError;

const PEM_TAG: &str = "PRIVATE KEY";

/// A signing key with what verifies its signatures.
#[derive(Clone)]
pub struct SigningKey {
    pub(crate) encoding: EncodingKey,
    pub(crate) decoding: DecodingKey,
    pub(crate) id: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// A new key that lives as long as this process.
    ///
    /// # Errors
    /// [`TokenError::Crypto`].
    pub fn generate() -> Result<Self, TokenError> {
        Self::from_pkcs8(&new_pkcs8()?).ok_or(TokenError::Crypto("use the key it has just made"))
    }

    /// The key in `path`; when there is no such file, a new key that is kept there (readable by the owner only).
    ///
    /// # Errors
    /// [`TokenError::KeyFile`] when the file cannot be read or made, or holds no Ed25519 key.
    pub fn load_or_create(path: &Path) -> Result<Self, TokenError> {
        let wrong = |problem: String| TokenError::KeyFile { path: path.to_owned(), problem };
        match std::fs::read(path) {
            Ok(text) => {
                warn_when_open_to_others(path);
                let parsed = pem::parse(text).map_err(|error| wrong(format!("is no PEM file: {error}")))?;
                Self::from_pkcs8(parsed.contents()).ok_or_else(|| {
                    wrong(
                        "holds no Ed25519 key in PKCS#8; make one with `openssl genpkey -algorithm ed25519`"
                            .into(),
                    )
                })
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let der = new_pkcs8()?;
                match keep(path, &der) {
                    Ok(()) => {
                        Self::from_pkcs8(&der).ok_or(TokenError::Crypto("use the key it has just made"))
                    }
                    // Another process was faster: its key counts.
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => Self::load_or_create(path),
                    Err(error) => Err(wrong(format!("does not exist and cannot be made: {error}"))),
                }
            }
            Err(error) => Err(wrong(format!("cannot be read: {error}"))),
        }
    }

    /// The key's name in a token's header: its RFC 7638 thumbprint.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(der).ok()?;
        let public = pair.public_key().as_ref();
        let jwk = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, URL_SAFE_NO_PAD.encode(public));
        Some(Self {
            encoding: EncodingKey::from_ed_der(der),
            decoding: DecodingKey::from_ed_der(public),
            id: URL_SAFE_NO_PAD.encode(Sha256::digest(jwk.as_bytes())),
        })
    }
}

fn new_pkcs8() -> Result<Vec<u8>, TokenError> {
    let pair = Ed25519KeyPair::generate().map_err(|_| TokenError::Crypto("make a signing key"))?;
    // Version 1: the one every tool reads.
    let document = pair.to_pkcs8v1().map_err(|_| TokenError::Crypto("write a signing key"))?;
    Ok(document.as_ref().to_vec())
}

/// Writes beside the place and moves there whole, never over another key. Temporary files have mode 0600.
fn keep(path: &Path, der: &[u8]) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(parent)?;
    file.write_all(pem::encode(&pem::Pem::new(PEM_TAG, der)).as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

#[cfg(unix)]
fn warn_when_open_to_others(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    if std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
        tracing::warn!(path = %path.display(), "other users may read the signing key; `chmod 600` it");
    }
}

#[cfg(not(unix))]
fn warn_when_open_to_others(_: &Path) {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_kept_key_is_the_same_key_next_time_and_private() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        let made = SigningKey::load_or_create(&path).unwrap();
        assert_eq!(SigningKey::load_or_create(&path).unwrap().id(), made.id());
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(&path).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
        assert_ne!(SigningKey::generate().unwrap().id(), made.id());
    }

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // Appendix A.1 and A.3 of RFC 8037, the key wrapped in PKCS#8.
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let mut der = vec![
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ];
        der.extend(seed);
        assert_eq!(SigningKey::from_pkcs8(&der).unwrap().id(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn another_file_is_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        for text in ["", "not a key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(matches!(SigningKey::load_or_create(&path), Err(TokenError::KeyFile { .. })), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let nowhere = dir.path().join("no/such/dir/key.pem");
        assert!(matches!(SigningKey::load_or_create(&nowhere), Err(TokenError::KeyFile { .. })));
    }
}
