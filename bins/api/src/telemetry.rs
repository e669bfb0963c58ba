//! Log lines: readable sentences with fields, on standard error. And what is sent elsewhere, if anything is.

use std::io::IsTerminal;

use clap::ValueEnum;
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use xmas_config::{Config, ConfigError, LogFormat, SentryDsn};
use xmas_kernel::Problem;
use xmas_kernel::db::ACQUIRE_TARGET;
use xmas_texts::{quoted, setting};
use xmas_watch::{
    metrics::AcquireTimes,
    telemetry::{BoxedLayer, Service, TARGETS, Telemetry, TraceOptions},
};

use crate::version;

/// Starts logging, and whatever the configuration sends elsewhere until the returned value is dropped. Called once, before
/// anything is logged and before there is a runtime.
pub(crate) fn start(config: &Config) -> anyhow::Result<Telemetry> {
    let lines = lines(config)?;
    let telemetry = telemetry(config)?;
    let started = tracing_subscriber::registry().with(listeners(lines, &telemetry));
    let started = started.try_init();
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    Ok(telemetry)
}

/// Everybody who listens. One list, and nothing in it that is off: beside a layer that may be there or not, `tracing` asks
/// again and again about what nobody hears.
fn listeners(lines: BoxedLayer<Registry>, telemetry: &Telemetry) -> Vec<BoxedLayer<Registry>> {
    // Every line of the pools is for metrics, whatever is logged.
    let acquire_times = Targets::new().with_target(ACQUIRE_TARGET, LevelFilter::TRACE);
    let acquire_times = AcquireTimes.with_filter(acquire_times).boxed();
    let mut listeners = vec![lines, acquire_times];
    listeners.extend(telemetry.layers());
    listeners
}

fn lines(config: &Config) -> anyhow::Result<BoxedLayer<Registry>> {
    let filter = log_filter(&config.log.filter)?;
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    Ok(match config.log_format() {
        LogFormat::Pretty => lines.with_filter(filter).boxed(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            lines.with_filter(filter).boxed()
        }
    })
}

/// What is logged: what the setting says, and nothing of what is there for telemetry. Fails if the setting is no filter.
pub(crate) fn log_filter(setting: &str) -> anyhow::Result<EnvFilter> {
    let filter = EnvFilter::try_new(setting).map_err(|_| {
        ConfigError(Problem::new(
            "RUST_LOG",
            setting::log_filter(quoted(setting)),
        ))
    })?;
    TARGETS.iter().try_fold(filter, |filter, target| {
        Ok(filter.add_directive(format!("{target}=off").parse()?))
    })
}

fn telemetry(config: &Config) -> anyhow::Result<Telemetry> {
    let environment = config.app.env.to_possible_value();
    let environment = environment.map(|env| env.get_name().to_owned());
    let service = Service {
        version: version::VERSION,
        commit: version::COMMIT,
        instance: uuid::Uuid::new_v4().to_string(),
        environment: environment.unwrap_or_default(),
    };
    let settings = &config.telemetry;
    let traces = settings
        .otlp_endpoint
        .as_ref()
        .map(|endpoint| TraceOptions {
            receiver: endpoint.traces(),
            ratio: settings.trace_ratio,
        });
    let sentry = settings.sentry_dsn.as_ref().map(SentryDsn::expose);
    let telemetry = Telemetry::start(service, traces.as_ref(), sentry.cloned());
    telemetry.map_err(|error| anyhow::anyhow!("tracing cannot be started: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    use tracing::{Level, Metadata, subscriber::Interest};
    use tracing_subscriber::layer::{Context, Filter, Identity};
    use xmas_config::Variables;
    use xmas_http::middleware::spans::REQUEST_TARGET;
    use xmas_kernel::db::STATEMENT_TARGET;

    use super::*;

    /// Counts how often anybody asks, while the program runs, whether something is heard.
    #[derive(Clone, Default)]
    struct Asked(Arc<AtomicUsize>);

    impl Filter<Registry> for Asked {
        fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, Registry>) -> bool {
            self.0.fetch_add(1, Ordering::Relaxed);
            false
        }

        fn callsite_enabled(&self, _: &'static Metadata<'static>) -> Interest {
            Interest::never()
        }
    }

    #[test]
    fn with_telemetry_off_nothing_of_it_is_made_or_asked_about() {
        // Even where everything is logged.
        let everything = Variables::from_pairs(&[("RUST_LOG", "trace")]).unwrap();
        let config = Config::from_variables(&everything).unwrap();
        let telemetry = telemetry(&config).unwrap();
        let asked = Asked::default();
        let mut listeners = listeners(lines(&config).unwrap(), &telemetry);
        listeners.push(Identity::new().with_filter(asked.clone()).boxed());
        let subscriber = tracing_subscriber::registry().with(listeners);
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..3 {
                assert!(tracing::trace_span!(target: REQUEST_TARGET, "request").is_disabled());
                assert!(!tracing::enabled!(target: STATEMENT_TARGET, Level::TRACE));
                tracing::trace!(target: STATEMENT_TARGET, sql = "SELECT 1");
            }
            assert_eq!(asked.0.load(Ordering::Relaxed), 0);
            // The log hears of everything else, which is asked about each time.
            assert!(tracing::enabled!(target: "another", Level::TRACE));
            assert_ne!(asked.0.load(Ordering::Relaxed), 0);
        });
    }
}
