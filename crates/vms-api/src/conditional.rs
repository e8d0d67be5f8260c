//! ETags (RFC 9110 §8.8.3): who looks again and again is told "nothing new" in a few bytes, and who changes something
//! can say which state they saw.

use actix_web::http::header::{self, EntityTag, Header as _, IfMatch, IfNoneMatch};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use vms_types::ProblemCode;

use crate::error::ApiError;

/// Bytes of the hash that go into a tag: 128 bits.
const TAG_BYTES: usize = 16;

/// What is sent, as JSON. That it cannot be written would be a defect of ours.
pub(crate) fn json(value: &impl Serialize) -> Result<Vec<u8>, ApiError> {
    serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written as JSON");
        ApiError::internal()
    })
}

/// A body with its tag.
struct Tagged {
    body: Vec<u8>,
    tag: EntityTag,
}

impl Tagged {
    fn new(value: &impl Serialize) -> Result<Self, ApiError> {
        let body = json(value)?;
        let hash = Sha256::digest(&body);
        let short: Vec<u8> = hash.into_iter().take(TAG_BYTES).collect();
        Ok(Self { body, tag: EntityTag::new_strong(URL_SAFE_NO_PAD.encode(short)) })
    }
}

/// 200 with an ETag, or 304 if the request names it in `If-None-Match`.
pub(crate) fn answer(request: &HttpRequest, value: &impl Serialize) -> Result<HttpResponse, ApiError> {
    let Tagged { body, tag } = Tagged::new(value)?;
    let known = request.headers().contains_key(header::IF_NONE_MATCH)
        && match IfNoneMatch::parse(request) {
            Ok(IfNoneMatch::Any) => true,
            Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(&tag)),
            Err(_) => false,
        };
    let mut response = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header(header::ETag(tag));
    Ok(if known { response.finish() } else { response.content_type("application/json").body(body) })
}

/// Refuses a change if the request says which state it wants to change (`If-Match`) and the thing is in another one;
/// `now` is asked for only then.
pub(crate) async fn check_if_match<T: Serialize>(
    request: &HttpRequest,
    now: impl Future<Output = Result<T, ApiError>>,
) -> Result<(), ApiError> {
    if !request.headers().contains_key(header::IF_MATCH) {
        return Ok(());
    }
    let wanted = IfMatch::parse(request)
        .map_err(|_| ApiError::parameter("If-Match", "is no list of entity tags such as \"abc\""))?;
    let tag = Tagged::new(&now.await?)?.tag;
    match wanted {
        IfMatch::Any => Ok(()),
        IfMatch::Items(tags) if tags.iter().any(|known| known.strong_eq(&tag)) => Ok(()),
        IfMatch::Items(_) => Err(ApiError::new(
            ProblemCode::PreconditionFailed,
            "It changed since you read it. Read it again and decide anew.",
        )),
    }
}
