//! Networks of a server with the addresses they gave away, and the rule for their ranges.
//!
//! A managed bridge has one IPv4 subnet (`10.99.0.1/18`: its gateway, and how large it is) and gives the addresses of its
//! DHCP ranges to machines; without ranges, all of the subnet. [`check_ranges`] is the one judge of what fits, for the
//! form in the browser and for the server alike.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::machine::AddressFamily;
use crate::operation::MachineRef;
use crate::problem::FieldError;

/// A network of a server (`GET /servers/{server}/networks`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NetworkView {
    /// Its name.
    #[cfg_attr(feature = "openapi", schema(example = "lxdbr0"))]
    pub name: String,
    /// `bridge`, `physical`, `ovn`…
    #[cfg_attr(feature = "openapi", schema(example = "bridge"))]
    pub kind: String,
    /// Whether LXD made it and serves DHCP on it; only such a one can be changed and has leases.
    #[cfg_attr(feature = "openapi", schema(example = true))]
    pub managed: bool,
    /// What it is for, in words.
    pub description: String,
    /// The gateway and the size of the IPv4 subnet; `null` without IPv4.
    #[cfg_attr(feature = "openapi", schema(example = "10.99.0.1/18"))]
    pub ipv4_address: Option<String>,
    /// The addresses that machines are given; empty: all of the subnet.
    pub dhcp_ranges: Vec<AddressRange>,
    /// The gateway and the size of the IPv6 subnet; `null` without IPv6.
    #[cfg_attr(feature = "openapi", schema(example = "fd42:1:2:3::1/64"))]
    pub ipv6_address: Option<String>,
    /// Machines with an interface on it.
    #[cfg_attr(feature = "openapi", schema(example = 12))]
    pub machines: u32,
}

/// Addresses that follow each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AddressRange {
    /// The first one.
    #[cfg_attr(feature = "openapi", schema(example = "10.99.1.0"))]
    pub first: String,
    /// The last one.
    #[cfg_attr(feature = "openapi", schema(example = "10.99.1.255"))]
    pub last: String,
}

/// `PATCH /servers/{server}/networks/{network}`. What is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PatchNetwork {
    /// The gateway and the size of the subnet.
    #[cfg_attr(feature = "openapi", schema(example = "10.99.0.1/18"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_address: Option<String>,
    /// The addresses that machines are given; empty: all of the subnet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dhcp_ranges: Option<Vec<AddressRange>>,
}

/// An address that was given away (`GET /servers/{server}/networks/{network}/leases`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LeaseView {
    /// The address.
    #[cfg_attr(feature = "openapi", schema(example = "10.99.13.228"))]
    pub address: String,
    /// `inet` or `inet6`.
    pub family: AddressFamily,
    /// `dynamic`, `static` or `gateway`.
    #[cfg_attr(feature = "openapi", schema(example = "dynamic"))]
    pub kind: String,
    /// Hardware address of the interface; empty for the gateway.
    #[cfg_attr(feature = "openapi", schema(example = "00:16:3e:5d:2f:71"))]
    pub hwaddr: String,
    /// The name under which it was asked for.
    #[cfg_attr(feature = "openapi", schema(example = "vmbrunomaquinaa"))]
    pub hostname: String,
    /// The machine that holds it.
    pub machine: Option<MachineRef>,
    /// Whose machine that is.
    #[cfg_attr(feature = "openapi", schema(example = "bruno"))]
    pub owner: Option<String>,
}

/// Smallest and largest subnet of a bridge, as prefix lengths: room for one machine, and no more than a private network.
const PREFIXES: std::ops::RangeInclusive<u32> = 8..=30;

/// An IPv4 subnet by its gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subnet {
    gateway: u32,
    first: u32,
    last: u32,
}

impl Subnet {
    /// Reads `10.99.0.1/18`; `None` for anything else, and where the gateway is no address of a host.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (gateway, prefix) = text.trim().split_once('/')?;
        let gateway = u32::from(gateway.parse::<Ipv4Addr>().ok()?);
        let prefix = prefix.parse::<u32>().ok().filter(|prefix| PREFIXES.contains(prefix))?;
        let hosts = u32::MAX.checked_shr(prefix)?;
        let (first, last) = (gateway & !hosts, gateway | hosts);
        (gateway != first && gateway != last).then_some(Self { gateway, first, last })
    }

    /// Whether a host may have this address.
    #[must_use]
    pub fn has_host(self, address: Ipv4Addr) -> bool {
        let address = u32::from(address);
        self.first < address && address < self.last
    }

    /// Whether both have an address in common.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// What is wrong with these ranges in this subnet.
#[must_use]
pub fn check_ranges(subnet: Subnet, ranges: &[AddressRange]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut taken: Vec<(u32, u32)> = Vec::new();
    for (number, range) in ranges.iter().enumerate() {
        let mut wrong = |part: &str, code: &str, message: &str| {
            errors.push(FieldError::new(&format!("dhcp_ranges[{number}]{part}"), code, message));
        };
        let first = range.first.trim().parse::<Ipv4Addr>().ok();
        let last = range.last.trim().parse::<Ipv4Addr>().ok();
        for (part, address) in [(".first", first), (".last", last)] {
            match address {
                None => wrong(part, "address", "must be an IPv4 address such as 10.99.1.20"),
                Some(address) if !subnet.has_host(address) => {
                    wrong(part, "outside", "is not an address that a machine in this subnet can have");
                }
                Some(_) => {}
            }
        }
        let inside =
            |address: Option<Ipv4Addr>| address.filter(|address| subnet.has_host(*address)).map(u32::from);
        let Some((first, last)) = inside(first).zip(inside(last)) else { continue };
        if first > last {
            wrong("", "order", "ends before it begins");
        } else if (first..=last).contains(&subnet.gateway) {
            wrong("", "gateway", "contains the gateway's own address");
        } else if taken.iter().any(|(from, to)| first <= *to && *from <= last) {
            wrong("", "overlap", "has addresses of another range");
        }
        taken.push((first, last));
    }
    errors
}

/// Reads LXD's `ipv4.dhcp.ranges`. What is no range is left out.
#[must_use]
pub fn parse_ranges(text: &str) -> Vec<AddressRange> {
    let range = |one: &str| {
        let (first, last) = one.split_once('-')?;
        Some(AddressRange { first: first.trim().to_owned(), last: last.trim().to_owned() })
    };
    text.split(',').filter_map(range).collect()
}

/// Writes them as LXD reads them.
#[must_use]
pub fn format_ranges(ranges: &[AddressRange]) -> String {
    let all: Vec<String> =
        ranges.iter().map(|range| format!("{}-{}", range.first.trim(), range.last.trim())).collect();
    all.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(first: &str, last: &str) -> AddressRange {
        AddressRange { first: first.into(), last: last.into() }
    }

    fn codes(ranges: &[AddressRange]) -> Vec<(String, String)> {
        let subnet = Subnet::parse("10.99.0.1/18").unwrap();
        check_ranges(subnet, ranges).into_iter().map(|error| (error.field, error.code)).collect()
    }

    #[test]
    fn subnets_have_a_gateway_among_their_hosts() {
        for good in ["10.99.0.1/18", "192.168.1.254/24", "10.0.0.1/30"] {
            assert!(Subnet::parse(good).is_some(), "{good}");
        }
        for bad in [
            "10.99.0.0/18",
            "10.99.63.255/18",
            "10.0.0.1/31",
            "10.0.0.1/7",
            "10.0.0.1",
            "auto",
            "x/24",
            "::1/64",
        ] {
            assert_eq!(Subnet::parse(bad), None, "{bad}");
        }
        let (one, other) = (Subnet::parse("10.99.0.1/18").unwrap(), Subnet::parse("10.99.64.1/18").unwrap());
        assert!(!one.overlaps(other) && one.overlaps(Subnet::parse("10.99.1.1/24").unwrap()));
    }

    #[test]
    fn ranges_lie_inside_in_order_apart_and_leave_the_gateway_out() {
        assert!(codes(&[range("10.99.0.2", "10.99.0.99"), range("10.99.1.0", "10.99.1.255")]).is_empty());
        assert!(codes(&[]).is_empty());
        let one = |first, last| codes(&[range(first, last)]);
        assert_eq!(one("10.99.0.2", "10.100.0.9"), [("dhcp_ranges[0].last".into(), "outside".into())]);
        assert_eq!(one("10.99.0.9", "10.99.0.2"), [("dhcp_ranges[0]".into(), "order".into())]);
        assert_eq!(one("10.99.0.1", "10.99.0.2"), [("dhcp_ranges[0]".into(), "gateway".into())]);
        assert_eq!(one("10.99.0.0", "x").len(), 2);
        assert_eq!(
            codes(&[range("10.99.0.2", "10.99.0.9"), range("10.99.0.9", "10.99.0.20")]),
            [("dhcp_ranges[1]".into(), "overlap".into())]
        );
    }

    #[test]
    fn ranges_are_read_as_they_are_written() {
        let ranges = [range("10.99.0.2", "10.99.0.9"), range("10.99.1.0", "10.99.1.9")];
        let text = format_ranges(&ranges);
        assert_eq!(text, "10.99.0.2-10.99.0.9,10.99.1.0-10.99.1.9");
        assert_eq!(parse_ranges(&text), ranges);
        assert!(parse_ranges("").is_empty());
    }
}
