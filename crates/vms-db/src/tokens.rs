//! Personal access tokens: shown once, kept as a hash, scoped, expiring.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use uuid::Uuid;
use vms_authz::action::ManageTokens;
use vms_authz::{Allowed, PersonTarget, SessionKind};
use vms_types::{TokenScope, TokenView};

use crate::connection::AnyConnection;
use crate::convert::{now, scope, scope_word, stored, utc, uuid};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::schema::personal_tokens;
use crate::users;

/// Tokens a person may have at a time.
pub const MAX_TOKENS_PER_USER: u32 = 50;

/// How exactly the last use is known: a script's every request is not worth a write.
const TOUCH_EVERY: TimeDelta = TimeDelta::minutes(1);

/// A token to be kept. Whose it is comes from the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPersonalToken {
    /// Identity.
    pub id: Uuid,
    /// What it is for.
    pub name: String,
    /// The token's hash.
    pub hash: String,
    /// What it may do.
    pub scope: TokenScope,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

/// Who comes with a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenOwner {
    /// The token's id.
    pub id: Uuid,
    /// Whose it is.
    pub username: String,
    /// What it may do.
    pub scope: TokenScope,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = personal_tokens)]
struct TokenRecord {
    id: String,
    username: String,
    name: String,
    hash: String,
    scope: String,
    created_at: NaiveDateTime,
    expires_at: NaiveDateTime,
    last_used_at: Option<NaiveDateTime>,
}

impl TryFrom<TokenRecord> for TokenView {
    type Error = DbError;

    fn try_from(row: TokenRecord) -> Result<Self, DbError> {
        Ok(Self {
            id: uuid("personal_tokens.id", &row.id)?,
            name: row.name,
            scope: scope(&row.scope)?,
            created_at: utc(row.created_at),
            expires_at: utc(row.expires_at),
            last_used_at: row.last_used_at.map(utc),
        })
    }
}

impl Datastore {
    /// A person's tokens, oldest first, expired ones included until they are pruned.
    ///
    /// # Errors
    /// The database failed.
    pub async fn tokens(
        &self,
        proof: &Allowed<PersonTarget, ManageTokens>,
    ) -> Result<Vec<TokenView>, DbError> {
        let username = proof.resource().username.clone();
        self.read(move |conn| {
            let records: Vec<TokenRecord> = personal_tokens::table
                .filter(personal_tokens::username.eq(username))
                .order((personal_tokens::created_at, personal_tokens::id))
                .select(TokenRecord::as_select())
                .load(conn)?;
            records.into_iter().map(TokenView::try_from).collect()
        })
        .await
    }

    /// Keeps a new token.
    ///
    /// # Errors
    /// [`DbError::TooMany`] when the person has [`MAX_TOKENS_PER_USER`]; [`DbError::NotFound`] when they never
    /// logged in.
    pub async fn create_token(
        &self,
        proof: &Allowed<PersonTarget, ManageTokens>,
        new: NewPersonalToken,
    ) -> Result<TokenView, DbError> {
        let username = proof.resource().username.clone();
        self.write(move |conn| {
            users::lock(conn, &username)?;
            let theirs = personal_tokens::table.filter(personal_tokens::username.eq(&username));
            let count: i64 = theirs.count().get_result(conn)?;
            if count >= i64::from(MAX_TOKENS_PER_USER) {
                return Err(DbError::TooMany { what: "tokens", limit: MAX_TOKENS_PER_USER });
            }
            let record = TokenRecord {
                id: new.id.to_string(),
                username,
                name: new.name,
                hash: new.hash,
                scope: scope_word(new.scope).to_owned(),
                created_at: now(),
                expires_at: stored(new.expires_at),
                last_used_at: None,
            };
            diesel::insert_into(personal_tokens::table).values(&record).execute(conn)?;
            record.try_into()
        })
        .await
    }

    /// Removes a person's token; it is refused from now on.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when the person has no such token.
    pub async fn delete_token(
        &self,
        proof: &Allowed<PersonTarget, ManageTokens>,
        id: Uuid,
    ) -> Result<(), DbError> {
        let username = proof.resource().username.clone();
        self.write(move |conn| {
            let row = personal_tokens::table.find(id.to_string());
            match diesel::delete(row.filter(personal_tokens::username.eq(username))).execute(conn)? {
                0 => Err(DbError::NotFound),
                _ => Ok(()),
            }
        })
        .await
    }

    /// Whose token this is, if it is one that has not expired. Notes the use, at most once a minute.
    ///
    /// # Errors
    /// The database failed.
    pub async fn find_token(&self, hash: &str) -> Result<Option<TokenOwner>, DbError> {
        let hash = hash.to_owned();
        self.read(move |conn| {
            let at = now();
            let valid = personal_tokens::table
                .filter(personal_tokens::hash.eq(hash))
                .filter(personal_tokens::expires_at.gt(at));
            let Some(record) = valid.select(TokenRecord::as_select()).first(conn).optional()? else {
                return Ok(None);
            };
            if record.last_used_at.is_none_or(|last| at - last >= TOUCH_EVERY) {
                diesel::update(personal_tokens::table.find(&record.id))
                    .set(personal_tokens::last_used_at.eq(at))
                    .execute(conn)?;
            }
            Ok(Some(TokenOwner {
                id: uuid("personal_tokens.id", &record.id)?,
                scope: scope(&record.scope)?,
                username: record.username,
            }))
        })
        .await
    }

    /// Whether a token goes on: not deleted, not expired.
    ///
    /// # Errors
    /// The database failed.
    pub async fn token_alive(&self, id: Uuid) -> Result<bool, DbError> {
        self.read(move |conn| {
            let valid =
                personal_tokens::table.find(id.to_string()).filter(personal_tokens::expires_at.gt(now()));
            Ok(valid.select(personal_tokens::id).first::<String>(conn).optional()?.is_some())
        })
        .await
    }
}

/// The tokens of a person.
pub(crate) fn of(conn: &mut AnyConnection, username: &str) -> Result<Vec<SessionKind>, DbError> {
    let theirs = personal_tokens::table.filter(personal_tokens::username.eq(username));
    let ids: Vec<String> = theirs.select(personal_tokens::id).load(conn)?;
    let token = |id: String| Ok(SessionKind::Token { token: uuid("personal_tokens.id", &id)? });
    ids.into_iter().map(token).collect()
}
