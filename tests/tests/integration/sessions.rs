//! Logging in, staying logged in, logging out; tokens for scripts; who I am.

use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lives_by_its_cookie_and_dies_when_it_is_stolen() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    let login = nobody.post("/auth/login", json!({ "username": "BRUNO", "password": "bruno" })).await;
    let flags = login.header("set-cookie").to_owned();
    for flag in ["HttpOnly", "SameSite=Strict", "Path=/api/v1/auth"] {
        assert!(flags.contains(flag), "{flags}");
    }
    assert!(!flags.contains("Secure"), "there is no https here: {flags}");
    let first = login.cookie();
    assert_eq!(login.expect(200)["token_type"], "Bearer");

    let refreshed = nobody.with_cookie(&first).send(Method::POST, "/auth/refresh", None).await;
    let second = refreshed.cookie();
    assert_ne!(first, second);
    let token = refreshed.expect(200)["access_token"].as_str().unwrap().to_owned();
    let bruno = nobody.clone().with_token(&token);
    assert_eq!(bruno.get("/me").await.expect(200)["username"], "bruno");

    // The first cookie comes again: somebody has a copy. The whole session ends, the access token too.
    nobody
        .with_cookie(&first)
        .send(Method::POST, "/auth/refresh", None)
        .await
        .problem(401, "session-expired");
    nobody
        .with_cookie(&second)
        .send(Method::POST, "/auth/refresh", None)
        .await
        .problem(401, "session-expired");
    bruno.get("/me").await.problem(401, "session-expired");
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_out_ends_the_session() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    let login = nobody.post("/auth/login", json!({ "username": "ana", "password": "ana" })).await;
    let cookie = login.cookie();
    let ana = nobody.clone().with_token(login.body["access_token"].as_str().unwrap());
    let out = nobody.with_cookie(&cookie).send(Method::POST, "/auth/logout", None).await;
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    out.expect(204);
    ana.get("/me").await.problem(401, "session-expired");
    nobody
        .with_cookie(&cookie)
        .send(Method::POST, "/auth/refresh", None)
        .await
        .problem(401, "session-expired");
    // Logging out twice, or without having logged in, is no mistake.
    nobody.send(Method::POST, "/auth/logout", None).await.expect(204);
    let actions: Vec<String> = app.audit().await.into_iter().map(|line| line.action).collect();
    assert_eq!(actions, ["auth.logout", "auth.login"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_user_get_one_answer_and_a_line_in_the_log() {
    let app = TestApp::start().await;
    let mut details = Vec::new();
    for (username, password) in [("bruno", "wrong"), ("nobody", "nobody"), ("bruno", ""), ("*", "*")] {
        let answer =
            app.nobody().post("/auth/login", json!({ "username": username, "password": password })).await;
        details.push(answer.problem(401, "invalid-credentials")["detail"].clone());
    }
    details.dedup();
    assert_eq!(details.len(), 1, "{details:?}");
    let audit = app.audit().await;
    let line = audit.iter().find(|line| line.actor == "nobody").unwrap();
    assert_eq!((line.action.as_str(), line.outcome), ("auth.login", 401));
    assert_eq!(line.code.as_deref(), Some("invalid-credentials"));
    assert_eq!(line.address, "127.0.0.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_passwords_is_slowed_down() {
    let app = TestApp::start().await;
    let guess = json!({ "username": "ana", "password": "guess" });
    for _ in 0..10 {
        app.nobody().post("/auth/login", guess.clone()).await.problem(401, "invalid-credentials");
    }
    let refused = app.nobody().post("/auth/login", json!({ "username": "ana", "password": "ana" })).await;
    assert!(refused.problem(429, "too-many-attempts")["retry_after_seconds"].as_u64().unwrap() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_directory_nobody_logs_in_and_who_is_in_goes_on() {
    let mut app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    app.stop_directory().await;
    let login = json!({ "username": "ana", "password": "ana" });
    app.nobody().post("/auth/login", login).await.problem(503, "directory-unavailable");
    bruno.get("/machines").await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_sites_cannot_use_the_cookie() {
    let app = TestApp::builder().http("allowed_origins = [\"http://localhost:8081\"]").start().await;
    let login = json!({ "username": "bruno", "password": "bruno" });
    let cookie = app.nobody().post("/auth/login", login.clone()).await.cookie();
    for foreign in ["https://evil.example", "null", "http://localhost:8082"] {
        let page = app.nobody().with("origin", foreign);
        page.post("/auth/login", login.clone()).await.problem(403, "foreign-origin");
        page.with_cookie(&cookie)
            .send(Method::POST, "/auth/refresh", None)
            .await
            .problem(403, "foreign-origin");
        let command = page.with_cookie(&cookie).post("/machines", json!({ "name": "a" })).await;
        command.problem(403, "foreign-origin");
    }
    for own in ["http://localhost:8081", &app.url()] {
        app.nobody().with("origin", own).post("/auth/login", login.clone()).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_has_a_token_of_its_own() {
    let app = TestApp::start().await;
    let bruno = app.as_student("bruno").await;
    let made = bruno.post("/tokens", json!({ "name": "backup" })).await.expect(201);
    let script = app.nobody().with_token(made["token"].as_str().unwrap());
    script.get("/machines").await.expect(200);
    script.post("/machines", json!({ "name": "a" })).await.problem(403, "forbidden");
    script.get("/tokens").await.problem(403, "forbidden");

    let listed = bruno.get("/tokens").await;
    assert!(!listed.text.contains("vmsp_"), "the secret is shown once only");
    let id = listed.expect(200)["items"][0]["id"].as_str().unwrap().to_owned();
    app.as_student("ana").await.delete(&format!("/tokens/{id}")).await.problem(404, "not-found");
    bruno.delete(&format!("/tokens/{id}")).await.expect(204);
    script.get("/machines").await.problem(401, "unauthenticated");

    for bad in [json!({ "name": "" }), json!({ "name": "a", "expires_in_days": 367 })] {
        bruno.post("/tokens", bad).await.problem(422, "validation-failed");
    }
    assert!(app.audit().await.iter().all(|line| !format!("{line:?}").contains("vmsp_")));
}

#[tokio::test(flavor = "multi_thread")]
async fn everyone_learns_who_they_are() {
    let app = TestApp::start().await;
    for (name, role, full) in [
        ("bruno", "student", "Bruno Rizzetti"),
        ("prof", "teacher", "Paulo Monteiro"),
        ("admin", "admin", "Adriana Ferraz"),
    ] {
        let person = app.log_in(name).await;
        let answer = person.get("/me").await;
        let tag = answer.header("etag").to_owned();
        let me = answer.expect(200);
        assert_eq!((me["role"].as_str(), me["display_name"].as_str()), (Some(role), Some(full)));
        assert_eq!(me["quota"]["machines"], json!({ "used": 0, "limit": 10 }));
        assert_eq!(person.with("if-none-match", &tag).get("/me").await.text, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_proxy_with_https_cookies_are_secure_and_addresses_are_the_clients() {
    let keys = "public_url = \"https://vms.school.example\"\ntrusted_proxies = [\"127.0.0.1\"]";
    let app = TestApp::builder().http(keys).start().await;
    let login = json!({ "username": "bruno", "password": "bruno" });
    let proxied = app.nobody().with("x-forwarded-for", "6.6.6.6, 192.0.2.7, 127.0.0.1");
    let answer =
        proxied.with("origin", "https://vms.school.example").post("/auth/login", login.clone()).await;
    assert!(answer.header("set-cookie").contains("; Secure"), "{}", answer.header("set-cookie"));
    // What the client itself claims to be stands further left, and is not believed.
    assert_eq!(app.audit().await[0].address, "192.0.2.7");
    let direct = TestApp::start().await;
    direct.nobody().with("x-forwarded-for", "192.0.2.7").post("/auth/login", login).await.expect(200);
    assert_eq!(direct.audit().await[0].address, "127.0.0.1");
}
