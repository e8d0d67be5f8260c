//! Numbers and times as people read them. Pure functions, tested natively.

use std::time::Duration;

use vms_types::{Address, AddressFamily, Limits};

/// A size with a binary unit and at most one decimal: `1,5 GiB`.
pub(crate) fn bytes(size: u64, decimal_mark: char) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit_size: u64 = 1;
    let mut unit = "B";
    for next in UNITS.iter().skip(1) {
        if size / unit_size < 1024 {
            break;
        }
        unit_size *= 1024;
        unit = next;
    }
    let tenths = size.saturating_mul(10).saturating_add(unit_size / 2) / unit_size;
    if tenths.is_multiple_of(10) {
        format!("{} {unit}", tenths / 10)
    } else {
        format!("{}{decimal_mark}{} {unit}", tenths / 10, tenths % 10)
    }
}

/// A share from 0 to 1 as people read it: `12 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A count as a number to draw with. Exact below 2^53.
pub(crate) fn float(count: u64) -> f64 {
    Duration::from_secs(count).as_secs_f64()
}

/// A number without its fraction; what is none is 0.
pub(crate) fn whole(value: f64) -> u64 {
    Duration::try_from_secs_f64(value).map_or(0, |whole| whole.as_secs())
}

/// What a machine may use, as one line; `none` where nothing limits it.
pub(crate) fn limit_parts(
    limits: &Limits,
    cpu: &str,
    cpus: &str,
    memory: &str,
    disk: &str,
    decimal_mark: char,
    none: &str,
) -> String {
    let parts: Vec<String> = [
        limits.cpus.map(|n| format!("{n} {}", if n == 1 { cpu } else { cpus })),
        limits.memory_bytes.map(|size| format!("{} {memory}", bytes(size, decimal_mark))),
        limits.disk_bytes.map(|size| format!("{} {disk}", bytes(size, decimal_mark))),
    ]
    .into_iter()
    .flatten()
    .collect();
    if parts.is_empty() { none.to_owned() } else { parts.join(" · ") }
}

/// A moment as a clock and a calendar on the reader's wall show it: year, month, day, hour, minute.
pub(crate) type WallTime = [u32; 5];

/// A moment as text: `25/11/2026 14:03`.
pub(crate) fn moment([year, month, day, hour, minute]: WallTime, day_first: bool) -> String {
    if day_first {
        format!("{day:02}/{month:02}/{year} {hour:02}:{minute:02}")
    } else {
        format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}")
    }
}

/// The address to show: IPv4 first, then IPv6 that reaches beyond the link.
pub(crate) fn main_address(addresses: &[Address]) -> Option<&str> {
    let v4 = addresses.iter().find(|a| a.family == AddressFamily::Inet);
    let v6 = || {
        addresses
            .iter()
            .find(|a| a.family == AddressFamily::Inet6 && !a.address.to_ascii_lowercase().starts_with("fe80"))
    };
    v4.or_else(v6).map(|a| a.address.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (size, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1,5 KiB"),
            (512 << 20, "512 MiB"),
            (10 << 30, "10 GiB"),
        ] {
            assert_eq!(bytes(size, ','), text);
        }
    }

    #[test]
    fn numbers_for_charts() {
        assert_eq!([percent(0.0), percent(0.126), percent(1.0)], ["0 %", "13 %", "100 %"]);
        assert_eq!(whole(float(5 << 30)), 5 << 30);
        assert_eq!(whole(f64::NAN), 0);
    }

    #[test]
    fn moments_have_two_digits() {
        assert_eq!(moment([2026, 11, 24, 23, 3], true), "24/11/2026 23:03");
        assert_eq!(moment([2026, 3, 5, 3, 0], false), "2026-03-05 03:00");
    }

    #[test]
    fn ipv4_goes_first_and_link_local_never_shows() {
        let address = |family, address: &str| Address {
            family,
            address: address.to_owned(),
            interface: "eth0".to_owned(),
        };
        let link = address(AddressFamily::Inet6, "fe80::1");
        let global = address(AddressFamily::Inet6, "2001:db8::1");
        let v4 = address(AddressFamily::Inet, "10.99.13.228");
        assert_eq!(main_address(&[link.clone(), global.clone(), v4]), Some("10.99.13.228"));
        assert_eq!(main_address(&[link.clone(), global]), Some("2001:db8::1"));
        assert_eq!(main_address(&[link]), None);
    }
}
