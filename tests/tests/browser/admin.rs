//! What administrators have and nobody else: everybody's machines, the audit log, and the way between the pages; and what
//! teachers have of it.

use std::path::PathBuf;

use serde_json::json;
use vms_tests::real::axe::source;
use vms_tests::real::{Browser, School, SchoolOptions, eventually};
use xtask::directory::Directory;

use crate::keyboard::ESCAPE;
use crate::looks::look;
use crate::{MACHINE, SOON, assert_quiet, log_in, school_and_browser};

/// Two machines of two people, both running.
async fn furnish(school: &School) {
    for (person, name) in [("bruno", "maquinaa"), ("ana", "web")] {
        let owner = school.login(person).await;
        owner.done(owner.post("/machines", json!({ "name": name, "start": true })).await).await;
    }
}

/// Waits until the browser is at a path: the other program's pages are loaded anew.
pub async fn arrives(browser: &Browser, path: &str) {
    eventually(path, SOON, async || match browser.driver.current_url().await {
        Ok(url) if url.path() == path => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

/// Waits until as many rows of the audit log are shown, and gives their actions.
async fn actions(browser: &Browser, wanted: impl Fn(&[String]) -> bool) -> Vec<String> {
    eventually("the lines of the audit log", SOON, async || {
        let mut seen = Vec::new();
        for row in browser.all("audit-row").await {
            seen.push(row.attr("data-action").await.ok().flatten().unwrap_or_default());
        }
        if wanted(&seen) { Ok(seen) } else { Err(format!("{seen:?}")) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_finds_stops_and_deletes_everybodys_machines_and_reads_about_it() {
    let (school, browser) = school_and_browser!();
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    furnish(&school).await;
    log_in(&browser, "admin").await;
    browser.reads("quota", |text| text.contains("0 / 10")).await;

    // Everybody's machines, found by their owner and by a text.
    browser.click("nav-machines").await;
    arrives(&browser, "/admin/machines").await;
    for instance in ["vmbrunomaquinaa", "vmanaweb"] {
        browser.status(instance, "running", MACHINE).await;
    }
    look(&browser, &axe, "all-machines", &["light", "dark", "phone"]).await;
    browser.fill("machines-q", "bruno").await;
    eventually("only bruno's", SOON, async || match browser.rows().await {
        rows if rows == ["vmbrunomaquinaa"] => Ok(()),
        rows => Err(format!("{rows:?}")),
    })
    .await;
    browser.fill("machines-q", "").await;
    browser.status("vmanaweb", "running", SOON).await;
    browser.choose("machines-status", "stopped").await;
    browser.one("table-empty").await;
    browser.choose("machines-status", "").await;
    browser.status("vmanaweb", "running", SOON).await;

    // Both at once, after a question.
    browser.click("select-all").await;
    browser.reads("bulk-count", |text| text.contains('2')).await;
    look(&browser, &axe, "bulk", &[]).await;
    browser.click("bulk-stop").await;
    browser.click("confirm-ok").await;
    for instance in ["vmbrunomaquinaa", "vmanaweb"] {
        browser.status(instance, "stopped", MACHINE).await;
    }
    browser.click_in_row("vmanaweb", "select").await;
    browser.click("bulk-snapshot").await;
    browser.fill("snapshot-name", "antes").await;
    browser.click("snapshot-save").await;
    let ana = school.login("ana").await;
    eventually("ana's snapshot", MACHINE, async || {
        let seen = ana.get("/machines/vmanaweb/snapshots").await.body.to_string();
        if seen.contains("\"antes\"") { Ok(()) } else { Err(seen) }
    })
    .await;

    // Reloading stays, going back goes back.
    browser.driver.refresh().await.unwrap();
    browser.status("vmanaweb", "stopped", SOON).await;
    browser.click("nav-audit").await;
    let all = actions(&browser, |seen| seen.len() > 5).await;
    assert!(all.contains(&"machine.bulk".to_owned()), "{all:?}");
    browser.driver.back().await.unwrap();
    browser.status("vmanaweb", "stopped", SOON).await;
    arrives(&browser, "/admin/machines").await;
    browser.driver.forward().await.unwrap();

    // What was just done stands there, and can be opened, filtered and taken away.
    actions(&browser, |seen| seen.len() > 5).await;
    browser.all("audit-open").await.first().unwrap().click().await.unwrap();
    browser.reads("audit-details", |text| text.contains("127.0.0.1")).await;
    look(&browser, &axe, "audit", &["light", "dark", "phone"]).await;
    browser.choose("audit-action", "machine.power").await;
    let power = actions(&browser, |seen| seen.len() == 2).await;
    assert_eq!(power, ["machine.power", "machine.power"]);
    browser.choose("audit-outcome", "refused").await;
    browser.one("table-empty").await;
    browser.choose("audit-outcome", "").await;
    actions(&browser, |seen| seen.len() == 2).await;

    let downloads = tempfile::tempdir().unwrap();
    let to = json!({ "behavior": "allow", "downloadPath": downloads.path() });
    browser.devtools("Browser.setDownloadBehavior", to).await;
    browser.click("export-csv").await;
    let file: PathBuf = downloads.path().join("auditoria.csv");
    let text = eventually("the file", SOON, async || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.lines().count() == 3 { Ok(text) } else { Err(text) }
    })
    .await;
    assert!(text.starts_with("id,at,actor,action,") && text.contains(",admin,machine.power,"), "{text}");
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teacher_looks_at_the_machines_of_the_own_students() {
    let people =
        Directory::school().with_group("turma-a", &["bruno", "prof"]).with_group("turma-b", &["ana"]);
    let (school, browser) =
        school_and_browser!(SchoolOptions { people: Some(people), ..SchoolOptions::default() });
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    furnish(&school).await;
    let bruno = school.login("bruno").await;
    let snapshot = json!({ "name": "antes" });
    bruno.done(bruno.post("/machines/vmbrunomaquinaa/snapshots", snapshot).await).await;
    let prof = school.login("prof").await;
    prof.done(prof.post("/machines", json!({ "name": "modelo", "start": false })).await).await;

    log_in(&browser, "prof").await;
    assert_eq!(browser.all("nav-audit").await.len(), 0, "a teacher is shown the way to the audit log");
    browser.click("nav-students").await;
    arrives(&browser, "/admin/students").await;
    // The student's and the own, not ana's, who is in another class.
    browser.status("vmbrunomaquinaa", "running", MACHINE).await;
    let mut rows = browser.rows().await;
    rows.sort();
    assert_eq!(rows, ["vmbrunomaquinaa", "vmprofmodelo"]);
    browser.reads("snapshots-seen", |text| text.contains("antes")).await;
    // Only the own has commands.
    assert_eq!(browser.all("power").await.len(), 1);
    assert_eq!(browser.all("bulk-stop").await.len(), 0);
    assert_eq!(browser.all("select").await.len(), 0);
    look(&browser, &axe, "students", &["light", "dark", "phone"]).await;
    browser.click_in_row("vmbrunomaquinaa", "usage-open").await;
    browser.one("usage").await;
    browser.keys(ESCAPE).await;

    // What the student does shows by itself.
    bruno.done(bruno.power("vmbrunomaquinaa", "stop").await).await;
    browser.status("vmbrunomaquinaa", "stopped", MACHINE).await;
    browser.choose("machines-status", "running").await;
    browser.one("table-empty").await;

    // Other pages of that program are not a teacher's.
    browser.driver.goto(format!("{}/admin/audit", school.server.url())).await.unwrap();
    arrives(&browser, "/").await;
    browser.status("vmprofmodelo", "stopped", SOON).await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_has_a_way_there() {
    let (school, browser) = school_and_browser!();
    crate::make(&school, "maquinaa", false).await;
    let address = format!("{}/admin/audit", school.server.url());
    browser.driver.goto(&address).await.unwrap();
    log_in(&browser, "bruno").await;
    // The address names a page that bruno does not have: he is sent to his own.
    arrives(&browser, "/").await;
    browser.status("vmbrunomaquinaa", "stopped", SOON).await;
    assert!(browser.all("nav").await.is_empty(), "a student has a navigation");
    assert!(browser.all("audit-row").await.is_empty());
    for path in ["/audit", "/audit/export", "/machines?owner=*"] {
        assert_eq!(school.login("bruno").await.get(path).await.status, 403, "{path}");
    }
    // The same link leads an administrator there.
    browser.click("logout").await;
    browser.one("login-username").await;
    browser.driver.goto(&address).await.unwrap();
    log_in(&browser, "admin").await;
    actions(&browser, |seen| seen.contains(&"auth.login".to_owned())).await;
    browser.close().await;
}
