//! Access tokens: JWTs (RFC 7519) signed with EdDSA, good for minutes.
//!
//! A token says who and which session. It does not say what the user may do: that is read with every request, so that
//! a changed role or a disabled account counts at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::error::TokenError;
use crate::keys::SigningKey;

/// The longest life of an access token.
pub const MAX_ACCESS_TTL: Duration = Duration::from_secs(15 * 60);

/// Who makes tokens, for whom, and for how long.
#[derive(Debug, Clone)]
pub struct TokenSettings {
    /// `iss`: the portal's public URL, or `vms`.
    pub issuer: String,
    /// `aud`: which API they are for.
    pub audience: String,
    /// How long they live; from one second to [`MAX_ACCESS_TTL`].
    pub lifetime: Duration,
}

impl Default for TokenSettings {
    fn default() -> Self {
        Self { issuer: "vms".into(), audience: "vms-api".into(), lifetime: MAX_ACCESS_TTL }
    }
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// The canonical user name.
    pub sub: String,
    /// The session (the family of refresh tokens) it belongs to.
    pub sid: Uuid,
    /// The token's own id.
    pub jti: Uuid,
    /// Made at, seconds since 1970.
    pub iat: u64,
    /// Good until, seconds since 1970.
    pub exp: u64,
}

/// A new token.
#[derive(Clone)]
pub struct IssuedToken {
    /// The JWT. Log it never.
    pub token: String,
    /// How long it is good, in seconds.
    pub expires_in: u64,
    /// What it says.
    pub claims: AccessClaims,
}

impl std::fmt::Debug for IssuedToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IssuedToken").field("claims", &self.claims).finish_non_exhaustive()
    }
}

/// Makes access tokens and checks them.
#[derive(Debug, Clone)]
pub struct AccessTokens {
    settings: TokenSettings,
    key: SigningKey,
    validation: Validation,
}

impl AccessTokens {
    /// # Errors
    /// [`TokenError::Lifetime`] when the lifetime is zero or too long.
    pub fn new(settings: TokenSettings, key: SigningKey) -> Result<Self, TokenError> {
        let seconds = settings.lifetime.as_secs();
        if seconds == 0 || settings.lifetime > MAX_ACCESS_TTL {
            return Err(TokenError::Lifetime {
                asked_seconds: seconds,
                max_seconds: MAX_ACCESS_TTL.as_secs(),
            });
        }
        // The algorithm is ours to say, never the token's.
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&settings.issuer]);
        validation.set_audience(&[&settings.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // One clock makes and checks them; there is nothing to be lenient about.
        validation.leeway = 0;
        Ok(Self { settings, key, validation })
    }

    /// Makes a token for a user's session.
    ///
    /// # Errors
    /// [`TokenError::Crypto`].
    pub fn issue(&self, username: &str, session: Uuid) -> Result<IssuedToken, TokenError> {
        let iat = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let expires_in = self.settings.lifetime.as_secs();
        let claims = AccessClaims {
            iss: self.settings.issuer.clone(),
            aud: self.settings.audience.clone(),
            sub: username.to_owned(),
            sid: session,
            jti: Uuid::new_v4(),
            iat,
            exp: iat.saturating_add(expires_in),
        };
        Ok(IssuedToken { token: self.sign(&claims)?, expires_in, claims })
    }

    /// Checks a token: signature, key, issuer, audience, time.
    ///
    /// # Errors
    /// [`TokenError::Expired`] when it was good once, else [`TokenError::Invalid`].
    pub fn verify(&self, token: &str) -> Result<AccessClaims, TokenError> {
        let header = decode_header(token).map_err(|_| TokenError::Invalid)?;
        if header.kid.as_deref() != Some(self.key.id()) {
            return Err(TokenError::Invalid);
        }
        match decode::<AccessClaims>(token, &self.key.decoding, &self.validation) {
            Ok(data) => Ok(data.claims),
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => Err(TokenError::Expired),
            Err(_) => Err(TokenError::Invalid),
        }
    }

    fn sign(&self, claims: &AccessClaims) -> Result<String, TokenError> {
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(self.key.id().to_owned());
        encode(&header, claims, &self.key.encoding).map_err(|error| {
            tracing::error!(%error, "cannot sign an access token");
            TokenError::Crypto("sign an access token")
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::EncodingKey;

    use super::*;

    fn tokens() -> AccessTokens {
        AccessTokens::new(TokenSettings::default(), SigningKey::generate().unwrap()).unwrap()
    }

    fn is_invalid(outcome: &Result<AccessClaims, TokenError>) -> bool {
        matches!(outcome, Err(TokenError::Invalid))
    }

    #[test]
    fn what_was_put_in_comes_out() {
        let tokens = tokens();
        let session = Uuid::new_v4();
        let issued = tokens.issue("bruno", session).unwrap();
        let claims = tokens.verify(&issued.token).unwrap();
        assert_eq!((claims.sub.as_str(), claims.sid), ("bruno", session));
        assert_eq!(claims.exp - claims.iat, 900);
        assert_eq!(issued.expires_in, 900);
        assert_eq!(claims, issued.claims);
        assert_ne!(tokens.issue("bruno", session).unwrap().claims.jti, claims.jti);
    }

    #[test]
    fn it_carries_identity_and_session_only() {
        let issued = tokens().issue("bruno", Uuid::new_v4()).unwrap();
        let payload = URL_SAFE_NO_PAD.decode(issued.token.split('.').nth(1).unwrap()).unwrap();
        let text = String::from_utf8(payload).unwrap();
        assert!(!text.contains("role") && !text.contains("groups"), "{text}");
    }

    #[test]
    fn an_old_token_has_expired() {
        let tokens = tokens();
        let mut claims = tokens.issue("bruno", Uuid::new_v4()).unwrap().claims;
        claims.iat -= 2000;
        claims.exp = claims.iat + 900;
        assert!(matches!(tokens.verify(&tokens.sign(&claims).unwrap()), Err(TokenError::Expired)));
    }

    #[test]
    fn other_issuers_audiences_and_keys_are_refused() {
        let tokens = tokens();
        let good = tokens.issue("bruno", Uuid::new_v4()).unwrap().claims;
        let other_aud = AccessClaims { aud: "else".into(), ..good.clone() };
        assert!(is_invalid(&tokens.verify(&tokens.sign(&other_aud).unwrap())));
        let other_iss = AccessClaims { iss: "else".into(), ..good.clone() };
        assert!(is_invalid(&tokens.verify(&tokens.sign(&other_iss).unwrap())));
        // Another key that claims to be ours.
        let mut forger = self::tokens();
        forger.key.id = tokens.key.id.clone();
        assert!(is_invalid(&tokens.verify(&forger.sign(&good).unwrap())));
        assert!(tokens.verify(&tokens.sign(&good).unwrap()).is_ok());
    }

    #[test]
    fn the_algorithm_is_pinned() {
        let tokens = tokens();
        let claims = tokens.issue("admin", Uuid::new_v4()).unwrap().claims;
        // "none", and the public key as an HMAC secret: the two classic forgeries.
        let body = URL_SAFE_NO_PAD.encode(format!(
            r#"{{"iss":"vms","aud":"vms-api","sub":"admin","sid":"{}","jti":"{}","iat":{},"exp":{}}}"#,
            claims.sid, claims.jti, claims.iat, claims.exp
        ));
        let head = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, tokens.key.id()));
        assert!(is_invalid(&tokens.verify(&format!("{head}.{body}."))));
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(tokens.key.id().to_owned());
        let public = tokens.key.decoding.try_get_as_bytes().unwrap();
        let forged = encode(&header, &claims, &EncodingKey::from_secret(public)).unwrap();
        assert!(is_invalid(&tokens.verify(&forged)));
    }

    #[test]
    fn changed_and_malformed_tokens_are_refused() {
        let tokens = tokens();
        let issued = tokens.issue("bruno", Uuid::new_v4()).unwrap();
        let parts: Vec<&str> = issued.token.split('.').collect();
        let admin = tokens.issue("admin", issued.claims.sid).unwrap();
        let admin_parts: Vec<&str> = admin.token.split('.').collect();
        let spliced = format!("{}.{}.{}", parts[0], admin_parts[1], parts[2]);
        for text in ["", ".", "..", "a.b.c", parts[0], spliced.as_str()] {
            assert!(is_invalid(&tokens.verify(text)), "{text:?}");
        }
    }

    #[test]
    fn no_token_lives_longer_than_a_quarter_of_an_hour() {
        for seconds in [0, 901] {
            let settings =
                TokenSettings { lifetime: Duration::from_secs(seconds), ..TokenSettings::default() };
            let outcome = AccessTokens::new(settings, SigningKey::generate().unwrap());
            assert!(matches!(outcome, Err(TokenError::Lifetime { .. })));
        }
    }
}
