//! The pages in real Chromium, served by the real `vms` in front of real LXD and OpenLDAP.
//!
//! What is clicked on is found by `data-testid`; what a person reads is compared in Portuguese, the default.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod admin;
mod differences;
mod forms;
mod images;
mod keyboard;
mod life;
mod live;
mod looks;
mod overview;
mod people;
mod profiles;
mod session;
#[path = "../support/tarballs.rs"]
mod tarballs;

use std::time::Duration;

use serde_json::json;
use thirtyfour::BrowserLogEntry;
use vms_tests::real::{Browser, School, SchoolOptions};

/// Longest that a machine may take to do what was asked of it.
const MACHINE: Duration = Duration::from_secs(40);
/// Longest that anything which happens elsewhere may take to be on the page.
const SOON: Duration = Duration::from_secs(15);

/// Opens a school with pages, and a browser on them; or ends the test (loudly) where a part is missing.
#[macro_export]
macro_rules! school_and_browser {
    ($options:expr) => {{
        if !vms_tests::real::need(&["lxd", "slapd", "chromium"]) {
            return;
        }
        $crate::open($options).await
    }};
    () => {
        school_and_browser!(vms_tests::real::SchoolOptions::default())
    };
}

async fn open(options: SchoolOptions) -> (School, Browser) {
    let dist = xtask::build::dist();
    if !dist.join("admin/index.html").is_file() {
        xtask::build::pages().unwrap_or_else(|error| panic!("{error:#}"));
    }
    let school = School::open(&SchoolOptions { pages: Some(dist), ..options })
        .unwrap_or_else(|error| panic!("{error:#}"));
    let browser = Browser::open(&school.server.url()).await.unwrap_or_else(|error| panic!("{error:#}"));
    (school, browser)
}

/// Logs in by the form; the password is the user name.
async fn log_in(browser: &Browser, username: &str) {
    browser.fill("login-username", username).await;
    browser.fill("login-password", username).await;
    browser.click("login-submit").await;
    browser.one("quota").await;
}

/// Makes a machine over the API, for tests that are not about making it.
async fn make(school: &School, name: &str, start: bool) {
    let bruno = school.login("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": name, "start": start })).await).await;
}

/// The browser itself notes every answer that is not 2xx. Those which these statuses have are meant to be.
fn answered(entry: &BrowserLogEntry, statuses: &[u16]) -> bool {
    entry.message.contains("Failed to load resource")
        && statuses.iter().any(|status| entry.message.contains(&format!("status of {status} ")))
}

/// Fails when the console complained about anything but answers with these statuses.
async fn assert_quiet(browser: &Browser, statuses: &[u16]) {
    let complaints = browser.complaints(|entry| answered(entry, statuses)).await;
    assert!(complaints.is_empty(), "the console says: {complaints:#?}");
}
