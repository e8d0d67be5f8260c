//! How everything is, in pictures; networks and certificates; and the charts of one's own machine.

use serde_json::json;
use vms_tests::real::axe::source;
use vms_tests::real::{Browser, LXD, SchoolOptions, eventually};

use crate::looks::look;
use crate::{MACHINE, SOON, assert_quiet, log_in, make, school_and_browser};

/// The text of the one thing with that test id. The page draws it anew when it learns something: then there is none.
async fn text(browser: &Browser, test_id: &str) -> String {
    match browser.all(test_id).await.as_slice() {
        [one] => one.text().await.unwrap_or_default(),
        other => format!("{} of them", other.len()),
    }
}

fn sampled() -> SchoolOptions {
    SchoolOptions { sample: Some(3), ..SchoolOptions::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_sees_how_everything_is() {
    let (school, browser) = school_and_browser!(sampled());
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    make(&school, "maquinaa", true).await;
    make(&school, "maquinab", false).await;
    log_in(&browser, "admin").await;
    browser.click("nav-overview").await;
    browser
        .reads("machines-by-status", |text| text.contains("Máquinas 2") && text.contains("Desligada"))
        .await;
    browser.reads("health", |text| text.contains("Diretório") && !text.contains("Não responde")).await;
    // The page asks again by itself until the first figures are there.
    let server = format!("server-{LXD}");
    eventually("the server's charts", MACHINE, async || {
        let text = text(&browser, &server).await;
        let there = ["CPU", "Memória", "Armazenamento", "1 de 2"].iter().all(|word| text.contains(word));
        let charts = browser.all("chart-memory").await.len();
        if there && charts == 1 { Ok(()) } else { Err(text) }
    })
    .await;
    let picture = browser.the("[data-testid=chart-memory] svg").await;
    let words = picture.attr("aria-label").await.unwrap().unwrap();
    assert!(words.starts_with("Memória: agora ") && words.contains("no máximo"), "{words}");
    let line = browser.the("[data-testid=chart-memory] .chart-line").await.attr("d").await.unwrap().unwrap();
    assert!(line.starts_with('M'), "{line}");
    eventually("the busiest machine", MACHINE, async || {
        let text = text(&browser, "busiest-memory").await;
        if text.contains("vmbrunomaquinaa") { Ok(()) } else { Err(text) }
    })
    .await;
    look(&browser, &axe, "overview", &["light", "phone"]).await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_changes_a_range_and_whom_the_server_trusts() {
    // Over the network: only then does LXD make tokens, and there is a certificate of our own.
    let (school, browser) = school_and_browser!(SchoolOptions { https: true, ..sampled() });
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    make(&school, "maquinaa", true).await;
    let admin = school.login("admin").await;
    let networks = format!("/servers/{LXD}/networks");
    let all = admin.get(&networks).await.expect(200);
    let name = all["items"][0]["name"].as_str().unwrap().to_owned();
    let (start, _) = all["items"][0]["ipv4_address"].as_str().unwrap().rsplit_once('.').unwrap();
    log_in(&browser, "admin").await;
    browser.click("nav-networks").await;

    // Who holds which address.
    browser.click("show-leases").await;
    eventually("the machine's address", MACHINE, async || {
        let mut seen = Vec::new();
        for row in browser.all("lease-row").await {
            seen.push(row.text().await.unwrap_or_default());
        }
        let there = seen.iter().any(|text| text.contains("vmbrunomaquinaa") && text.contains("bruno"));
        if there { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
    look(&browser, &axe, "networks", &["light", "phone"]).await;

    // A range that has the gateway in it is refused before it is sent; one that fits is taken.
    browser.click("change-network").await;
    browser.fill("network-ranges", &format!("{start}.1-{start}.9")).await;
    browser.click("network-submit").await;
    eventually("the reason", SOON, async || {
        let text = browser.the("#network-ranges-help").await.text().await.unwrap();
        if text.contains("gateway") { Ok(()) } else { Err(text) }
    })
    .await;
    look(&browser, &axe, "network-dialog", &[]).await;
    browser.fill("network-ranges", &format!("{start}.70-{start}.99")).await;
    browser.click("network-submit").await;
    eventually("the new range in the table", SOON, async || {
        let text = text(&browser, "network-row").await;
        if text.contains(&format!("{start}.70 – {start}.99")) { Ok(()) } else { Err(text) }
    })
    .await;
    let range = json!([{ "first": format!("{start}.70"), "last": format!("{start}.99") }]);
    assert_eq!(admin.get(&format!("{networks}/{name}")).await.expect(200)["dhcp_ranges"], range);

    // A certificate comes, and goes after a question.
    let pem = rcgen::generate_simple_self_signed(vec!["somebody".to_owned()]).unwrap().cert.pem();
    browser.click("add-certificate").await;
    browser.fill("certificate-name", "notebook").await;
    browser.script(
        "const field = document.querySelector('[data-testid=certificate-pem]'); field.value = arguments[0]; \
         field.dispatchEvent(new Event('input', { bubbles: true }));",
        vec![pem.into()],
    )
    .await;
    look(&browser, &axe, "certificate-dialog", &[]).await;
    browser.click("certificate-submit").await;
    browser.the("[data-testid=certificate-row][data-name=notebook]").await;
    browser.press("[data-name=notebook] [data-testid=remove-certificate]").await;
    browser.click("confirm-ok").await;
    // Ours stays, and has no button.
    eventually("the certificate to be gone", SOON, async || {
        let left =
            (browser.all("certificate-row").await.len(), browser.all("remove-certificate").await.len());
        if left == (1, 0) { Ok(()) } else { Err(format!("{left:?}")) }
    })
    .await;
    browser.click("add-certificate").await;
    browser.fill("certificate-name", "outro").await;
    browser.click("certificate-submit").await;
    browser.reads("certificate-token", |text| text.len() > 100).await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_sees_what_a_machine_uses() {
    let (school, browser) = school_and_browser!(sampled());
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    make(&school, "maquinaa", true).await;
    let bruno = school.login("bruno").await;
    eventually("the first point", MACHINE, async || {
        let used = bruno.get("/machines/vmbrunomaquinaa/usage").await.expect(200);
        if used["points"].as_array().unwrap().is_empty() { Err(used.to_string()) } else { Ok(()) }
    })
    .await;
    log_in(&browser, "bruno").await;
    browser.status("vmbrunomaquinaa", "running", SOON).await;
    browser.from_menu("vmbrunomaquinaa", "usage-open").await;
    for chart in ["chart-cpu", "chart-memory", "chart-received", "chart-sent"] {
        browser.one(chart).await;
    }
    look(&browser, &axe, "usage", &["light", "phone"]).await;
    browser.keys("\u{e00c}").await;
    eventually("the dialog to be closed", SOON, async || {
        if browser.has_focus("[data-testid=menu]").await { Ok(()) } else { Err(browser.focused().await) }
    })
    .await;
    assert_quiet(&browser, &[401]).await;
    browser.close().await;
}
