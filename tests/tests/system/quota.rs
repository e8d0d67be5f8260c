//! Two at once cannot both take the last place.

use serde_json::json;
use vms_tests::real::SchoolOptions;

use crate::school;

const TRIES: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_simultaneous_creations_at_the_last_place_one_wins() {
    let school = school!(SchoolOptions { machines: Some(1), ..SchoolOptions::default() });
    // Two sessions of one person, as two tabs would be.
    let (left, right) = (school.login("bruno").await, school.login("bruno").await);
    for attempt in 0..TRIES {
        let create = |name: &str| json!({ "name": name, "start": false });
        let (a, b) = tokio::join!(
            left.post("/machines", create("esquerda")),
            right.post("/machines", create("direita"))
        );
        let (winner, loser) = if a.status == 202 { (a, b) } else { (b, a) };
        let refused = loser.problem(422, "quota-exceeded");
        assert_eq!(
            refused["quota"],
            json!({ "resource": "machines", "asked": 1, "used": 1, "allowed": 1 }),
            "try {attempt}: {refused:#}"
        );
        let operation = left.done(winner).await;
        let instance = operation["machine"]["instance"].as_str().unwrap().to_owned();
        assert_eq!(school.instances(), std::slice::from_ref(&instance), "try {attempt}");
        assert_eq!(left.used().await, 1);
        left.done(left.delete(&format!("/machines/{instance}")).await).await;
        assert_eq!(left.used().await, 0, "try {attempt}");
    }
}
