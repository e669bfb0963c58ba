//! Panics and failed requests as reports to Sentry.
//!
//! A report says what failed and where: code or place, route and request id, which finds the rest in the log. It has
//! nothing of what a client sent, and no text of an error, which may quote what a player wrote.

use std::{backtrace::Backtrace, borrow::Cow, panic, sync::Arc, time::Duration};

use sentry::{
    Client, ClientOptions, Level, Transport, TransportFactory, TransportOptions,
    protocol::{Event as Report, Exception, Frame, Stacktrace},
    transports::UreqHttpTransportOptions,
    types::Dsn,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    filter::{LevelFilter, Targets},
    layer::Context,
    registry::LookupSpan,
};
use xmas_http::middleware::spans::{FAILURE_TARGET, REQUEST_TARGET};

use super::{agent::agent, minute::Minute, request::Request};

/// Under this target stands an event with the `place` of a panic, in the span of the request that met it.
pub(super) const PANIC_TARGET: &str = "xmas_traced::panic";

/// How many reports may wait to be sent. Whoever ends waits for a place in it, and this many never come within a minute.
const QUEUE: usize = 1_000;

/// Sends reports from a thread of its own. What does not fit into its queue is lost, and no request waits.
pub(super) struct Failures(Arc<Client>);

impl Failures {
    pub(super) fn new(dsn: Dsn, release: String, environment: String) -> Self {
        Self::sending_by(Patient, dsn, release, environment)
    }

    fn sending_by(
        transport: impl TransportFactory + 'static,
        dsn: Dsn,
        release: String,
        environment: String,
    ) -> Self {
        let mut options = ClientOptions::new()
            .release(release)
            .environment(environment)
            .default_integrations(false)
            .transport_channel_capacity(QUEUE)
            .transport(transport);
        options.dsn = Some(dsn);
        Self(Arc::new(Client::with_options(options)))
    }

    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let heard = Targets::new()
            .with_target(REQUEST_TARGET, LevelFilter::TRACE)
            .with_target(FAILURE_TARGET, LevelFilter::ERROR)
            .with_target(PANIC_TARGET, LevelFilter::ERROR);
        let reporter = Reporter {
            client: self.0.clone(),
            reported: Minute::default(),
        };
        reporter.with_filter(heard)
    }

    /// Sends what is left, for so long at most.
    pub(super) fn end(&self, within: Duration) {
        self.0.flush(Some(within));
    }
}

/// Makes a transport that waits no longer than the rest of telemetry.
struct Patient;

impl TransportFactory for Patient {
    fn create_transport_with_options(&self, options: TransportOptions) -> Arc<dyn Transport> {
        let options = UreqHttpTransportOptions::from(options).with_agent(agent());
        Arc::new(options.build())
    }
}

/// From now on every panic is an event, after what was done about it before.
pub(super) fn tell_of_panics() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        before(panic);
        // What it says may quote a value.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(target: PANIC_TARGET, place);
    }));
}

struct Reporter {
    client: Arc<Client>,
    reported: Minute,
}

impl<S> Layer<S> for Reporter
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(Request::of(attributes));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut failure = Failure::default();
        event.record(&mut failure);
        let span = context.event_span(event);
        let extensions = span.as_ref().map(|span| span.extensions());
        let request = extensions.as_ref().and_then(|known| known.get::<Request>());
        let is_panic = event.metadata().target() == PANIC_TARGET;
        self.report(&failure.what, is_panic, request);
    }
}

impl Reporter {
    /// Reports a failure of a route once a minute; a table that is missing fails every request.
    fn report(&self, what: &str, is_panic: bool, request: Option<&Request>) {
        let route = request.map(Request::name);
        let known_by = [what, route.as_deref().unwrap_or_default()];
        if !self.reported.is_new(&known_by.join(" ")) {
            return;
        }
        let exception = match is_panic {
            true => Exception {
                ty: "panic".to_owned(),
                value: Some(what.to_owned()),
                stacktrace: Some(stack()),
                ..Exception::default()
            },
            false => Exception {
                ty: what.to_owned(),
                value: route.clone(),
                ..Exception::default()
            },
        };
        let mut report = Report {
            level: if is_panic { Level::Fatal } else { Level::Error },
            fingerprint: known_by
                .map(|part| Cow::Owned(part.to_owned()))
                .to_vec()
                .into(),
            exception: vec![exception].into(),
            transaction: route,
            ..Report::default()
        };
        if let Some(request) = request {
            let id = request.id.clone();
            report.tags.insert("request_id".to_owned(), id);
        }
        self.client.capture_event(report, None);
    }
}

/// What failed: the code of an error, or the place of a panic.
#[derive(Default)]
struct Failure {
    what: String,
}

impl Visit for Failure {
    fn record_str(&mut self, _: &Field, value: &str) {
        self.what = value.to_owned();
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// Which functions led here, the outermost first. What they were called with is not in it.
fn stack() -> Stacktrace {
    let text = Backtrace::force_capture().to_string();
    // `  12: crate::function`, and mostly its place on the next line.
    let functions = text.lines().filter_map(|line| {
        let (number, function) = line.trim_start().split_once(": ")?;
        number.parse::<u32>().ok()?;
        Some(Frame {
            function: Some(function.to_owned()),
            ..Frame::default()
        })
    });
    let mut frames: Vec<Frame> = functions.collect();
    frames.reverse();
    Stacktrace {
        frames,
        ..Stacktrace::default()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::catch_unwind,
        sync::{Mutex, PoisonError},
    };

    use sentry::Envelope;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// Keeps what would be sent.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<Report<'static>>>>);

    impl Transport for Kept {
        fn send_envelope(&self, envelope: Envelope) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend(envelope.event().cloned());
        }
    }

    impl TransportFactory for Kept {
        fn create_transport_with_options(&self, _: TransportOptions) -> Arc<dyn Transport> {
            Arc::new(self.clone())
        }
    }

    #[test]
    fn a_panic_is_reported_by_its_place_and_request_and_not_by_what_it_says() {
        let kept = Kept::default();
        let dsn = "https://key@sentry.example/42".parse().unwrap();
        let (release, environment) = ("r".to_owned(), "e".to_owned());
        let failures = Failures::sending_by(kept.clone(), dsn, release, environment);
        tell_of_panics();
        let subscriber = tracing_subscriber::registry().with(failures.layer());
        let line = tracing::subscriber::with_default(subscriber, || {
            let request = tracing::trace_span!(
                target: REQUEST_TARGET, "request", method = "GET", route = "/api/wallet", request_id = "one",
            );
            request.in_scope(|| {
                for _ in 0..3 {
                    catch_unwind(|| panic!("alice is in here")).unwrap_err();
                }
            });
            line!() - 3
        });
        let kept = kept.0.lock().unwrap();
        let [report] = &kept[..] else {
            panic!("once a minute: {kept:?}");
        };
        let exception = &report.exception[0];
        assert_eq!(exception.ty, "panic");
        let place = exception.value.as_deref().unwrap();
        assert!(place.contains(&format!("failures.rs:{line}:")), "{place}");
        let frames = &exception.stacktrace.as_ref().unwrap().frames;
        let here = "a_panic_is_reported_by_its_place";
        let is_here = |frame: &Frame| {
            frame
                .function
                .as_ref()
                .is_some_and(|name| name.contains(here))
        };
        assert!(frames.iter().any(is_here), "{frames:?}");
        assert_eq!(report.level, Level::Fatal);
        assert_eq!(report.transaction.as_deref(), Some("GET /api/wallet"));
        assert_eq!(report.tags["request_id"], "one");
        assert!(!format!("{report:?}").contains("alice"));
    }
}
