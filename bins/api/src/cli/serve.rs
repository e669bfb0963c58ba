use std::{
    io::Write,
    net::TcpListener,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use tokio::signal::unix::{Signal, SignalKind, signal};
use xmas_kernel::entropy::{Entropy, OsEntropy};
use xmas_time::{Clock, ShiftedClock, SystemClock};

use super::database;
use crate::{
    config::{Config, Secret, problems},
    seed::{self, demo_state},
    server,
    wiring::{App, Ports},
};

pub(super) async fn run(config: &Config) -> anyhow::Result<()> {
    let started = Instant::now();
    let problems = problems(config);
    if !problems.is_empty() {
        bail!(
            "this configuration is not safe in production:\n  {}",
            problems.join("\n  ")
        );
    }
    let db = database::open(config).await?;
    let demo = demo_state::find(&db).await?;
    let clock = clock(config, demo.as_ref());
    let app = App::new(
        &db,
        config,
        &jwt_secret(config)?,
        Ports::with_clock(clock.clone()),
    );
    let listener = TcpListener::bind(config.server.bind_addr).with_context(|| {
        format!(
            "{} cannot be listened on; see BIND_ADDR",
            config.server.bind_addr
        )
    })?;
    let address = listener.local_addr()?;
    let server = server::start(&app, listener, config)?;
    let handle = server.handle();
    let running = actix_web::rt::spawn(server);
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%address, millis, "ready on {address} after {millis} ms");
    // Nobody may be reading, which is no reason to stop.
    let first_steps = seed::first_steps(address, clock.now(), demo.is_some());
    let _ = writeln!(std::io::stdout(), "{first_steps}");

    let mut signals = Signals::listen()?;
    let stop = signals.next().await;
    app.readiness().drain();
    if stop == Stop::Drain {
        let seconds = config.server.drain_seconds;
        tracing::info!(
            seconds,
            "stopping in {seconds} s; until then requests are still served"
        );
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            _ = signals.next() => {}
        }
    }
    tracing::info!("finishing what is in flight");
    handle.stop(true).await;
    running.await??;
    db.close().await?;
    Ok(())
}

fn clock(config: &Config, demo: Option<&demo_state::DemoState>) -> Arc<dyn Clock> {
    match (config.event.clock, demo) {
        (Some(start), _) => Arc::new(ShiftedClock::starting_at(SystemClock, start)),
        (None, Some(demo)) => Arc::new(ShiftedClock::with_offset(SystemClock, demo.clock_offset)),
        (None, None) => Arc::new(SystemClock),
    }
}

/// The configured secret, or one that is generated once and kept beside the embedded database, so
/// that a restart does not log everybody out.
fn jwt_secret(config: &Config) -> anyhow::Result<Secret> {
    if let Some(secret) = &config.auth.jwt_secret {
        return Ok(secret.clone());
    }
    let folder = &config.app.data_dir;
    let file = folder.join("dev-jwt-secret");
    if let Ok(text) = std::fs::read_to_string(&file) {
        let text = text.trim();
        if text.len() < 64 {
            bail!(
                "{} is damaged; delete it, and a new secret is made",
                file.display()
            );
        }
        return Ok(text.parse()?);
    }
    let mut bytes = [0; 32];
    OsEntropy.fill(&mut bytes);
    let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::create_dir_all(folder)
        .and_then(|()| write_private(&file, &text))
        .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok(text.parse()?)
}

fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    // Whole or not at all, even if the disk is full.
    let unfinished = file.with_extension("new");
    let mut opened = options.open(&unfinished)?;
    opened.write_all(text.as_bytes())?;
    opened.sync_all()?;
    std::fs::rename(&unfinished, file)
}

/// How to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
    /// SIGTERM: there is time for a load balancer to look away.
    Drain,
    /// SIGINT: somebody is waiting at the keyboard.
    Now,
}

struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Stop {
        tokio::select! {
            _ = self.terminate.recv() => Stop::Drain,
            _ = self.interrupt.recv() => Stop::Now,
        }
    }
}
