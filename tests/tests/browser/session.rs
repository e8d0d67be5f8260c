//! Sessions in the browser: they outlive a reload, end when they should, and take nothing with them.

use std::time::Duration;

use vms_tests::real::{SchoolOptions, eventually};

use crate::live::connection;
use crate::{MACHINE, SOON, assert_quiet, log_in, make, school_and_browser};

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_the_session_and_signing_out_ends_it() {
    let (school, browser) = school_and_browser!();
    make(&school, "maquinaa", false).await;
    log_in(&browser, "bruno").await;
    browser.status("vmbrunomaquinaa", "stopped", SOON).await;
    browser.driver.refresh().await.unwrap();
    browser.status("vmbrunomaquinaa", "stopped", SOON).await;
    assert!(browser.all("login-username").await.is_empty(), "a reload asks for the password");

    browser.click("logout").await;
    browser.one("login-username").await;
    browser.driver.refresh().await.unwrap();
    browser.one("login-username").await;
    assert!(browser.rows().await.is_empty(), "the list is still there");
    // The next person at this computer sees only what is theirs.
    log_in(&browser, "ana").await;
    browser.reads("quota", |text| text.contains("0 / 10")).await;
    assert!(!browser.text().await.contains("vmbruno"));
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_session_asks_for_the_password_and_loses_nothing_typed() {
    let (_school, browser) =
        school_and_browser!(SchoolOptions { access_ttl: Some(5), ..SchoolOptions::default() });
    log_in(&browser, "bruno").await;
    browser.click("new-machine").await;
    browser.fill("create-name", "digitada").await;
    // Without the cookie nothing can be renewed: in a few seconds the session is over.
    browser.devtools("Network.clearBrowserCookies", serde_json::json!({})).await;

    eventually("the question for the password", Duration::from_secs(40), async || {
        match browser.all("session-password").await.len() {
            1 => Ok(()),
            count => Err(format!("{count} password fields")),
        }
    })
    .await;
    browser.fill("session-password", "errada").await;
    browser.click("session-submit").await;
    browser.reads("session-error", |text| text.contains("senha")).await;
    browser.fill("session-password", "bruno").await;
    browser.click("session-submit").await;
    eventually("the question to go", SOON, async || match browser.all("session-password").await.len() {
        0 => Ok(()),
        count => Err(format!("{count} password fields")),
    })
    .await;
    let typed = browser.one("create-name").await.value().await.unwrap();
    assert_eq!(typed.as_deref(), Some("digitada"), "what was typed is lost");
    browser.click("create-submit").await;
    browser.status("vmbrunodigitada", "running", MACHINE).await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_goes_away_is_said_and_comes_back_by_itself() {
    let (mut school, browser) = school_and_browser!();
    make(&school, "maquinaa", false).await;
    log_in(&browser, "bruno").await;
    browser.status("vmbrunomaquinaa", "stopped", SOON).await;
    connection(&browser, "live", SOON).await;

    tokio::task::block_in_place(|| school.server.kill9()).unwrap();
    connection(&browser, "offline", MACHINE).await;
    assert_eq!(browser.rows().await, ["vmbrunomaquinaa"], "the list went away with the server");

    tokio::task::block_in_place(|| school.server.start_again()).unwrap_or_else(|error| panic!("{error:#}"));
    connection(&browser, "live", Duration::from_secs(90)).await;
    browser.click_in_row("vmbrunomaquinaa", "power").await;
    browser.status("vmbrunomaquinaa", "running", MACHINE).await;
    browser.close().await;
}

/// All tabs share the one refresh cookie, which each renewal replaces. Sent twice it would end the session.
#[tokio::test(flavor = "multi_thread")]
async fn two_tabs_that_renew_at_the_same_moment_stay_logged_in() {
    let (_school, browser) = school_and_browser!();
    log_in(&browser, "bruno").await;
    let first = browser.driver.window().await.unwrap();
    browser.script("window.open('/', 'second');", Vec::new()).await;
    // On a slow line both ask before either is answered.
    let slow = serde_json::json!({
        "offline": false, "latency": 400, "downloadThroughput": -1, "uploadThroughput": -1
    });
    for window in browser.driver.windows().await.unwrap() {
        browser.driver.switch_to_window(window).await.unwrap();
        browser.one("user-name").await;
        browser.devtools("Network.enable", serde_json::json!({})).await;
        browser.devtools("Network.emulateNetworkConditions", slow.clone()).await;
    }
    browser.driver.switch_to_window(first.clone()).await.unwrap();
    for round in 1..=4 {
        browser.script("window.open('/', 'second'); location.reload();", Vec::new()).await;
        let windows = browser.driver.windows().await.unwrap();
        assert_eq!(windows.len(), 2, "round {round}: the second tab did not open");
        for window in windows {
            browser.driver.switch_to_window(window).await.unwrap();
            browser.one("user-name").await;
            assert!(browser.all("login-username").await.is_empty(), "round {round}: logged out");
        }
        browser.driver.switch_to_window(first.clone()).await.unwrap();
    }
    browser.close().await;
}
