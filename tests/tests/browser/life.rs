//! The life of a machine, by clicking.

use thirtyfour::{By, WebElement};
use vms_tests::real::{Browser, School, eventually};

use crate::{MACHINE, SOON, assert_quiet, log_in, school_and_browser};

const INSTANCE: &str = "vmbrunomaquinaa";

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_from_its_creation_to_its_deletion() {
    let (school, browser) = school_and_browser!();
    log_in(&browser, "bruno").await;
    browser.reads("user-name", |text| text.contains("Bruno Rizzetti")).await;
    browser.reads("quota", |text| text.contains("0 / 10")).await;

    created(&school, &browser).await;
    let row = browser.identity(INSTANCE).await;
    snapshots(&school, &browser).await;
    power(&school, &browser).await;
    reset(&school, &browser).await;
    // One and the same row all the time: what had the focus in it, or was being typed, was never taken away.
    assert_eq!(browser.identity(INSTANCE).await, row, "the page made a new row for the same machine");
    deleted(&school, &browser).await;

    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

async fn created(school: &School, browser: &Browser) {
    browser.click("new-machine").await;
    browser.fill("create-name", "maquinaa").await;
    let image = browser.one("create-image").await;
    assert!(image.text().await.unwrap().contains(school.lxd.image_alias()), "the image is not offered");
    browser.one("create-profile").await;
    browser.click("create-submit").await;

    browser.status(INSTANCE, "running", MACHINE).await;
    browser.reads("quota", |text| text.contains("1 / 10")).await;
    browser.row_reads(INSTANCE, "machine-name", |text| text.contains(INSTANCE), SOON).await;
    let prefix = school.lxd.address_prefix();
    browser.row_reads(INSTANCE, "machine-ip", |text| text.contains(&prefix), MACHINE).await;
    assert_eq!(school.column("ns"), [format!("{INSTANCE},RUNNING")]);
}

/// The names that the dropdown offers; the first entry stands for "none chosen".
async fn offered(browser: &Browser) -> Vec<String> {
    let script = "return [...document.querySelector('[data-testid=snapshot-select]').options]\
                  .filter(o => o.value !== '').map(o => o.text)";
    serde_json::from_value(browser.script(script, Vec::new()).await).unwrap()
}

async fn choose(browser: &Browser, name: &str) {
    eventually(&format!("the choice of {name}"), SOON, async || {
        let select = browser.in_row(INSTANCE, "snapshot-select").await;
        let option = select.find(By::XPath(format!("./option[contains(., '{name}')]"))).await;
        match option {
            Ok(option) => option.click().await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    })
    .await;
}

/// The two buttons beside the dropdown.
async fn buttons(browser: &Browser) -> [WebElement; 2] {
    [browser.in_row(INSTANCE, "snapshot-restore").await, browser.in_row(INSTANCE, "snapshot-delete").await]
}

async fn buttons_are(browser: &Browser, enabled: bool) {
    eventually(if enabled { "enabled buttons" } else { "disabled buttons" }, SOON, async || {
        let [restore, delete] = buttons(browser).await;
        let seen =
            (restore.is_enabled().await.unwrap_or(!enabled), delete.is_enabled().await.unwrap_or(!enabled));
        if seen == (enabled, enabled) { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

async fn is_offered(browser: &Browser, names: &[&str]) {
    eventually(&format!("the snapshots {names:?}"), MACHINE, async || {
        let seen = offered(browser).await;
        let fits =
            seen.len() == names.len() && seen.iter().zip(names).all(|(seen, name)| seen.contains(name));
        if fits { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

/// Waits until the machine takes commands again. LXD tells of a snapshot before it lets the machine go on, and what
/// is done inside a machine that it still holds is refused.
async fn is_free(browser: &Browser) {
    eventually("the machine to take commands", MACHINE, async || {
        let button = browser.in_row(INSTANCE, "snapshot-create").await;
        match button.attr("aria-disabled").await {
            Ok(Some(waits)) if waits == "false" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
}

async fn save_snapshot(browser: &Browser, name: &str) {
    browser.click_in_row(INSTANCE, "snapshot-create").await;
    browser.fill("snapshot-name", name).await;
    browser.click("snapshot-save").await;
}

async fn snapshots(school: &School, browser: &Browser) {
    buttons_are(browser, false).await;
    save_snapshot(browser, "antes").await;
    is_offered(browser, &["antes"]).await;
    buttons_are(browser, false).await;
    choose(browser, "antes").await;
    buttons_are(browser, true).await;

    is_free(browser).await;
    // Restoring throws away what came after the snapshot, so it asks; and a "no" is a no.
    school.write_file(INSTANCE, "/perdido");
    browser.click_in_row(INSTANCE, "snapshot-restore").await;
    browser.click("confirm-cancel").await;
    assert!(school.has_file(INSTANCE, "/perdido"));
    choose(browser, "antes").await;
    browser.click_in_row(INSTANCE, "snapshot-restore").await;
    assert!(school.has_file(INSTANCE, "/perdido"), "it did not wait for the answer");
    browser.click("confirm-ok").await;
    eventually("the file to be gone", MACHINE, async || {
        let seen = school.lxd.lxc(&["exec", INSTANCE, "--", "ls", "/"]).map_err(|error| error.to_string())?;
        if seen.contains("perdido") { Err(seen) } else { Ok(()) }
    })
    .await;
    browser.status(INSTANCE, "running", MACHINE).await;

    choose(browser, "antes").await;
    browser.click_in_row(INSTANCE, "snapshot-rename").await;
    browser.fill("snapshot-name", "depois").await;
    browser.click("snapshot-save").await;
    is_offered(browser, &["depois"]).await;

    choose(browser, "depois").await;
    buttons_are(browser, true).await;
    browser.click_in_row(INSTANCE, "snapshot-delete").await;
    browser.click("confirm-ok").await;
    is_offered(browser, &[]).await;
    buttons_are(browser, false).await;
}

/// What the power button looks like and says, without what only the mouse changes.
async fn look_of_power(browser: &Browser) -> String {
    let script = "const b = document.querySelector('[data-testid=power]'); const s = getComputedStyle(b); \
                  return [s.color, s.backgroundColor, b.getAttribute('aria-label') ?? b.innerText].join(' | ')";
    browser.script(script, Vec::new()).await.as_str().unwrap().to_owned()
}

async fn power(school: &School, browser: &Browser) {
    let on = look_of_power(browser).await;
    browser.click_in_row(INSTANCE, "power").await;
    browser.status(INSTANCE, "stopped", MACHINE).await;
    browser.row_reads(INSTANCE, "machine-ip", |text| text.contains("Não inicializada!"), SOON).await;
    let off = look_of_power(browser).await;
    assert_ne!(on, off, "the button looks the same, on or off");

    browser.click_in_row(INSTANCE, "power").await;
    browser.status(INSTANCE, "running", MACHINE).await;
    browser.row_reads(INSTANCE, "machine-ip", |text| text.starts_with("10."), MACHINE).await;
    school.is_up(INSTANCE);

    browser.from_menu(INSTANCE, "restart").await;
    browser.status(INSTANCE, "stopping", SOON).await;
    browser.status(INSTANCE, "running", MACHINE).await;
    browser.from_menu(INSTANCE, "freeze").await;
    browser.status(INSTANCE, "frozen", MACHINE).await;
    browser.from_menu(INSTANCE, "freeze").await;
    browser.status(INSTANCE, "running", MACHINE).await;
}

async fn reset(school: &School, browser: &Browser) {
    save_snapshot(browser, "velho").await;
    is_offered(browser, &["velho"]).await;
    is_free(browser).await;
    school.write_file(INSTANCE, "/perdido");
    browser.from_menu(INSTANCE, "reset").await;
    browser.click("confirm-cancel").await;
    assert!(school.has_file(INSTANCE, "/perdido"), "a no is a no");
    browser.from_menu(INSTANCE, "reset").await;
    browser.click("confirm-ok").await;
    browser.status(INSTANCE, "creating", SOON).await;
    browser.status(INSTANCE, "running", MACHINE).await;
    is_offered(browser, &[]).await;
    assert!(!school.has_file(INSTANCE, "/perdido"), "the file survived the reset");
}

async fn deleted(school: &School, browser: &Browser) {
    browser.from_menu(INSTANCE, "delete").await;
    browser.click("confirm-cancel").await;
    assert_eq!(browser.rows().await, [INSTANCE], "a no is a no");
    browser.from_menu(INSTANCE, "delete").await;
    browser.click("confirm-ok").await;
    eventually("an empty page", MACHINE, async || {
        let rows = browser.rows().await;
        if rows.is_empty() { Ok(()) } else { Err(format!("{rows:?}")) }
    })
    .await;
    browser.reads("quota", |text| text.contains("0 / 10")).await;
    assert_eq!(school.instances(), Vec::<String>::new());
}
