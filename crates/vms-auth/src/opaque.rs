//! Tokens that say nothing: 256 random bits, of which only a hash is kept.
//!
//! Whoever reads the database finds no token in it. A plain SHA-256 is right here, where it would be wrong for
//! passwords: nobody can guess 256 random bits. The token is found *by* its hash, so that nothing is compared byte by
//! byte with a secret. The prefix tells people and secret scanners what they have found.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::TokenError;

/// Random bytes in a token.
const BYTES: usize = 32;
/// Those bytes in base64 without padding.
const ENCODED: usize = 43;

/// What a token is for. A token of one kind is never accepted as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Renews an access token: `vmsr_…`.
    Refresh,
    /// A person's own token for scripts: `vmsp_…`.
    Personal,
    /// Opens one websocket: `vmst_…`.
    Ticket,
}

impl TokenKind {
    /// What tokens of this kind begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "vmsr_",
            Self::Personal => "vmsp_",
            Self::Ticket => "vmst_",
        }
    }
}

/// A token in the clear. It exists while it is handed out and while it is checked; it is never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct OpaqueToken {
    kind: TokenKind,
    text: String,
}

impl OpaqueToken {
    /// Makes a new one.
    ///
    /// # Errors
    /// [`TokenError::Crypto`] when the system gives no random numbers.
    pub fn generate(kind: TokenKind) -> Result<Self, TokenError> {
        let mut bytes = [0; BYTES];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| TokenError::Crypto("get random numbers"))?;
        Ok(Self { kind, text: format!("{}{}", kind.prefix(), URL_SAFE_NO_PAD.encode(bytes)) })
    }

    /// Reads a token of one kind; `None` when the text cannot be one. That spares the database a question.
    #[must_use]
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let secret = text.strip_prefix(kind.prefix())?;
        (secret.len() == ENCODED && URL_SAFE_NO_PAD.decode(secret).is_ok())
            .then(|| Self { kind, text: text.to_owned() })
    }

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> TokenKind {
        self.kind
    }

    /// The text to hand out. Show it once, log it never.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What is stored, and by which it is found again.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash(format!("{:x}", Sha256::digest(self.text.as_bytes())))
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpaqueToken({}…)", self.kind.prefix())
    }
}

/// SHA-256 of a token, in 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenHash(String);

impl TokenHash {
    /// The digits, for the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_found_again_by_its_hash() {
        let token = OpaqueToken::generate(TokenKind::Refresh).unwrap();
        let read = OpaqueToken::parse(TokenKind::Refresh, token.reveal()).unwrap();
        assert_eq!(read.hash(), token.hash());
        assert_eq!(token.hash().as_str().len(), 64);
        assert!(token.reveal().starts_with("vmsr_"));
        assert!(token.reveal().chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'));
        assert_ne!(OpaqueToken::generate(TokenKind::Refresh).unwrap(), token);
    }

    #[test]
    fn one_kind_is_not_another_and_rubbish_is_none() {
        let token = OpaqueToken::generate(TokenKind::Ticket).unwrap();
        assert!(OpaqueToken::parse(TokenKind::Refresh, token.reveal()).is_none());
        for text in ["", "vmst_", "vmst_AAAA", &format!("{}A", token.reveal()), &"é".repeat(24)] {
            assert!(OpaqueToken::parse(TokenKind::Ticket, text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn the_secret_is_not_in_the_debug_output() {
        let token = OpaqueToken::generate(TokenKind::Personal).unwrap();
        assert_eq!(format!("{token:?}"), "OpaqueToken(vmsp_…)");
    }

    #[test]
    fn the_hash_is_plain_sha256_of_the_whole_text() {
        let token = OpaqueToken { kind: TokenKind::Personal, text: "abc".into() };
        assert_eq!(token.hash().as_str(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
