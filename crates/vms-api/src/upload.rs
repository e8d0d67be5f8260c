//! Bodies that are too large to be kept: taken piece by piece and handed on.

use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{HttpRequest, web};
use futures::StreamExt as _;
use vms_core::Upload;
use vms_types::ProblemCode;

use crate::error::ApiError;
use crate::state::AppState;

/// A body on its way in.
pub(crate) struct Incoming {
    payload: web::Payload,
    /// The first piece of it.
    first: web::Bytes,
    /// What it is said to be.
    pub(crate) content_type: String,
    /// How long it is said to be.
    pub(crate) length: Option<u64>,
    most: u64,
}

impl Incoming {
    /// Looks at the headers and the first piece.
    ///
    /// # Errors
    /// A body that is none of the two kinds, empty, or too large.
    pub(crate) async fn new(
        request: &HttpRequest,
        state: &AppState,
        mut payload: web::Payload,
    ) -> Result<Self, ApiError> {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let content_type = header(actix_web::http::header::CONTENT_TYPE).unwrap_or_default().to_owned();
        let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/octet-stream" && kind != "multipart/form-data" {
            return Err(ApiError::new(
                ProblemCode::UnsupportedMediaType,
                "Send a unified tarball as application/octet-stream, or a split image as multipart/form-data with the \
                 parts metadata and rootfs, in that order.",
            ));
        }
        let length = header(CONTENT_LENGTH).and_then(|text| text.parse().ok());
        let most = state.max_image_bytes();
        if length.is_some_and(|length| length > most) {
            return Err(too_large(most));
        }
        let first = payload.next().await.transpose().map_err(|error| broken(&error))?;
        let first = first
            .ok_or_else(|| ApiError::new(ProblemCode::MalformedBody, "The body is empty: send the image."))?;
        Ok(Self { payload, first, content_type, length, most })
    }

    /// Hands every piece on, as fast as it is taken.
    ///
    /// # Errors
    /// A connection that breaks, or more than is allowed; the upload is broken off then.
    pub(crate) async fn pour(mut self, mut upload: Upload) -> Result<(), ApiError> {
        let (mut left, mut next) = (self.most, Some(self.first));
        while let Some(piece) = next {
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            left = left.checked_sub(length).ok_or_else(|| too_large(self.most))?;
            upload.send(piece).await;
            next = self.payload.next().await.transpose().map_err(|error| broken(&error))?;
        }
        upload.finish().await;
        Ok(())
    }
}

fn broken(error: &PayloadError) -> ApiError {
    ApiError::new(ProblemCode::MalformedBody, format!("The body could not be received to its end: {error}."))
}

fn too_large(most: u64) -> ApiError {
    let detail = format!(
        "The image is larger than {most} bytes, which is max_upload_bytes in [images] of the configuration."
    );
    ApiError::new(ProblemCode::PayloadTooLarge, detail)
}
