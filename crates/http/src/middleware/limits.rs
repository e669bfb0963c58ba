use std::{sync::Arc, time::Duration};

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderMap,
    middleware::Next,
    web::Data,
};
use tokio::sync::Semaphore;
use xmas_kernel::ErrorCode;

use crate::error::ApiError;

/// JSON bodies (architecture.md §5).
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Uploaded tables (architecture.md §5).
pub const MAX_CSV_BYTES: usize = 10 * 1024 * 1024;
/// All headers of a request together.
const MAX_HEADER_BYTES: usize = 16 * 1024;

/// How much is done at once, and for how long.
#[derive(Clone, Debug)]
pub struct Limits {
    pub requests: Arc<Semaphore>,
    pub request_time: Duration,
    /// For work on many players at once.
    pub bulk_time: Duration,
}

/// Refuses requests with too large headers, and those that come while as many as allowed are in
/// progress.
pub async fn admission(
    limits: Data<Limits>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    if bytes_of(request.headers()) + request.uri().to_string().len() > MAX_HEADER_BYTES {
        return Ok(refuse(request, ErrorCode::HeadersTooLarge));
    }
    // Liveness must not depend on load.
    let is_probe = matches!(request.path(), "/health" | "/livez" | "/readyz");
    let place = limits.requests.clone().try_acquire_owned();
    if place.is_err() && !is_probe {
        return Ok(refuse(request, ErrorCode::Overloaded));
    }
    let response = next.call(request).await?;
    Ok(response.map_into_left_body())
}

fn refuse<B>(request: ServiceRequest, code: ErrorCode) -> ServiceResponse<EitherBody<B, BoxBody>> {
    let (request, _) = request.into_parts();
    let refusal = HttpResponse::from_error(ApiError::new(code));
    ServiceResponse::new(request, refusal).map_into_right_body()
}

fn bytes_of(headers: &HeaderMap) -> usize {
    headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4)
        .sum()
}

/// Ends a request that takes too long; its transaction is rolled back, unless it was just being
/// committed. Wraps single resources, because only there the request may be kept beside the one that is being handled.
pub async fn time(
    limits: Data<Limits>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    within(limits.request_time, request, next).await
}

/// As [`time`], for work on many players at once.
pub async fn bulk_time(
    limits: Data<Limits>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    within(limits.bulk_time, request, next).await
}

async fn within<B: MessageBody + 'static>(
    time: Duration,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let http = request.request().clone();
    match tokio::time::timeout(time, next.call(request)).await {
        Ok(response) => Ok(response?.map_into_left_body()),
        Err(_) => {
            tracing::warn!("a request took longer than {time:?} and was ended");
            let response = HttpResponse::from_error(ApiError::new(ErrorCode::Overloaded));
            Ok(ServiceResponse::new(http, response).map_into_right_body())
        }
    }
}
