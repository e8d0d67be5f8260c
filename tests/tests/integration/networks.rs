//! Networks and certificates of a server: seen from memory, changed on the server.

use lxd_sim::{Action, Fault, Nth};
use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Person, TestApp};

const NETWORK: &str = "/servers/lxd1/networks/lxdbr0";
const CERTIFICATES: &str = "/servers/lxd1/certificates";

fn fields(problem: &Value) -> Vec<(&str, &str)> {
    let errors = problem["errors"].as_array().unwrap().iter();
    errors.map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap())).collect()
}

fn range(first: &str, last: &str) -> Value {
    json!({ "first": first, "last": last })
}

async fn patch(admin: &Person, body: Value) -> crate::app::Answer {
    admin.send(Method::PATCH, NETWORK, Some(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_changed_and_new_machines_get_addresses_of_it() {
    let app = TestApp::start().await;
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    let all = admin.get("/servers/lxd1/networks").await.expect(200);
    assert_eq!((&all["items"][0]["name"], &all["items"][0]["managed"]), (&json!("lxdbr0"), &json!(true)));
    assert_eq!((&all["items"][1]["name"], &all["items"][1]["managed"]), (&json!("lo"), &json!(false)));
    let seen = admin.get(NETWORK).await;
    let tag = seen.header("etag").to_owned();
    assert_eq!(
        seen.expect(200),
        json!({
            "name": "lxdbr0", "kind": "bridge", "managed": true, "description": "", "ipv4_address": "10.99.0.1/18",
            "dhcp_ranges": [], "ipv6_address": null, "machines": 0,
        })
    );

    let ranges = json!({ "dhcp_ranges": [range("10.99.7.10", "10.99.7.19")] });
    let stale = admin.with("if-match", "\"older\"").send(Method::PATCH, NETWORK, Some(ranges.clone())).await;
    stale.problem(412, "precondition-failed");
    let changed = admin.with("if-match", &tag).send(Method::PATCH, NETWORK, Some(ranges.clone())).await;
    assert_eq!(changed.expect(200)["dhcp_ranges"], ranges["dhcp_ranges"]);
    let created = bruno.done(bruno.post("/machines", json!({ "name": "maquinaa" })).await).await;
    let machine = format!("/machines/{}", created["machine"]["id"].as_str().unwrap());
    let machine = bruno.until(&machine, "an address", |machine| machine["addresses"] != json!([])).await;
    let address = machine["addresses"][0]["address"].as_str().unwrap();
    assert!(address.starts_with("10.99.7.1"), "{address}");
    assert_eq!(admin.get(NETWORK).await.expect(200)["machines"], 1);

    // Who holds it.
    let leases = admin.get(&format!("{NETWORK}/leases")).await.expect(200);
    let leases = leases["items"].as_array().unwrap();
    assert_eq!((&leases[0]["address"], &leases[0]["kind"]), (&json!("10.99.0.1"), &json!("gateway")));
    assert_eq!((&leases[1]["address"], &leases[1]["owner"]), (&json!(address), &json!("bruno")));
    let holder = json!({ "id": machine["id"], "name": "maquinaa", "instance": "vmbrunomaquinaa" });
    assert_eq!(leases[1]["machine"], holder);

    // Another subnet takes its ranges along, or needs new ones.
    let moved =
        patch(&admin, json!({ "ipv4_address": "10.50.0.1/24" })).await.problem(422, "validation-failed");
    assert_eq!(fields(&moved), [("dhcp_ranges[0].first", "outside"), ("dhcp_ranges[0].last", "outside")]);
    let moved = patch(&admin, json!({ "ipv4_address": "10.50.0.1/24", "dhcp_ranges": [] })).await.expect(200);
    assert_eq!((&moved["ipv4_address"], &moved["dhcp_ranges"]), (&json!("10.50.0.1/24"), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dhcp_server_that_is_slow_to_go_is_waited_for() {
    let app = TestApp::start().await;
    let admin = app.as_admin().await;
    // LXD 5.0's words, seen on a busy machine.
    let message = "The DNS and DHCP service exited prematurely: Process exited with non-zero value 2 (\"dnsmasq: \
                   failed to create listening socket for 10.99.0.1: Address already in use\")";
    let held = || Action::Error { code: 500, message: message.to_owned() };
    let change = json!({ "dhcp_ranges": [range("10.99.7.10", "10.99.7.19")] });
    app.sim.inject(Fault::on("PUT", "/1.0/networks/lxdbr0", held()).nth(Nth::Only(1)));
    let changed = patch(&admin, change.clone()).await.expect(200);
    assert_eq!(changed["dhcp_ranges"], change["dhcp_ranges"]);
    // Not for ever, and LXD's words are passed on.
    app.sim.clear_faults();
    app.sim.inject(Fault::on("PUT", "/1.0/networks/lxdbr0", held()));
    let refused = patch(&admin, json!({ "dhcp_ranges": [] })).await.problem(502, "server-error");
    assert!(refused["detail"].as_str().unwrap().contains("Address already in use"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_field_by_field_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.as_admin().await;
    let before = admin.get(NETWORK).await.expect(200);
    for (body, field, code) in [
        (json!({ "dhcp_ranges": [range("10.98.0.2", "10.99.0.9")] }), "dhcp_ranges[0].first", "outside"),
        (json!({ "dhcp_ranges": [range("10.99.0.1", "10.99.0.9")] }), "dhcp_ranges[0]", "gateway"),
        (json!({ "dhcp_ranges": [range("10.99.0.9", "10.99.0.2")] }), "dhcp_ranges[0]", "order"),
        (json!({ "dhcp_ranges": [range("10.99.0.2", "many")] }), "dhcp_ranges[0].last", "address"),
        (json!({ "ipv4_address": "10.99.0.0/18" }), "ipv4_address", "subnet"),
        (json!({ "ipv4_address": "none" }), "ipv4_address", "subnet"),
    ] {
        let refused = patch(&admin, body.clone()).await.problem(422, "validation-failed");
        assert_eq!(fields(&refused), [(field, code)], "{body}");
    }
    assert_eq!(admin.get(NETWORK).await.expect(200), before);
    let host =
        admin.send(Method::PATCH, "/servers/lxd1/networks/lo", Some(json!({ "dhcp_ranges": [] }))).await;
    assert_eq!(fields(&host.problem(422, "validation-failed")), [("ipv4_address", "not-managed")]);
    for path in ["/servers/other/networks", "/servers/lxd1/networks/other", "/servers/other/certificates"] {
        admin.get(path).await.problem(404, "not-found");
    }
    app.sim.stop().await;
    admin.until("/servers", "the loss to show", |all| all["items"][0]["reachable"] == false).await;
    patch(&admin, json!({ "dhcp_ranges": [] })).await.problem(503, "server-unavailable");
    assert_eq!(admin.get(NETWORK).await.expect(200), before, "as last seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_added_by_pem_or_token_and_removed() {
    let app = TestApp::start().await;
    let admin = app.as_admin().await;
    assert_eq!(admin.get(CERTIFICATES).await.expect(200)["items"], json!([]));
    let pem = rcgen::generate_simple_self_signed(vec!["somebody".to_owned()]).unwrap().cert.pem();
    let new = json!({ "name": "notebook", "certificate": pem });
    let added = admin.post(CERTIFICATES, new.clone()).await.expect(201);
    let one = &added["certificate"];
    assert_eq!(
        (&one["name"], &one["kind"], &one["own"]),
        (&json!("notebook"), &json!("client"), &json!(false))
    );
    assert_eq!(added["token"], Value::Null);
    assert_eq!(&admin.get(CERTIFICATES).await.expect(200)["items"], &json!([one]));
    admin.post(CERTIFICATES, new).await.problem(409, "in-use");
    for bad in [json!({ "name": "x", "certificate": "nonsense" }), json!({ "name": " " })] {
        admin.post(CERTIFICATES, bad).await.problem(422, "validation-failed");
    }

    let by_token = admin.post(CERTIFICATES, json!({ "name": "outra" })).await.expect(201);
    assert_eq!(by_token["certificate"], Value::Null);
    assert!(by_token["token"].as_str().unwrap().len() > 40, "{by_token}");
    let line = &admin.get("/audit?action=certificate.add").await.expect(200)["items"][0];
    assert_eq!(line["detail"], json!({ "name": "outra" }), "the token is nowhere in it");

    let path = format!("{CERTIFICATES}/{}", one["fingerprint"].as_str().unwrap());
    admin.delete(&path).await.expect(204);
    admin.delete(&path).await.problem(404, "not-found");
    assert_eq!(admin.get(CERTIFICATES).await.expect(200)["items"], json!([]));
}
