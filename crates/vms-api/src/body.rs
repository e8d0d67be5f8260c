//! Request bodies: JSON, of the right type, small, and without a field that does not exist.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use serde::de::DeserializeOwned;
use vms_types::{FieldError, ProblemCode};

use crate::error::ApiError;

/// A JSON body. What is wrong with it is said with the place where it is wrong.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = request.content_type().to_ascii_lowercase();
        let bytes = web::Bytes::from_request(request, payload);
        Box::pin(async move {
            if !(media_type == "application/json" || media_type.ends_with("+json")) {
                let given = if media_type.is_empty() { "nothing" } else { &media_type };
                return Err(ApiError::new(
                    ProblemCode::UnsupportedMediaType,
                    format!(
                        "The body must be JSON. Send \"Content-Type: application/json\"; it said {given}."
                    ),
                ));
            }
            let bytes = bytes.await.map_err(|error| unreadable(&error))?;
            read(&bytes).map(Self)
        })
    }
}

fn unreadable(error: &actix_web::Error) -> ApiError {
    if error.as_response_error().status_code() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = format!("The body is larger than {} bytes.", crate::MAX_BODY_BYTES);
        ApiError::new(ProblemCode::PayloadTooLarge, detail)
    } else {
        ApiError::new(ProblemCode::MalformedBody, format!("The body could not be received: {error}."))
    }
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let place = error.path().to_string();
        malformed(&place, error.inner())
    })?;
    json.end().map_err(|error| malformed(".", &error))?;
    Ok(value)
}

/// `place` is the path within the document; `.` is the document itself.
fn malformed(place: &str, error: &serde_json::Error) -> ApiError {
    let message = error.to_string();
    if place == "." || place == "?" {
        let problem =
            ApiError::new(ProblemCode::MalformedBody, format!("The body cannot be read: {message}."));
        return match unknown_or_missing(&message) {
            Some((field, code)) => problem.with_errors(vec![FieldError::new(&field, code, message)]),
            None => problem,
        };
    }
    let (field, code) = unknown_or_missing(&message)
        .map_or((place.to_owned(), "wrong-type"), |(_, code)| (place.to_owned(), code));
    ApiError::new(ProblemCode::MalformedBody, format!("The field \"{field}\" cannot be read: {message}."))
        .with_errors(vec![FieldError::new(&field, code, message)])
}

/// Serde names the field only in its message: ``unknown field `x`, expected …`` and ``missing field `x` ``.
fn unknown_or_missing(message: &str) -> Option<(String, &'static str)> {
    let code = if message.starts_with("unknown field") {
        "unknown-field"
    } else if message.starts_with("missing field") {
        "required"
    } else {
        return None;
    };
    let field = message.split('`').nth(1)?;
    Some((field.to_owned(), code))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use actix_web::ResponseError as _;
    use actix_web::body::to_bytes;
    use vms_types::{CreateMachine, Problem};

    use super::*;

    async fn refusal(body: &str) -> Problem {
        let error = read::<CreateMachine>(body.as_bytes()).unwrap_err();
        serde_json::from_slice(&to_bytes(error.error_response().into_body()).await.unwrap()).unwrap()
    }

    #[actix_web::test]
    async fn the_place_of_the_mistake_is_named() {
        for (body, field, code) in [
            (r#"{"name": 1}"#, "name", "wrong-type"),
            (r#"{"name": "a", "start": "yes"}"#, "start", "wrong-type"),
            (r#"{"name": "a", "colour": "red"}"#, "colour", "unknown-field"),
            (r"{}", "name", "required"),
        ] {
            let problem = refusal(body).await;
            assert_eq!(problem.code, ProblemCode::MalformedBody, "{body}");
            let error = problem.errors.first().unwrap();
            assert_eq!((error.field.as_str(), error.code.as_str()), (field, code), "{body}");
        }
    }

    #[actix_web::test]
    async fn what_is_no_json_says_where() {
        for body in ["", "{", "[]", r#"{"name": "a"} x"#, "null", "\u{feff}{}"] {
            let problem = refusal(body).await;
            assert_eq!(problem.status, 400, "{body}");
            assert!(problem.detail.contains("line 1"), "{body}: {}", problem.detail);
        }
    }
}
