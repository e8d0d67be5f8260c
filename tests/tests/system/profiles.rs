//! The thesis' own profile on real LXD: `alunos`, 256 MiB and five interfaces on the bridge. Looked at from within the
//! machines: what LXD says that it gave is not what is asked here.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Map, Value, json};
use vms_tests::real::{Api, School, SchoolOptions, eventually};

use crate::school;

const MIB: u64 = 1 << 20;
/// Longest that LXD may take to plug interfaces in or out, on a busy machine.
const PLUGGED: Duration = Duration::from_secs(60);

/// So much memory, and so many interfaces on the bridge.
fn alunos(memory: &str, interfaces: usize, bridge: &str) -> Value {
    let nic = |name: &str| json!({ "type": "nic", "name": name, "network": bridge });
    let names = (0..interfaces).map(|number| format!("eth{number}"));
    let mut devices: Map<String, Value> = names.map(|name| (name.clone(), nic(&name))).collect();
    devices.insert("root".into(), json!({ "type": "disk", "path": "/", "pool": "default" }));
    json!({ "description": "Aula de redes", "config": { "limits.memory": memory }, "devices": devices })
}

#[tokio::test(flavor = "multi_thread")]
async fn five_interfaces_and_256_mib_are_seen_within_every_machine_of_the_profile() {
    let school = school!(SchoolOptions { many_interfaces: true, ..SchoolOptions::default() });
    let (bruno, admin) = (school.login("bruno").await, school.login("admin").await);
    // An existing machine: it runs with one interface before it gets the profile.
    bruno.done(bruno.post("/machines", json!({ "name": "antiga" })).await).await;
    school.is_up("vmbrunoantiga");
    assert_eq!(interfaces(&school, "vmbrunoantiga"), ["eth0"]);

    let bridge = school.lxc(&["profile", "device", "get", "default", "eth0", "network"]).trim().to_owned();
    // As the thesis writes it; LXD of today refuses the bare letter.
    let mut profile = alunos("256M", 5, &bridge);
    profile["name"] = "alunos".into();
    let made = admin.post("/profiles", profile).await.expect(201);
    assert_eq!((&made["interfaces"], &made["limits"]["memory_bytes"]), (&json!(5), &json!(256 * MIB)));

    give(&admin, "vmbrunoantiga", "alunos").await;
    let new = json!({ "name": "nova", "profile": "alunos" });
    bruno.done(bruno.post("/machines", new).await).await;
    let five = ["eth0", "eth1", "eth2", "eth3", "eth4"];
    for instance in ["vmbrunoantiga", "vmbrunonova"] {
        school.is_up(instance);
        seen_within(&school, instance, &five, 256 * MIB).await;
    }

    // Changing the profile changes the machines that carry it, while they run.
    let smaller = alunos("128MiB", 2, &bridge);
    admin.send(Method::PUT, "/profiles/alunos", Some(smaller)).await.expect(200);
    for instance in ["vmbrunoantiga", "vmbrunonova"] {
        seen_within(&school, instance, &["eth0", "eth1"], 128 * MIB).await;
    }
    let changed = alunos("256MiB", 5, &bridge);
    admin.send(Method::PUT, "/profiles/alunos", Some(changed)).await.expect(200);

    // A reset keeps it, and it is no more deleted than a machine carries it.
    bruno.done(bruno.post_empty("/machines/vmbrunoantiga/reset").await).await;
    school.is_up("vmbrunoantiga");
    seen_within(&school, "vmbrunoantiga", &five, 256 * MIB).await;
    let kept = admin.delete("/profiles/alunos").await.problem(409, "in-use");
    let named = kept["detail"].as_str().unwrap();
    assert!(named.contains("vmbrunoantiga (bruno)") && named.contains("vmbrunonova (bruno)"), "{named}");
    bruno.done(bruno.delete("/machines/vmbrunonova").await).await;
    give(&admin, "vmbrunoantiga", "default").await;
    seen_within(&school, "vmbrunoantiga", &["eth0"], u64::MAX).await;
    admin.delete("/profiles/alunos").await.expect(204);
    assert!(!school.lxc(&["profile", "list", "--format", "csv"]).contains("alunos"));
    school.assert_nothing_orphaned(&bruno).await;
}

/// Gives a machine a profile, and waits for the end of that.
async fn give(admin: &Api, machine: &str, profile: &str) {
    let path = format!("/machines/{machine}");
    let begun = admin.send(Method::PATCH, &path, Some(json!({ "profiles": [profile] }))).await.expect(200);
    let operation = begun["operation"]["id"].as_str().unwrap();
    let ended = admin.get(&format!("/operations/{operation}/wait?timeout_seconds=60")).await.expect(200);
    assert_eq!(ended["status"], "succeeded", "{ended:#}");
    assert_eq!(admin.get(&path).await.expect(200)["profiles"], json!([profile]));
}

/// Waits until these interfaces, and no less memory than `memory`, are what a machine sees of itself.
async fn seen_within(school: &School, instance: &str, wanted: &[&str], memory: u64) {
    let what = format!("{wanted:?} and {memory} bytes within {instance}");
    eventually(&what, PLUGGED, async || {
        let seen = (interfaces(school, instance), memory_limit(school, instance));
        if seen.0 == wanted && seen.1 == memory { Ok(()) } else { Err(format!("{seen:?}")) }
    })
    .await;
}

/// The network interfaces that a machine has, without the one that talks to itself.
fn interfaces(school: &School, instance: &str) -> Vec<String> {
    let listed = school.lxc(&["exec", instance, "--", "ls", "/sys/class/net"]);
    listed.split_whitespace().filter(|name| *name != "lo").map(str::to_owned).collect()
}

/// The memory that a machine may use, as its own cgroup tells it within; [`u64::MAX`] if nothing limits it. The image
/// mounts no cgroups, so that this does: the first version's where the kernel has it, else the second's.
fn memory_limit(school: &School, instance: &str) -> u64 {
    let look = "mkdir -p /run/cg && cd /run/cg && if [ ! -e cgroup.procs ]; then \
                mount -t cgroup -o memory none . 2>/dev/null || mount -t cgroup2 none .; cd /run/cg; fi && \
                if [ -e memory.max ]; then cat memory.max; else cat memory.limit_in_bytes; fi";
    let said = school.lxc(&["exec", instance, "--", "sh", "-c", look]);
    match said.trim().parse::<u64>() {
        // Version 1 says "no limit" with the largest number of pages.
        Ok(limit) if limit < 1 << 62 => limit,
        _ if said.trim() == "max" || said.trim().starts_with("92233720368") => u64::MAX,
        _ => panic!("{instance} says {said:?}"),
    }
}
