//! What the forms say when something is wrong, and in which language.

use serde_json::Value;
use vms_tests::real::{Browser, eventually};

use crate::{SOON, assert_quiet, log_in, make, school_and_browser};

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_nothing_is_lost() {
    let (_school, browser) = school_and_browser!();
    browser.fill("login-username", "bruno").await;
    browser.fill("login-password", "errada").await;
    browser.click("login-submit").await;
    browser.reads("login-error", |text| text.contains("senha")).await;
    let username = browser.one("login-username").await.value().await.unwrap();
    assert_eq!(username.as_deref(), Some("bruno"), "the user name has to be typed again");
    browser.fill("login-password", "bruno").await;
    browser.click("login-submit").await;
    browser.reads("user-name", |text| text.contains("Bruno")).await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

/// What stands at the field, as a screen reader would say it: `None` when nothing is wrong.
async fn complaint(browser: &Browser, test_id: &str) -> Option<String> {
    let script = "const f = document.querySelector(`[data-testid='${arguments[0]}']`); \
                  if (f?.getAttribute('aria-invalid') !== 'true') return null; \
                  const ids = [f.getAttribute('aria-errormessage'), f.getAttribute('aria-describedby')].join(' '); \
                  return ids.split(/\\s+/).map(id => document.getElementById(id)?.innerText ?? '').join(' ').trim()";
    match browser.script(script, vec![test_id.into()]).await {
        Value::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

async fn complains(browser: &Browser, test_id: &str, wanted: impl Fn(&str) -> bool) {
    eventually(&format!("an error at {test_id}"), SOON, async || match complaint(browser, test_id).await {
        Some(text) if wanted(&text) => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_stand_at_their_field() {
    let (school, browser) = school_and_browser!();
    make(&school, "maquinaa", false).await;
    log_in(&browser, "bruno").await;
    browser.status("vmbrunomaquinaa", "stopped", SOON).await;

    browser.click("new-machine").await;
    assert_eq!(complaint(&browser, "create-name").await, None, "it complains before anything was typed");
    browser.fill("create-name", "1abc").await;
    browser.keys("\u{e004}").await; // Tab: out of the field
    complains(&browser, "create-name", |text| text.contains("letra")).await;
    // A name that only the server knows to be taken.
    browser.fill("create-name", "maquinaa").await;
    browser.click("create-submit").await;
    complains(&browser, "create-name", |text| !text.contains("letra")).await;
    browser.fill("create-name", "maquinab").await;
    eventually("the error to go", SOON, async || match complaint(&browser, "create-name").await {
        None => Ok(()),
        Some(text) => Err(text),
    })
    .await;
    browser.click("create-submit").await;
    browser.status("vmbrunomaquinab", "running", crate::MACHINE).await;

    browser.click_in_row("vmbrunomaquinab", "snapshot-create").await;
    browser.fill("snapshot-name", "a/b").await;
    browser.keys("\u{e004}").await;
    complains(&browser, "snapshot-name", |text| !text.is_empty()).await;
    assert_quiet(&browser, &[401, 409]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_language_can_be_chosen_and_stays() {
    let (_school, browser) = school_and_browser!();
    let language = async || browser.script("return document.documentElement.lang", Vec::new()).await;
    let portuguese = browser.one("login-submit").await.text().await.unwrap();
    assert!(portuguese.contains("Entrar"), "{portuguese}");
    assert!(language().await.as_str().unwrap().starts_with("pt"));
    browser.click("lang-en").await;
    browser.reads("login-submit", |text| !text.contains("Entrar")).await;
    assert!(language().await.as_str().unwrap().starts_with("en"));

    log_in(&browser, "bruno").await;
    let english = browser.one("new-machine").await.text().await.unwrap();
    assert!(english.to_lowercase().contains("machine"), "{english}");
    browser.driver.refresh().await.unwrap();
    browser.reads("new-machine", |text| text == english).await;
    browser.click("lang-pt").await;
    browser.reads("new-machine", |text| text.to_lowercase().contains("máquina")).await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}
