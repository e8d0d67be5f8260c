//! Personal access tokens: how a script logs in.

use chrono::{TimeDelta, Utc};
use uuid::Uuid;
use vms_auth::{OpaqueToken, TokenKind};
use vms_authz::{Allowed, PersonTarget, SessionKind, action::ManageTokens};
use vms_db::NewPersonalToken;
use vms_types::{NewToken, TokenCreated, TokenView};

use crate::error::CoreError;
use crate::vms::Vms;

impl Vms {
    /// The person's tokens, newest first, without their secrets.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn tokens(
        &self,
        proof: &Allowed<PersonTarget, ManageTokens>,
    ) -> Result<Vec<TokenView>, CoreError> {
        Ok(self.parts.db.tokens(proof).await?)
    }

    /// Makes a token. Its secret is in the answer and nowhere else.
    ///
    /// # Errors
    /// A name or lifetime out of range, or too many tokens.
    pub async fn create_token(
        &self,
        proof: &Allowed<PersonTarget, ManageTokens>,
        request: NewToken,
    ) -> Result<TokenCreated, CoreError> {
        let name = request.name.trim();
        if name.is_empty() || name.chars().count() > 100 {
            return Err(CoreError::invalid("name", "length", "must have 1 to 100 characters"));
        }
        if !(1..=366).contains(&request.expires_in_days) {
            return Err(CoreError::invalid("expires_in_days", "range", "must be from 1 to 366"));
        }
        let token = OpaqueToken::generate(TokenKind::Personal)?;
        let view = self
            .parts
            .db
            .create_token(
                proof,
                NewPersonalToken {
                    id: Uuid::new_v4(),
                    name: name.to_owned(),
                    hash: token.hash().to_string(),
                    scope: request.scope,
                    expires_at: Utc::now() + TimeDelta::days(i64::from(request.expires_in_days)),
                },
            )
            .await?;
        Ok(TokenCreated { view, token: token.reveal().to_owned() })
    }

    /// Ends a token at once.
    ///
    /// # Errors
    /// [`CoreError::NotFound`] if the person has no such token.
    pub async fn delete_token(
        &self,
        proof: &Allowed<PersonTarget, ManageTokens>,
        id: Uuid,
    ) -> Result<(), CoreError> {
        self.parts.db.delete_token(proof, id).await?;
        self.session_ended(SessionKind::Token { token: id });
        Ok(())
    }
}
