//! Somebody else's machine is as if it were not there: the same answer as for one that does not exist, on every path
//! and method.

use reqwest::Method;
use serde_json::{Value, json};
use vms_tests::real::{Api, School};

/// Every path and method of a machine, with a body that would be accepted from its owner.
fn ways(machine: &str) -> Vec<(Method, String, Option<Value>)> {
    let path = |rest: &str| format!("/machines/{machine}{rest}");
    let name = || Some(json!({ "name": "outro" }));
    vec![
        (Method::GET, path(""), None),
        (Method::PATCH, path(""), Some(json!({ "description": "minha" }))),
        (Method::DELETE, path(""), None),
        (Method::PUT, path("/state"), Some(json!({ "action": "stop" }))),
        (Method::POST, path("/reset"), None),
        (Method::GET, path("/snapshots"), None),
        (Method::POST, path("/snapshots"), name()),
        (Method::PATCH, path("/snapshots/antes"), name()),
        (Method::DELETE, path("/snapshots/antes"), None),
        (Method::POST, path("/snapshots/antes/restore"), None),
    ]
}

fn ways_to_operation(id: &str) -> Vec<(Method, String, Option<Value>)> {
    let path = |rest: &str| format!("/operations/{id}{rest}");
    vec![
        (Method::GET, path(""), None),
        (Method::GET, path("/wait?timeout_seconds=1"), None),
        (Method::DELETE, path(""), None),
    ]
}

/// The 404 that `who` gets, without the one thing that differs from answer to answer.
async fn refusal(who: &Api, (method, path, body): (Method, String, Option<Value>)) -> Value {
    let mut problem = who.send(method, &path, body).await.problem(404, "not-found");
    problem.as_object_mut().unwrap().remove("request_id");
    problem
}

/// `ana` sees nothing of bruno's one machine, and changes nothing of it.
pub async fn sees_nothing(school: &School, ana: &Api, id: &str) {
    let before = school.lxc(&["query", "/1.0/instances/vmbrunomaquinaa"]);
    let nobody = "00000000-0000-4000-8000-000000000000";
    for (theirs, missing) in [("vmbrunomaquinaa", "vmbrunoinexistente"), (id, nobody)] {
        for (way, same_way) in ways(theirs).into_iter().zip(ways(missing)) {
            let asked = format!("{} {}", way.0, way.1);
            assert_eq!(refusal(ana, way).await, refusal(ana, same_way).await, "{asked}");
        }
    }
    let operation =
        school.login("bruno").await.get("/operations").await.expect(200)["items"][0]["id"].clone();
    for (way, same_way) in
        ways_to_operation(operation.as_str().unwrap()).into_iter().zip(ways_to_operation(nobody))
    {
        let asked = format!("{} {}", way.0, way.1);
        assert_eq!(refusal(ana, way).await, refusal(ana, same_way).await, "{asked}");
    }
    for list in ["/machines", "/operations"] {
        assert_eq!(ana.get(list).await.expect(200)["items"], json!([]), "{list}");
    }
    assert_eq!(ana.used().await, 0);
    let after = school.lxc(&["query", "/1.0/instances/vmbrunomaquinaa"]);
    assert_eq!(before, after, "the machine changed");
}
