//! How the pages look: no violation of WCAG 2.2 AA, in light and dark, and nothing that does not fit a phone. The same
//! walk makes the pictures of the documentation, where they are missing.

use std::path::PathBuf;

use serde_json::json;
use vms_tests::real::axe::{assert_accessible, source};
use vms_tests::real::browser::{Scheme, Screen};
use vms_tests::real::{Browser, School};

use crate::{MACHINE, SOON, assert_quiet, log_in, school_and_browser};

/// Each way of looking at a page, and its name in the file names.
const WAYS: [(&str, Screen, Scheme); 4] = [
    ("light", Screen::Desktop, Scheme::Light),
    ("dark", Screen::Desktop, Scheme::Dark),
    ("phone", Screen::Phone, Scheme::Light),
    ("phone-dark", Screen::Phone, Scheme::Dark),
];

fn file(page: &str, way: &str) -> PathBuf {
    xtask::repo::root().join(format!("docs/src/images/{page}-{way}.png"))
}

/// Looks at the page that is shown, in every way.
pub(crate) async fn look(browser: &Browser, axe: &str, page: &str, pictured: &[&str]) {
    for (way, screen, scheme) in WAYS {
        browser.screen(screen).await;
        browser.scheme(scheme).await;
        assert_accessible(browser, axe, &format!("{page} ({way})")).await;
        assert!(!browser.overflows().await, "{page} ({way}) can be moved sideways");
        if pictured.contains(&way) {
            browser.picture(&file(page, way)).await;
        }
    }
    browser.screen(Screen::Desktop).await;
    browser.scheme(Scheme::Light).await;
}

/// The machines of the pictures: two running, one off, and some snapshots.
async fn furnish(school: &School) {
    let bruno = school.login("bruno").await;
    for (name, description, start) in [
        ("maquinaa", "Servidor web da disciplina de redes", true),
        ("maquinab", "Banco de dados do projeto", true),
        ("maquinac", "", false),
    ] {
        let body = json!({ "name": name, "description": description, "start": start });
        bruno.done(bruno.post("/machines", body).await).await;
    }
    for name in ["antes-do-teste", "aula-3"] {
        bruno.done(bruno.post("/machines/vmbrunomaquinaa/snapshots", json!({ "name": name })).await).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accessible_in_light_and_dark_and_on_a_phone() {
    let (school, browser) = school_and_browser!();
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    let pictured = ["light", "dark", "phone"];
    browser.one("login-username").await;
    look(&browser, &axe, "login", &pictured).await;
    browser.fill("login-username", "bruno").await;
    browser.fill("login-password", "errada").await;
    browser.click("login-submit").await;
    browser.one("login-error").await;
    look(&browser, &axe, "login-error", &[]).await;

    log_in(&browser, "bruno").await;
    browser.reads("quota", |text| text.contains("0 / 10")).await;
    look(&browser, &axe, "no-machines", &[]).await;

    furnish(&school).await;
    let prefix = school.lxd.address_prefix();
    for instance in ["vmbrunomaquinaa", "vmbrunomaquinab"] {
        browser.status(instance, "running", MACHINE).await;
        browser.row_reads(instance, "machine-ip", |text| text.contains(&prefix), MACHINE).await;
    }
    browser.status("vmbrunomaquinac", "stopped", SOON).await;
    look(&browser, &axe, "personal-page", &pictured).await;

    browser.click("new-machine").await;
    browser.fill("create-name", "1abc").await;
    browser.keys("\u{e004}").await;
    look(&browser, &axe, "create-dialog-error", &[]).await;
    browser.fill("create-name", "maquinad").await;
    look(&browser, &axe, "create-dialog", &["light"]).await;
    browser.keys("\u{e00c}").await;

    browser.click_in_row("vmbrunomaquinaa", "snapshot-create").await;
    browser.one("snapshot-name").await;
    look(&browser, &axe, "snapshot-dialog", &[]).await;
    browser.keys("\u{e00c}").await;

    browser.click_in_row("vmbrunomaquinaa", "menu").await;
    browser.one("reset").await;
    look(&browser, &axe, "menu", &[]).await;
    browser.keys("\u{e00c}").await;

    browser.from_menu("vmbrunomaquinaa", "delete").await;
    browser.one("confirm-ok").await;
    look(&browser, &axe, "confirm-dialog", &[]).await;
    browser.click("confirm-cancel").await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}
