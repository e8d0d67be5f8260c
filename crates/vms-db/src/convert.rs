//! Between what columns hold and what the code means.

use chrono::{DateTime, NaiveDateTime, SubsecRound as _, Utc};
use uuid::Uuid;
use vms_types::{OperationKind, OperationStatus, Quota, Role, TokenScope};

use crate::error::DbError;

/// Now, as columns keep it.
pub fn now() -> NaiveDateTime {
    stored(Utc::now())
}

/// A time as columns keep it: UTC, to the microsecond, which is what PostgreSQL can hold.
pub fn stored(time: DateTime<Utc>) -> NaiveDateTime {
    time.naive_utc().trunc_subsecs(6)
}

/// Reads [`stored`] back.
pub const fn utc(time: NaiveDateTime) -> DateTime<Utc> {
    time.and_utc()
}

/// Reads an id.
pub fn uuid(column: &str, text: &str) -> Result<Uuid, DbError> {
    Uuid::parse_str(text).map_err(|_| corrupt(column, text))
}

/// Reads a role.
pub fn role(column: &str, word: &str) -> Result<Role, DbError> {
    Role::parse(word).ok_or_else(|| corrupt(column, word))
}

/// Reads a kind of operation.
pub fn kind(word: &str) -> Result<OperationKind, DbError> {
    OperationKind::parse(word).ok_or_else(|| corrupt("operations.kind", word))
}

/// Reads the status of an operation.
pub fn status(word: &str) -> Result<OperationStatus, DbError> {
    OperationStatus::parse(word).ok_or_else(|| corrupt("operations.status", word))
}

/// The word for a token's scope.
pub const fn scope_word(scope: TokenScope) -> &'static str {
    match scope {
        TokenScope::Read => "read",
        TokenScope::Write => "write",
    }
}

/// Reads [`scope_word`] back.
pub fn scope(word: &str) -> Result<TokenScope, DbError> {
    [TokenScope::Read, TokenScope::Write]
        .into_iter()
        .find(|scope| scope_word(*scope) == word)
        .ok_or_else(|| corrupt("personal_tokens.scope", word))
}

/// Reads JSON.
pub fn json<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|error| DbError::Corrupt(format!("{column}: {error}")))
}

/// Writes JSON.
pub fn to_json<T: serde::Serialize>(column: &str, value: &T) -> Result<String, DbError> {
    serde_json::to_string(value).map_err(|error| DbError::Corrupt(format!("{column}: {error}")))
}

/// Reads a number into the size it should have.
pub fn number<A, B>(column: &str, value: A) -> Result<B, DbError>
where
    A: Copy + std::fmt::Display,
    B: TryFrom<A>,
{
    B::try_from(value).map_err(|_| corrupt(column, value))
}

/// Reads a limit; `NULL` is none.
pub fn limit<T: TryFrom<i64>>(column: &str, value: Option<i64>) -> Result<Option<T>, DbError> {
    value.map(|value| number(column, value)).transpose()
}

/// Writes a limit. One too large for a column is none that was checked.
pub fn stored_limit(column: &str, value: Option<impl Into<u64>>) -> Result<Option<i64>, DbError> {
    value.map(|value| number(column, value.into())).transpose()
}

/// Reads the six numbers of a quota, in the order of [`Quota`]'s fields; `NULL` leaves one to the next level.
pub fn quota(table: &str, numbers: [Option<i64>; 6]) -> Result<Quota, DbError> {
    let [machines, running, memory_bytes, cpus, disk_bytes, snapshots] = numbers;
    let column = format!("a quota in {table}");
    Ok(Quota {
        machines: limit(&column, machines)?,
        running: limit(&column, running)?,
        memory_bytes: limit(&column, memory_bytes)?,
        cpus: limit(&column, cpus)?,
        disk_bytes: limit(&column, disk_bytes)?,
        snapshots_per_machine: limit(&column, snapshots)?,
    })
}

/// Writes them, in the same order.
pub fn stored_quota(table: &str, quota: &Quota) -> Result<[Option<i64>; 6], DbError> {
    let column = format!("a quota in {table}");
    Ok([
        quota.machines.map(i64::from),
        quota.running.map(i64::from),
        stored_limit(&column, quota.memory_bytes)?,
        quota.cpus.map(i64::from),
        stored_limit(&column, quota.disk_bytes)?,
        quota.snapshots_per_machine.map(i64::from),
    ])
}

/// What stands in a column and makes no sense.
pub fn corrupt(column: &str, value: impl std::fmt::Display) -> DbError {
    DbError::Corrupt(format!("{column} is {value:?}", value = value.to_string()))
}

/// Takes their meaning from the signs of a `LIKE` pattern.
pub const ESCAPE: char = '!';

/// A `LIKE` pattern for texts that contain `text`, whatever signs are in it.
pub fn containing(text: &str) -> String {
    let mut pattern = String::from("%");
    for sign in text.chars() {
        if matches!(sign, '%' | '_' | ESCAPE) {
            pattern.push(ESCAPE);
        }
        pattern.push(sign);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_in_a_pattern_is_an_ordinary_letter() {
        assert_eq!(containing("a_b%!"), "%a!_b!%!!%");
    }
}
