//! `/docs`: the OpenAPI document as a page for people, made here, with nothing fetched from elsewhere; `/docs/problems`:
//! what each problem code means and what to do about it.

mod explain;
mod operation;
mod page;

use actix_web::http::header::ContentType;
use actix_web::mime;
use actix_web::{HttpResponse, web};

use crate::assets::html;

const STYLE: &str = include_str!("style.css");

pub(crate) fn mount(config: &mut web::ServiceConfig) {
    config
        .route("/docs", web::get().to(async || html(page::reference(&crate::document()))))
        .route("/docs/problems", web::get().to(async || html(page::problems())))
        .route("/docs/style.css", web::get().to(style));
}

async fn style() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType(mime::TEXT_CSS_UTF_8)).body(STYLE)
}
