//! Who may use what, whose default it is, and machines that are given other profiles.

use reqwest::Method;
use serde_json::{Value, json};
use vms_client::native::NativeTransport;
use vms_client::{ApiClient, Conditional};
use vms_types::{Audience, CatalogKind, DefaultFor, Role};

use crate::app::{Answer, IMAGE, Person, TestApp};

const MIB: u64 = 1 << 20;

/// A school with the profiles `default`, `pequena` (256 MiB) and `grande` (1 GiB).
async fn school() -> TestApp {
    TestApp::builder()
        .profile("pequena", &[("limits.memory", "256MiB")], "1GiB")
        .profile("grande", &[("limits.memory", "1GiB")], "1GiB")
        .start()
        .await
}

async fn put(person: &Person, path: &str, body: Value) -> Answer {
    person.send(Method::PUT, path, Some(body)).await
}

async fn patch(person: &Person, path: &str, body: Value) -> Answer {
    person.send(Method::PATCH, path, Some(body)).await
}

/// What a person may choose, and the default among it.
async fn choice(person: &Person, path: &str) -> (Vec<String>, Option<String>) {
    let list = person.get(path).await.expect(200);
    let items = list["items"].as_array().unwrap();
    let name = |item: &Value| item.get("name").unwrap_or(&item["alias"]).as_str().unwrap().to_owned();
    let default = items.iter().filter(|item| item["default"] == true).map(name).collect::<Vec<_>>();
    assert!(default.len() <= 1, "{list}");
    (items.iter().map(name).collect(), default.first().cloned())
}

#[tokio::test(flavor = "multi_thread")]
async fn people_choose_from_what_is_for_them_and_the_most_specific_default_wins() {
    let app = school().await;
    let (bruno, prof, admin) = (app.as_student("bruno").await, app.as_teacher().await, app.as_admin().await);
    let all = ["default", "grande", "pequena"].map(String::from).to_vec();
    let default = |name: &str| Some(name.to_owned());
    assert_eq!(choice(&bruno, "/profiles").await, (all.clone(), default("default")));

    // For teachers only: to a student it looks as if it were not there, in the list and when asked for by name.
    put(&admin, "/profiles/grande/audience", json!({ "everyone": false, "roles": ["teacher"] }))
        .await
        .expect(200);
    assert_eq!(choice(&bruno, "/profiles").await.0, ["default", "pequena"]);
    assert_eq!(choice(&prof, "/profiles").await.0, all);
    assert_eq!(choice(&admin, "/profiles").await.0, all);
    let ask = async |name: &str| {
        let refused = bruno.post("/machines", json!({ "name": "a", "profile": name })).await;
        let mut refused = refused.problem(422, "validation-failed");
        refused["request_id"] = Value::Null;
        refused
    };
    assert_eq!(ask("grande").await, ask("nothing").await);
    let of_prof = json!({ "name": "a", "profile": "grande", "start": false });
    prof.done(prof.post("/machines", of_prof).await).await;

    // Role, group, person: each goes before the one above it.
    for (profile, default_for) in [
        ("pequena", json!({ "roles": ["student"] })),
        ("grande", json!({ "groups": ["alunos"] })),
        ("default", json!({ "users": ["bruno"] })),
    ] {
        let audience = json!({ "everyone": true, "default_for": default_for });
        put(&admin, &format!("/profiles/{profile}/audience"), audience).await.expect(200);
        assert_eq!(choice(&bruno, "/profiles").await.1, default(profile));
    }
    assert_eq!(choice(&prof, "/profiles").await.1, default("default"));
    // A default of somebody is theirs alone: stated elsewhere it is no longer here.
    put(
        &admin,
        "/profiles/pequena/audience",
        json!({ "everyone": true, "default_for": { "users": ["bruno"] } }),
    )
    .await
    .expect(200);
    let other = admin.get("/profiles/default/audience").await.expect(200);
    assert_eq!(other["default_for"]["users"], json!([]));

    // A machine that names none gets its owner's default, also when an administrator makes it.
    let made = bruno.done(bruno.post("/machines", json!({ "name": "own", "start": false })).await).await;
    let machine =
        bruno.get(&format!("/machines/{}", made["machine"]["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(machine["profiles"], json!(["pequena"]));
    let given = json!({ "name": "given", "owner": "bruno", "start": false });
    admin.done(admin.post("/machines", given).await).await;
    assert_eq!(bruno.get("/machines/vmbrunogiven").await.expect(200)["profiles"], json!(["pequena"]));

    // Only administrators are told who may use what, and how many do.
    let item = |list: Value, name: &str| {
        list["items"].as_array().unwrap().iter().find(|item| item["name"] == name).unwrap().clone()
    };
    let seen = item(admin.get("/profiles").await.expect(200), "pequena");
    assert_eq!(
        (&seen["machines"], &seen["audience"]["default_for"]["users"]),
        (&json!(2), &json!(["bruno"]))
    );
    let seen = item(bruno.get("/profiles").await.expect(200), "pequena");
    assert!(seen.get("machines").is_none() && seen.get("audience").is_none(), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn images_are_for_some_within_what_the_configuration_allows() {
    let app = TestApp::start().await;
    let (bruno, admin) = (app.as_student("bruno").await, app.as_admin().await);
    let client = ApiClient::new(NativeTransport::new().unwrap(), &app.url());
    client.login("admin", "admin").await.unwrap();
    let read = async || match client.audience(CatalogKind::Image, IMAGE, None).await.unwrap() {
        Conditional::Data { value, etag } => (value, etag.unwrap()),
        Conditional::NotModified => panic!("nothing was known"),
    };
    let (audience, tag) = read().await;
    assert_eq!(audience, Audience::default());
    let closed = Audience { everyone: false, roles: vec![Role::Teacher], ..Audience::default() };
    client.put_audience(CatalogKind::Image, IMAGE, &closed, Some(&tag)).await.unwrap();
    let late = client.put_audience(CatalogKind::Image, IMAGE, &closed, Some(&tag)).await.unwrap_err();
    assert!(late.to_string().contains("changed"), "{late}");
    assert_eq!(choice(&bruno, "/images").await, (vec![], None));
    bruno.post("/machines", json!({ "name": "a" })).await.problem(422, "validation-failed");
    assert_eq!(choice(&admin, "/images").await.0, [IMAGE]);
    // Whose default it is may use it.
    let groups = vec!["alunos".to_owned()];
    let class = Audience { default_for: DefaultFor { groups, ..DefaultFor::default() }, ..closed };
    client.put_audience(CatalogKind::Image, IMAGE, &class, None).await.unwrap();
    assert_eq!(choice(&bruno, "/images").await, (vec![IMAGE.to_owned()], Some(IMAGE.to_owned())));
    assert_eq!(read().await.0, class);

    // Nothing is stated about what there is not, nor with names that can be none; what was said stays.
    for (path, body, status, code) in [
        ("/images/nothing/audience", json!({ "everyone": true }), 404, "not-found"),
        ("/profiles/nothing/audience", json!({ "everyone": true }), 404, "not-found"),
        ("/images/debian-12/audience", json!({}), 400, "malformed-body"),
        ("/images/debian-12/audience", json!({ "everyone": true, "roles": ["king"] }), 400, "malformed-body"),
        ("/images/debian-12/audience", json!({ "everyone": true, "users": [""] }), 422, "validation-failed"),
        (
            "/images/debian-12/audience",
            json!({ "everyone": true, "groups": ["a\u{0}"] }),
            422,
            "validation-failed",
        ),
    ] {
        put(&admin, path, body).await.problem(status, code);
    }
    assert_eq!(read().await.0, class);

    let app = TestApp::builder().http("[machines]\nallowed_images = [\"other\"]").start().await;
    let admin = app.as_admin().await;
    assert_eq!(choice(&admin, "/images").await.0, Vec::<String>::new());
    put(&admin, "/images/debian-12/audience", json!({ "everyone": true })).await.problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_given_other_profiles_and_keeps_them() {
    let app = school().await;
    let (bruno, admin) = (app.as_student("bruno").await, app.as_admin().await);
    bruno.machine("a").await;
    let path = "/machines/vmbrunoa";
    let to = |profiles: &[&str]| json!({ "profiles": profiles });
    // A machine's memory is not its owner's to decide.
    patch(&bruno, path, to(&["pequena"])).await.problem(403, "forbidden");
    patch(&app.as_student("ana").await, path, to(&["pequena"])).await.problem(404, "not-found");
    patch(&app.as_teacher().await, path, to(&["pequena"])).await.problem(403, "forbidden");
    for bad in [vec![], vec!["nothing"], vec!["pequena", "pequena"]] {
        patch(&admin, path, to(&bad)).await.problem(422, "validation-failed");
    }
    let both = json!({ "profiles": ["pequena"], "owner": "ana" });
    patch(&admin, path, both).await.problem(422, "validation-failed");

    let begun = patch(&admin, path, to(&["default", "pequena"])).await.expect(200);
    assert_eq!(begun["operation"]["kind"], "machine.profiles");
    let settled = |m: &Value| m["operation"].is_null() && m["profiles"] == json!(["default", "pequena"]);
    let machine = bruno.until(path, "it has the profiles", settled).await;
    assert_eq!(
        (&machine["status"], &machine["limits"]["memory_bytes"]),
        (&json!("running"), &json!(256 * MIB))
    );
    assert_eq!(app.sim.instance("vmbrunoa").unwrap().profiles, ["default", "pequena"]);

    // A reset keeps them.
    bruno.done(bruno.send(Method::POST, &format!("{path}/reset"), None).await).await;
    assert_eq!(bruno.get(path).await.expect(200)["profiles"], json!(["default", "pequena"]));

    // More than before must fit into the owner's quota; less always does.
    put(&admin, "/quotas/role/student", json!({ "memory_bytes": 512 * MIB })).await.expect(200);
    let short = patch(&admin, path, to(&["grande"])).await.problem(422, "quota-exceeded");
    let expected =
        json!({ "resource": "memory_bytes", "asked": 768 * MIB, "used": 256 * MIB, "allowed": 512 * MIB });
    assert_eq!(short["quota"], expected);
    put(&admin, "/quotas/role/student", json!({ "memory_bytes": MIB })).await.expect(200);
    patch(&admin, path, to(&["pequena"])).await.expect(200);
    bruno.until(path, "one of them", |m| m["profiles"] == json!(["pequena"])).await;
    // A paused one is left alone.
    bruno.until(path, "it is free", |m| m["operation"].is_null()).await;
    bruno.done(bruno.power("vmbrunoa", "freeze").await).await;
    patch(&admin, path, to(&["default"])).await.problem(409, "wrong-state");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_class_of_machines_is_given_a_profile() {
    let app = school().await;
    let (bruno, ana, admin) =
        (app.as_student("bruno").await, app.as_student("ana").await, app.as_admin().await);
    bruno.machine("a").await;
    ana.done(ana.post("/machines", json!({ "name": "b", "start": false })).await).await;
    let class = json!(["vmbrunoa", "vmanab"]);
    let give = json!({ "action": "profile", "profile": "pequena", "machines": class });
    let refused = bruno.post("/machines/bulk", give.clone()).await.expect(200);
    assert_eq!(refused["items"][0]["problem"]["code"], "forbidden");
    assert_eq!(refused["items"][1]["problem"]["code"], "not-found");
    let given = admin.post("/machines/bulk", give).await.expect(200);
    for (item, (person, path)) in given["items"]
        .as_array()
        .unwrap()
        .iter()
        .zip([(&bruno, "/machines/vmbrunoa"), (&ana, "/machines/vmanab")])
    {
        assert_eq!(item["operation"]["kind"], "machine.profiles", "{item}");
        let settled = |m: &Value| m["operation"].is_null() && m["profiles"] == json!(["pequena"]);
        person.until(path, "it has the profile", settled).await;
    }
    let noted = app.audit().await;
    let line = noted.iter().find(|line| line.action == "machine.edit" && line.outcome == 202).unwrap();
    assert_eq!(line.detail, Some(json!({ "profiles": ["pequena"] })));
    for body in [
        json!({ "action": "profile", "machines": class }),
        json!({ "action": "stop", "profile": "pequena", "machines": class }),
    ] {
        let problem = admin.post("/machines/bulk", body).await.problem(422, "validation-failed");
        assert_eq!(problem["errors"][0]["field"], "profile");
    }
}
