use std::{
    io::Write,
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::bail;
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::timeout,
};
use xmas_config::{Config, ListenAddr, Secrets, problems};
use xmas_http::server::{self, Running};
use xmas_kernel::{Problem, with_causes};
use xmas_texts::{Language, start};
use xmas_watch::metrics::{self, StatementMetrics};

use crate::{
    cli::database,
    jobs,
    seed::{self, demo_state},
    wiring::{self, App, Ports},
};

/// How long the connections may take to be closed: a job that was given up may have left one whose statement still waits
/// for a lock. What had been begun on it is rolled back when the process ends.
const CLOSING: Duration = Duration::from_secs(5);

pub(super) async fn run(config: &Config) -> anyhow::Result<()> {
    let started = Instant::now();
    let problems = problems(config);
    if !problems.is_empty() {
        let language = Language::of_environment();
        let problems = problems.iter().map(|problem| problem.sentence(language));
        let problems = problems.collect::<Vec<_>>().join("\n  ");
        bail!(start::configuration_unsafe(problems));
    }
    allow_connections();
    // A start that fails must not leave values that are sealed with a key nobody meant.
    let listener = listen("BIND_ADDR", &config.server.bind_addr)?;
    let address = listener.local_addr()?;
    let metrics_addr = config.watch.metrics_addr.as_ref();
    let metrics_listener = metrics_addr.map(|address| listen("METRICS_ADDR", address));
    let metrics_listener = metrics_listener.transpose()?;
    let mut db = database::open_for(config, server::runtimes()).await?;
    let slow_from = Duration::from_millis(config.watch.slow_statement_millis);
    let statements = StatementMetrics::new(slow_from);
    statements.observe(&mut db);
    let demo = demo_state::find(&db).await?;
    let clock = database::clock(config, demo.as_ref());
    let secrets = Secrets::of(config)?;
    let key = wiring::data_key(&secrets.data_key, secrets.data_key_previous.as_ref());
    database::compare_key(&key, &db).await?;
    let ports = Ports::with_clock(clock.clone());
    let ports = ports.with_cache_of(config, &secrets).await?;
    let app = App::new(&db, config, &secrets, ports);
    let withheld = app
        .complete_codes()
        .await
        .map_err(|error| start::codes_incomplete(with_causes(&error)))?;
    if withheld > 0 {
        tracing::warn!(
            withheld,
            "{withheld} coupon codes are withheld, because several kinds have them; see GET \
             /admin/api/coupons/withheld/"
        );
    }
    app.prepare_draws(clock.now())
        .await
        .map_err(|error| start::draws_unprepared(with_causes(&error)))?;
    let Running { server, door } = app.serve(listener, &config.limits)?;
    let handle = server.handle();
    let watch = Arc::new(app.new_watch());
    if let Some(listener) = metrics_listener {
        let address = listener.local_addr()?;
        let shown = app.metrics(statements, watch.clone());
        actix_web::rt::spawn(metrics::serve(listener, shown)?);
        tracing::info!(%address, "metrics at http://{address}/metrics");
    }
    let audit_every = Duration::from_secs(config.watch.audit_hours * 3600);
    let jobs = jobs::run(app.clone(), watch, audit_every, clock.clone());
    let jobs = actix_web::rt::spawn(jobs);
    let running = actix_web::rt::spawn(server);
    // Before anybody is told that it runs, and may want it to stop.
    let mut signals = Signals::listen()?;
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::info!(%address, millis, "ready on {address} after {millis} ms");
    // Nobody may be reading, which is no reason to stop.
    let first_steps = seed::first_steps(address, clock.now(), demo.is_some());
    let _ = writeln!(std::io::stdout(), "{first_steps}");

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
    jobs.abort();
    door.close().await;
    handle.stop(true).await;
    running.await??;
    match timeout(CLOSING, db.close()).await {
        Ok(closed) => closed?,
        Err(_) => tracing::warn!("a connection to the database does not end; the server ends it"),
    }
    Ok(())
}

/// Listens on the address that a setting names.
fn listen(setting: &'static str, address: &ListenAddr) -> anyhow::Result<TcpListener> {
    let found = address.resolve();
    let found = found.map_err(|text| Problem::new(setting, text))?;
    let bound = TcpListener::bind(found);
    Ok(bound
        .map_err(|error| start::not_listening(address.to_string(), error.to_string(), setting))?)
}

/// Asks for as many open files as the system lets a process have: the usual 1,024 are fewer than the connections
/// that clients may keep open, and a server that has none left accepts nobody.
fn allow_connections() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files cannot be raised: {error}");
    }
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
