//! What the span of a request says of it.

use opentelemetry::propagation::Extractor;
use tracing::{
    field::{Field, Visit},
    span::Attributes,
};

/// A request, as long as its span is open.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) route: Option<String>,
    pub(super) id: String,
    traceparent: Option<String>,
    tracestate: Option<String>,
}

impl Request {
    pub(super) fn of(span: &Attributes<'_>) -> Self {
        let mut request = Self::default();
        span.record(&mut request);
        request
    }

    /// `GET /api/wallet`: one name for all requests of an endpoint.
    pub(super) fn name(&self) -> String {
        match &self.route {
            Some(route) => format!("{} {route}", self.method),
            None => self.method.clone(),
        }
    }
}

impl Visit for Request {
    fn record_str(&mut self, field: &Field, value: &str) {
        let value = value.to_owned();
        match field.name() {
            "method" => self.method = value,
            "route" => self.route = Some(value),
            "request_id" => self.id = value,
            "traceparent" => self.traceparent = Some(value),
            "tracestate" => self.tracestate = Some(value),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// What the client says of its own trace, in its headers.
impl Extractor for Request {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => self.traceparent.as_deref(),
            "tracestate" => self.tracestate.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}
