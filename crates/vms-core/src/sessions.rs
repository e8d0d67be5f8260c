//! Logging in, staying logged in, logging out.
//!
//! A login starts a *family* of refresh tokens. Each refresh replaces the token; one that comes a second time was
//! stolen (or its answer was lost), so the whole family ends (RFC 9700 §4.14.2). Role and the disabled flag are read
//! from the datastore on every request: a token says who somebody is, not what they may.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use uuid::Uuid;
use vms_auth::{AuthError, OpaqueToken, TokenKind};
use vms_authz::{Actor, SessionKind};
use vms_db::{LoginRecord, NewRefresh, RefreshError, User};
use vms_types::{LoginRequest, TokenResponse, TokenScope};

use crate::error::CoreError;
use crate::metrics;
use crate::vms::Vms;

/// Where a request came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Peer {
    /// The client's address.
    pub address: String,
    /// What the client calls itself.
    pub user_agent: String,
}

/// A session that has begun or goes on.
pub struct LoggedIn {
    /// For the answer's body.
    pub tokens: TokenResponse,
    /// For the cookie.
    pub refresh_token: String,
    /// How long the cookie is good.
    pub refresh_ttl: Duration,
    /// Who it is.
    pub username: String,
}

impl std::fmt::Debug for LoggedIn {
    /// Without the tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoggedIn").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Vms {
    /// Checks a password with the directory and begins a session.
    ///
    /// # Errors
    /// Wrong credentials, too many attempts, a disabled account, a directory that does not answer.
    pub async fn login(&self, request: LoginRequest, peer: &Peer) -> Result<LoggedIn, CoreError> {
        let session = self.check_and_begin(request, peer).await;
        metrics::login(&session);
        session
    }

    async fn check_and_begin(&self, request: LoginRequest, peer: &Peer) -> Result<LoggedIn, CoreError> {
        let address: IpAddr = peer.address.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let attempt =
            self.parts.limiter.begin(&request.username, address).map_err(|wait| {
                CoreError::TooManyAttempts { retry_after_seconds: wait.retry_after_seconds }
            })?;
        let identity = match self.parts.directory.authenticate(&request.username, &request.password).await {
            Ok(identity) => identity,
            Err(AuthError::InvalidCredentials) => {
                attempt.failed();
                return Err(CoreError::InvalidCredentials);
            }
            Err(AuthError::NotAllowed { username }) => {
                attempt.succeeded();
                return Err(CoreError::AccountNotAllowed(format!(
                    "{username} is in no group that may use this system. Ask an administrator."
                )));
            }
            Err(error @ (AuthError::Unavailable { .. } | AuthError::Misconfigured { .. })) => {
                attempt.undecided();
                return Err(CoreError::DirectoryUnavailable(error.to_string()));
            }
        };
        attempt.succeeded();
        let user = self
            .parts
            .db
            .record_login(LoginRecord {
                username: identity.username,
                display_name: identity.display_name,
                email: identity.email,
                groups: identity.groups,
                directory_role: identity.role,
            })
            .await?;
        refuse_disabled(&user)?;
        let family = Uuid::new_v4();
        let (token, new) = self.new_refresh(&user.username, family, peer)?;
        self.parts.db.insert_refresh(new).await?;
        self.logged_in(&user.username, family, &token)
    }

    /// Replaces a refresh token and gives a new access token.
    ///
    /// # Errors
    /// [`CoreError::SessionExpired`] for a token that is unknown, expired, ended or used before.
    pub async fn refresh(&self, refresh_token: &str, peer: &Peer) -> Result<LoggedIn, CoreError> {
        let old = OpaqueToken::parse(TokenKind::Refresh, refresh_token).ok_or(CoreError::SessionExpired)?;
        let (token, new) = self.new_refresh("", Uuid::nil(), peer)?;
        let session = match self.parts.db.rotate_refresh(old.hash().as_str(), new).await {
            Ok(session) => session,
            Err(RefreshError::Db(error)) => return Err(error.into()),
            Err(RefreshError::Reused) => {
                tracing::warn!(address = peer.address, "a refresh token came twice; its session was ended");
                return Err(CoreError::SessionExpired);
            }
            Err(RefreshError::Unknown | RefreshError::Expired) => return Err(CoreError::SessionExpired),
        };
        let user = self.parts.db.user(&session.username).await?.ok_or(CoreError::SessionExpired)?;
        refuse_disabled(&user)?;
        self.logged_in(&user.username, session.family, &token)
    }

    /// Ends a session. A token that is none is no error: the person is logged out either way.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn logout(&self, refresh_token: &str) -> Result<(), CoreError> {
        if let Some(token) = OpaqueToken::parse(TokenKind::Refresh, refresh_token) {
            let session = self.parts.db.revoke_refresh(token.hash().as_str()).await?;
            if let Some(session) = session {
                self.session_ended(SessionKind::Browser { session });
            }
        }
        Ok(())
    }

    /// Who is behind a Bearer token: an access token of a session, or a personal one of a script.
    ///
    /// # Errors
    /// [`CoreError::Unauthenticated`], [`CoreError::SessionExpired`], or a disabled account.
    pub async fn actor(&self, bearer: &str) -> Result<Actor, CoreError> {
        if let Some(token) = OpaqueToken::parse(TokenKind::Personal, bearer) {
            let owner =
                self.parts.db.find_token(token.hash().as_str()).await?.ok_or(CoreError::Unauthenticated)?;
            let user = self.parts.db.user(&owner.username).await?.ok_or(CoreError::Unauthenticated)?;
            refuse_disabled(&user)?;
            return Ok(actor_of(&user, owner.scope, SessionKind::Token { token: owner.id }));
        }
        let claims = self.parts.tokens.verify(bearer)?;
        if !self.parts.db.session_alive(claims.sid).await? {
            return Err(CoreError::SessionExpired);
        }
        let user = self.parts.db.user(&claims.sub).await?.ok_or(CoreError::Unauthenticated)?;
        refuse_disabled(&user)?;
        Ok(actor_of(&user, TokenScope::Write, SessionKind::Browser { session: claims.sid }))
    }

    /// The same actor as it is now: for connections that outlive a request. The end of an access token does not matter,
    /// that of its session does.
    ///
    /// # Errors
    /// As [`Vms::actor`].
    pub async fn still(&self, actor: &Actor) -> Result<Actor, CoreError> {
        let alive = match actor.session() {
            SessionKind::Browser { session } => self.parts.db.session_alive(session).await?,
            SessionKind::Token { token } => self.parts.db.token_alive(token).await?,
            SessionKind::System => true,
        };
        if !alive {
            return Err(CoreError::SessionExpired);
        }
        let user = self.parts.db.user(actor.username()).await?.ok_or(CoreError::Unauthenticated)?;
        refuse_disabled(&user)?;
        Ok(actor_of(&user, actor.scope(), actor.session()))
    }

    fn new_refresh(
        &self,
        username: &str,
        family: Uuid,
        peer: &Peer,
    ) -> Result<(OpaqueToken, NewRefresh), CoreError> {
        let token = OpaqueToken::generate(TokenKind::Refresh)?;
        let ttl = TimeDelta::from_std(self.parts.settings.refresh_ttl).unwrap_or(TimeDelta::days(7));
        let new = NewRefresh {
            hash: token.hash().to_string(),
            family,
            username: username.to_owned(),
            expires_at: Utc::now() + ttl,
            user_agent: peer.user_agent.clone(),
            address: peer.address.clone(),
        };
        Ok((token, new))
    }

    fn logged_in(&self, username: &str, family: Uuid, refresh: &OpaqueToken) -> Result<LoggedIn, CoreError> {
        let issued = self.parts.tokens.issue(username, family)?;
        Ok(LoggedIn {
            tokens: TokenResponse {
                access_token: issued.token,
                token_type: "Bearer".into(),
                expires_in: issued.expires_in,
            },
            refresh_token: refresh.reveal().to_owned(),
            refresh_ttl: self.parts.settings.refresh_ttl,
            username: username.to_owned(),
        })
    }
}

/// The person as an actor, with the role in force now.
pub(crate) fn actor_of(user: &User, scope: TokenScope, session: SessionKind) -> Actor {
    Actor::new(user.username.clone(), user.role(), user.groups.clone(), scope, session)
}

fn refuse_disabled(user: &User) -> Result<(), CoreError> {
    if user.disabled {
        return Err(CoreError::AccountNotAllowed("This account was disabled. Ask an administrator.".into()));
    }
    Ok(())
}
