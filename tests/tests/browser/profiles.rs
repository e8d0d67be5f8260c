//! Profiles by clicking, as an administrator who has never seen the system would: the thesis' five interfaces, given to a
//! group, and a machine moved to them.

use serde_json::json;
use vms_tests::real::axe::source;
use vms_tests::real::{Browser, SchoolOptions, eventually};

use crate::looks::look;
use crate::{MACHINE, SOON, assert_quiet, log_in, make, school_and_browser};

const INSTANCE: &str = "vmbrunomaquinaa";

/// Clicks a button in a profile's row.
async fn click_at(browser: &Browser, profile: &str, test_id: &str) {
    let selector = format!("[data-testid='profile-row'][data-profile='{profile}'] [data-testid='{test_id}']");
    browser.press(&selector).await;
}

/// Waits until the words on for whom a profile is are these.
async fn audience(browser: &Browser, profile: &str, wanted: &str) {
    let selector =
        format!("[data-testid='profile-row'][data-profile='{profile}'] [data-testid='profile-audience']");
    eventually("for whom it is", SOON, async || match browser.the(&selector).await.text().await {
        Ok(said) if said == wanted => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_makes_the_five_interfaces_gives_them_to_a_group_and_moves_a_machine_to_them() {
    let (school, browser) =
        school_and_browser!(SchoolOptions { many_interfaces: true, ..SchoolOptions::default() });
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    make(&school, "maquinaa", true).await;
    school.is_up(INSTANCE);
    log_in(&browser, "admin").await;

    browser.click("nav-profiles").await;
    audience(&browser, "default", "Todos").await;
    browser.click("new-profile").await;
    browser.fill("profile-name", "alunos").await;
    browser.fill("profile-description", "Aula de redes").await;
    browser.fill("profile-memory", "256MiB").await;
    for _ in 0..4 {
        browser.click("nic-add").await;
    }
    eventually("five interfaces", SOON, async || match browser.all("nic").await.len() {
        5 => Ok(()),
        other => Err(other.to_string()),
    })
    .await;
    look(&browser, &axe, "profile-form", &["light", "phone"]).await;

    // The other view shows the same, and what is wrong with it is said by line and by key.
    browser.click("profile-raw").await;
    let text = browser.one("profile-text").await.value().await.unwrap().unwrap_or_default();
    assert!(text.contains("limits.memory: 256MiB") && text.contains("  eth4:"), "{text}");
    browser.fill("profile-text", "nonsense").await;
    browser.click("profile-form").await;
    browser.reads("profile-error", |said| said.contains("linha 1")).await;
    let risky = text.replace("config:\n", "config:\n  security.privileged: \"true\"\n");
    browser.fill("profile-text", &risky).await;
    browser.reads("profile-dangers", |said| said.contains("config.security.privileged")).await;
    look(&browser, &axe, "profile-raw", &["light"]).await;
    browser.click("profile-save").await;
    browser.reads("profile-error", |said| said.contains("config.security.privileged")).await;
    browser.fill("profile-text", &text).await;
    browser.click("profile-form").await;
    browser.one("nic-add").await;
    browser.click("profile-save").await;

    // For the group of the students, and their default.
    click_at(&browser, "alunos", "profile-allow").await;
    browser.click("audience-some").await;
    browser.fill("audience-groups", "alunos").await;
    browser.fill("default-groups", "alunos").await;
    look(&browser, &axe, "audience-dialog", &["light"]).await;
    browser.click("audience-save").await;
    audience(&browser, "alunos", "alunos").await;
    look(&browser, &axe, "profiles", &["light", "dark", "phone"]).await;
    let offered = school.login("bruno").await.get("/profiles").await.expect(200);
    let default = offered["items"].as_array().unwrap().iter().find(|one| one["default"] == true);
    assert_eq!(default.unwrap()["name"], "alunos");

    // The machine, while it runs.
    browser.click("nav-machines").await;
    browser.status(INSTANCE, "running", SOON).await;
    browser.click_in_row(INSTANCE, "select").await;
    browser.click("bulk-profile").await;
    browser.choose("bulk-profile-name", "alunos").await;
    browser.click("bulk-profile-ok").await;
    let admin = school.login("admin").await;
    eventually("the machine to have it", MACHINE, async || {
        let machine = admin.get(&format!("/machines/{INSTANCE}")).await.expect(200);
        let settled = machine["operation"].is_null() && machine["profiles"] == json!(["alunos"]);
        if settled { Ok(()) } else { Err(machine.to_string()) }
    })
    .await;
    let within = school.lxc(&["exec", INSTANCE, "--", "ls", "/sys/class/net"]);
    for name in ["eth0", "eth1", "eth2", "eth3", "eth4"] {
        assert!(within.split_whitespace().any(|seen| seen == name), "{within}");
    }

    // It stays while a machine carries it, and goes when none does.
    browser.click("nav-profiles").await;
    click_at(&browser, "alunos", "profile-delete").await;
    browser.reads("profiles-notice", |said| said.contains("vmbrunomaquinaa (bruno)")).await;
    let free = json!({ "profiles": ["default"] });
    admin.send(reqwest::Method::PATCH, &format!("/machines/{INSTANCE}"), Some(free)).await.expect(200);
    eventually("nobody to carry it", MACHINE, async || {
        let users = admin.get("/profiles/alunos").await.expect(200)["used_by"].clone();
        if users == json!([]) { Ok(()) } else { Err(users.to_string()) }
    })
    .await;
    click_at(&browser, "alunos", "profile-delete").await;
    browser.click("confirm-ok").await;
    eventually("the profile to be gone", SOON, async || {
        let rows = browser.all("profile-row").await.len();
        if rows == 1 { Ok(()) } else { Err(format!("{rows} rows")) }
    })
    .await;
    assert_quiet(&browser, &[401, 422]).await;
    browser.close().await;
}
