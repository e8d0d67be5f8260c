//! Sessions and their refresh tokens (RFC 9700 §4.14.2): each token is used once; one that comes a second time was
//! stolen, or its answer was lost, and ends the whole session. Only hashes are kept.

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use uuid::Uuid;
use vms_authz::action::ManageUser;
use vms_authz::{Allowed, PersonTarget, SessionKind};

use crate::connection::AnyConnection;
use crate::convert::{now, stored, utc, uuid};
use crate::datastore::Datastore;
use crate::error::{DbError, RefreshError};
use crate::schema::{refresh_tokens, sessions};
use crate::users;

/// A refresh token to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefresh {
    /// The token's hash.
    pub hash: String,
    /// The session it belongs to. Ignored by [`Datastore::rotate_refresh`], where the old token says it.
    pub family: Uuid,
    /// Whose session it is. Ignored by [`Datastore::rotate_refresh`], likewise.
    pub username: String,
    /// When the token, and with it the session, ends.
    pub expires_at: DateTime<Utc>,
    /// What the client calls itself.
    pub user_agent: String,
    /// The client's address.
    pub address: String,
}

/// A session that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The family of its refresh tokens.
    pub family: Uuid,
    /// Whose it is.
    pub username: String,
    /// When it ends unless it is continued.
    pub expires_at: DateTime<Utc>,
}

#[derive(Insertable)]
#[diesel(table_name = refresh_tokens)]
struct RefreshRecord<'a> {
    hash: &'a str,
    family: &'a str,
    created_at: NaiveDateTime,
    expires_at: NaiveDateTime,
    user_agent: &'a str,
    address: &'a str,
}

impl Datastore {
    /// Begins a session with its first refresh token.
    ///
    /// # Errors
    /// [`DbError::Duplicate`] when the family or the hash is there already.
    pub async fn insert_refresh(&self, new: NewRefresh) -> Result<(), DbError> {
        self.write(move |conn| {
            let family = new.family.to_string();
            diesel::insert_into(sessions::table)
                .values((
                    sessions::family.eq(&family),
                    sessions::username.eq(&new.username),
                    sessions::created_at.eq(now()),
                    sessions::expires_at.eq(stored(new.expires_at)),
                ))
                .execute(conn)?;
            insert_token(conn, &family, &new)
        })
        .await
    }

    /// Replaces a refresh token by a new one of the same session. Of two that come at once with the same token, one
    /// gets the new token; the other is a reuse.
    ///
    /// # Errors
    /// [`RefreshError::Reused`] when the token was used before: the session is revoked, in the same transaction.
    pub async fn rotate_refresh(&self, hash: &str, new: NewRefresh) -> Result<Session, RefreshError> {
        let hash = hash.to_owned();
        // A reuse must be *written down*, so inside the transaction it is a success.
        self.write(move |conn| rotate(conn, &hash, &new).map_err(RefreshError::from)).await?
    }

    /// Ends the session that this refresh token belongs to (logging out), and says which. An unknown token is no error.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revoke_refresh(&self, hash: &str) -> Result<Option<Uuid>, DbError> {
        let hash = hash.to_owned();
        self.write(move |conn| {
            let token = refresh_tokens::table.find(hash);
            match token.select(refresh_tokens::family).first::<String>(conn).optional()? {
                Some(family) => {
                    revoke(conn, &family)?;
                    uuid("refresh_tokens.family", &family).map(Some)
                }
                None => Ok(None),
            }
        })
        .await
    }

    /// Ends a session.
    ///
    /// # Errors
    /// The database failed.
    pub async fn revoke_family(&self, family: Uuid) -> Result<(), DbError> {
        self.write(move |conn| revoke(conn, &family.to_string())).await
    }

    /// Ends all sessions of a person, and says which. Personal tokens go on: they are no sessions.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when the person never logged in.
    pub async fn revoke_user(
        &self,
        proof: &Allowed<PersonTarget, ManageUser>,
    ) -> Result<Vec<SessionKind>, DbError> {
        let username = proof.resource().username.clone();
        self.write(move |conn| {
            users::lock(conn, &username)?;
            let alive = alive_of(conn, &username)?;
            revoke_all(conn, &username)?;
            Ok(alive)
        })
        .await
    }

    /// Whether a session goes on: known, neither revoked nor expired. Asked on every request, so that logging out
    /// ends access tokens too.
    ///
    /// # Errors
    /// The database failed.
    pub async fn session_alive(&self, family: Uuid) -> Result<bool, DbError> {
        self.read(move |conn| {
            let row = sessions::table.find(family.to_string());
            let alive = row.filter(sessions::revoked_at.is_null()).filter(sessions::expires_at.gt(now()));
            Ok(alive.select(sessions::family).first::<String>(conn).optional()?.is_some())
        })
        .await
    }
}

/// The sessions of a person that go on.
pub(crate) fn alive_of(conn: &mut AnyConnection, username: &str) -> Result<Vec<SessionKind>, DbError> {
    let theirs = sessions::table.filter(sessions::username.eq(username));
    let alive = theirs.filter(sessions::revoked_at.is_null()).filter(sessions::expires_at.gt(now()));
    let families: Vec<String> = alive.select(sessions::family).load(conn)?;
    let session = |family: String| Ok(SessionKind::Browser { session: uuid("sessions.family", &family)? });
    families.into_iter().map(session).collect()
}

/// Ends all sessions of a person.
pub(crate) fn revoke_all(conn: &mut AnyConnection, username: &str) -> Result<(), DbError> {
    let theirs = sessions::table.filter(sessions::username.eq(username));
    diesel::update(theirs.filter(sessions::revoked_at.is_null()))
        .set(sessions::revoked_at.eq(now()))
        .execute(conn)?;
    Ok(())
}

fn insert_token(conn: &mut AnyConnection, family: &str, new: &NewRefresh) -> Result<(), DbError> {
    let record = RefreshRecord {
        hash: &new.hash,
        family,
        created_at: now(),
        expires_at: stored(new.expires_at),
        user_agent: &new.user_agent,
        address: &new.address,
    };
    diesel::insert_into(refresh_tokens::table).values(&record).execute(conn)?;
    Ok(())
}

fn revoke(conn: &mut AnyConnection, family: &str) -> Result<(), DbError> {
    let row = sessions::table.find(family);
    diesel::update(row.filter(sessions::revoked_at.is_null()))
        .set(sessions::revoked_at.eq(now()))
        .execute(conn)?;
    Ok(())
}

/// The work of [`Datastore::rotate_refresh`]. The outer error undoes the transaction, the inner one does not.
fn rotate(
    conn: &mut AnyConnection,
    hash: &str,
    new: &NewRefresh,
) -> Result<Result<Session, RefreshError>, DbError> {
    let at = now();
    let token = refresh_tokens::table.find(hash);
    // The update is the test: only one can be the first to use it.
    let first = diesel::update(token.filter(refresh_tokens::used_at.is_null()))
        .set(refresh_tokens::used_at.eq(at))
        .execute(conn)?
        == 1;
    let found: Option<(String, NaiveDateTime, String, NaiveDateTime, Option<NaiveDateTime>)> = token
        .inner_join(sessions::table.on(sessions::family.eq(refresh_tokens::family)))
        .select((
            refresh_tokens::family,
            refresh_tokens::expires_at,
            sessions::username,
            sessions::expires_at,
            sessions::revoked_at,
        ))
        .first(conn)
        .optional()?;
    let Some((family, token_ends, username, session_ends, revoked_at)) = found else {
        return Ok(Err(RefreshError::Unknown));
    };
    if !first {
        revoke(conn, &family)?;
        return Ok(Err(RefreshError::Reused));
    }
    if revoked_at.is_some() || token_ends <= at || session_ends <= at {
        return Ok(Err(RefreshError::Expired));
    }
    insert_token(conn, &family, new)?;
    diesel::update(sessions::table.find(&family))
        .set(sessions::expires_at.eq(stored(new.expires_at)))
        .execute(conn)?;
    Ok(Ok(Session {
        family: uuid("refresh_tokens.family", &family)?,
        username,
        expires_at: utc(stored(new.expires_at)),
    }))
}
