//! Where table and servers do not match, and taking in what has no owner.

use lxd_sim::InstanceSpec;
use serde_json::{Value, json};

use crate::app::{IMAGE, Person, TestApp};

/// Waits until the list is as wanted: kind, instance, owner of each.
async fn differences(admin: &Person, wanted: &[(&str, &str, Option<&str>)]) -> Value {
    let wanted: Vec<Value> =
        wanted.iter().map(|(kind, instance, owner)| json!([kind, instance, owner])).collect();
    admin
        .until("/differences", "what does not match", |seen| {
            let items = seen["items"].as_array().unwrap();
            let seen: Vec<Value> =
                items.iter().map(|item| json!([item["kind"], item["instance"], item["owner"]])).collect();
            seen == wanted
        })
        .await
}

fn adoption(instance: &str, owner: &str) -> Value {
    json!({ "server": "lxd1", "instance": instance, "owner": owner })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_by_hand_is_seen_and_adopted() {
    let app = TestApp::start().await;
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    let own = bruno.machine("maquinaa").await;
    differences(&admin, &[]).await;

    // One without keys, and a copy of bruno's.
    app.sim.create_instance(InstanceSpec::new("laboratorio").image(IMAGE)).unwrap();
    app.sim.create_instance(InstanceSpec::new("vmcopia").image(IMAGE)).unwrap();
    for (key, value) in [("id", own["id"].as_str().unwrap()), ("owner", "bruno"), ("name", "maquinaa")] {
        app.sim.set_instance_config("vmcopia", &format!("user.vms.{key}"), value).unwrap();
    }
    let found = [("unowned", "laboratorio", None), ("copy", "vmcopia", Some("bruno"))];
    differences(&admin, &found).await;

    // In parts as well.
    let first = admin.get("/differences?limit=1").await.expect(200);
    let rest = format!("/differences?limit=1&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = admin.get(&rest).await.expect(200);
    assert_eq!(
        (&first["items"][0]["instance"], &second["items"][0]["instance"]),
        (&json!("laboratorio"), &json!("vmcopia"))
    );
    assert!(second["next_cursor"].is_null(), "{second}");
    admin.get("/differences?cursor=x").await.problem(400, "malformed-parameter");

    let adopt = async |body: Value| admin.post("/machines/adopt", body).await;
    let fields = |problem: Value| problem["errors"][0]["field"].as_str().unwrap().to_owned();
    let nobody = adopt(adoption("laboratorio", "nobody")).await.problem(422, "validation-failed");
    assert_eq!(fields(nobody), "owner");
    let elsewhere = json!({ "server": "lxd9", "instance": "laboratorio", "owner": "bruno" });
    assert_eq!(fields(adopt(elsewhere).await.problem(422, "validation-failed")), "server");
    adopt(adoption("nothing", "bruno")).await.problem(404, "not-found");
    adopt(adoption("vmbrunomaquinaa", "admin")).await.problem(409, "in-use");
    let mut taken = adoption("vmcopia", "bruno");
    taken["name"] = "maquinaa".into();
    adopt(taken.clone()).await.problem(409, "name-taken");
    // Nothing of that changed anything.
    differences(&admin, &found).await;

    let answer = adopt(adoption("laboratorio", "bruno")).await;
    let place = answer.header("location").to_owned();
    let machine = answer.expect(201);
    assert_eq!(place, format!("/api/v1/machines/{}", machine["id"].as_str().unwrap()));
    assert_eq!((&machine["owner"], &machine["name"]), (&json!("bruno"), &json!("laboratorio")));
    adopt(adoption("laboratorio", "bruno")).await.problem(409, "in-use");
    taken["name"] = "copia".into();
    let copy = adopt(taken).await.expect(201);
    assert_ne!(copy["id"], own["id"]);
    differences(&admin, &[]).await;
    // They are bruno's like any other: the instance says so too, and so a lost database would know.
    assert_eq!(bruno.get("/machines").await.expect(200)["items"].as_array().unwrap().len(), 3);
    assert_eq!(app.sim.instance("laboratorio").unwrap().config["user.vms.owner"], "bruno");
    bruno.done(bruno.power("laboratorio", "start").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_seen_and_given_up() {
    let app = TestApp::start().await;
    let (admin, bruno) = (app.as_admin().await, app.as_student("bruno").await);
    let own = bruno.machine("maquinaa").await;
    app.sim.delete_instance("vmbrunomaquinaa").unwrap();
    let seen = differences(&admin, &[("missing", "vmbrunomaquinaa", Some("bruno"))]).await;
    assert_eq!(seen["items"][0]["machine"], own["id"]);
    admin.done(admin.delete("/machines/vmbrunomaquinaa").await).await;
    differences(&admin, &[]).await;
    // Should it come back, it is not bruno's by itself.
    app.sim.create_instance(InstanceSpec::new("vmbrunomaquinaa").image(IMAGE)).unwrap();
    for (key, value) in [("id", own["id"].as_str().unwrap()), ("owner", "bruno"), ("name", "maquinaa")] {
        app.sim.set_instance_config("vmbrunomaquinaa", &format!("user.vms.{key}"), value).unwrap();
    }
    differences(&admin, &[("leftover", "vmbrunomaquinaa", Some("bruno"))]).await;
    admin.post("/machines/adopt", adoption("vmbrunomaquinaa", "bruno")).await.expect(201);
    differences(&admin, &[]).await;
}
