//! The whole portal over HTTP, on the simulated LXD and the in-process directory: no part of it is a stand-in of our
//! own, and nothing has to be installed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here is the failure of the test"
)]

mod app;
mod audiences;
mod audit;
mod bad_input;
mod bulk;
mod coverage;
mod differences;
mod events;
mod images;
mod machines;
mod metrics;
mod networks;
mod outages;
mod overview;
mod pages;
mod people;
mod profiles;
mod queue;
mod quota;
mod reads;
mod sessions;
#[path = "../support/tarballs.rs"]
mod tarballs;
mod teachers;
