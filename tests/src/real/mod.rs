//! What the suites with real parts share: a whole school in one value, a stranger's HTTP client, and patience with an
//! end.
//!
//! ```text
//!   test ── HTTP ──▶ vms (the binary) ──▶ LXD
//!                          └────────────▶ slapd
//! ```
//! The tests know the product only as a user of it does: by its command line, its configuration and its HTTP API.
//! Everything that is started undoes itself when it is dropped, on panic too, and when the test is killed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "test support: what goes wrong here is the failure of the test that called it"
)]

pub mod axe;
pub mod browser;
pub mod forwarder;
pub mod http;
pub mod school;
pub mod server;

use std::time::{Duration, Instant};

pub use browser::Browser;
pub use forwarder::Forwarder;
pub use http::{Answer, Api};
pub use school::{LXD, School, SchoolOptions};
pub use server::Server;

/// Asks again and again, every 100 ms, until the answer is `Ok`, and gives it.
///
/// # Panics
/// When `patience` is over; the message says what was waited for and what was seen last.
pub async fn eventually<T>(
    what: &str,
    patience: Duration,
    mut ask: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        match ask().await {
            Ok(value) => return value,
            Err(seen) if Instant::now() >= deadline => {
                panic!("waited {} for {what}, in vain; at last: {seen}", xtask::ui::seconds(patience))
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Whether the machine has all these parts; says what is missing, and fails in CI (see [`xtask::lab::need`]).
#[must_use]
pub fn need(parts: &[&str]) -> bool {
    // Not `all`: every missing part is to be said, not only the first.
    parts.iter().filter(|part| !xtask::lab::need(part)).count() == 0
}
