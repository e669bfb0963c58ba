//! Requests and their statements as spans of OpenTelemetry, sent as OTLP.
//!
//! What is traced is built here from the spans and events of `tracing`, rather than by a layer that passes on all of them:
//! no attribute is there that is not named here, and a statement is told of when it has ended.

use std::time::Duration;

use opentelemetry::{
    Context as TraceContext, KeyValue,
    propagation::TextMapPropagator,
    trace::{Span, SpanKind, Status, TraceContextExt, Tracer, TracerProvider},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request as HttpRequest, Response};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig,
};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracer, SdkTracerProvider},
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::Context,
    registry::LookupSpan,
};
use ureq::Agent;
use xmas_http::middleware::spans::REQUEST_TARGET;
use xmas_kernel::db::STATEMENT_TARGET;

use super::{agent::agent, minute::Minute, request::Request};

/// How long a batch may take, with everything that is tried again.
const BATCH: Duration = Duration::from_secs(5);
/// What is shown of a statement, in characters.
const SHOWN: usize = 2_000;

/// Which requests are traced, and who is told.
#[derive(Clone, Debug)]
pub struct TraceOptions {
    /// The whole URL.
    pub receiver: String,
    /// The part of requests whose client does not say whether they are traced, from 0 to 1.
    pub ratio: f64,
}

/// Sends spans from a thread of its own. What does not fit into its queue is lost, and no request waits.
#[derive(Debug)]
pub(super) struct Traces(SdkTracerProvider);

impl Traces {
    pub(super) fn new(
        options: &TraceOptions,
        resource: Vec<KeyValue>,
    ) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender::new())
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(&options.receiver)
            .with_timeout(BATCH)
            .build()?;
        let resource = Resource::builder_empty().with_attributes(resource);
        let sampler = Sampler::TraceIdRatioBased(options.ratio);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(resource.build());
        Ok(Self(provider.build()))
    }

    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let heard = Targets::new()
            .with_target(REQUEST_TARGET, LevelFilter::TRACE)
            .with_target(STATEMENT_TARGET, LevelFilter::TRACE);
        Spans(self.0.tracer("xmas-api")).with_filter(heard)
    }

    /// Sends what is left, for so long at most.
    pub(super) fn end(&self, within: Duration) {
        // Whoever does not get it has been complained of, and the process ends in any case.
        drop(self.0.shutdown_with_timeout(within));
    }
}

struct Spans(SdkTracer);

/// The span that belongs to one of `tracing`, and the trace around it.
struct Traced(TraceContext);

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let request = Request::of(attributes);
        let parent =
            TraceContextPropagator::new().extract_with_context(&TraceContext::new(), &request);
        let builder = self
            .0
            .span_builder(request.name())
            .with_kind(SpanKind::Server)
            .with_attributes(attributes_of(request));
        let traced = builder.start_with_context(&self.0, &parent);
        span.extensions_mut()
            .insert(Traced(parent.with_span(traced)));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else {
            return;
        };
        let extensions = span.extensions();
        if let Some(Traced(traced)) = extensions.get() {
            let mut answer = Answer::default();
            values.record(&mut answer);
            let traced = traced.span();
            traced.set_attribute(KeyValue::new("http.response.status_code", answer.status));
            if answer.status >= 500 {
                traced.set_attribute(KeyValue::new("error.type", answer.status.to_string()));
                traced.set_status(Status::error(""));
            }
        }
    }

    /// A statement that has just ended.
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else {
            return;
        };
        let extensions = span.extensions();
        let Some(Traced(traced)) = extensions.get() else {
            return;
        };
        if !traced.span().is_recording() {
            return;
        }
        let mut statement = Statement::default();
        event.record(&mut statement);
        let end = opentelemetry::time::now();
        let mut attributes = vec![
            KeyValue::new("db.system.name", statement.system),
            KeyValue::new("db.operation.name", statement.operation.clone()),
            KeyValue::new("db.query.text", statement.sql),
        ];
        if statement.has_failed {
            // What the database said may quote values.
            attributes.push(KeyValue::new("error.type", "_OTHER"));
        }
        let builder = self
            .0
            .span_builder(statement.operation)
            .with_kind(SpanKind::Client)
            .with_start_time(end.checked_sub(statement.took).unwrap_or(end))
            .with_attributes(attributes);
        let mut told = builder.start_with_context(&self.0, traced);
        if statement.has_failed {
            told.set_status(Status::error(""));
        }
        told.end_with_timestamp(end);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id);
        if let Some(Traced(traced)) = span.and_then(|span| span.extensions_mut().remove()) {
            traced.span().end();
        }
    }
}

fn attributes_of(request: Request) -> Vec<KeyValue> {
    let method = match request.method.as_str() {
        "other" => "_OTHER".to_owned(),
        _ => request.method,
    };
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("xmas.request_id", request.id),
    ];
    attributes.extend(
        request
            .route
            .map(|route| KeyValue::new("http.route", route)),
    );
    attributes
}

#[derive(Default)]
struct Answer {
    status: i64,
}

impl Visit for Answer {
    fn record_u64(&mut self, _: &Field, value: u64) {
        self.status = i64::try_from(value).unwrap_or_default();
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[derive(Default)]
struct Statement {
    system: String,
    operation: String,
    sql: String,
    took: Duration,
    has_failed: bool,
}

impl Visit for Statement {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "system" => self.system = value.to_owned(),
            "sql" => {
                let word = value.split_whitespace().next().unwrap_or_default();
                self.operation = word.to_ascii_uppercase();
                self.sql = value.chars().take(SHOWN).collect();
            }
            _ => {}
        }
    }

    fn record_u64(&mut self, _: &Field, value: u64) {
        self.took = Duration::from_nanos(value);
    }

    fn record_bool(&mut self, _: &Field, value: bool) {
        self.has_failed = value;
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Sends batches, and complains once a minute of a receiver that does not take them.
#[derive(Debug)]
struct Sender {
    agent: Agent,
    complaints: Minute,
}

impl Sender {
    fn new() -> Self {
        Self {
            agent: agent(),
            complaints: Minute::default(),
        }
    }

    fn send(&self, request: HttpRequest<Bytes>) -> Result<Response<Bytes>, ureq::Error> {
        let answer = self.agent.run(request.map(|body| body.to_vec()))?;
        let (head, mut body) = answer.into_parts();
        let body = body.read_to_vec()?;
        Ok(Response::from_parts(head, body.into()))
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    /// Only ever waited for by the thread that sends.
    async fn send_bytes(&self, request: HttpRequest<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let answer = self.send(request);
        let problem = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        if let Some(problem) = problem
            && self.complaints.is_new("traces")
        {
            tracing::warn!(
                problem,
                "traces do not reach OTEL_EXPORTER_OTLP_ENDPOINT and are lost: {problem}"
            );
        }
        Ok(answer?)
    }
}
