//! Pages of lists, newest first. A cursor says which row was the last: its time and id, so that rows that come in
//! the meantime neither shift nor double anything.

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use uuid::Uuid;
use vms_types::Page;

use crate::convert::stored;
use crate::error::DbError;

/// Rows on one page at most.
const MAX_LIMIT: u32 = 200;

/// Where a page starts: rows that come after this one in the order "newest first".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The time of the last row seen.
    pub time: NaiveDateTime,
    /// Its id.
    pub id: String,
}

impl Cursor {
    /// Reads what [`Cursor::encode`] made; without one, the page starts at the newest row.
    pub fn parse(cursor: Option<&str>) -> Result<Self, DbError> {
        let Some(cursor) = cursor else {
            // Every time is before this, so every row comes after it.
            let time = NaiveDate::from_ymd_opt(9999, 12, 31).ok_or(DbError::BadCursor)?;
            return Ok(Self { time: time.into(), id: String::new() });
        };
        let (micros, id) = cursor.split_once('.').ok_or(DbError::BadCursor)?;
        let micros = i64::from_str_radix(micros, 16).map_err(|_| DbError::BadCursor)?;
        let time = DateTime::from_timestamp_micros(micros).ok_or(DbError::BadCursor)?;
        let id = Uuid::try_parse(id).map_err(|_| DbError::BadCursor)?;
        Ok(Self { time: stored(time), id: id.to_string() })
    }

    /// As the API hands it out.
    pub fn encode(&self) -> String {
        format!("{:x}.{}", self.time.and_utc().timestamp_micros(), self.id)
    }
}

/// A limit that can be asked of the database, from 1 to [`MAX_LIMIT`].
pub fn clamp(limit: u32) -> usize {
    usize::try_from(limit.clamp(1, MAX_LIMIT)).unwrap_or(1)
}

/// How many rows to load for a page of `limit`: one more, to learn whether there is a next page.
pub fn rows_to_load(limit: usize) -> i64 {
    i64::try_from(limit).map_or(i64::MAX, |limit| limit.saturating_add(1))
}

/// Makes a page out of the rows loaded; `place` says where a row stands.
pub fn page<R, T>(
    mut rows: Vec<R>,
    limit: usize,
    place: impl Fn(&R) -> Cursor,
    convert: impl Fn(R) -> Result<T, DbError>,
) -> Result<Page<T>, DbError> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = if more { rows.last().map(|row| place(row).encode()) } else { None };
    let items = rows.into_iter().map(convert).collect::<Result<_, _>>()?;
    Ok(Page { items, next_cursor })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_anything_else_refused() {
        let cursor = Cursor { time: crate::convert::now(), id: Uuid::nil().to_string() };
        assert_eq!(Cursor::parse(Some(&cursor.encode())).unwrap(), cursor);
        for bad in ["", ".", "1", "1.2", "x.00000000-0000-0000-0000-000000000000", "1.'; DROP TABLE users"] {
            assert_eq!(Cursor::parse(Some(bad)), Err(DbError::BadCursor), "{bad:?}");
        }
    }
}
