//! People: who logged in, and what an administrator decided about them.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDateTime, Utc};
use diesel::prelude::*;
use vms_authz::PersonTarget;
use vms_types::{Quota, Role};

use crate::connection::{AnyConnection, on_either};
use crate::convert::{json, now, quota, role, to_json, utc};
use crate::datastore::Datastore;
use crate::error::DbError;
use crate::schema::{user_groups, users};

/// A person who has logged in at least once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The login name, as the directory spells it.
    pub username: String,
    /// The full name.
    pub display_name: String,
    /// The mail address, where the directory has one.
    pub email: Option<String>,
    /// Short names of the directory groups, as of the last login.
    pub groups: Vec<String>,
    /// The role the directory's groups gave, as of the last login.
    pub directory_role: Role,
    /// The role an administrator gave instead.
    pub role_override: Option<Role>,
    /// Whether an administrator locked the account.
    pub disabled: bool,
    /// What an administrator allowed this person; empty if nothing.
    pub quota: Quota,
    /// The first login.
    pub created_at: DateTime<Utc>,
    /// The last login.
    pub last_login_at: DateTime<Utc>,
    /// Whether the directory had them when it was asked last.
    pub in_directory: bool,
    /// When that was; a login asks it, too.
    pub directory_checked_at: DateTime<Utc>,
}

impl User {
    /// The role in force: an administrator's word goes before the directory's.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role_override.unwrap_or(self.directory_role)
    }

    /// The groups in which they are a student; none for teachers and administrators.
    fn student_groups(self) -> Vec<String> {
        if self.role() == Role::Student { self.groups } else { Vec::new() }
    }
}

/// What the directory said about a person at a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRecord {
    /// The login name, as the directory spells it.
    pub username: String,
    /// The full name.
    pub display_name: String,
    /// The mail address, where the directory has one.
    pub email: Option<String>,
    /// Short names of the directory groups.
    pub groups: Vec<String>,
    /// The role these groups give.
    pub directory_role: Role,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
pub(crate) struct UserRecord {
    pub(crate) username: String,
    display_name: String,
    email: Option<String>,
    groups_json: String,
    directory_role: String,
    role_override: Option<String>,
    disabled: bool,
    quota_machines: Option<i64>,
    quota_running: Option<i64>,
    quota_memory_bytes: Option<i64>,
    quota_cpus: Option<i64>,
    quota_disk_bytes: Option<i64>,
    quota_snapshots: Option<i64>,
    created_at: NaiveDateTime,
    last_login_at: NaiveDateTime,
    in_directory: bool,
    directory_checked_at: NaiveDateTime,
}

/// What a login writes. What an administrator decided is not among it.
#[derive(AsChangeset)]
#[diesel(table_name = users, treat_none_as_null = true)]
struct LoginChange<'a> {
    display_name: &'a str,
    email: Option<&'a str>,
    groups_json: &'a str,
    directory_role: &'a str,
    last_login_at: NaiveDateTime,
    in_directory: bool,
    directory_checked_at: NaiveDateTime,
}

impl TryFrom<UserRecord> for User {
    type Error = DbError;

    fn try_from(row: UserRecord) -> Result<Self, DbError> {
        Ok(Self {
            groups: json("users.groups_json", &row.groups_json)?,
            directory_role: role("users.directory_role", &row.directory_role)?,
            role_override: row.role_override.map(|word| role("users.role_override", &word)).transpose()?,
            quota: quota(
                "users",
                [
                    row.quota_machines,
                    row.quota_running,
                    row.quota_memory_bytes,
                    row.quota_cpus,
                    row.quota_disk_bytes,
                    row.quota_snapshots,
                ],
            )?,
            username: row.username,
            display_name: row.display_name,
            email: row.email,
            disabled: row.disabled,
            created_at: utc(row.created_at),
            last_login_at: utc(row.last_login_at),
            in_directory: row.in_directory,
            directory_checked_at: utc(row.directory_checked_at),
        })
    }
}

impl Datastore {
    /// Writes down what the directory said at a login, and gives the person as known now.
    ///
    /// # Errors
    /// The database failed.
    pub async fn record_login(&self, login: LoginRecord) -> Result<User, DbError> {
        self.write(move |conn| {
            upsert(conn, &login)?;
            find(conn, &login.username)?.ok_or(DbError::NotFound)
        })
        .await
    }

    /// The person with this login name, if they ever logged in. Who a request comes from is found out with this, so
    /// it takes no proof; what is shown of a person to others does.
    ///
    /// # Errors
    /// The database failed.
    pub async fn user(&self, username: &str) -> Result<Option<User>, DbError> {
        let username = username.to_owned();
        self.read(move |conn| find(conn, &username)).await
    }

    /// The person with this login name, as a question to the policy.
    ///
    /// # Errors
    /// The database failed.
    pub async fn person_target(&self, username: &str) -> Result<PersonTarget, DbError> {
        let username = username.to_owned();
        self.read(move |conn| {
            let student_groups = student_groups(conn, &username)?;
            Ok(PersonTarget { username, student_groups })
        })
        .await
    }
}

/// The groups in which a person is a student; none for who never logged in.
pub(crate) fn student_groups(conn: &mut AnyConnection, username: &str) -> Result<Vec<String>, DbError> {
    Ok(find(conn, username)?.map(User::student_groups).unwrap_or_default())
}

pub(crate) fn find(conn: &mut AnyConnection, username: &str) -> Result<Option<User>, DbError> {
    // PostgreSQL refuses a NUL in text; a login name has none.
    if username.contains('\0') {
        return Ok(None);
    }
    let found = users::table.find(username).select(UserRecord::as_select()).first(conn).optional()?;
    found.map(User::try_from).transpose()
}

fn upsert(conn: &mut AnyConnection, login: &LoginRecord) -> Result<(), DbError> {
    let groups = to_json("users.groups_json", &login.groups)?;
    let at = now();
    let change = LoginChange {
        display_name: &login.display_name,
        email: login.email.as_deref(),
        groups_json: &groups,
        directory_role: login.directory_role.as_str(),
        last_login_at: at,
        in_directory: true,
        directory_checked_at: at,
    };
    let new = (
        users::username.eq(&login.username),
        users::display_name.eq(change.display_name),
        users::email.eq(change.email),
        users::groups_json.eq(change.groups_json),
        users::directory_role.eq(change.directory_role),
        users::disabled.eq(false),
        users::created_at.eq(at),
        users::last_login_at.eq(at),
        users::in_directory.eq(change.in_directory),
        users::directory_checked_at.eq(at),
    );
    on_either!(conn, conn => {
        diesel::insert_into(users::table)
            .values(new)
            .on_conflict(users::username)
            .do_update()
            .set(&change)
            .execute(conn)?
    });
    let theirs = user_groups::table.filter(user_groups::username.eq(&login.username));
    diesel::delete(theirs).execute(conn)?;
    for name in login.groups.iter().collect::<BTreeSet<_>>() {
        let row = (user_groups::username.eq(&login.username), user_groups::name.eq(name));
        diesel::insert_into(user_groups::table).values(row).execute(conn)?;
    }
    Ok(())
}

/// Locks the person's row until the transaction ends, so that what is counted for them stays counted.
///
/// [`DbError::NotFound`] when they never logged in.
pub(crate) fn lock(conn: &mut AnyConnection, username: &str) -> Result<(), DbError> {
    let row = users::table.find(username);
    match diesel::update(row).set(users::username.eq(users::username)).execute(conn)? {
        0 => Err(DbError::NotFound),
        _ => Ok(()),
    }
}
