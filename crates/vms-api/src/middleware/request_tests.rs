//! Whatever happens inside, what goes out is a problem with the request's id.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::sync::Arc;

use actix_web::App;
use actix_web::body::to_bytes;
use actix_web::middleware::from_fn;
use actix_web::test::{TestRequest, init_service};
use async_trait::async_trait;
use serde_json::Value;
use vms_auth::{AccessTokens, AuthError, Authenticator, Identity, Presence, SigningKey, TokenSettings};
use vms_core::{Settings, Vms};
use vms_types::Site;

use super::*;
use crate::WebSettings;

struct Nobody;

#[async_trait]
impl Authenticator for Nobody {
    async fn authenticate(&self, _: &str, _: &str) -> Result<Identity, AuthError> {
        Err(AuthError::InvalidCredentials)
    }

    async fn presence(&self, _: &str) -> Result<Presence, AuthError> {
        Ok(Presence::Untold)
    }

    async fn health(&self) -> Result<(), AuthError> {
        Ok(())
    }
}

async fn state(dir: &std::path::Path) -> AppState {
    let db = vms_db::Datastore::open(&format!("sqlite://{}", dir.join("vms.db").display())).await.unwrap();
    let tokens = AccessTokens::new(TokenSettings::default(), SigningKey::generate().unwrap()).unwrap();
    let fleet = vms_fleet::Fleet::start([]);
    let vms = Vms::new(Settings::default(), db, fleet, Arc::new(Nobody), tokens);
    let words = || "x".to_owned();
    let site = Site {
        title: words(),
        institution: words(),
        welcome: words(),
        contact: words(),
        logo_url: None,
        languages: vec!["en".to_owned()],
        version: words(),
    };
    let settings = WebSettings {
        site,
        public_url: None,
        allowed_origins: Vec::new(),
        static_dir: None,
        logo_file: None,
        trusted_proxies: Vec::new(),
        max_image_bytes: 1024,
        metrics_allowed: crate::Network::loopback(),
        metrics: None,
    };
    AppState::new(vms, settings).unwrap()
}

async fn problem(response: HttpResponse) -> Value {
    assert_eq!(response.headers().get(CONTENT_TYPE).unwrap(), PROBLEM_JSON);
    serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap()
}

#[actix_web::test]
async fn a_panic_is_an_internal_error_with_the_requests_id() {
    let dir = tempfile::tempdir().unwrap();
    let app = App::new()
        .app_data(web::Data::new(state(dir.path()).await))
        .route("/panics", web::get().to(async || -> HttpResponse { panic!("a defect") }))
        .wrap(from_fn(every_request));
    let service = init_service(app).await;
    let request = TestRequest::get().uri("/panics").insert_header(("x-request-id", "abc")).to_request();
    let error = actix_web::dev::Service::call(&service, request).await.unwrap_err();
    let body = problem(error.as_response_error().error_response()).await;
    assert_eq!((body["code"].as_str(), body["request_id"].as_str()), (Some("internal"), Some("abc")));
    assert!(!body.to_string().contains("a defect"), "the words of a panic are for the log");
}

#[actix_web::test]
async fn the_frameworks_own_errors_take_the_same_shape() {
    let dir = tempfile::tempdir().unwrap();
    let failing = async || -> Result<HttpResponse, Error> {
        Err(actix_web::error::ErrorInternalServerError("password=secret"))
    };
    let app = App::new()
        .app_data(web::Data::new(state(dir.path()).await))
        .route("/number/{n}", web::get().to(async |_: web::Path<u32>| HttpResponse::Ok()))
        .route("/fails", web::get().to(failing))
        .wrap(from_fn(every_request));
    let service = init_service(app).await;
    for (path, status, code) in
        [("/number/x", 404, "not-found"), ("/nothing", 404, "not-found"), ("/fails", 500, "internal")]
    {
        let request = TestRequest::get().uri(path).to_request();
        let answer = actix_web::dev::Service::call(&service, request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{path}");
        let id = answer.headers().get(REQUEST_ID).unwrap().to_str().unwrap().to_owned();
        let body = problem(answer.into_parts().1).await;
        assert_eq!(
            (body["code"].as_str(), body["request_id"].as_str()),
            (Some(code), Some(id.as_str())),
            "{path}"
        );
        assert!(!body.to_string().contains("secret"), "{body}");
    }
}

#[actix_web::test]
async fn while_the_system_ends_it_is_not_ready_and_clients_are_sent_away() {
    let dir = tempfile::tempdir().unwrap();
    let state = state(dir.path()).await;
    let service = init_service(crate::app(&state)).await;
    let ask = async |path: &str| {
        let request = TestRequest::get().uri(path).to_request();
        let answer = actix_web::dev::Service::call(&service, request).await.unwrap();
        let close = answer.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
        let status = answer.status().as_u16();
        let body: Value =
            serde_json::from_slice(&to_bytes(answer.into_body()).await.unwrap_or_else(|_| panic!())).unwrap();
        (status, close, body)
    };
    let (_, close, body) = ask("/readyz").await;
    assert_eq!((close, body["stopping"].as_bool()), (false, Some(false)));
    state.vms().shutdown().await;
    let (status, close, body) = ask("/readyz").await;
    assert_eq!((status, close, body["stopping"].as_bool()), (503, true, Some(true)));
    let (status, close, _) = ask("/api/v1/site").await;
    assert_eq!((status, close), (200, true), "reading goes on");
}
