//! `?limit=&cursor=` for lists that are answered from memory.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use vms_types::{Machine, Page};

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

/// One page of machines, which come in the order of their creation. The cursor names the last one of the page before, by
/// what orders them, so that it works when that one is gone.
pub(crate) fn machines(
    all: Vec<Machine>,
    limit: u32,
    cursor: Option<&str>,
) -> Result<Page<Machine>, ApiError> {
    let after = cursor.map(decode).transpose()?;
    let mut rest =
        all.into_iter().filter(|machine| after.as_ref().is_none_or(|after| position(machine) > *after));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let items: Vec<Machine> = rest.by_ref().take(limit).collect();
    let next_cursor = if rest.next().is_some() { items.last().map(encode) } else { None };
    Ok(Page { items, next_cursor })
}

type Position = (i64, String);

fn position(machine: &Machine) -> Position {
    (machine.created_at.timestamp_micros(), machine.id.to_string())
}

fn encode(machine: &Machine) -> String {
    let (at, id) = position(machine);
    URL_SAFE_NO_PAD.encode(format!("{at} {id}"))
}

fn decode(cursor: &str) -> Result<Position, ApiError> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.as_deref()
        .and_then(|text| text.split_once(' '))
        .and_then(|(at, id)| Some((at.parse().ok()?, id.to_owned())))
        .ok_or_else(|| ApiError::parameter("cursor", "is none of ours; pass next_cursor back as it came"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::{DateTime, TimeDelta};
    use serde_json::json;

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
            let page = machines(all.clone(), 2, cursor.as_deref()).unwrap();
            seen.extend(page.items.into_iter().map(|m| m.name));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, ["m0", "m1", "m2", "m3", "m4"]);
    }

    #[test]
    fn the_last_of_a_page_may_vanish() {
        let first = machines((0..5).map(machine).collect(), 2, None).unwrap();
        let rest: Vec<Machine> = [0, 2, 3, 4].map(machine).into();
        let second = machines(rest, 10, first.next_cursor.as_deref()).unwrap();
        assert_eq!(second.items.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["m2", "m3", "m4"]);
    }

    #[test]
    fn what_is_no_cursor_or_limit_is_refused() {
        assert!(machines(Vec::new(), 1, Some("?")).is_err());
        assert!(machines(Vec::new(), 1, Some("")).is_err());
        assert!(limit(Some(0)).is_err() && limit(Some(501)).is_err());
        assert_eq!(limit(None).unwrap(), 100);
    }
}
