//! What is sent to those who look at single requests: traces, and reports of failures. Both are off unless they are
//! configured, and then what they would hear of is not made: each listens to targets of its own, which nobody else hears.
//!
//! Invariants:
//! - No request waits for a receiver. One that is away, or slow, costs spans and reports only.
//! - Nothing that is sent says who somebody is or what they wrote.

mod agent;
mod failures;
mod minute;
mod request;
mod traces;

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::ExporterBuildError;
use sentry::types::Dsn;
use tracing::Subscriber;
use tracing_subscriber::{Layer, registry::LookupSpan};
use xmas_http::middleware::spans::{FAILURE_TARGET, REQUEST_TARGET};
use xmas_kernel::db::STATEMENT_TARGET;

use self::{
    failures::{Failures, PANIC_TARGET, tell_of_panics},
    traces::Traces,
};

pub use self::traces::TraceOptions;

/// What is meant for telemetry, and for no log.
pub const TARGETS: [&str; 4] = [
    REQUEST_TARGET,
    STATEMENT_TARGET,
    FAILURE_TARGET,
    PANIC_TARGET,
];

/// How long each of the two may take to send what is left.
const END: Duration = Duration::from_secs(2);

/// Which process it is that is told of.
#[derive(Clone, Debug)]
pub struct Service {
    pub version: &'static str,
    pub commit: &'static str,
    /// Names this process among all.
    pub instance: String,
    pub environment: String,
}

/// Tracing and reports, as far as they are configured. Dropping it sends what is left, so drop it last.
pub struct Telemetry {
    traces: Option<Traces>,
    failures: Option<Failures>,
}

/// A layer on whatever subscriber.
pub type BoxedLayer<S> = Box<dyn Layer<S> + Send + Sync>;

impl Telemetry {
    /// Begins with it. To be called once and outside of a runtime, whose threads must not wait for a receiver.
    pub fn start(
        service: Service,
        traces: Option<&TraceOptions>,
        sentry: Option<Dsn>,
    ) -> Result<Self, ExporterBuildError> {
        let resource = vec![
            KeyValue::new("service.name", "xmas-api"),
            KeyValue::new("service.version", service.version),
            KeyValue::new("service.instance.id", service.instance),
            KeyValue::new("vcs.ref.head.revision", service.commit),
            KeyValue::new("deployment.environment.name", service.environment.clone()),
        ];
        let traces = traces.map(|options| Traces::new(options, resource));
        let release = format!("xmas-api@{}+{}", service.version, service.commit);
        let failures = sentry.map(|dsn| Failures::new(dsn, release, service.environment));
        if failures.is_some() {
            tell_of_panics();
        }
        Ok(Self {
            traces: traces.transpose()?,
            failures,
        })
    }

    /// What listens, with filters of its own: nothing where nothing is configured.
    pub fn layers<S>(&self) -> Vec<BoxedLayer<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync + 'static,
    {
        let traces = self.traces.as_ref().map(|traces| traces.layer().boxed());
        let failures = self.failures.as_ref();
        let failures = failures.map(|failures| failures.layer().boxed());
        traces.into_iter().chain(failures).collect()
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(traces) = &self.traces {
            traces.end(END);
        }
        if let Some(failures) = &self.failures {
            failures.end(END);
        }
    }
}
