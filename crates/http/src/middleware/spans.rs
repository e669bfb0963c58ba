//! What tracing and crash reports see of a request: a span around it, and an event if it fails, under targets that no log
//! shows. Where nobody listens, nothing is made.
//!
//! Nothing in them says who somebody is: the route is the path's pattern, and there is no query, address or body.

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::HeaderMap,
};
use tracing::{Span, field::Empty};
use xmas_kernel::ErrorCode;

use crate::metrics::method;

/// Under this target each request is a span: `method`, `route` unless it has none, `request_id`, what the client says of
/// its own trace (`traceparent`, `tracestate`), and `status` at the end.
pub const REQUEST_TARGET: &str = "xmas_traced::request";
/// Under this target, in the span of a request, stands an event with the `code` of a failure: what should not have gone
/// wrong, whatever the request was. A server that is busy, stops or waits for its database has not failed.
pub const FAILURE_TARGET: &str = "xmas_traced::failure";

/// The span of a request that has arrived.
pub(super) fn around(request: &ServiceRequest, request_id: &str) -> Span {
    let headers = request.headers();
    tracing::trace_span!(
        target: REQUEST_TARGET,
        "request",
        method = method(request.method()),
        route = request.match_pattern(),
        request_id,
        traceparent = only(headers, "traceparent"),
        tracestate = only(headers, "tracestate"),
        status = Empty,
    )
}

/// Completes the span of a request with its answer.
pub(super) fn answered(span: &Span, response: &ServiceResponse<impl MessageBody>) {
    span.record("status", response.status().as_u16());
}

/// Tells of an answer that is an error.
pub(super) fn failed(code: ErrorCode) {
    if code.http_status() == 500 {
        tracing::error!(target: FAILURE_TARGET, code = code.as_str());
    }
}

/// A header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
