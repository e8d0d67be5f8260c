//! The one error of all handlers: a problem, and how it goes out.
//!
//! A handler answers `Result<_, ApiError>`. The id of the request is not known where most problems are made; the outermost
//! middleware fills it in.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, UPGRADE, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use vms_authz::Denied;
use vms_core::CoreError;
use vms_types::{FieldError, Problem, ProblemCode};

/// The media type of every error (RFC 9457).
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// A problem on its way out.
#[derive(Debug, Clone)]
pub struct ApiError {
    /// Boxed, so that the good answers are not made larger by what a bad one could be.
    problem: Box<Problem>,
    allow: Option<String>,
}

impl ApiError {
    /// A problem of a kind; `detail` says what happened, to what, and what to do next.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<String>) -> Self {
        Self { problem: Box::new(Problem::new(code, detail)), allow: None }
    }

    /// The same with field errors.
    pub(crate) fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.problem.errors = errors;
        self
    }

    /// A query or path parameter that cannot be read.
    pub(crate) fn parameter(name: &str, why: impl fmt::Display) -> Self {
        Self::new(ProblemCode::MalformedParameter, format!("The parameter \"{name}\" {why}."))
            .with_errors(vec![FieldError::new(name, "malformed", why.to_string())])
    }

    /// A path that does not exist, or that this person may not know of.
    pub(crate) fn not_found() -> Self {
        CoreError::NotFound("path").into()
    }

    /// A path that exists, but not with this method.
    pub(crate) fn method_not_allowed(method: &str, allow: String) -> Self {
        let detail = format!("This path does not take {method}. It takes {allow}.");
        Self { problem: Box::new(Problem::new(ProblemCode::MethodNotAllowed, detail)), allow: Some(allow) }
    }

    /// A defect of ours.
    pub(crate) fn internal() -> Self {
        Self::new(
            ProblemCode::Internal,
            "Something went wrong on our side. Tell an administrator the request id.",
        )
    }

    /// The problem of an answer that the framework made, by its status.
    pub(crate) fn of_status(status: StatusCode, detail: &str) -> Self {
        let code = match status.as_u16() {
            401 => ProblemCode::Unauthenticated,
            403 => ProblemCode::Forbidden,
            404 => return Self::not_found(),
            405 => ProblemCode::MethodNotAllowed,
            412 => ProblemCode::PreconditionFailed,
            413 => ProblemCode::PayloadTooLarge,
            415 => ProblemCode::UnsupportedMediaType,
            400..=499 => ProblemCode::MalformedParameter,
            503 => ProblemCode::Overloaded,
            _ => return Self::internal(),
        };
        let detail = if detail.is_empty() { format!("{}.", code.title()) } else { detail.to_owned() };
        let mut error = Self::new(code, detail);
        error.problem.status = status.as_u16();
        error
    }

    /// With the id that finds the request in the log.
    pub(crate) fn with_request_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.problem.request_id);
        self
    }

    /// The problem itself, for an answer that is about several things.
    pub(crate) fn into_problem(self) -> Problem {
        *self.problem
    }

    /// The kind of problem.
    #[must_use]
    pub fn code(&self) -> ProblemCode {
        self.problem.code
    }
}

impl From<CoreError> for ApiError {
    fn from(error: CoreError) -> Self {
        let problem = error.problem();
        // Once, here. That a part is away or busy is no defect, and may be many requests' at once.
        let code = problem.code.as_str();
        match problem.status {
            500 => tracing::error!(%error, code, "the request failed"),
            501.. => tracing::warn!(%error, code, "the request failed"),
            _ => tracing::debug!(%error, code, "the request was refused"),
        }
        Self { problem: Box::new(problem), allow: None }
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        CoreError::Denied(denied).into()
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.problem.code.as_str(), self.problem.detail)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code()).json(&*self.problem);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.problem.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.problem.status == 401 {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if self.problem.code == ProblemCode::UpgradeRequired {
            headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        }
        if let Some(allow) = self.allow.as_deref().and_then(|methods| HeaderValue::from_str(methods).ok()) {
            headers.insert(ALLOW, allow);
        }
        response
    }
}
