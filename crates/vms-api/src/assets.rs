//! The pages: files that the build of the frontend left, and `index.html` for every path that is a page's own. Below
//! `/admin` it is the one of the administrators' program.
//!
//! What the build pre-compressed (`x.js.br`, `x.js.gz`) is sent as it is. The content security policy allows the inline
//! scripts of `index.html` by their hashes and nothing else.

use std::path::Path;

use actix_files::{Files, NamedFile};
use actix_web::dev::{ServiceRequest, ServiceResponse, fn_service};
use actix_web::http::Method;
use actix_web::http::header::{ContentType, HeaderValue};
use actix_web::{Error, HttpRequest, HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use crate::error::ApiError;
use crate::state::{AppState, SetupError};

/// Serves the pages, or only the API's own 404 where there are none.
pub(crate) fn mount(config: &mut web::ServiceConfig, state: &AppState) {
    config.route(Logo::PATH, web::get().to(logo));
    match state.static_dir() {
        Some(dir) => {
            let files = Files::new("/", dir)
                .index_file("index.html")
                .try_compressed()
                .prefer_utf8(true)
                .disable_content_disposition()
                .default_handler(fn_service(fallback));
            config.service(files);
        }
        None => {
            config.default_service(web::to(nothing_here));
        }
    }
}

async fn nothing_here() -> Result<HttpResponse, ApiError> {
    Err(ApiError::not_found())
}

/// A path that is no file is a page of the app if a browser navigates to it, and does not exist otherwise.
async fn fallback(request: ServiceRequest) -> Result<ServiceResponse, Error> {
    let path = request.path();
    let last = path.rsplit('/').next().unwrap_or_default();
    let program = if path.split('/').nth(1) == Some("admin") { "admin/index.html" } else { "index.html" };
    let is_page = *request.method() == Method::GET && !path.starts_with("/api") && !last.contains('.');
    let (request, _) = request.into_parts();
    let index =
        request.app_data::<web::Data<AppState>>().and_then(|state| Some(state.static_dir()?.join(program)));
    let response = match index.filter(|_| is_page).map(NamedFile::open) {
        Some(Ok(file)) => file.into_response(&request),
        Some(Err(error)) => {
            tracing::error!(%error, program, "it cannot be read");
            HttpResponse::from_error(ApiError::internal())
        }
        None => HttpResponse::from_error(ApiError::not_found()),
    };
    Ok(ServiceResponse::new(request, response))
}

async fn logo(state: web::Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let logo = state.logo().ok_or_else(ApiError::not_found)?;
    let file = NamedFile::open(&logo.path).map_err(|error| {
        tracing::error!(%error, "the logo cannot be read");
        ApiError::internal()
    })?;
    Ok(file.into_response(&request))
}

/// The school's logo.
#[derive(Debug)]
pub(crate) struct Logo {
    path: std::path::PathBuf,
}

impl Logo {
    /// Where browsers get it.
    pub(crate) const PATH: &'static str = "/branding/logo";

    pub(crate) fn read(path: &Path) -> Result<Self, SetupError> {
        if path.is_file() {
            return Ok(Self { path: path.to_owned() });
        }
        Err(SetupError {
            key: "[site] logo_file",
            problem: format!("{} is no file; give an SVG, PNG or JPEG image", path.display()),
        })
    }
}

/// Whether the name has a hash of the content in it, as trunk writes it: `app-1f2e3d4c5b6a7988_bg.wasm`.
pub(crate) fn is_hashed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split(['-', '.', '_'])
        .skip(1)
        .any(|part| part.len() >= 8 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The content security policy of every answer.
#[derive(Debug)]
pub(crate) struct ContentPolicy {
    header: HeaderValue,
}

impl ContentPolicy {
    /// Reads both programs' `index.html` for their inline scripts.
    pub(crate) fn of(static_dir: Option<&Path>) -> Result<Self, SetupError> {
        let programs = static_dir.map(|dir| ["index.html", "admin/index.html"].map(|page| dir.join(page)));
        let mut html = String::new();
        for file in programs.into_iter().flatten() {
            html += &std::fs::read_to_string(&file).map_err(|error| SetupError {
                key: "[http] static_dir",
                problem: format!(
                    "{} cannot be read ({error}); build the pages, or leave the key out",
                    file.display()
                ),
            })?;
        }
        let hashes: String = inline_scripts(&html)
            .map(|script| format!(" 'sha256-{}'", STANDARD.encode(Sha256::digest(script.as_bytes()))))
            .collect();
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{hashes}; style-src 'self'; img-src 'self' data:; \
             font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        let header = HeaderValue::from_str(&policy)
            .map_err(|error| SetupError { key: "[http] static_dir", problem: error.to_string() })?;
        Ok(Self { header })
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.header.clone()
    }
}

/// The text of each `<script>` without `src`. The page is our own build's, so this needs no HTML parser.
fn inline_scripts(html: &str) -> impl Iterator<Item = &str> {
    html.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        let external = attributes.split_ascii_whitespace().any(|word| word.starts_with("src="));
        (!external && !script.is_empty()).then_some(script)
    })
}

/// HTML made here, such as the documentation.
pub(crate) fn html(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::html()).body(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn inline_scripts_are_allowed_by_their_hash_and_others_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let page = r#"<script type="module">alert(1)</script><script src="/a.js"></script>"#;
        std::fs::write(dir.path().join("index.html"), page).unwrap();
        std::fs::create_dir(dir.path().join("admin")).unwrap();
        std::fs::write(dir.path().join("admin/index.html"), "").unwrap();
        let policy = ContentPolicy::of(Some(dir.path())).unwrap();
        let text = policy.header().to_str().unwrap().to_owned();
        // echo -n 'alert(1)' | openssl dgst -sha256 -binary | base64
        assert!(text.contains("'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"), "{text}");
        assert_eq!(text.matches("sha256-").count(), 1);
        assert!(!text.contains("unsafe-inline"));
    }

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(is_hashed("/vms-frontend-1f2e3d4c5b6a7988_bg.wasm"));
        assert!(is_hashed("/style-1f2e3d4c5b6a7988.css"));
        for path in ["/", "/index.html", "/login", "/favicon.svg", "/deadbeef", "/vms-frontend.js"] {
            assert!(!is_hashed(path), "{path}");
        }
    }
}
