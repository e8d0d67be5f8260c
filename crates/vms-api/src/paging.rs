//! `?limit=&cursor=` for lists that are answered from memory.

// utoipa's derive writes paths in full.
#![allow(unused_qualifications)]

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;
use uuid::Uuid;
use vms_types::{Difference, ImageDetail, LeaseView, Machine, Page};

use crate::conditional::json;
use crate::error::ApiError;

/// Things on a page if the request does not say.
pub(crate) const DEFAULT_LIMIT: u32 = 100;
/// Most things on a page.
pub(crate) const MAX_LIMIT: u32 = 500;

/// Checks `?limit=`.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, ApiError> {
    limit_up_to(asked, MAX_LIMIT)
}

/// The same where a page holds at most `most`.
pub(crate) fn limit_up_to(asked: Option<u32>, most: u32) -> Result<u32, ApiError> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    if (1..=most).contains(&limit) {
        Ok(limit)
    } else {
        Err(ApiError::parameter("limit", format!("must be from 1 to {most}, not {limit}")))
    }
}

/// How much of a list, and which part of it.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct PageQuery {
    /// At most so many, 1 to 500; 100 if absent.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl PageQuery {
    /// The page that is asked for.
    pub(crate) fn page<T: Listed>(&self, all: Vec<T>) -> Result<Page<T>, ApiError> {
        page(all, limit(self.limit)?, self.cursor.as_deref())
    }
}

/// What a list from memory is made of.
pub(crate) trait Listed {
    /// Its place in the list. The cursor is that of the last one of the page before, so that it works when that one is gone.
    type Place: Ord + Serialize + DeserializeOwned;

    /// Where it stands.
    fn place(&self) -> Self::Place;
}

impl Listed for Machine {
    /// In the order of their creation.
    type Place = (i64, Uuid);

    fn place(&self) -> Self::Place {
        (self.created_at.timestamp_micros(), self.id)
    }
}

impl Listed for Difference {
    type Place = (String, String);

    fn place(&self) -> Self::Place {
        (self.server.clone(), self.instance.clone())
    }
}

impl Listed for LeaseView {
    /// By the address as a number; one address may be held by two at once.
    type Place = (Option<IpAddr>, String);

    fn place(&self) -> Self::Place {
        (self.address.parse().ok(), self.hwaddr.clone())
    }
}

impl Listed for ImageDetail {
    /// Those without an alias last.
    type Place = (bool, Option<String>, String);

    fn place(&self) -> Self::Place {
        (self.aliases.is_empty(), self.aliases.first().cloned(), self.fingerprint.clone())
    }
}

/// One page of a list, in the order of places.
pub(crate) fn page<T: Listed>(
    mut all: Vec<T>,
    limit: u32,
    cursor: Option<&str>,
) -> Result<Page<T>, ApiError> {
    let after = cursor.map(decode::<T::Place>).transpose()?;
    all.sort_by_cached_key(Listed::place);
    let mut rest = all.into_iter().filter(|item| after.as_ref().is_none_or(|after| item.place() > *after));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let items: Vec<T> = rest.by_ref().take(limit).collect();
    let last = items.last().filter(|_| rest.next().is_some());
    let next_cursor = last.map(|last| encode(&last.place())).transpose()?;
    Ok(Page { items, next_cursor })
}

fn encode(place: &impl Serialize) -> Result<String, ApiError> {
    Ok(URL_SAFE_NO_PAD.encode(json(place)?))
}

fn decode<P: DeserializeOwned>(cursor: &str) -> Result<P, ApiError> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| ApiError::parameter("cursor", "is none of ours; pass next_cursor back as it came"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::{DateTime, TimeDelta};
    use serde_json::json;
    use vms_types::AddressFamily;

    use super::*;

    fn machine(number: u8) -> Machine {
        let at = DateTime::UNIX_EPOCH + TimeDelta::seconds(i64::from(number));
        let body = json!({
            "id": uuid::Uuid::from_u128(u128::from(number)), "name": format!("m{number}"), "instance": "i",
            "owner": "bruno", "description": "", "status": "stopped", "addresses": [], "snapshots": [],
            "image": {"alias": "", "description": "", "fingerprint": ""}, "profiles": [],
            "limits": {"cpus": null, "memory_bytes": null, "disk_bytes": null}, "server": "lxd", "member": null,
            "created_at": at, "last_used_at": null, "operation": null, "stale": false
        });
        serde_json::from_value(body).unwrap()
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_repetition() {
        let all: Vec<Machine> = (0..5).map(machine).collect();
        let mut seen = Vec::new();
        let mut cursor = None;
        loop {
            let found = page(all.clone(), 2, cursor.as_deref()).unwrap();
            seen.extend(found.items.into_iter().map(|m| m.name));
            cursor = found.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4"]);
    }

    #[test]
    fn the_last_of_a_page_may_vanish() {
        let first = page((0..5).map(machine).collect(), 2, None).unwrap();
        let rest: Vec<Machine> = [0, 2, 3, 4].map(machine).into();
        let second = page(rest, 10, first.next_cursor.as_deref()).unwrap();
        assert_eq!(second.items.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["m2", "m3", "m4"]);
    }

    #[test]
    fn addresses_are_ordered_as_numbers_and_each_is_listed_once() {
        let lease = |address: &str, hwaddr: &str| LeaseView {
            address: address.to_owned(),
            family: AddressFamily::Inet,
            kind: "dynamic".to_owned(),
            hwaddr: hwaddr.to_owned(),
            hostname: String::new(),
            machine: None,
            owner: None,
        };
        let all = vec![
            lease("10.0.0.10", "b"),
            lease("10.0.0.9", "a"),
            lease("10.0.0.10", "a"),
            lease("fd42::1", "a"),
        ];
        let first = page(all.clone(), 2, None).unwrap();
        let second = page(all, 2, first.next_cursor.as_deref()).unwrap();
        let seen = first.items.iter().chain(&second.items).map(|l| format!("{} {}", l.address, l.hwaddr));
        assert_eq!(seen.collect::<Vec<_>>(), ["10.0.0.9 a", "10.0.0.10 a", "10.0.0.10 b", "fd42::1 a"]);
        assert_eq!(second.next_cursor, None);
    }

    #[test]
    fn what_is_no_cursor_or_limit_is_refused() {
        assert!(page::<Machine>(Vec::new(), 1, Some("?")).is_err());
        assert!(page::<Machine>(Vec::new(), 1, Some("")).is_err());
        assert!(limit(Some(0)).is_err() && limit(Some(501)).is_err());
        assert_eq!(limit(None).unwrap(), 100);
    }
}
