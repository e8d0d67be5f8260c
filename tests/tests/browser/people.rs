//! People and what they may use, decided by clicking: found, given another role and a quota, locked, their machines handed
//! over; a quota for a group, and what the student sees of it.

use reqwest::Method;
use serde_json::json;
use vms_tests::real::axe::source;
use vms_tests::real::{Browser, School, eventually};

use crate::looks::look;
use crate::{SOON, assert_quiet, log_in, school_and_browser};

/// Bruno has two machines that are off; Ana and the teacher have been here.
async fn furnish(school: &School) {
    let bruno = school.login("bruno").await;
    for name in ["maquinaa", "maquinab"] {
        bruno.done(bruno.post("/machines", json!({ "name": name, "start": false })).await).await;
    }
    for name in ["ana", "prof"] {
        school.login(name).await;
    }
}

/// Waits until the users shown are these.
async fn users(browser: &Browser, wanted: &[&str]) {
    eventually("the users on the page", SOON, async || {
        let mut seen = Vec::new();
        for row in browser.all("user-row").await {
            seen.push(row.attr("data-user").await.ok().flatten().unwrap_or_default());
        }
        if seen == wanted { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

/// Waits until the state in somebody's row says so.
async fn state(browser: &Browser, user: &str, wanted: &str) {
    let selector = format!("[data-user=\"{user}\"] [data-testid=\"user-state\"]");
    eventually("the state in the row", SOON, async || {
        let text = browser.the(&selector).await.text().await.unwrap_or_default();
        if text.contains(wanted) { Ok(()) } else { Err(text) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_decides_about_people_and_quotas() {
    let (school, browser) = school_and_browser!();
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    furnish(&school).await;
    log_in(&browser, "admin").await;
    browser.click("nav-users").await;
    users(&browser, &["admin", "ana", "bruno", "prof"]).await;
    look(&browser, &axe, "users", &[]).await;
    browser.choose("users-role", "teacher").await;
    users(&browser, &["prof"]).await;
    browser.choose("users-role", "").await;
    browser.choose("users-state", "gone").await;
    browser.one("table-empty").await;
    browser.choose("users-state", "").await;
    browser.fill("users-q", "rizz").await;
    users(&browser, &["bruno"]).await;

    // What the directory says, another role, a quota; nonsense is not sent.
    browser.click("user-open").await;
    browser.reads("user-facts", |text| text.contains("Está no diretório") && text.contains("alunos")).await;
    browser.reads("holdings", |text| text.contains("Tem 2 máquinas")).await;
    look(&browser, &axe, "user", &[]).await;
    browser.choose("user-role", "teacher").await;
    browser.fill("memory", "512").await;
    browser.click("user-save").await;
    browser.reads("user-said", str::is_empty).await;
    browser.fill("memory", "2GiB").await;
    browser.fill("machines", "5").await;
    browser.click("user-save").await;
    browser.reads("user-said", |text| text.contains("Alterações salvas")).await;
    let admin = school.login("admin").await;
    let bruno = admin.get("/users/bruno").await.expect(200);
    assert_eq!(bruno["role"], "teacher", "{bruno:#}");
    assert_eq!(
        (&bruno["quota"]["machines"], &bruno["quota"]["memory_bytes"]),
        (&json!(5), &json!(2_u64 << 30))
    );

    // Asked again, locked after a question, and let in again: the row says so.
    browser.click("user-check").await;
    browser.reads("user-facts", |text| text.contains("Está no diretório")).await;
    browser.click("user-lock").await;
    browser.click("confirm-ok").await;
    state(&browser, "bruno", "Bloqueado").await;
    assert_eq!(admin.get("/users/bruno").await.expect(200)["disabled"], true);
    browser.reads("user-lock", |text| text.contains("Desbloquear")).await;
    browser.click("user-lock").await;
    state(&browser, "bruno", "Ativo").await;

    // All machines to Ana. To nobody they cannot go, and stay.
    browser.click("holdings-all").await;
    browser.fill("new-owner", "ninguem").await;
    browser.click("hand-over").await;
    eventually("the refusals stand at the machines", SOON, async || {
        let text = browser.the(".holdings li:last-child .form-error").await.text().await.unwrap_or_default();
        if text.is_empty() { Err("nothing stands there".to_owned()) } else { Ok(()) }
    })
    .await;
    browser.fill("new-owner", "ana").await;
    browser.click("hand-over").await;
    browser.reads("user-said", |text| text.contains("2 máquinas entregues a ana")).await;
    browser.reads("holdings", |text| text.contains("Não tem máquinas")).await;
    assert_eq!(school.login("ana").await.machines().await.len(), 2);
    browser.keys("\u{e00c}").await;

    // A quota for a group, changed and seen by who is in it.
    browser.click("nav-quotas").await;
    let pools = admin.get("/storage-pools").await.expect(200)["items"].clone();
    if pools.as_array().unwrap().iter().any(|pool| pool["enforces_size"] == false) {
        browser.reads("loose-pools", |text| text.contains("só contado")).await;
    }
    browser.click("quota-new").await;
    browser.choose("quota-scope", "group").await;
    browser.click("quota-save").await;
    browser.fill("quota-group", "alunos").await;
    browser.fill("running", "2").await;
    look(&browser, &axe, "quota", &[]).await;
    browser.click("quota-save").await;
    browser.the("[data-testid='quota-row'][data-subject='alunos']").await;
    look(&browser, &axe, "quotas", &["light"]).await;
    browser.press("[data-subject='alunos'] [data-testid='quota-edit']").await;
    browser.fill("running", "1").await;
    browser.click("quota-save").await;
    let ana = school.login("ana").await;
    eventually("the quota of the group", SOON, async || {
        let running = ana.get("/me").await.expect(200)["quota"]["running"].clone();
        if running == 1 { Ok(()) } else { Err(running.to_string()) }
    })
    .await;
    browser.click("logout").await;
    log_in(&browser, "ana").await;
    browser.click("new-machine").await;
    browser.reads("create-quota", |text| text.contains("Ligadas ao mesmo tempo: restam 1 de 1")).await;
    browser.keys("\u{e00c}").await;
    admin.send(Method::DELETE, "/quotas/group/alunos", None).await.expect(204);
    assert_quiet(&browser, &[401, 422]).await;
    browser.close().await;
}
