use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev, web::Bytes};
use xmas_kernel::ErrorCode;

use super::{
    command::{Payload, read},
    csv::{CsvUpload, is_csv},
};
use crate::{error::ApiError, middleware::limits::MAX_BODY_BYTES};

/// A body that is a table or JSON, as its content type says.
#[derive(Debug)]
pub(crate) struct TableOr<T> {
    pub(crate) content: Content<T>,
    /// The body as it came.
    pub(crate) bytes: Bytes,
}

#[derive(Debug)]
pub(crate) enum Content<T> {
    Table(CsvUpload),
    Json(T),
}

impl<T: Payload> FromRequest for TableOr<T> {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        if is_csv(request) {
            let table = CsvUpload::from_request(request, payload);
            return Box::pin(async move {
                let table = table.await?;
                Ok(Self {
                    bytes: table.bytes.clone(),
                    content: Content::Table(table),
                })
            });
        }
        let bytes = Bytes::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let bytes = read(bytes).await?;
            // The path takes large tables, but no larger JSON than others.
            if bytes.len() > MAX_BODY_BYTES {
                return Err(ApiError::new(ErrorCode::BodyTooLarge).into());
            }
            let content = Content::Json(T::parse(&request, &bytes)?);
            Ok(Self { content, bytes })
        })
    }
}
