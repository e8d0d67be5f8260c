//! A teacher sees what the students of their own groups have, and only looks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Person, TestApp};

/// The owners (of machines) or requesters (of operations) on a page.
async fn names(person: &Person, path: &str, field: &str) -> Vec<String> {
    let page = person.get(path).await.expect(200);
    let mut names: Vec<String> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teacher_sees_the_students_of_their_groups_and_nobody_else() {
    let app = TestApp::start().await;
    // Bruno is in the teacher's class, Ana is not.
    let (bruno, ana, prof) =
        (app.as_student("bruno").await, app.as_student("ana").await, app.as_teacher().await);
    let admin = app.as_admin().await;
    for person in [&bruno, &ana, &prof] {
        person.machine("web").await;
    }
    assert_eq!(names(&prof, "/machines?owner=*", "owner").await, ["bruno", "prof"]);
    assert_eq!(names(&prof, "/operations?owner=*", "requested_by").await, ["bruno", "prof"]);
    assert_eq!(names(&prof, "/machines?owner=bruno", "owner").await, ["bruno"]);
    assert_eq!(names(&admin, "/machines?owner=*", "owner").await, ["ana", "bruno", "prof"]);
    // Somebody else's list is refused as that of nobody is.
    for kind in ["machines", "operations"] {
        for name in ["ana", "admin", "ghost"] {
            prof.get(&format!("/{kind}?owner={name}")).await.problem(403, "forbidden");
        }
    }
    // So is each thing: not there.
    let of_ana = ana.get("/operations").await.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    for path in [
        "/machines/vmanaweb".to_owned(),
        "/machines/vmanaweb/snapshots".into(),
        format!("/operations/{of_ana}"),
    ] {
        prof.get(&path).await.problem(404, "not-found");
    }
    prof.power("vmanaweb", "stop").await.problem(404, "not-found");
    prof.delete("/machines/vmanaweb").await.problem(404, "not-found");
    // What they see they may not touch.
    prof.get("/machines/vmbrunoweb").await.expect(200);
    prof.power("vmbrunoweb", "stop").await.problem(403, "forbidden");
    let body = Some(json!({ "description": "mine" }));
    prof.send(Method::PATCH, "/machines/vmbrunoweb", body).await.problem(403, "forbidden");
    let create = json!({ "name": "for-him", "owner": "bruno" });
    prof.post("/machines", create).await.problem(403, "forbidden");
    // Students of one class see nothing of each other, teachers nothing of who is no student.
    bruno.get("/machines/vmprofweb").await.problem(404, "not-found");
    let role = |role: Value| json!({ "role_override": role });
    admin.send(Method::PATCH, "/users/bruno", Some(role(json!("teacher")))).await.expect(200);
    assert_eq!(names(&prof, "/machines?owner=*", "owner").await, ["prof"]);
    prof.get("/machines/vmbrunoweb").await.problem(404, "not-found");
    // The one who teaches is now the other: Ana is in a group with him, too, that of all students.
    admin.send(Method::PATCH, "/users/prof", Some(role(json!("student")))).await.expect(200);
    assert_eq!(names(&bruno, "/machines?owner=*", "owner").await, ["ana", "bruno", "prof"]);
}
