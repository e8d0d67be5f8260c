//! Images on a real LXD: uploaded whole and in halves, published, fetched from an image server; and machines of them.

use std::io::Read as _;

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use reqwest::Method;
use serde_json::{Value, json};
use vms_tests::real::http::{Answer, operation_of};
use vms_tests::real::{Api, School};

use crate::streams::Streams;
use crate::{school, tarballs};

const TARBALL: &str = "application/octet-stream";

/// The lab's own image, packed anew with other words: unified, and its two halves.
struct Packed {
    unified: Vec<u8>,
    halves: (Vec<u8>, Vec<u8>),
}

fn pack(words: &str) -> Packed {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("lab.tar.gz");
    xtask::lab::image::write(&file).unwrap();
    let mut tarball = tar::Archive::new(GzDecoder::new(std::fs::File::open(&file).unwrap()));
    let new = || tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let (mut unified, mut metadata, mut rootfs) = (new(), new(), new());
    for entry in tarball.entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().into_owned();
        let mut header = entry.header().clone();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        if path.as_os_str() == "metadata.yaml" {
            content = String::from_utf8(content).unwrap().replace("Busybox (lab)", words).into_bytes();
            header.set_size(u64::try_from(content.len()).unwrap());
            metadata.append_data(&mut header.clone(), &path, content.as_slice()).unwrap();
        }
        let inside = path.strip_prefix("rootfs").ok().filter(|inside| !inside.as_os_str().is_empty());
        match entry.link_name().unwrap() {
            Some(target) => {
                unified.append_link(&mut header.clone(), &path, &target).unwrap();
                if let Some(inside) = inside {
                    rootfs.append_link(&mut header, inside, &target).unwrap();
                }
            }
            None => {
                unified.append_data(&mut header.clone(), &path, content.as_slice()).unwrap();
                if let Some(inside) = inside {
                    rootfs.append_data(&mut header, inside, content.as_slice()).unwrap();
                }
            }
        }
    }
    let end = |builder: tar::Builder<GzEncoder<Vec<u8>>>| builder.into_inner().unwrap().finish().unwrap();
    Packed { unified: end(unified), halves: (end(metadata), end(rootfs)) }
}

async fn upload(admin: &Api, query: &str, kind: &str, body: Vec<u8>) -> Value {
    one(admin, admin.raw(Method::POST, &format!("/images?{query}"), kind, body).await).await
}

/// The one operation that a command began, as it ended.
async fn one(admin: &Api, accepted: Answer) -> Value {
    let begun = accepted.expect(202);
    assert_eq!(begun["items"].as_array().unwrap().len(), 1, "{begun:#}");
    admin.ended(begun["items"][0]["id"].as_str().unwrap()).await
}

fn succeeded(operation: &Value) {
    assert_eq!(operation["status"], "succeeded", "{operation:#}");
}

/// Makes a machine of the image; it runs, and has asked for its address.
async fn runs(school: &School, person: &Api, name: &str, image: &str) -> String {
    let made = person.post("/machines", json!({ "name": name, "image": image })).await;
    let instance = person.done(made).await["machine"]["instance"].as_str().unwrap().to_owned();
    school.is_up(&instance);
    instance
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_uploaded_published_and_fetched_and_machines_made_of_them() {
    let school = school!();
    let (admin, bruno) = (school.login("admin").await, school.login("bruno").await);

    let whole = pack("Aula");
    succeeded(
        &upload(&admin, "alias=aula&description=Aula%20de%20redes", TARBALL, whole.unified.clone()).await,
    );
    let image = admin.get("/images/aula").await.expect(200);
    assert_eq!((&image["description"], &image["aliases"]), (&json!("Aula de redes"), &json!(["aula"])));
    let listed = school.lxc(&["image", "list", "--format", "csv", "--columns", "lF"]);
    assert!(listed.contains(&format!("aula,{}", image["fingerprint"].as_str().unwrap())), "{listed}");
    let instance = runs(&school, &bruno, "modelo", "aula").await;
    assert_eq!(admin.get("/images/aula").await.expect(200)["machines"], 1);

    let (metadata, rootfs) = pack("Metades").halves;
    let (kind, form) = tarballs::form(&metadata, &rootfs);
    succeeded(&upload(&admin, "alias=metades", kind, form).await);
    assert_eq!(admin.get("/images/metades").await.expect(200)["description"], "Metades");
    runs(&school, &bruno, "metades", "metades").await;

    what_is_no_image(&admin, whole.unified).await;
    published(&school, &admin, &bruno, &instance).await;
    fetched(&school, &admin, &bruno).await;

    admin.delete("/images/aula").await.problem(409, "in-use");
    succeeded(&one(&admin, admin.delete("/images/aula?force=true").await).await);
    assert!(!school.lxc(&["image", "list", "--format", "csv"]).contains("aula"), "it is still there");
}

async fn what_is_no_image(admin: &Api, whole: Vec<u8>) {
    // LXD looks at the metadata alone: what is cut further on shows when a machine is made.
    let cut = whole[..100].to_vec();
    let (_, rootfs) = tarballs::halves("none");
    for (kind, body) in [
        (TARBALL, b"this is no image at all, only a line of text\n".repeat(40)),
        (TARBALL, cut),
        (TARBALL, rootfs.clone()),
        tarballs::form(&rootfs, b"nothing"),
    ] {
        let ended = upload(admin, "alias=quebrada", kind, body).await;
        assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("failed"), &json!("invalid-image")));
        let message = ended["error"]["message"].as_str().unwrap();
        assert!(message.contains(". LXD says: ") && message.len() > 30, "{message}");
    }
    let again = upload(admin, "alias=outra", TARBALL, whole).await;
    assert_eq!(again["error"]["code"], "name-taken", "{again:#}");
    admin.get("/images/quebrada").await.problem(404, "not-found");
}

async fn published(school: &School, admin: &Api, bruno: &Api, instance: &str) {
    school.write_file(instance, "/marca");
    let snapshots = format!("/machines/{instance}/snapshots");
    bruno.done(bruno.post(&snapshots, json!({ "name": "pronta" })).await).await;
    let publish = async |body: Value| admin.post("/images/publish", body).await;
    let machine = json!({ "machine": instance, "alias": "modelo", "description": "De bruno" });
    publish(machine.clone()).await.problem(409, "wrong-state");
    let snapshot = json!({ "machine": instance, "snapshot": "pronta", "alias": "da-foto" });
    succeeded(&admin.ended(&operation_of(publish(snapshot).await)).await);
    bruno.done(bruno.power(instance, "stop").await).await;
    succeeded(&admin.ended(&operation_of(publish(machine).await)).await);
    let image = admin.get("/images/modelo").await.expect(200);
    assert_eq!(image["description"], "De bruno");
    for alias in ["modelo", "da-foto"] {
        let copy = runs(school, bruno, &format!("c-{alias}"), alias).await;
        assert!(school.has_file(&copy, "/marca"), "{alias}: what was in the machine is not in its image");
        let owner = school.lxc(&["config", "get", &copy, "user.vms.name"]);
        assert_eq!(owner.trim(), format!("c-{alias}"));
    }
}

async fn fetched(school: &School, admin: &Api, bruno: &Api) {
    let streams = Streams::start(pack("Primeira").unified).await;
    let body = json!({ "url": streams.url, "source_alias": "lab/1", "alias": "lab" });
    succeeded(&one(admin, admin.post("/images/import", body).await).await);
    let image = admin.get("/images/lab").await.expect(200);
    assert_eq!(image["source"], json!({ "url": streams.url, "alias": "lab/1" }));
    runs(school, bruno, "lab", "lab").await;
    // Nothing newer. (That a newer one takes the place is seen on the simulator: LXD asks a server once an hour.)
    succeeded(&one(admin, admin.post("/images/lab/refresh", json!({})).await).await);
    assert_eq!(admin.get("/images/lab").await.expect(200)["fingerprint"], image["fingerprint"]);
    let missing = json!({ "url": streams.url, "source_alias": "none", "alias": "none" });
    let ended = one(admin, admin.post("/images/import", missing).await).await;
    assert_eq!(ended["status"], "failed", "{ended:#}");
}
