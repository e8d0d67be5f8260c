//! The administrators' page of images: uploaded, published, renamed and deleted by clicking.

use serde_json::{Value, json};
use vms_tests::real::axe::source;
use vms_tests::real::{Browser, School, eventually};

use crate::looks::look;
use crate::{MACHINE, SOON, assert_quiet, log_in, school_and_browser};

/// A machine of bruno's that is running, with a snapshot.
async fn furnish(school: &School) {
    let bruno = school.login("bruno").await;
    bruno.done(bruno.post("/machines", json!({ "name": "modelo" })).await).await;
    let snapshots = "/machines/vmbrunomodelo/snapshots";
    bruno.done(bruno.post(snapshots, json!({ "name": "pronta" })).await).await;
}

/// The names of the images, as the table shows them.
async fn shown(browser: &Browser) -> Vec<String> {
    let mut names = Vec::new();
    for row in browser.all("image-row").await {
        names.push(row.attr("data-image").await.ok().flatten().unwrap_or_default());
    }
    names
}

async fn shows(browser: &Browser, wanted: &[&str]) {
    eventually(&format!("the images {wanted:?}"), MACHINE, async || match shown(browser).await {
        names if names == wanted => Ok(()),
        names => Err(format!("{names:?}: {}", browser.text().await)),
    })
    .await;
}

/// Chooses a file for the upload, names it and sends it.
async fn upload(browser: &Browser, file: &std::path::Path, alias: &str) {
    browser.click("image-upload").await;
    browser.one("image-file").await.send_keys(file.to_str().unwrap()).await.unwrap();
    browser.fill("image-alias", alias).await;
    browser.click("image-submit").await;
}

/// Begins to send a large file over a slow line, and thinks better of it.
async fn broken_off(school: &School, browser: &Browser, dir: &std::path::Path) {
    let large = dir.join("large.tar.gz");
    std::fs::write(&large, vec![7; 8 << 20]).unwrap();
    let line = |bytes: i64| json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes });
    browser.devtools("Network.enable", json!({})).await;
    browser.devtools("Network.emulateNetworkConditions", line(200_000)).await;
    upload(browser, &large, "grande").await;
    // It shows how far it is, and has begun on the server.
    browser.reads("image-progress", |text| text.contains('%') && !text.contains(" 0%")).await;
    let admin = school.login("admin").await;
    let operation = async |what: &'static str, wanted: fn(&Value) -> bool| {
        eventually(what, MACHINE, async || {
            let all = admin.get("/operations?limit=1").await.expect(200);
            let newest = all["items"][0].clone();
            if newest["kind"] == "image.import" && wanted(&newest) {
                Ok(newest)
            } else {
                Err(format!("{all:#}"))
            }
        })
        .await
    };
    operation("the upload to begin", |newest| newest["finished_at"].is_null()).await;
    browser.click("form-cancel").await;
    let ended = operation("the upload to end", |newest| !newest["finished_at"].is_null()).await;
    assert_ne!(ended["status"], "succeeded", "{ended:#}");
    admin.get("/images/grande").await.problem(404, "not-found");
    browser.devtools("Network.emulateNetworkConditions", line(-1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_admin_uploads_publishes_renames_and_deletes_images() {
    let (school, browser) = school_and_browser!();
    let axe = source().unwrap_or_else(|error| panic!("{error:#}"));
    furnish(&school).await;
    let lab = school.lxd.image_alias();
    log_in(&browser, "admin").await;
    browser.click("nav-images").await;
    shows(&browser, &[lab]).await;
    browser.reads("image-machines", |text| text == "1").await;

    // A file that is no image, and one that is.
    let dir = tempfile::tempdir().unwrap();
    let (broken, good) = (dir.path().join("broken.tar.gz"), dir.path().join("aula.tar.gz"));
    std::fs::write(&broken, "this is no image\n".repeat(100)).unwrap();
    std::fs::write(&good, crate::tarballs::unified("Aula de redes")).unwrap();
    browser.click("image-upload").await;
    browser.click("image-submit").await;
    browser.reads("image-error", |text| !text.is_empty()).await;
    look(&browser, &axe, "image-upload", &[]).await;
    browser.click("form-cancel").await;
    upload(&browser, &broken, "quebrada").await;
    browser.reads("image-failure", |text| text.contains("quebrada") && text.contains("LXD says")).await;
    broken_off(&school, &browser, dir.path()).await;
    upload(&browser, &good, "aula").await;
    shows(&browser, &["aula", lab]).await;

    // A snapshot of a machine that runs.
    browser.click("image-publish").await;
    browser.fill("image-machine", "vmbrunomodelo").await;
    browser.the("#image-snapshot option[value='pronta']").await;
    look(&browser, &axe, "image-publish", &[]).await;
    browser.press("#image-snapshot option[value='pronta']").await;
    browser.fill("image-alias", "modelo").await;
    browser.click("image-submit").await;
    shows(&browser, &["aula", lab, "modelo"]).await;
    look(&browser, &axe, "images", &["light", "dark", "phone"]).await;

    // A name that is taken is said at its field; another server that cannot be reached, in words.
    browser.click("image-import").await;
    browser.fill("image-url", "http://127.0.0.1:9").await;
    browser.fill("image-source", "debian/12").await;
    browser.fill("image-alias", "modelo").await;
    browser.click("image-submit").await;
    eventually("the taken name", SOON, async || {
        match browser.one("image-alias").await.attr("aria-invalid").await {
            Ok(Some(invalid)) if invalid == "true" => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    look(&browser, &axe, "image-import", &[]).await;
    browser.click("form-cancel").await;

    browser.press("[data-image='modelo'] [data-testid='image-edit']").await;
    browser.fill("image-aliases", "redes redes/2026").await;
    look(&browser, &axe, "image-edit", &[]).await;
    browser.click("image-submit").await;
    shows(&browser, &["aula", lab, "redes"]).await;
    assert_eq!(
        school.login("bruno").await.get("/images").await.expect(200)["items"].as_array().unwrap().len(),
        4
    );

    // For teachers only: a student does not see it.
    browser.press("[data-image='redes'] [data-testid='image-allow']").await;
    browser.click("audience-some").await;
    browser.fill("audience-users", "prof").await;
    browser.click("audience-save").await;
    let bruno = school.login("bruno").await;
    eventually("bruno's images", SOON, async || {
        let all = bruno.get("/images").await.expect(200)["items"].clone();
        let hidden = all.as_array().unwrap().iter().all(|image| image["alias"] != "redes");
        if hidden { Ok(()) } else { Err(all.to_string()) }
    })
    .await;

    browser.press("[data-image='aula'] [data-testid='image-delete']").await;
    browser.click("confirm-ok").await;
    shows(&browser, &[lab, "redes"]).await;
    assert_quiet(&browser, &[401, 409]).await;
    browser.close().await;
}
