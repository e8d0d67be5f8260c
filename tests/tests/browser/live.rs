//! What happens elsewhere is on the page at once; without events the page asks by itself; without a network it says so.

use std::time::Duration;

use serde_json::json;
use vms_tests::real::{Browser, eventually};

use crate::{MACHINE, SOON, assert_quiet, log_in, make, school_and_browser};

/// Waits until the page says of its connection: `live`, `polling` or `offline`.
pub async fn connection(browser: &Browser, wanted: &str, patience: Duration) {
    eventually(&format!("the mark \"{wanted}\""), patience, async || {
        let marks = browser.all("connection").await;
        let Some(mark) = marks.first() else { return Err("no mark".to_owned()) };
        let state = mark.attr("data-state").await.ok().flatten().unwrap_or_default();
        let words = mark.text().await.unwrap_or_default();
        if state == wanted && !words.is_empty() { Ok(()) } else { Err(format!("{state}: {words}")) }
    })
    .await;
}

/// How often the page has asked for the machines.
async fn questions(browser: &Browser) -> u64 {
    let script = "return performance.getEntriesByType('resource').filter(e => e.name.endsWith('/api/v1/machines')).length;";
    browser.script(script, Vec::new()).await.as_u64().unwrap()
}

/// While events come, the page asks by itself only every 30 seconds: what shows sooner came by an event.
#[tokio::test(flavor = "multi_thread")]
async fn what_happens_elsewhere_is_on_the_page_at_once() {
    let (school, browser) = school_and_browser!();
    make(&school, "maquinaa", true).await;
    log_in(&browser, "bruno").await;
    browser.status("vmbrunomaquinaa", "running", SOON).await;
    connection(&browser, "live", SOON).await;

    let before = questions(&browser).await;
    school.lxc(&["stop", "--force", "vmbrunomaquinaa"]);
    browser.status("vmbrunomaquinaa", "stopped", SOON).await;
    school.lxc(&["start", "vmbrunomaquinaa"]);
    browser.status("vmbrunomaquinaa", "running", SOON).await;
    let asked = questions(&browser).await - before;
    assert!((2..=30).contains(&asked), "{asked} questions for two changes");

    // A machine that another program makes.
    make(&school, "maquinab", false).await;
    browser.status("vmbrunomaquinab", "stopped", SOON).await;
    assert_quiet(&browser, &[]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_events_the_page_asks_by_itself() {
    let (school, browser) = school_and_browser!();
    // As behind a proxy that lets no websocket through.
    let blocked = json!({ "source": "window.WebSocket = function () { throw new Error('blocked'); };" });
    browser.devtools("Page.enable", json!({})).await;
    browser.devtools("Page.addScriptToEvaluateOnNewDocument", blocked).await;
    browser.home().await;
    make(&school, "maquinaa", true).await;
    log_in(&browser, "bruno").await;
    browser.status("vmbrunomaquinaa", "running", SOON).await;
    connection(&browser, "polling", SOON).await;
    school.lxc(&["stop", "--force", "vmbrunomaquinaa"]);
    browser.status("vmbrunomaquinaa", "stopped", SOON).await;
    assert_quiet(&browser, &[]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_network_is_said_and_what_was_missed_is_caught_up() {
    let (school, browser) = school_and_browser!();
    make(&school, "maquinaa", true).await;
    log_in(&browser, "bruno").await;
    browser.status("vmbrunomaquinaa", "running", SOON).await;
    connection(&browser, "live", SOON).await;

    let network = |offline: bool| {
        let unlimited = -1;
        json!({
            "offline": offline, "latency": 0,
            "downloadThroughput": unlimited, "uploadThroughput": unlimited,
        })
    };
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.emulateNetworkConditions", network(true)).await;
    connection(&browser, "offline", SOON).await;
    school.lxc(&["stop", "--force", "vmbrunomaquinaa"]);
    browser.devtools("Network.emulateNetworkConditions", network(false)).await;
    browser.status("vmbrunomaquinaa", "stopped", MACHINE).await;
    connection(&browser, "live", MACHINE).await;
    browser.close().await;
}
