//! Path and query parameters; what cannot be read is named.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// What stands in the path: one value, or a tuple in the path's order.
pub(crate) struct PathParam<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for PathParam<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = web::Path::<T>::from_request(request, payload).into_inner();
        ready(path.map(|path| Self(path.into_inner())).map_err(|error| {
            let names: Vec<&str> = request.match_info().iter().map(|(name, _)| name).collect();
            ApiError::parameter(&names.join(", "), format!("in the path cannot be read ({error})"))
        }))
    }
}

/// The query; unknown parameters are refused, and so is a NUL, which no database takes in its texts.
pub(crate) struct Params<T>(pub(crate) T);

impl<T: DeserializeOwned + 'static> FromRequest for Params<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        if request.query_string().contains("%00") {
            return ready(Err(ApiError::parameter("query", "must not contain a NUL")));
        }
        ready(
            web::Query::<T>::from_query(request.query_string())
                .map(|query| Self(query.into_inner()))
                .map_err(|error| {
                    let why = match &error {
                        actix_web::error::QueryPayloadError::Deserialize(inner) => inner.to_string(),
                        other => other.to_string(),
                    };
                    ApiError::parameter("query", format!("cannot be read: {why}"))
                }),
        )
    }
}
