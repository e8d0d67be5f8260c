//! Everything without a mouse: the tab order reaches it, Enter does it, Escape leaves it, and the focus is never lost.

use vms_tests::real::{Browser, eventually};

use crate::{MACHINE, SOON, assert_quiet, school_and_browser};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
/// What the browser is told for it (WebDriver, "Keyboard actions").
pub const ESCAPE: &str = "\u{e00c}";

/// Presses Tab until the focus is on that thing.
async fn tab_to(browser: &Browser, test_id: &str) {
    let mut passed = Vec::new();
    for _ in 0..40 {
        let focused = browser.focused().await;
        if focused == test_id && browser.has_focus(":focus-visible").await {
            return;
        }
        passed.push(focused);
        browser.keys(TAB).await;
    }
    panic!("Tab does not reach {test_id}; it passed {passed:?}");
}

async fn focus_is_on(browser: &Browser, test_id: &str) {
    eventually(&format!("the focus on {test_id}"), SOON, async || match browser.focused().await {
        focused if focused == test_id => Ok(()),
        other => Err(format!("it is on {other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_a_mouse() {
    let (school, browser) = school_and_browser!();
    browser.one("login-username").await;
    tab_to(&browser, "login-username").await;
    browser.keys("bruno").await;
    tab_to(&browser, "login-password").await;
    browser.keys(format!("bruno{ENTER}")).await;
    browser.one("quota").await;

    // Escape leaves the dialog, back to where it was opened.
    tab_to(&browser, "new-machine").await;
    browser.keys(ENTER).await;
    focus_is_on(&browser, "create-name").await;
    browser.keys(ESCAPE).await;
    focus_is_on(&browser, "new-machine").await;
    assert!(browser.all("create-name").await.is_empty(), "the dialog is still there");

    browser.keys(ENTER).await;
    focus_is_on(&browser, "create-name").await;
    browser.keys(format!("maquinaa{ENTER}")).await;
    browser.status("vmbrunomaquinaa", "running", MACHINE).await;
    assert_eq!(school.instances(), ["vmbrunomaquinaa"]);

    // The focus stays on the button while what the button does happens under it.
    tab_to(&browser, "power").await;
    browser.keys(ENTER).await;
    browser.status("vmbrunomaquinaa", "stopped", MACHINE).await;
    assert_eq!(browser.focused().await, "power", "the focus was lost");
    browser.keys(ENTER).await;
    browser.status("vmbrunomaquinaa", "running", MACHINE).await;
    assert_eq!(browser.focused().await, "power", "the focus was lost");

    tab_to(&browser, "snapshot-create").await;
    browser.keys(ENTER).await;
    focus_is_on(&browser, "snapshot-name").await;
    browser.keys(format!("antes{ENTER}")).await;
    eventually("the snapshot", MACHINE, async || {
        let there = school.lxc(&["query", "/1.0/instances/vmbrunomaquinaa/snapshots"]);
        if there.contains("/antes") { Ok(()) } else { Err(there) }
    })
    .await;

    // What cannot be undone asks, and Enter on the question's first answer does nothing.
    tab_to(&browser, "menu").await;
    browser.keys(ENTER).await;
    tab_to_item(&browser, "delete").await;
    browser.keys(ENTER).await;
    browser.one("confirm-ok").await;
    browser.keys(ESCAPE).await;
    assert!(browser.all("confirm-ok").await.is_empty(), "Escape is no");
    assert_eq!(school.instances(), ["vmbrunomaquinaa"]);
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

/// Inside a menu the arrow keys move (WAI-ARIA's pattern for menus), past commands that cannot be given yet: while the
/// row still shows the last command, that is all of them.
async fn tab_to_item(browser: &Browser, test_id: &str) {
    eventually(&format!("the arrow keys to reach {test_id}"), MACHINE, async || {
        let focused = browser.focused().await;
        if focused == test_id {
            return Ok(());
        }
        browser.keys("\u{e015}").await; // arrow down
        Err(focused)
    })
    .await;
}
