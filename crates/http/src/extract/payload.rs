use std::{future::Future, io};

use actix_web::{error::PayloadError, web::Bytes};
use xmas_kernel::ErrorCode;
use xmas_texts::body;

use crate::error::ApiError;

/// A body to its end, or what to say if it is too large or too slow, or ends too early.
pub async fn read(
    bytes: impl Future<Output = Result<Bytes, actix_web::Error>>,
) -> Result<Bytes, ApiError> {
    bytes
        .await
        .map_err(|error| match error.as_error::<PayloadError>() {
            Some(PayloadError::Overflow) => ApiError::new(ErrorCode::BodyTooLarge),
            Some(PayloadError::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
                ApiError::new(ErrorCode::BodyTooSlow)
            }
            _ => ApiError::field("body", body::cut_off()),
        })
}
