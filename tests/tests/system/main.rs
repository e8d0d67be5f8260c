//! The whole system, with every part real: the `vms` binary, LXD, OpenLDAP, PostgreSQL. Driven over HTTP only, and
//! compared with what `lxc` says.
//!
//! Each test opens a school of its own (about 8 s) and leaves nothing behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod bad_input;
mod faults;
mod foreign;
mod images;
mod life;
mod networks;
mod outage;
mod outside;
mod overview;
mod profiles;
mod quota;
mod servers;
mod streams;
#[path = "../support/tarballs.rs"]
mod tarballs;
mod watch;

use serde_json::Value;
use vms_tests::real::{School, SchoolOptions};

/// Opens a school, or ends the test (loudly) where a part is missing.
#[macro_export]
macro_rules! school {
    ($options:expr) => {{
        if !vms_tests::real::need(&["lxd", "slapd"]) {
            return;
        }
        $crate::open(&$options)
    }};
    () => {
        school!(vms_tests::real::SchoolOptions::default())
    };
}

fn open(options: &SchoolOptions) -> School {
    School::open(options).unwrap_or_else(|error| panic!("{error:#}"))
}

/// The IPv4 address that a machine shows.
fn address(machine: &Value) -> Option<&str> {
    machine["addresses"].as_array()?.iter().find(|one| one["family"] == "inet")?["address"].as_str()
}

/// The names of a machine's snapshots.
fn snapshots(machine: &Value) -> Vec<&str> {
    machine["snapshots"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}
