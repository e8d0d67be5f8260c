//! What a browser gets besides the API: the app's files, its fallback, the documentation.

use reqwest::Method;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_served_with_its_policy_and_kept_where_its_name_has_a_hash() {
    let dist = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dist.path().join(name), text).unwrap();
    std::fs::create_dir(dist.path().join("admin")).unwrap();
    write("admin/index.html", "<!doctype html>of administrators");
    write("index.html", "<!doctype html><script type=\"module\">alert(1)</script>");
    write("app-0123456789abcdef.js", "let plain;");
    write("app-0123456789abcdef.js.br", "as if it were brotli");
    let app = TestApp::builder().http(format!("static_dir = \"{}\"", dist.path().display())).start().await;
    let nobody = app.nobody();
    for path in ["/", "/login", "/machines/some"] {
        let page = nobody.at(Method::GET, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.text.contains("alert(1)") && page.header("content-type").starts_with("text/html"),
            "{path}"
        );
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        assert!(
            page.header("content-security-policy")
                .contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='")
        );
    }
    for path in ["/admin", "/admin/", "/admin/machines"] {
        assert!(nobody.at(Method::GET, path).await.text.contains("of administrators"), "{path}");
    }
    let script = nobody.at(Method::GET, "/app-0123456789abcdef.js").await;
    assert_eq!((script.text.as_str(), script.header("content-encoding")), ("let plain;", ""));
    assert!(script.header("cache-control").contains("immutable"));
    let packed = nobody.with("accept-encoding", "br").at(Method::GET, "/app-0123456789abcdef.js").await;
    assert_eq!((packed.text.as_str(), packed.header("content-encoding")), ("as if it were brotli", "br"));
    assert!(packed.header("content-type").contains("javascript"), "{}", packed.header("content-type"));
    for path in ["/missing.js", "/../Cargo.toml", "/api/nothing", "/api/v2/me"] {
        nobody.at(Method::GET, path).await.problem(404, "not-found");
    }
    // A path that could be the app's own page is that page, and never a file outside.
    let outside = nobody.at(Method::GET, "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/hostname").await;
    assert!(outside.status == 404 || outside.text.contains("alert(1)"), "{}", outside.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_there_for_people_and_programs() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    for (path, words) in [("/docs", "machine_create"), ("/docs/problems", "quota-exceeded")] {
        let page = nobody.at(Method::GET, path).await;
        assert!(page.status == 200 && page.text.contains(words), "{path}");
    }
    assert!(nobody.at(Method::GET, "/docs/style.css").await.header("content-type").starts_with("text/css"));
    let served = nobody.get("/openapi.json").await.expect(200);
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/vms.json")).unwrap();
    assert_eq!(served, serde_json::from_str::<serde_json::Value>(&kept).unwrap());
    assert_eq!(nobody.at(Method::GET, "/healthz").await.status, 200);
    let site = nobody.get("/site").await.expect(200);
    assert_eq!(
        (site["title"].as_str(), site["languages"][0].as_str()),
        (Some("Sistema de Máquinas Virtuais"), Some("pt-BR"))
    );
}
