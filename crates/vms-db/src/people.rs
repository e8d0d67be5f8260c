//! People as administrators see and change them.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::sql_types::Text;
use vms_authz::action::{ManageUser, ViewUser};
use vms_authz::{Action, Allowed, Fleet, Permits, PersonTarget, SessionKind};
use vms_types::{Page, PatchUser, Quota, Role};

use crate::connection::AnyConnection;
use crate::convert::{ESCAPE, containing, number, stored_quota};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::page::{clamp, rows_to_load};
use crate::schema::{machines, users};
use crate::users::{User, UserRecord, find, lock};
use crate::{machines as machine_rows, sessions, tokens};

diesel::define_sql_function! {
    /// SQL's own; SQLite's knows ASCII only.
    fn lower(text: Text) -> Text;
}

/// A person and how much they have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who it is.
    pub user: User,
    /// How many machines they have, those being created included.
    pub machines: u32,
}

/// Which people of a list are wanted. Empty: all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UserFilter {
    /// Only where login name, full name or mail address contains this, ignoring case.
    pub q: Option<String>,
    /// Only who has this role now.
    pub role: Option<Role>,
    /// Only who is locked out, or who is not.
    pub disabled: Option<bool>,
    /// Only who was (or was not) in the directory when it was asked last.
    pub in_directory: Option<bool>,
}

/// Whether this is a person's role now: an administrator's word goes before the directory's.
#[diesel::dsl::auto_type(no_type_alias)]
pub(crate) fn has_role(role: Role) -> _ {
    let word: &'static str = role.as_str();
    let by_directory = users::role_override.is_null().and(users::directory_role.eq(word));
    users::role_override.assume_not_null().eq(word).or(by_directory)
}

impl UserFilter {
    fn apply(self) -> users::BoxedQuery<'static, <AnyConnection as Connection>::Backend> {
        let mut query = users::table.into_boxed();
        if let Some(q) = self.q {
            // Beside what is the same in lower case what is the same as typed: SQLite's `lower` leaves "Â" as it is.
            let (typed, low) = (containing(&q), containing(&q.to_lowercase()));
            query = query.filter(
                lower(users::username)
                    .like(low.clone())
                    .escape(ESCAPE)
                    .or(lower(users::display_name).like(low.clone()).escape(ESCAPE))
                    .or(users::display_name.like(typed).escape(ESCAPE))
                    .or(lower(users::email.assume_not_null()).like(low).escape(ESCAPE)),
            );
        }
        if let Some(role) = self.role {
            query = query.filter(has_role(role));
        }
        if let Some(disabled) = self.disabled {
            query = query.filter(users::disabled.eq(disabled));
        }
        if let Some(in_directory) = self.in_directory {
            query = query.filter(users::in_directory.eq(in_directory));
        }
        query
    }
}

impl Datastore {
    /// People who have logged in, by login name. `limit` is at most 200.
    ///
    /// # Errors
    /// [`DbError::BadCursor`] when `cursor` is not a `next_cursor` of this list.
    pub async fn users_page(
        &self,
        _proof: &Allowed<Fleet, ViewUser>,
        filter: UserFilter,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Page<Person>, DbError> {
        let (after, limit) = (decode(cursor)?, clamp(limit));
        self.read(move |conn| {
            let mut records: Vec<UserRecord> = filter
                .apply()
                .filter(users::username.gt(&after))
                .order(users::username)
                .limit(rows_to_load(limit))
                .select(UserRecord::as_select())
                .load(conn)?;
            let more = records.len() > limit;
            records.truncate(limit);
            let next_cursor = if more { records.last().map(|record| encode(&record.username)) } else { None };
            let counts = match (records.first(), records.last()) {
                (Some(first), Some(last)) => counts(conn, &first.username, &last.username)?,
                _ => HashMap::new(),
            };
            let person = |record: UserRecord| {
                let machines = counts.get(&record.username).copied().unwrap_or_default();
                Ok(Person { machines, user: record.try_into()? })
            };
            let items = records.into_iter().map(person).collect::<Result<_, DbError>>()?;
            Ok(Page { items, next_cursor })
        })
        .await
    }

    /// One person.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when they never logged in.
    pub async fn person<A>(&self, proof: &Allowed<PersonTarget, A>) -> Result<Person, DbError>
    where
        A: Action + Permits<PersonTarget>,
    {
        let username = proof.resource().username.clone();
        self.read(move |conn| person(conn, &username)).await
    }

    /// Changes what an administrator decides about a person. Locking the account ends its sessions in the same
    /// transaction. Also gives the sessions and tokens that the person had, so that what hangs on them is looked at
    /// again.
    ///
    /// # Errors
    /// [`DbError::NotFound`] when they never logged in.
    pub async fn update_user(
        &self,
        proof: &Allowed<PersonTarget, ManageUser>,
        change: PatchUser,
    ) -> Result<(Person, Vec<SessionKind>), DbError> {
        let username = proof.resource().username.clone();
        self.write(move |conn| {
            lock(conn, &username)?;
            let row = || users::table.find(&username);
            if let Some(role) = change.role_override {
                let word = users::role_override.eq(role.map(Role::as_str));
                diesel::update(row()).set(word).execute(conn)?;
            }
            if let Some(quota) = change.quota {
                set_quota(conn, &username, quota.unwrap_or_default())?;
            }
            let mut had = sessions::alive_of(conn, &username)?;
            had.extend(tokens::of(conn, &username)?);
            if let Some(disabled) = change.disabled {
                diesel::update(row()).set(users::disabled.eq(disabled)).execute(conn)?;
                if disabled {
                    sessions::revoke_all(conn, &username)?;
                }
            }
            Ok((person(conn, &username)?, had))
        })
        .await
    }
}

fn set_quota(conn: &mut AnyConnection, username: &str, quota: Quota) -> Result<(), DbError> {
    let [machines, running, memory_bytes, cpus, disk_bytes, snapshots] = stored_quota("users", &quota)?;
    diesel::update(users::table.find(username))
        .set((
            users::quota_machines.eq(machines),
            users::quota_running.eq(running),
            users::quota_memory_bytes.eq(memory_bytes),
            users::quota_cpus.eq(cpus),
            users::quota_disk_bytes.eq(disk_bytes),
            users::quota_snapshots.eq(snapshots),
        ))
        .execute(conn)?;
    Ok(())
}

fn person(conn: &mut AnyConnection, username: &str) -> Result<Person, DbError> {
    let user = find(conn, username)?.ok_or(DbError::NotFound)?;
    Ok(Person { machines: machine_rows::count(conn, username)?, user })
}

/// How many machines each has, of those from one login name to another.
fn counts(conn: &mut AnyConnection, first: &str, last: &str) -> Result<HashMap<String, u32>, DbError> {
    let counted: Vec<(String, i64)> = machines::table
        .filter(machines::owner.between(first, last))
        .group_by(machines::owner)
        .select((machines::owner, count_star()))
        .load(conn)?;
    counted.into_iter().map(|(owner, count)| Ok((owner, number("count of machines", count)?))).collect()
}

/// A cursor is the last login name of the page before, in hexadecimal digits: it can stand anywhere in a URL.
fn encode(username: &str) -> String {
    username.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn decode(cursor: Option<&str>) -> Result<String, DbError> {
    let Some(cursor) = cursor else { return Ok(String::new()) };
    let digits: Vec<char> = cursor.chars().collect();
    let bytes: Option<Vec<u8>> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => u8::try_from(high.to_digit(16)? * 16 + low.to_digit(16)?).ok(),
            _ => None,
        })
        .collect();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    // PostgreSQL refuses a NUL in text.
    name.filter(|name| !name.is_empty() && !name.contains('\0')).ok_or(DbError::BadCursor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_anything_else_refused() {
        assert_eq!(decode(Some(&encode("joão"))).unwrap(), "joão");
        assert_eq!(decode(None).unwrap(), "");
        for bad in ["", "6", "6g", "zz", "ff", "00", "bruno"] {
            assert_eq!(decode(Some(bad)), Err(DbError::BadCursor), "{bad:?}");
        }
    }
}
