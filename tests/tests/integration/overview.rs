//! How everything is: counted, measured and remembered without making LXD work for whoever looks.

use serde_json::{Value, json};

use crate::app::{IMAGE, TestApp, eventually};

fn names<'a>(list: &'a Value, field: &str) -> Vec<&'a str> {
    list.as_array().unwrap().iter().map(|one| one[field].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_counts_measures_and_names_the_busiest() {
    let app =
        TestApp::builder().sampling().profile("small", &[("limits.memory", "64MiB")], "1GiB").start().await;
    let (admin, bruno, ana) =
        (app.as_admin().await, app.as_student("bruno").await, app.as_student("ana").await);
    let small = json!({ "name": "small", "profile": "small" });
    bruno.done(bruno.post("/machines", small).await).await;
    let big = bruno.machine("big").await;
    ana.done(ana.post("/machines", json!({ "name": "off", "start": false })).await).await;

    let seen = admin
        .until("/overview", "two machines measured", |all| {
            all["busiest"]["cpu"].as_array().unwrap().len() == 2 && all["servers"][0]["cpu"].is_number()
        })
        .await;
    assert_eq!(
        seen["machines"],
        json!([{ "status": "stopped", "count": 1 }, { "status": "running", "count": 2 }])
    );
    let server = &seen["servers"][0];
    assert_eq!((&server["name"], &server["reachable"]), (&json!("lxd1"), &json!(true)));
    assert_eq!(server["machines"], json!({ "running": 2, "total": 3 }));
    assert_eq!((&server["cpus"], &server["load"]), (&json!(8), &Value::Null));
    assert_eq!(server["memory"]["total_bytes"], 16_u64 << 30);
    assert_eq!(
        (&server["pools"][0]["name"], &server["pools"][0]["driver"]),
        (&json!("default"), &json!("dir"))
    );
    assert!(server["pools"][0]["used_bytes"].as_u64().unwrap() > 0);
    let memory = &seen["busiest"]["memory"];
    assert_eq!(memory[0]["machine"]["name"], "big", "more memory than {memory}");
    assert_eq!(names(memory, "owner"), ["bruno", "bruno"]);
    assert_eq!(seen["health"]["database"], json!({ "ok": true, "trouble": null }));
    assert_eq!(seen["health"]["directory"], json!({ "ok": true, "trouble": null }));
    assert_eq!(admin.get("/servers").await.expect(200)["items"].as_array().unwrap().len(), 1);

    // What was used lately: of the server, and of a machine for those who may see it.
    let history = admin.get("/overview/history?server=lxd1").await.expect(200);
    assert_eq!(history["items"][0]["memory_limit_bytes"], 16_u64 << 30);
    let points = history["items"][0]["points"].as_array().unwrap();
    assert!(!points.is_empty() && points[0]["memory_bytes"].as_u64().unwrap() > 0);
    admin.get("/overview/history?server=other").await.problem(404, "not-found");
    let usage = format!("/machines/{}/usage", big["id"].as_str().unwrap());
    for person in [&bruno, &admin, &app.as_teacher().await] {
        let used = person.get(&usage).await.expect(200);
        assert_eq!((&used["cpus"], &used["interval_seconds"]), (&json!(8), &json!(60)));
        let point = &used["points"][0];
        let cpu = point["cpu"].as_f64().unwrap();
        assert!(cpu > 0.0 && cpu <= 1.0, "{used}");
        assert!(point["memory_bytes"].as_u64().unwrap() > 0);
        assert_eq!(point["disk_bytes"], Value::Null, "a pool that is a directory cannot tell");
    }
    ana.get(&usage).await.problem(404, "not-found");
    let small = bruno.get("/machines/vmbrunosmall/usage").await.expect(200);
    assert_eq!(
        (&small["memory_limit_bytes"], &small["disk_limit_bytes"]),
        (&json!(64 << 20), &json!(1 << 30))
    );

    // Off, it is measured no more; what it used before stays.
    bruno.end(bruno.power("vmbrunobig", "stop").await).await;
    admin
        .until("/overview", "one machine measured", |all| names(&all["busiest"]["cpu"], "owner") == ["bruno"])
        .await;
    assert!(!bruno.get(&usage).await.expect(200)["points"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_shows_with_since_when_and_why() {
    let mut app = TestApp::builder().sampling().start().await;
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    bruno.machine("maquinaa").await;
    let before = admin.until("/overview", "the load", |all| all["servers"][0]["memory"].is_object()).await;
    assert_eq!(before["operations"], json!({ "under_way_count": 0, "under_way": [], "failed": [] }));

    // One operation fails, and then everything does.
    app.sim.inject(lxd_sim::Fault::on(
        "POST",
        "/1.0/instances",
        lxd_sim::Action::Error { code: 500, message: "no space left on device".into() },
    ));
    let failed = bruno.end(bruno.post("/machines", json!({ "name": "b", "image": IMAGE })).await).await;
    assert_eq!(failed["status"], "failed");
    app.sim.clear_faults();
    app.stop_directory().await;
    app.sim.stop().await;
    let seen = eventually("the losses to show", async || {
        let all = admin.get("/overview").await.expect(200);
        let lost = all["servers"][0]["reachable"] == false && all["health"]["directory"]["ok"] == false;
        if lost { Ok(all) } else { Err(all.to_string()) }
    })
    .await;
    let server = &seen["servers"][0];
    assert!(server["trouble"].as_str().is_some_and(|why| !why.is_empty()), "{server}");
    assert!(server["since"].as_str() > before["servers"][0]["since"].as_str(), "{server}");
    assert_eq!(server["memory"]["total_bytes"], 16_u64 << 30, "as last seen");
    assert!(seen["health"]["directory"]["trouble"].is_string());
    assert_eq!(seen["operations"]["failed"][0]["id"], failed["id"]);

    app.sim.start().await.unwrap();
    admin
        .until("/overview", "the server to be back and measured again", |all| {
            all["servers"][0]["reachable"] == true && all["servers"][0]["sampled_at"] != server["sampled_at"]
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sampler_that_is_refused_disturbs_nobody() {
    let app = TestApp::builder().sampling().start().await;
    for path in ["/1.0/metrics", "/1.0/resources", "/1.0/storage-pools/*/resources"] {
        let broken = lxd_sim::Action::Error { code: 500, message: "broken".into() };
        app.sim.inject(lxd_sim::Fault::on("GET", path, broken));
    }
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    bruno.machine("maquinaa").await;
    let seen = admin.get("/overview").await.expect(200);
    assert_eq!(seen["servers"][0]["reachable"], true);
    assert_eq!(seen["machines"], json!([{ "status": "running", "count": 1 }]));
    assert_eq!(bruno.get("/machines/vmbrunomaquinaa/usage").await.expect(200)["points"], json!([]));
    app.sim.clear_faults();
    admin.until("/overview", "the load once it answers", |all| all["servers"][0]["cpu"].is_number()).await;
}
