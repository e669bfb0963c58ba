//! A request id for each request, its line in the log, and how long it took.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web::Data,
};
use tracing::Instrument;

use crate::{metrics::HttpMetrics, middleware::spans};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Finds a request in the log: the client's own id if it is sane, else a new one.
#[derive(Clone, Debug)]
pub struct RequestId(HeaderValue);

impl RequestId {
    const MAX_LENGTH: usize = 64;

    fn of(request: &ServiceRequest) -> Self {
        let given = request.headers().get(HEADER).filter(|value| {
            let bytes = value.as_bytes();
            let sane = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
            (1..=Self::MAX_LENGTH).contains(&bytes.len()) && bytes.iter().all(sane)
        });
        Self(given.cloned().unwrap_or_else(|| {
            let id = uuid::Uuid::new_v4().to_string();
            HeaderValue::try_from(id).expect("a UUID is a header value")
        }))
    }

    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }
}

/// Gives every request an id, and writes and counts when it is answered.
pub async fn trace(
    metrics: Data<HttpMetrics>,
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let id = RequestId::of(&request);
    request.extensions_mut().insert(id.clone());
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let span = tracing::info_span!("request", request_id = id.as_str());
    let traced = spans::around(&request, id.as_str());
    let _in_flight = metrics.in_flight();
    let started = Instant::now();
    let called = next.call(request).instrument(traced.clone());
    let mut response = called.instrument(span.clone()).await?;
    let elapsed = started.elapsed();
    spans::answered(&traced, &response);
    metrics.answered(&response, elapsed);
    let status = response.status().as_u16();
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::info!(%method, path, status, millis, "{method} {path} answered {status} in {millis} ms");
    });
    response.headers_mut().insert(HEADER, id.0);
    Ok(response)
}
