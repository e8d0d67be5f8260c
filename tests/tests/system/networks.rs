//! The address ranges and the trusted certificates of a real LXD.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use vms_tests::real::{LXD, SchoolOptions, eventually};

use crate::{address, school};

/// What waits for the DHCP client within.
const DHCP: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_range_is_changed_and_a_new_machine_gets_an_address_of_it() {
    let school = school!();
    let (bruno, admin) = (school.login("bruno").await, school.login("admin").await);
    let all = admin.get(&format!("/servers/{LXD}/networks")).await.expect(200);
    let bridge = &all["items"][0];
    assert_eq!((&bridge["managed"], &bridge["kind"]), (&json!(true), &json!("bridge")), "{all}");
    let name = bridge["name"].as_str().unwrap();
    let subnet = bridge["ipv4_address"].as_str().unwrap();
    let (start, _) = subnet.rsplit_once('.').unwrap();
    let path = format!("/servers/{LXD}/networks/{name}");

    let range = |first: u8, last: u8| json!([{ "first": format!("{start}.{first}"), "last": format!("{start}.{last}") }]);
    let gateway = json!({ "dhcp_ranges": range(1, 9) });
    admin.send(Method::PATCH, &path, Some(gateway)).await.problem(422, "validation-failed");
    let changed = admin.send(Method::PATCH, &path, Some(json!({ "dhcp_ranges": range(77, 78) }))).await;
    assert_eq!(changed.expect(200)["dhcp_ranges"], range(77, 78));
    assert_eq!(
        school.lxc(&["network", "get", name, "ipv4.dhcp.ranges"]).trim(),
        format!("{start}.77-{start}.78")
    );

    bruno.done(bruno.post("/machines", json!({ "name": "maquinaa" })).await).await;
    let machine: Value = eventually("an address", DHCP, async || {
        let machine = bruno.machine("vmbrunomaquinaa").await;
        if address(&machine).is_some() { Ok(machine) } else { Err(machine.to_string()) }
    })
    .await;
    let got = address(&machine).unwrap();
    assert!([format!("{start}.77"), format!("{start}.78")].contains(&got.to_owned()), "{got}");
    let lease = eventually("its lease", DHCP, async || {
        let leases = admin.get(&format!("{path}/leases")).await.expect(200);
        let mine = leases["items"].as_array().unwrap().iter().find(|lease| lease["address"] == got).cloned();
        mine.ok_or_else(|| leases.to_string())
    })
    .await;
    assert_eq!((&lease["owner"], &lease["machine"]["name"]), (&json!("bruno"), &json!("maquinaa")));

    // As LXD had it: all of the subnet.
    let whole = admin.send(Method::PATCH, &path, Some(json!({ "dhcp_ranges": [] }))).await.expect(200);
    assert_eq!(whole["dhcp_ranges"], json!([]));
    assert_eq!(school.lxc(&["network", "get", name, "ipv4.dhcp.ranges"]).trim(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_come_and_go_and_our_own_stays() {
    let school = school!(SchoolOptions { https: true, ..SchoolOptions::default() });
    let admin = school.login("admin").await;
    let path = format!("/servers/{LXD}/certificates");
    let before = admin.get(&path).await.expect(200);
    let own = before["items"].as_array().unwrap().iter().find(|one| one["own"] == true).expect("ours");
    let own = format!("{path}/{}", own["fingerprint"].as_str().unwrap());
    admin.delete(&own).await.problem(409, "in-use");

    let pem = rcgen::generate_simple_self_signed(vec!["somebody".to_owned()]).unwrap().cert.pem();
    let added = admin.post(&path, json!({ "name": "somebody", "certificate": pem })).await.expect(201);
    let fingerprint = added["certificate"]["fingerprint"].as_str().unwrap();
    assert!(school.lxc(&["config", "trust", "list", "--format", "csv"]).contains(&fingerprint[..12]));
    admin.delete(&format!("{path}/{fingerprint}")).await.expect(204);
    assert!(!school.lxc(&["config", "trust", "list", "--format", "csv"]).contains(&fingerprint[..12]));
    assert_eq!(admin.get(&path).await.expect(200), before);

    // A client that holds nothing else adds itself with the token.
    let token = admin.post(&path, json!({ "name": "by-token" })).await.expect(201);
    school.lxc(&["remote", "add", "itself", token["token"].as_str().unwrap()]);
    eventually("the certificate that came by token", DHCP, async || {
        let all = admin.get(&path).await.expect(200);
        let came = all["items"].as_array().unwrap().iter().any(|one| one["name"] == "by-token");
        if came { Ok(()) } else { Err(all.to_string()) }
    })
    .await;
}
