//! What is counted of requests, for whoever watches the service.
//!
//! Routes are counted by their templates and methods by their known names, so that no request makes a label of its own,
//! and no label says who a player is.

use std::time::Duration;

use actix_web::{
    body::MessageBody,
    dev::ServiceResponse,
    http::{Method, StatusCode},
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use crate::error::{ApiError, Refusal};

/// Upper bounds in seconds; the customer's bound for the 95th percentile is one of them.
const SECONDS: [f64; 13] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// What is counted of requests; a clone counts to the same.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    durations: Family<Answer, Histogram, fn() -> Histogram>,
    errors: Family<Failure, Counter>,
    rejected: Family<Reason, Counter>,
    in_flight: Gauge,
    connections: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: &'static str,
    route: String,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    method: &'static str,
    route: String,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: &'static str,
}

impl From<Refusal> for Reason {
    fn from(refusal: Refusal) -> Self {
        let reason = refusal.as_str();
        Self { reason }
    }
}

impl Default for HttpMetrics {
    fn default() -> Self {
        let metrics = Self {
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            errors: Family::default(),
            rejected: Family::default(),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
        };
        // What has not happened yet is zero, so that the first time is seen as an increase.
        for refusal in Refusal::ALL {
            drop(metrics.rejected.get_or_create(&refusal.into()));
        }
        metrics
    }
}

impl HttpMetrics {
    /// Shows what is counted in a registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register(
            "xmas_http_request_duration_seconds",
            "Time until the head of an answer, by route and status class",
            self.durations.clone(),
        );
        registry.register(
            "xmas_http_errors",
            "Error answers by code of the contract",
            self.errors.clone(),
        );
        registry.register(
            "xmas_http_rejected",
            "Requests and connections that were turned away by a limit",
            self.rejected.clone(),
        );
        registry.register(
            "xmas_http_requests_in_flight",
            "Requests that are not answered yet",
            self.in_flight.clone(),
        );
        registry.register(
            "xmas_http_connections",
            "Open connections of clients",
            self.connections.clone(),
        );
    }

    /// One request more that is not answered yet, until this is dropped.
    pub(crate) fn in_flight(&self) -> Up {
        Up::of(&self.in_flight)
    }

    /// One connection more that is open, until this is dropped.
    pub(crate) fn connection(&self) -> Up {
        Up::of(&self.connections)
    }

    /// An answer, `elapsed` after its request.
    pub(crate) fn answered(&self, response: &ServiceResponse<impl MessageBody>, elapsed: Duration) {
        let answer = Answer {
            method: method(response.request().method()),
            route: route(response),
            status: class(response.status()),
        };
        let durations = self.durations.get_or_create(&answer);
        durations.observe(elapsed.as_secs_f64());
    }

    /// An error that a client is told.
    pub(crate) fn failed(&self, response: &ServiceResponse<impl MessageBody>, error: &ApiError) {
        let failure = Failure {
            method: method(response.request().method()),
            route: route(response),
            code: error.code().as_str(),
        };
        self.errors.get_or_create(&failure).inc();
        if let Some(refusal) = error.refusal() {
            self.rejected(refusal);
        }
    }

    /// Something was turned away by a limit.
    pub(crate) fn rejected(&self, refusal: Refusal) {
        self.rejected.get_or_create(&refusal.into()).inc();
    }
}

/// One more of a gauge, until it is dropped.
#[derive(Debug)]
pub(crate) struct Up(Gauge);

impl Up {
    fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        self.0.dec();
    }
}

fn route(response: &ServiceResponse<impl MessageBody>) -> String {
    let template = response.request().match_pattern();
    template.unwrap_or_else(|| "unmatched".to_owned())
}

/// A method by its known name.
pub(crate) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
