//! Images: uploaded, imported, published, renamed, refreshed and removed by administrators, used by everybody.

use std::time::Duration;

use lxd_sim::{Simulator, Timing};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, IMAGE, Person, TestApp, eventually};
use crate::tarballs;

const TARBALL: &str = "application/octet-stream";

/// Sends an image as it is.
async fn upload(admin: &Person, query: &str, kind: &str, body: Vec<u8>) -> Answer {
    admin.raw(Method::POST, &format!("/api/v1/images?{query}"), Some((kind, body))).await
}

/// Waits for each of the operations that an accepted command began, and gives them as they ended.
async fn ends(admin: &Person, accepted: Answer) -> Vec<Value> {
    let begun = accepted.expect(202);
    let mut ended = Vec::new();
    for operation in begun["items"].as_array().unwrap() {
        let path = format!("/operations/{}/wait?timeout_seconds=15", operation["id"].as_str().unwrap());
        ended.push(admin.get(&path).await.expect(200));
    }
    ended
}

/// The same, and all must have succeeded.
async fn done(admin: &Person, accepted: Answer) -> Vec<Value> {
    let ended = ends(admin, accepted).await;
    assert!(ended.iter().all(|operation| operation["status"] == "succeeded"), "{ended:#?}");
    ended
}

async fn aliases(person: &Person) -> Vec<String> {
    let images = person.get("/images").await.expect(200);
    images["items"].as_array().unwrap().iter().map(|i| i["alias"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_becomes_an_image_that_machines_are_made_from() {
    let default = format!("[machines]\ndefault_image = \"{IMAGE}\"");
    let app = TestApp::builder().http(default).start().await;
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    let query = "alias=aula&description=Aula%20de%20redes&filename=aula.tar.gz";
    let operations = done(&admin, upload(&admin, query, TARBALL, tarballs::unified("one")).await).await;
    let [operation] = operations.as_slice() else { panic!("{operations:#?}") };
    assert_eq!((&operation["kind"], &operation["image"]), (&json!("image.import"), &json!("aula")));
    assert_eq!((&operation["server"], &operation["machine"]), (&json!("lxd1"), &Value::Null));

    // Whoever reads "succeeded" finds it; students see it, and what it is stored as is not theirs to see.
    let image = admin.get("/images/aula").await.expect(200);
    assert_eq!((&image["aliases"], &image["description"]), (&json!(["aula"]), &json!("Aula de redes")));
    assert_eq!((&image["machines"], &image["default"]), (&json!(0), &json!(false)));
    let fingerprint = image["fingerprint"].as_str().unwrap().to_owned();
    assert_eq!(admin.get(&format!("/images/{}", &fingerprint[..12])).await.expect(200), image);
    assert_eq!(aliases(&bruno).await, ["aula", IMAGE]);
    bruno.get("/images/aula").await.problem(403, "forbidden");

    // The two halves of another one.
    let (metadata, rootfs) = tarballs::halves("two");
    let (kind, body) = tarballs::form(&metadata, &rootfs);
    done(&admin, upload(&admin, "alias=metades", kind, body).await).await;
    assert_eq!(admin.get("/images/metades").await.expect(200)["description"], "two");
    let all = admin.get("/images/all").await.expect(200);
    assert_eq!(all["items"].as_array().unwrap().len(), 3, "{all:#}");

    // A machine needs its image to be reset.
    let made = bruno.post("/machines", json!({ "name": "a", "image": "aula", "start": false })).await;
    bruno.done(made).await;
    let used = admin.get("/images/aula").await.expect(200);
    assert_eq!((&used["machines"], &used["copies"][0]["used_by"][0]["owner"]), (&json!(1), &json!("bruno")));
    let refused = admin.delete("/images/aula").await.problem(409, "in-use");
    assert!(refused["detail"].as_str().unwrap().contains("vmbrunoa (bruno)"), "{refused}");
    admin.delete(&format!("/images/{IMAGE}")).await.problem(409, "in-use");
    done(&admin, admin.delete("/images/aula?force=true").await).await;
    admin.get("/images/aula").await.problem(404, "not-found");
    admin.delete("/images/aula").await.problem(404, "not-found");
    assert_eq!(aliases(&bruno).await, [IMAGE, "metades"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_image_is_told_in_words_and_leaves_nothing() {
    let app = TestApp::builder().http("[images]\nmax_upload_bytes = 100000").start().await;
    let admin = app.as_admin().await;
    let before = admin.get("/images/all").await.expect(200);
    let (metadata, _) = tarballs::halves("half");
    let whole = tarballs::unified("cut");
    let cut = whole[..whole.len() / 2].to_vec();
    let split = tarballs::form(b"nothing", &metadata);
    for (kind, body) in [(TARBALL, b"this is no image".to_vec()), (TARBALL, cut), split] {
        let ended = ends(&admin, upload(&admin, "alias=x", kind, body).await).await;
        assert_eq!(ended[0]["status"], "failed", "{ended:#?}");
        assert_eq!(ended[0]["error"]["code"], "invalid-image", "{ended:#?}");
        assert!(ended[0]["error"]["message"].as_str().unwrap().contains("LXD says: "), "{ended:#?}");
    }
    upload(&admin, "alias=x", TARBALL, vec![0; 100_001]).await.problem(413, "payload-too-large");
    upload(&admin, "alias=x", TARBALL, Vec::new()).await.problem(400, "malformed-body");
    upload(&admin, "alias=x", "application/json", b"{}".to_vec())
        .await
        .problem(415, "unsupported-media-type");
    upload(&admin, "", TARBALL, whole.clone()).await.problem(400, "malformed-parameter");
    for (query, field) in
        [("alias=a%20b", "alias"), ("alias=all", "alias"), ("alias=x&servers=lxd9", "servers")]
    {
        let problem = upload(&admin, query, TARBALL, whole.clone()).await.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    upload(&admin, &format!("alias={IMAGE}"), TARBALL, whole).await.problem(409, "name-taken");
    assert_eq!(admin.get("/images/all").await.expect(200), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alias_is_pointed_at_a_newer_image_only_when_that_is_meant() {
    let app = TestApp::start().await;
    let admin = app.as_admin().await;
    done(&admin, upload(&admin, "alias=aula", TARBALL, tarballs::unified("old")).await).await;
    let old = admin.get("/images/aula").await.expect(200)["fingerprint"].clone();
    upload(&admin, "alias=aula", TARBALL, tarballs::unified("new")).await.problem(409, "name-taken");
    let again = upload(&admin, "alias=other", TARBALL, tarballs::unified("old")).await;
    let again = ends(&admin, again).await;
    assert_eq!(again[0]["error"]["code"], "name-taken", "the very same content: {again:#?}");
    done(&admin, upload(&admin, "alias=aula&replace=true", TARBALL, tarballs::unified("new")).await).await;
    assert_ne!(admin.get("/images/aula").await.expect(200)["fingerprint"], old);
    let left = admin.get(&format!("/images/{}", old.as_str().unwrap())).await.expect(200);
    assert_eq!(left["aliases"], json!([]));

    // Names and words are changed at once, if nobody was faster.
    let seen = admin.get("/images/aula").await;
    let tag = seen.header("etag").to_owned();
    let patch = |tag: &str| {
        let person = admin.with("if-match", tag);
        let body = json!({ "aliases": ["aula", "aula/2026"], "description": "Redes" });
        async move { person.send(Method::PATCH, "/images/aula", Some(body)).await }
    };
    patch("\"older\"").await.problem(412, "precondition-failed");
    let changed = patch(&tag).await.expect(200);
    assert_eq!(
        (&changed["aliases"], &changed["description"]),
        (&json!(["aula", "aula/2026"]), &json!("Redes"))
    );
    patch(&tag).await.problem(412, "precondition-failed");
    let edit = async |body: Value| admin.send(Method::PATCH, "/images/aula%2F2026", Some(body)).await;
    edit(json!({ "aliases": [IMAGE] })).await.problem(409, "name-taken");
    edit(json!({ "aliases": ["a b"] })).await.problem(422, "validation-failed");
    edit(json!({ "auto_update": true })).await.problem(422, "validation-failed");
    let renamed = edit(json!({ "aliases": ["redes"] })).await.expect(200);
    assert_eq!(renamed["aliases"], json!(["redes"]));
    admin.get("/images/aula").await.problem(404, "not-found");
    admin.post("/images/redes/refresh", json!({})).await.problem(409, "not-refreshable");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_of_another_server_is_imported_and_refreshed_on_every_server_of_ours() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("second.socket");
    let second = Simulator::builder().socket(&socket).timing(Timing::instant()).start().await.unwrap();
    let more = format!("[[lxd]]\nname = \"lxd2\"\nendpoint = \"{}\"", second.endpoint());
    let app = TestApp::builder().http(more).start().await;
    let admin = app.as_admin().await;
    let url = "https://images.example.org";
    for sim in [&app.sim, &second] {
        sim.offer_image(url, "debian/13", "Debian 13");
    }
    eventually("both servers", async || {
        let ready = admin.at(Method::GET, "/readyz").await.body;
        let servers = ready["servers"].as_array().cloned().unwrap_or_default();
        if servers.iter().all(|server| server["ok"] == true) { Ok(()) } else { Err(ready.to_string()) }
    })
    .await;
    let body = json!({ "url": format!("{url}/"), "source_alias": "debian/13", "alias": "debian-13" });
    let asked = admin.with("idempotency-key", "k").post("/images/import", body.clone()).await;
    let first = asked.body.clone();
    let operations = done(&admin, asked).await;
    assert_eq!(operations.len(), 2, "{operations:#?}");
    let image = admin.get("/images/debian-13").await.expect(200);
    let servers: Vec<&Value> =
        image["copies"].as_array().unwrap().iter().map(|copy| &copy["server"]).collect();
    assert_eq!(servers, [&json!("lxd1"), &json!("lxd2")]);
    assert_eq!(image["source"], json!({ "url": url, "alias": "debian/13" }));
    assert_eq!(image["description"], "Debian 13");
    // Sent again it is not done again.
    let again = admin.with("idempotency-key", "k").post("/images/import", body.clone()).await;
    assert_eq!(again.status, 409, "the alias is there: {}; first: {first}", again.text);

    // Nothing new; then something new, which takes the alias.
    done(&admin, admin.post("/images/debian-13/refresh", json!({})).await).await;
    assert_eq!(admin.get("/images/debian-13").await.expect(200)["fingerprint"], image["fingerprint"]);
    for sim in [&app.sim, &second] {
        sim.offer_image(url, "debian/13", "Debian 13.1");
    }
    done(&admin, admin.post("/images/debian-13/refresh", json!({})).await).await;
    let newer = admin.get("/images/debian-13").await.expect(200);
    assert_eq!(newer["description"], "Debian 13.1");
    assert_eq!(newer["copies"].as_array().unwrap().len(), 2, "{newer:#}");

    let nowhere =
        json!({ "url": "https://nowhere.example", "source_alias": "x", "alias": "x", "servers": ["lxd2"] });
    let ended = ends(&admin, admin.post("/images/import", nowhere).await).await;
    assert_eq!(ended.len(), 1);
    assert_eq!((&ended[0]["status"], &ended[0]["server"]), (&json!("failed"), &json!("lxd2")));
    let bad = json!({ "url": "ftp://x", "source_alias": "", "alias": "-" });
    let problem = admin.post("/images/import", bad).await.problem(422, "validation-failed");
    assert_eq!(problem["errors"].as_array().unwrap().len(), 3, "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_or_its_snapshot_becomes_an_image() {
    let app = TestApp::start().await;
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    bruno.machine("modelo").await;
    let publish = async |body: Value| admin.post("/images/publish", body).await;
    let machine = json!({ "machine": "vmbrunomodelo", "alias": "modelo", "description": "De bruno" });
    publish(machine.clone()).await.problem(409, "wrong-state");
    bruno.post("/images/publish", machine.clone()).await.problem(403, "forbidden");
    publish(json!({ "machine": "vmnobodys", "alias": "x" })).await.problem(404, "not-found");
    let missing = json!({ "machine": "vmbrunomodelo", "alias": "x", "snapshot": "none" });
    publish(missing).await.problem(422, "validation-failed");

    // A snapshot of a machine that runs.
    let snapshots = "/machines/vmbrunomodelo/snapshots";
    bruno.done(bruno.post(snapshots, json!({ "name": "pronta" })).await).await;
    let snapshot = json!({ "machine": "vmbrunomodelo", "alias": "pronta", "snapshot": "pronta" });
    let ended = admin.done(publish(snapshot).await).await;
    assert_eq!((&ended["kind"], &ended["image"]), (&json!("image.publish"), &json!("pronta")));
    assert_eq!(ended["machine"]["instance"], "vmbrunomodelo");

    // The machine itself, once it is off.
    bruno.done(bruno.power("vmbrunomodelo", "stop").await).await;
    admin.done(publish(machine).await).await;
    let image = admin.get("/images/modelo").await.expect(200);
    assert_eq!((&image["description"], &image["source"]), (&json!("De bruno"), &Value::Null));
    assert_eq!(aliases(&bruno).await, [IMAGE, "modelo", "pronta"]);
    let made = bruno.post("/machines", json!({ "name": "copia", "image": "modelo" })).await;
    bruno.done(made).await;
}

/// An upload whose bytes come when the test says so.
struct Slow {
    pieces: futures::channel::mpsc::UnboundedSender<Result<Vec<u8>, std::io::Error>>,
    sending: tokio::task::JoinHandle<reqwest::Result<reqwest::Response>>,
    /// Where its operation is found.
    path: String,
}

impl Slow {
    /// Begins it; LXD is at it when this is there.
    async fn begin(app: &TestApp, admin: &Person) -> Self {
        let credentials = json!({ "username": "admin", "password": "admin" });
        let token = app.nobody().post("/auth/login", credentials).await.expect(200);
        let (pieces, body) = futures::channel::mpsc::unbounded();
        pieces.unbounded_send(Ok(vec![0; 4096])).unwrap();
        let request = reqwest::Client::new()
            .post(format!("{}/api/v1/images?alias=half", app.url()))
            .bearer_auth(token["access_token"].as_str().unwrap())
            .header("content-type", TARBALL)
            .body(reqwest::Body::wrap_stream(body));
        let sending = tokio::spawn(request.send());
        let operation = eventually("the operation", async || {
            let all = admin.get("/operations").await.expect(200);
            let mut under_way =
                all["items"].as_array().unwrap().iter().filter(|one| one["finished_at"].is_null());
            under_way.next().cloned().ok_or("none yet".to_owned())
        })
        .await;
        let path = format!("/operations/{}", operation["id"].as_str().unwrap());
        admin.until(&path, "it to be received", |now| now["message"] == "Receiving the image").await;
        Self { pieces, sending, path }
    }
}

async fn end_of(person: &Person, path: &str) -> Value {
    person.until(path, "its end", |operation| !operation["finished_at"].is_null()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_goes_on_after_a_restart() {
    let timing = Timing { image: Duration::from_millis(1500), ..Timing::instant() };
    let mut app = TestApp::builder().timing(timing).start().await;
    let admin = app.as_admin().await;
    app.sim.offer_image("https://images.example.org", "a", "An image");
    let body = json!({ "url": "https://images.example.org", "source_alias": "a", "alias": "imported" });
    let begun = admin.post("/images/import", body).await.expect(202);
    let path = format!("/operations/{}", begun["items"][0]["id"].as_str().unwrap());
    admin.until(&path, "LXD to be at it", |operation| operation["status"] == "running").await;
    app.stop_server().await;
    app.start_server().await;
    let admin = app.as_admin().await;
    let ended = end_of(&admin, &path).await;
    assert_eq!(ended["status"], "succeeded", "{ended:#}");
    assert_eq!(admin.get("/images/imported").await.expect(200)["description"], "An image");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let mut app = TestApp::start().await;
    let admin = app.as_admin().await;
    let before = admin.get("/images/all").await.expect(200);
    // By the connection's end. The pieces stay until then: without them the body would be whole.
    let slow = Slow::begin(&app, &admin).await;
    slow.sending.abort();
    assert_eq!(end_of(&admin, &slow.path).await["status"], "cancelled");
    drop(slow.pieces);
    // By asking for it.
    let slow = Slow::begin(&app, &admin).await;
    admin.delete(&slow.path).await.expect(200);
    assert_eq!(end_of(&admin, &slow.path).await["status"], "cancelled");
    drop(slow.pieces);
    assert_eq!(slow.sending.await.unwrap().unwrap().status(), 202, "the answer comes all the same");
    // By a restart: nobody has the rest of it then.
    let slow = Slow::begin(&app, &admin).await;
    app.stop_server().await;
    app.start_server().await;
    let admin = app.as_admin().await;
    let ended = end_of(&admin, &slow.path).await;
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failed"), &json!("invalid-image")));
    assert_eq!(admin.get("/images/all").await.expect(200), before);
}
