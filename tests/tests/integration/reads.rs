//! Whoever looks, and however often: LXD is not asked, and what has not changed costs a few bytes. Over every GET of the
//! document, so that a new one keeps the promise too.

use reqwest::Method;
use serde_json::json;

use crate::app::{TestApp, eventually};
use crate::coverage::{described, fill, for_students, things};

/// GETs whose answer is not the state of something: a wait has its own end, the document never changes while we run, an
/// export is sent while it is read, and the websocket is no answer at all.
const WITHOUT_TAG: [&str; 4] = ["operation_wait", "openapi_view", "audit_export", WEBSOCKET];
const WEBSOCKET: &str = "event_watch";
/// What LXD is asked for when everything is listed.
const LISTING: [&str; 4] = [
    "GET /1.0/instances?recursion=2",
    "GET /1.0/images?recursion=1",
    "GET /1.0/profiles?recursion=1",
    "GET /1.0/networks?recursion=1",
];

#[tokio::test(flavor = "multi_thread")]
async fn looking_never_asks_lxd_and_what_has_not_changed_is_not_sent_again() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let things = things(&bruno, "{machine}{snapshot}{operation}{token}", 1).await;
    // The mirror has come to rest once the address is there: nothing is left to look for.
    let machine = format!("/machines/{}", things.machine);
    bruno.until(&machine, "it has an address", |machine| machine["addresses"] != json!([])).await;
    // And once everything was listed a second time, which is a moment after the event stream stands.
    eventually("the mirror has come to rest", async || {
        match app.sim.requests().get("GET /1.0/instances?recursion=2").copied() {
            Some(2..) => Ok(()),
            listed => Err(format!("listed: {listed:?}")),
        }
    })
    .await;
    app.log_in("aluno0001").await;
    // And once everything was listed a second time, which the mirror does a moment after it began to listen.
    eventually("the second listing", async || {
        let asked = app.sim.requests();
        let twice = |kind: &&str| asked.get(*kind).is_some_and(|count| *count >= 2);
        if LISTING.iter().all(twice) { Ok(()) } else { Err(format!("{asked:?}")) }
    })
    .await;
    let admin = app.as_admin().await;
    let all = described();
    let gets: Vec<_> =
        all.iter().filter(|operation| operation.method == Method::GET && operation.id != WEBSOCKET).collect();
    assert!(gets.len() >= 12, "only {} GETs in the document", gets.len());

    let before = app.sim.requests();
    for (name, person) in [("bruno", &bruno), ("admin", &admin)] {
        for operation in &gets {
            let mut path = fill(&operation.path, &things);
            if name == "admin" && matches!(operation.id.as_str(), "machine_list" | "operation_list") {
                path.push_str("?owner=*");
            }
            if name == "bruno" && !for_students(&operation.id) {
                person.get(&path).await.problem(403, "forbidden");
                continue;
            }
            let first = person.get(&path).await;
            let tag = first.header("etag").to_owned();
            let text = first.text.clone();
            first.expect(200);
            if WITHOUT_TAG.contains(&operation.id.as_str()) {
                continue;
            }
            assert!(tag.starts_with('"'), "{name}: {} has no ETag: {tag:?}", operation.id);
            let again = person.with("if-none-match", &tag).get(&path).await;
            assert_eq!(
                (again.status, again.text.as_str()),
                (304, ""),
                "{name}: {} was sent again; first: {text}",
                operation.id
            );
        }
    }
    assert_eq!(app.sim.requests(), before, "LXD was asked on behalf of a look");
}

#[test]
fn the_document_says_which_answers_can_be_304() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/vms.json")).unwrap();
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    for item in document["paths"].as_object().unwrap().values() {
        let Some(get) = item.get("get") else { continue };
        let id = get["operationId"].as_str().unwrap();
        assert_ne!(get["responses"].get("304").is_some(), WITHOUT_TAG.contains(&id), "{id}");
    }
}
