//! What administrators decide about people: who is let in, what they may use, whose a machine is.

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;
use vms_client::native::NativeTransport;
use vms_client::{ApiClient, Conditional, UserQuery};
use vms_types::{PatchUser, Quota, QuotaScope, Role};

use crate::app::{Answer, PATIENCE, Person, TestApp, eventually};

async fn patch(person: &Person, path: &str, body: Value) -> Answer {
    person.send(Method::PATCH, path, Some(body)).await
}

async fn put(person: &Person, path: &str, body: Value) -> Answer {
    person.send(Method::PUT, path, Some(body)).await
}

fn shortage(answer: Answer) -> (String, u64, u64, u64) {
    let quota = answer.problem(422, "quota-exceeded")["quota"].clone();
    let number = |name: &str| quota[name].as_u64().unwrap();
    (quota["resource"].as_str().unwrap().to_owned(), number("asked"), number("used"), number("allowed"))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_locked_out_is_out_within_the_next_request() {
    let app = TestApp::start().await;
    let login = json!({ "username": "bruno", "password": "bruno" });
    let session = app.nobody().post("/auth/login", login.clone()).await;
    let cookie = session.cookie();
    let bruno = app.nobody().with_token(session.expect(200)["access_token"].as_str().unwrap());
    let token = json!({ "name": "script", "scope": "write" });
    let token = bruno.post("/tokens", token).await.expect(201);
    let script = app.nobody().with_token(token["token"].as_str().unwrap());
    let client = ApiClient::new(NativeTransport::new().unwrap(), &app.url());
    client.login("bruno", "bruno").await.unwrap();
    let mut events = client.events(None, false).await.unwrap();

    let admin = app.as_admin().await;
    let locked = patch(&admin, "/users/bruno", json!({ "disabled": true })).await.expect(200);
    assert_eq!((locked["disabled"].clone(), locked["role"].clone()), (json!(true), json!("student")));
    bruno.get("/me").await.problem(401, "session-expired");
    script.get("/machines").await.problem(403, "account-not-allowed");
    let refresh = app.nobody().with_cookie(&cookie).send(Method::POST, "/auth/refresh", None).await;
    refresh.problem(401, "session-expired");
    app.nobody().post("/auth/login", login.clone()).await.problem(403, "account-not-allowed");
    let closed = async { while let Some(Ok(_)) = events.next().await {} };
    timeout(PATIENCE, closed).await.expect("the websocket goes on");

    patch(&admin, "/users/bruno", json!({ "disabled": false })).await.expect(200);
    bruno.get("/me").await.problem(401, "session-expired");
    script.get("/machines").await.expect(200);
    app.nobody().post("/auth/login", login).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn signing_somebody_out_ends_sessions_and_nothing_else() {
    let app = TestApp::start().await;
    let (first, second) = (app.log_in("bruno").await, app.log_in("bruno").await);
    let token = first.post("/tokens", json!({ "name": "script" })).await.expect(201);
    let script = app.nobody().with_token(token["token"].as_str().unwrap());
    let ana = app.as_student("ana").await;
    let admin = app.as_admin().await;
    admin.send(Method::POST, "/users/bruno/sign-out", None).await.expect(204);
    for session in [&first, &second] {
        session.get("/me").await.problem(401, "session-expired");
    }
    script.get("/machines").await.expect(200);
    ana.get("/me").await.expect(200);
    app.log_in("bruno").await.get("/me").await.expect(200);
    admin.send(Method::POST, "/users/ghost/sign-out", None).await.problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn administrators_cannot_end_their_own_rights() {
    let app = TestApp::start().await;
    let admin = app.as_admin().await;
    let both = json!({ "disabled": true, "role_override": "teacher" });
    let refused = patch(&admin, "/users/admin", both).await.problem(422, "validation-failed");
    let fields: Vec<&str> =
        refused["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["disabled", "role_override"]);
    let harmless = json!({ "role_override": "admin", "quota": { "machines": 50 }, "disabled": false });
    patch(&admin, "/users/admin", harmless).await.expect(200);
    let back =
        patch(&admin, "/users/admin", json!({ "role_override": null, "quota": null })).await.expect(200);
    assert_eq!((back["role"].clone(), back["quota"].clone()), (json!("admin"), Value::Null));

    // Somebody else they make one of them, and take it back; it counts from the next request on.
    let prof = app.as_teacher().await;
    prof.get("/users").await.problem(403, "forbidden");
    patch(&admin, "/users/prof", json!({ "role_override": "admin" })).await.expect(200);
    prof.get("/users").await.expect(200);
    patch(&prof, "/users/admin", json!({ "disabled": true })).await.expect(200);
    admin.get("/me").await.problem(401, "session-expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_listed_in_pages_and_changed_as_they_were_seen() {
    let app = TestApp::start().await;
    for name in ["ana", "bruno", "aluno0001", "prof"] {
        app.log_in(name).await;
    }
    let client = ApiClient::new(NativeTransport::new().unwrap(), &app.url());
    client.login("admin", "admin").await.unwrap();
    let page = async |query: UserQuery| match client.users(&query, None).await.unwrap() {
        Conditional::Data { value, .. } => value,
        Conditional::NotModified => panic!("nothing was known"),
    };
    let (mut names, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(UserQuery { limit: Some(2), cursor, ..UserQuery::default() }).await;
        names.extend(page.items.into_iter().map(|user| user.username));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(names, ["admin", "aluno0001", "ana", "bruno", "prof"]);
    let found = page(UserQuery { q: Some("rizz".into()), ..UserQuery::default() }).await.items;
    assert_eq!((found.len(), found[0].username.as_str(), found[0].machines), (1, "bruno", 0));
    let teachers = page(UserQuery { role: Some(Role::Teacher), ..UserQuery::default() }).await.items;
    assert_eq!(teachers.len(), 1);

    let Conditional::Data { etag: Some(tag), .. } = client.user("ana", None).await.unwrap() else {
        panic!("no tag");
    };
    let quota = Quota { machines: Some(2), ..Quota::default() };
    let change = PatchUser { quota: Some(Some(quota)), ..PatchUser::default() };
    let ana = client.patch_user("ana", &change, Some(&tag)).await.unwrap();
    assert_eq!(ana.quota, Some(quota));
    let admin = app.as_admin().await;
    let late = patch(&admin.with("if-match", &tag), "/users/ana", json!({ "disabled": true })).await;
    late.problem(412, "precondition-failed");
    admin.get("/users?cursor=nonsense").await.problem(400, "malformed-parameter");
    admin.get("/users?q=%00").await.problem(400, "malformed-parameter");
    admin.get("/users/ghost").await.problem(404, "not-found");
    let huge = json!({ "quota": { "memory_bytes": u64::MAX } });
    patch(&admin, "/users/ana", huge).await.problem(422, "validation-failed");

    // By group, by role, by person: the most specific decides.
    client
        .put_quota(QuotaScope::Role, "student", &Quota { running: Some(3), ..Quota::default() })
        .await
        .unwrap();
    let bruno = app.as_student("bruno").await;
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["running"], 3);
    let rules = match client.quotas(None).await.unwrap() {
        Conditional::Data { value, .. } => value.items,
        Conditional::NotModified => panic!("nothing was known"),
    };
    assert_eq!((rules[0].scope, rules[0].quota.machines), (QuotaScope::School, Some(10)));
    assert_eq!((rules[1].scope, rules[1].subject.as_str()), (QuotaScope::Role, "student"));
    let me = app.as_student("ana").await.get("/me").await.expect(200);
    assert_eq!(me["quota"]["machines"], json!({ "used": 0, "limit": 2 }));
    client.delete_quota(QuotaScope::Role, "student").await.unwrap();
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["running"], Value::Null);
    put(&admin, "/quotas/role/king", json!({})).await.problem(422, "validation-failed");
    put(&admin, "/quotas/school/x", json!({})).await.problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_left_the_directory_is_shown_with_what_they_hold() {
    let mut app = TestApp::start().await;
    let admin = app.as_admin().await;
    app.as_student("bruno").await.machine("web").await;
    app.log_in("ana").await;
    let check =
        async |name: &str| admin.send(Method::POST, &format!("/users/{name}/directory-check"), None).await;
    let before = admin.get("/users/bruno").await.expect(200);
    assert_eq!((&before["in_directory"], &before["allowed"]["machines"]), (&json!(true), &json!(10)));
    assert_eq!(before["directory_checked_at"], before["last_login_at"]);
    app.leave("bruno");
    let gone = check("bruno").await.expect(200);
    assert_eq!((&gone["in_directory"], &gone["machines"]), (&json!(false), &json!(1)));
    assert!(gone["directory_checked_at"].as_str() > before["directory_checked_at"].as_str());
    assert_eq!(check("ana").await.expect(200)["in_directory"], true);
    let page = admin.get("/users?in_directory=false").await.expect(200);
    assert_eq!(
        (page["items"].as_array().unwrap().len(), &page["items"][0]["username"]),
        (1, &json!("bruno"))
    );
    // Who never logged in is not asked about: nobody looks through the directory from here.
    check("aluno0001").await.problem(404, "not-found");
    app.stop_directory().await;
    check("ana").await.problem(503, "directory-unavailable");
    assert_eq!(admin.get("/users/ana").await.expect(200)["in_directory"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_of_disk_is_told_where_it_is_only_counted() {
    let app = TestApp::start().await;
    let pools = app.as_admin().await.get("/storage-pools").await.expect(200);
    let of_sim = json!({ "server": "lxd1", "name": "default", "driver": "dir", "enforces_size": false });
    assert_eq!(pools["items"], json!([of_sim]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_cannot_both_take_the_last_running_place() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let admin = app.as_admin().await;
    for name in ["a", "b"] {
        let off = json!({ "name": name, "start": false });
        bruno.done(bruno.post("/machines", off).await).await;
    }
    put(&admin, "/quotas/role/student", json!({ "running": 1 })).await.expect(200);
    for _ in 0..20 {
        let (a, b) = tokio::join!(bruno.power("vmbrunoa", "start"), bruno.power("vmbrunob", "start"));
        let (won, lost) = if a.status == 202 { (a, b) } else { (b, a) };
        assert_eq!(shortage(lost), ("running".into(), 1, 1, 1));
        let machine = bruno.done(won).await["machine"]["instance"].as_str().unwrap().to_owned();
        assert_eq!(bruno.get("/me").await.expect(200)["quota"]["used"]["running"], 1);
        let new = bruno.post("/machines", json!({ "name": "c" })).await;
        assert_eq!(shortage(new), ("running".into(), 1, 1, 1));
        // What runs keeps its place.
        bruno.done(bruno.power(&machine, "restart").await).await;
        bruno.done(bruno.power(&machine, "stop").await).await;
    }
    // An administrator starts it on the owner's account, too: the quota is the owner's.
    bruno.done(bruno.power("vmbrunoa", "start").await).await;
    assert_eq!(shortage(admin.power("vmbrunob", "start").await), ("running".into(), 1, 1, 1));
    // Allowing less than is used stops nothing that runs.
    put(&admin, "/quotas/role/student", json!({ "running": 0, "machines": 1 })).await.expect(200);
    bruno.done(bruno.power("vmbrunoa", "restart").await).await;
    let off = json!({ "name": "c", "start": false });
    assert_eq!(shortage(bruno.post("/machines", off).await), ("machines".into(), 1, 2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_is_counted_by_profile_and_a_profile_without_limit_is_refused() {
    const MIB: u64 = 1 << 20;
    let app = TestApp::builder()
        .profile("pequena", &[("limits.memory", "256MiB"), ("limits.cpu", "1")], "1GiB")
        .start()
        .await;
    let bruno = app.as_student("bruno").await;
    let admin = app.as_admin().await;
    put(&admin, "/quotas/role/student", json!({ "memory_bytes": 600 * MIB, "cpus": 8 })).await.expect(200);
    let refused = bruno.post("/machines", json!({ "name": "a" })).await.problem(422, "validation-failed");
    assert_eq!(
        (&refused["errors"][0]["field"], &refused["errors"][0]["code"]),
        (&json!("profile"), &json!("unlimited"))
    );

    let new = |name: &str| json!({ "name": name, "profile": "pequena", "start": false });
    bruno.done(bruno.post("/machines", new("a")).await).await;
    let (b, c) = tokio::join!(bruno.post("/machines", new("b")), bruno.post("/machines", new("c")));
    let (won, lost) = if b.status == 202 { (b, c) } else { (c, b) };
    assert_eq!(shortage(lost), ("memory_bytes".into(), 256 * MIB, 512 * MIB, 600 * MIB));
    bruno.done(won).await;
    let used = bruno.get("/me").await.expect(200)["quota"]["used"].clone();
    let expected = json!({ "running": 0, "memory_bytes": 512 * MIB, "cpus": 2, "disk_bytes": 2048 * MIB });
    assert_eq!(used, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_is_handed_over_with_its_name() {
    let app = TestApp::start().await;
    let (bruno, ana, admin) =
        (app.as_student("bruno").await, app.as_student("ana").await, app.as_admin().await);
    let machine = bruno.machine("web").await;
    let path = format!("/machines/{}", machine["id"].as_str().unwrap());
    let to = |owner: &str| json!({ "owner": owner });
    patch(&bruno, &path, to("ana")).await.problem(403, "forbidden");
    patch(&ana, &path, to("ana")).await.problem(404, "not-found");
    patch(&app.as_teacher().await, &path, to("prof")).await.problem(403, "forbidden");
    patch(&admin, &path, to("ghost")).await.problem(422, "validation-failed");
    patch(&admin, "/users/ana", json!({ "quota": { "machines": 0 } })).await.expect(200);
    assert_eq!(shortage(patch(&admin, &path, to("ana")).await), ("machines".into(), 1, 0, 0));
    patch(&admin, "/users/ana", json!({ "quota": null })).await.expect(200);
    ana.machine("web").await;
    patch(&admin, &path, to("ana")).await.problem(409, "name-taken");
    ana.done(ana.delete("/machines/vmanaweb").await).await;

    let given =
        patch(&admin, &path, json!({ "owner": "ana", "description": "from Bruno" })).await.expect(200);
    assert_eq!((&given["owner"], &given["instance"]), (&json!("ana"), &machine["instance"]));
    assert_eq!(given["description"], "from Bruno");
    bruno.get(&path).await.problem(404, "not-found");
    assert_eq!(bruno.get("/me").await.expect(200)["quota"]["machines"]["used"], 0);
    assert_eq!(ana.get("/machines").await.expect(200)["items"].as_array().unwrap().len(), 1);
    let says = async |owner: &str| {
        eventually("the key follows", async || {
            let now = app.sim.instance("vmbrunoweb").unwrap().config["user.vms.owner"].clone();
            if now == owner { Ok(()) } else { Err(now) }
        })
        .await;
    };
    says("ana").await;
    // A crash between the row and the key leaves the old word: the row decides.
    app.sim.set_instance_config("vmbrunoweb", "user.vms.owner", "bruno").unwrap();
    says("ana").await;
    // A snapshot of Bruno's days brings his name back for a moment.
    patch(&admin, &path, to("bruno")).await.expect(200);
    says("bruno").await;
    let snapshots = format!("{path}/snapshots");
    bruno.done(bruno.post(&snapshots, json!({ "name": "old" })).await).await;
    patch(&admin, &path, to("ana")).await.expect(200);
    says("ana").await;
    ana.done(ana.send(Method::POST, &format!("{snapshots}/old/restore"), None).await).await;
    says("ana").await;
    ana.done(ana.power("vmbrunoweb", "stop").await).await;
}
