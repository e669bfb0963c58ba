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
use xmas_config::{Config, LogFormat, SentryDsn};
use xmas_kernel::db::ACQUIRE_TARGET;
use xmas_watch::{
    metrics::AcquireTimes,
    telemetry::{BoxedLayer, Service, TARGETS, Telemetry, TraceOptions},
};

use crate::version;

/// Starts logging, and whatever the configuration sends elsewhere until the returned value is dropped. Called once, before
/// anything is logged and before there is a runtime.
pub(crate) fn start(config: &Config) -> anyhow::Result<Telemetry> {
    let filter = log_filter(&config.log.filter)?;
    let telemetry = telemetry(config)?;
    // One list, without anything in it that is off: a layer that may be there or not keeps `tracing` from leaving out at
    // once what nobody hears.
    let mut layers: Vec<BoxedLayer<Registry>> = telemetry.layers();
    // Every line of the pools is for metrics, whatever is logged.
    let acquire_times = Targets::new().with_target(ACQUIRE_TARGET, LevelFilter::TRACE);
    layers.push(AcquireTimes.with_filter(acquire_times).boxed());
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    layers.push(match config.log_format() {
        LogFormat::Pretty => lines.with_filter(filter).boxed(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            lines.with_filter(filter).boxed()
        }
    });
    let started = tracing_subscriber::registry().with(layers).try_init();
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    Ok(telemetry)
}

/// What is logged: what the setting says, and nothing of what is there for telemetry.
fn log_filter(setting: &str) -> anyhow::Result<EnvFilter> {
    let filter = EnvFilter::try_new(setting)
        .map_err(|error| anyhow::anyhow!("RUST_LOG cannot be understood: {error}"))?;
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
