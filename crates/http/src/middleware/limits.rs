//! How much is done at once, and for how long.

use std::time::Duration;

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use xmas_kernel::ErrorCode;

use crate::{
    error::{ApiError, Refusal},
    middleware::places::{PerClient, Places},
};

/// JSON bodies (docs/contract.md, "Limits").
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Uploaded tables (docs/contract.md, "Limits").
pub const MAX_CSV_BYTES: usize = 10 * 1024 * 1024;

/// How much is done at once, and for how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests in progress.
    pub requests: Places,
    /// Requests in progress of each client.
    pub by_client: PerClient,
    /// Bodies that did not come right behind their headers.
    pub arriving: Places,
    /// The same of each client.
    pub arriving_by_client: PerClient,
    /// Bodies of more than [`MAX_BODY_BYTES`] on their way.
    pub uploads: Places,
    /// Logins and changes of passwords in progress, which wait for each other.
    pub logins: Places,
    /// Work on many players in progress.
    pub bulk: Places,
    pub request_time: Duration,
    /// For work on many players at once.
    pub bulk_time: Duration,
    /// For a body of usual size to arrive.
    pub body_time: Duration,
    /// For a larger one.
    pub upload_time: Duration,
}

/// Ends a request that takes too long; its transaction is rolled back, unless it was just being
/// committed. Wraps single resources, because only there the request may be kept beside the one that is being handled.
pub async fn time(
    limits: Data<Limits>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    within(None, limits.request_time, request, next).await
}

/// As [`time`], for what waits for a password to be hashed: it is turned away before it takes the places of
/// those who play.
pub async fn login(
    limits: Data<Limits>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    within(Some(&limits.logins), limits.request_time, request, next).await
}

/// As [`time`], for work on many players at once.
pub async fn bulk(
    limits: Data<Limits>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BoxBody>>, Error> {
    // Lists at the same paths are no work.
    let places = (!request.method().is_safe()).then_some(&limits.bulk);
    within(places, limits.bulk_time, request, next).await
}

async fn within<B: MessageBody + 'static>(
    places: Option<&Places>,
    time: Duration,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B, BoxBody>>, Error> {
    let http = request.request().clone();
    let refuse = |error: ApiError| {
        let response = HttpResponse::from_error(error);
        ServiceResponse::new(http.clone(), response).map_into_right_body()
    };
    let _place = match places.map(Places::take).transpose() {
        Ok(place) => place,
        Err(error) => return Ok(refuse(error)),
    };
    match tokio::time::timeout(time, next.call(request)).await {
        Ok(response) => Ok(response?.map_into_left_body()),
        Err(_) => {
            tracing::warn!("a request took longer than {time:?} and was ended");
            let error = ApiError::new(ErrorCode::Overloaded);
            Ok(refuse(error.by(Refusal::TooLong)))
        }
    }
}
