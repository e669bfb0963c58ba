//! Log lines: readable sentences with fields, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{LevelFilter, Targets},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use xmas_config::{Config, LogFormat};
use xmas_kernel::db::ACQUIRE_TARGET;
use xmas_watch::metrics::AcquireTimes;

/// Starts logging. Called once, before anything is logged.
pub(crate) fn start(config: &Config) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&config.log.filter)
        .map_err(|error| anyhow::anyhow!("RUST_LOG cannot be understood: {error}"))?;
    let lines = fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Every line of the pools is for metrics, whatever is logged.
    let acquire_times =
        AcquireTimes.with_filter(Targets::new().with_target(ACQUIRE_TARGET, LevelFilter::TRACE));
    let registry = tracing_subscriber::registry().with(acquire_times);
    let started = match config.log_format() {
        LogFormat::Pretty => registry.with(lines.with_filter(filter)).try_init(),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true);
            registry.with(lines.with_filter(filter)).try_init()
        }
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))
}
