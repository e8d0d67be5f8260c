//! Who may read `/metrics`, also through a proxy.

use reqwest::Method;

use crate::app::TestApp;

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_those_who_are_named() {
    let app = TestApp::builder()
        .http("trusted_proxies = [\"127.0.0.1\"]\nmetrics_allowed = [\"127.0.0.1\", \"10.20.0.0/16\"]")
        .start()
        .await;
    let nobody = app.nobody();
    let read = async |from: &str| nobody.with("x-forwarded-for", from).at(Method::GET, "/metrics").await;
    let page = nobody.at(Method::GET, "/metrics").await;
    assert!(page.text.contains("# TYPE vms_http_requests_total counter"), "{}", page.text);
    assert_eq!(read("10.20.3.4").await.status, 200);
    read("10.21.0.1").await.problem(404, "not-found");
    // What a client writes itself stands left of what the proxy adds.
    read("127.0.0.1, 203.0.113.9").await.problem(404, "not-found");

    let app = TestApp::builder().http("metrics_allowed = []").start().await;
    app.nobody().at(Method::GET, "/metrics").await.problem(404, "not-found");
}
