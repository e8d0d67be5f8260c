//! The HTTP face of VMS: what a browser or a script can ask, and the one shape of every answer.
//!
//! The way of a request:
//! 1. [`middleware`] gives it an id, a log line and security headers, and turns whatever goes wrong below (an unknown
//!    path, a panic) into `application/problem+json` (RFC 9457);
//! 2. the one scope `/api/v1` refuses whoever is not authenticated; the public routes are a short list;
//! 3. a handler in [`routes`] extracts ([`Ctx`](context::Ctx), [`JsonBody`](body::JsonBody)…), authorizes, makes one call
//!    into [`vms_core::Vms`] and answers.
//!
//! Every handler carries its own description; [`document`] makes the OpenAPI document from them, and `/docs` the pages
//! that people read. [`app`] puts everything together.

mod assets;
mod body;
mod conditional;
mod context;
mod cookie;
mod docs;
mod error;
mod export;
mod health;
mod metrics;
mod middleware;
mod openapi;
mod origin;
mod paging;
mod params;
mod routes;
mod state;
mod upload;
mod websocket;

pub use error::ApiError;
pub use metrics::{Network, describe_metrics};
pub use openapi::{document, document_text};
pub use state::{AppState, SetupError, WebSettings};

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, web};

/// The largest JSON body, in bytes. No such body of this API comes near it. Images are taken in pieces and have a limit of
/// their own ([`WebSettings::max_image_bytes`]).
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// The whole application for one worker: routes, middleware, pages.
#[must_use]
pub fn app(
    state: &AppState,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl actix_web::body::MessageBody + use<>>,
        Error = actix_web::Error,
        InitError = (),
    > + use<>,
> {
    App::new()
        .app_data(web::Data::new(state.clone()))
        .configure(|config| configure(config, state))
        .wrap(Compress::default())
        .wrap(from_fn(middleware::every_request))
}

/// Mounts the API, the health checks, the documentation and the pages. The middleware that stands before all of them is
/// added by [`app`].
pub fn configure(config: &mut web::ServiceConfig, state: &AppState) {
    let api = web::scope(vms_types::API_PREFIX)
        .configure(|config| {
            let mut config = utoipa_actix_web::service_config::ServiceConfig::new(config);
            routes::mount(&mut config);
        })
        .default_service(web::to(routes::unknown))
        .wrap(from_fn(middleware::authenticate))
        .wrap(from_fn(middleware::audit));
    config.app_data(web::PayloadConfig::new(MAX_BODY_BYTES));
    config.service(api);
    health::mount(config);
    metrics::mount(config);
    docs::mount(config);
    assets::mount(config, state);
}

/// What every body is between the layers.
pub(crate) type Answer = ServiceResponse<BoxBody>;
