//! What was made by hand with `lxc` is seen by an administrator and given to somebody; what is gone is given up.

use thirtyfour::By;
use vms_tests::real::axe::source;
use vms_tests::real::{Browser, eventually};

use crate::admin::arrives;
use crate::looks::look;
use crate::{MACHINE, SOON, assert_quiet, log_in, school_and_browser};

/// Waits until the rows are as wanted: instance and kind.
async fn rows(browser: &Browser, wanted: &[(&str, &str)]) {
    eventually("what does not match", SOON, async || {
        let mut seen = Vec::new();
        for row in browser.all("difference").await {
            let attribute = async |name| row.attr(name).await.ok().flatten().unwrap_or_default();
            seen.push((attribute("data-instance").await, attribute("data-kind").await));
        }
        let same =
            seen.iter().map(|(instance, kind)| (instance.as_str(), kind.as_str())).eq(wanted.iter().copied());
        if same { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_without_owner_is_adopted_and_a_lost_machine_given_up() {
    let (school, browser) = school_and_browser!();
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    crate::make(&school, "perdida", false).await;
    school.lxc(&["init", school.lxd.image_alias(), "laboratorio"]);
    school.lxc(&["delete", "vmbrunoperdida"]);
    let bruno = school.login("bruno").await;
    eventually("the loss to be seen", MACHINE, async || {
        let machine = bruno.machine("vmbrunoperdida").await;
        if machine["status"] == "unknown" { Ok(()) } else { Err(machine.to_string()) }
    })
    .await;
    log_in(&browser, "admin").await;
    browser.click("nav-differences").await;
    arrives(&browser, "/admin/differences").await;
    rows(&browser, &[("laboratorio", "unowned"), ("vmbrunoperdida", "missing")]).await;
    look(&browser, &axe, "differences", &["light"]).await;

    browser.click("adopt").await;
    browser.fill("adopt-owner", "ninguem").await;
    browser.click("adopt-ok").await;
    eventually("the error at the field", SOON, async || {
        let field = browser.driver.find(By::Id("adopt-owner")).await.map_err(|error| error.to_string())?;
        match field.attr("aria-invalid").await {
            Ok(Some(invalid)) if invalid == "true" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    browser.fill("adopt-owner", "bruno").await;
    browser.click("adopt-ok").await;
    rows(&browser, &[("vmbrunoperdida", "missing")]).await;
    assert_eq!(bruno.machine("laboratorio").await["owner"], "bruno");

    browser.click("give-up").await;
    browser.click("confirm-ok").await;
    eventually("bruno's list", MACHINE, async || {
        let all = bruno.machines().await;
        let names: Vec<_> = all.iter().map(|machine| machine["instance"].clone()).collect();
        if names == ["laboratorio"] { Ok(()) } else { Err(format!("{names:?}")) }
    })
    .await;
    assert_quiet(&browser, &[401, 422]).await;
    browser.close().await;
}
