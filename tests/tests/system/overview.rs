//! What machines use, as real LXD measures it.

use std::time::Duration;

use serde_json::{Value, json};
use vms_tests::real::{Api, SchoolOptions, eventually};

use crate::school;

/// LXD measures again after 8 s; this is how long a busy machine may take for a few rounds of that.
const PATIENCE: Duration = Duration::from_secs(90);

async fn until(who: &Api, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually(what, PATIENCE, async || {
        let seen = who.get(path).await.expect(200);
        if wanted(&seen) { Ok(seen) } else { Err(seen.to_string()) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_works_is_the_busiest_and_one_that_is_off_is_not_measured() {
    let school = school!(SchoolOptions { sample: Some(3), ..SchoolOptions::default() });
    let (bruno, admin) = (school.login("bruno").await, school.login("admin").await);
    for name in ["works", "rests"] {
        bruno.done(bruno.post("/machines", json!({ "name": name })).await).await;
        school.is_up(&format!("vmbruno{name}"));
    }
    school.lxc(&[
        "exec",
        "vmbrunoworks",
        "--",
        "sh",
        "-c",
        "(while :; do :; done) </dev/null >/dev/null 2>&1 &",
    ]);

    let seen = until(&admin, "/overview", "the busy machine", |all| {
        let busiest = all["busiest"]["cpu"].as_array().unwrap();
        busiest.len() == 2
            && busiest[0]["machine"]["name"] == "works"
            && busiest[0]["cpu"].as_f64() > Some(0.02)
            && all["servers"][0]["cpu"].as_f64() > Some(0.02)
    })
    .await;
    let server = &seen["servers"][0];
    let host = std::fs::read_to_string("/proc/meminfo").unwrap();
    let total = host.lines().find_map(|line| line.strip_prefix("MemTotal:")).unwrap().trim();
    let total = total.strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1024;
    // LXD also counts what the kernel keeps for itself.
    let shown = server["memory"]["total_bytes"].as_u64().unwrap();
    assert!(shown >= total && shown < total * 3 / 2, "{total} {server}");
    assert_eq!(server["machines"], json!({ "running": 2, "total": 2 }));
    let pool = &server["pools"][0];
    assert!(
        pool["used_bytes"].as_u64() > Some(0) && pool["total_bytes"].as_u64() > pool["used_bytes"].as_u64()
    );

    let used = until(&bruno, "/machines/vmbrunoworks/usage", "its first point", |all| {
        all["points"][0]["memory_bytes"].as_u64() > Some(0)
    })
    .await;
    assert!(used["cpus"].as_u64() > Some(0) && used["memory_limit_bytes"].as_u64() > Some(0), "{used}");
    let history = admin.get("/overview/history").await.expect(200);
    assert!(history["items"][0]["points"][0]["memory_bytes"].as_u64() > Some(0), "{history}");

    school.lxc(&["stop", "--force", "vmbrunoworks"]);
    until(&admin, "/overview", "only the other one", |all| {
        let busiest = all["busiest"]["cpu"].as_array().unwrap();
        busiest.len() == 1 && busiest[0]["machine"]["name"] == "rests"
    })
    .await;
    assert!(
        !bruno.get("/machines/vmbrunoworks/usage").await.expect(200)["points"].as_array().unwrap().is_empty()
    );
}
