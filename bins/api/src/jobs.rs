//! Work that is due at a time of the event's clock, whichever replica gets to it first.

use std::{sync::Arc, time::Duration};

use tokio::time::{Interval, MissedTickBehavior};
use xmas_cache::{Cache, Stats};
use xmas_event_bridge::{Certificate, Due, Settlement, USUAL_CHUNK};
use xmas_kernel::{BridgeId, lease::Lease};
use xmas_time::{Clock, DateTime, Utc};
use xmas_watch::Watch;

use crate::wiring::App;

/// How often anything is looked after.
const EVERY: Duration = Duration::from_secs(20);
/// How often the database is looked at for metrics.
const LOOK: Duration = Duration::from_secs(15);
/// How often it is asked whether an audit is due.
const AUDIT_LOOK: Duration = Duration::from_secs(60);
/// An audit of a large event takes minutes. One that fails, or whose process ends, is tried again after this.
const AUDIT_LEASE: Duration = Duration::from_secs(1800);
/// How often the log says how well the shared cache has served.
const CACHE_LOG: Duration = Duration::from_secs(60);
/// How long a process has a job for itself. Should it take longer, or the process die, another goes
/// on: what keeps payments single is the database, not the lease.
const LEASE: Duration = Duration::from_secs(600);

/// Looks after everything that is due, until it is dropped.
pub(crate) async fn run(app: App, watch: Arc<Watch>, audit_every: Duration, clock: Arc<dyn Clock>) {
    // A dashboard that has much to read after a start must not hold a settlement up.
    tokio::join!(
        look_after(&app, &*clock),
        keep_warm(&app, &*clock),
        keep_watch(&watch, &*clock),
        audit(&app, audit_every),
        keep_house(&app, &*clock),
        keep_odds(&app, &*clock),
        log_cache(app.cache())
    );
}

async fn look_after(app: &App, clock: &dyn Clock) {
    let mut interval = every(EVERY);
    loop {
        interval.tick().await;
        if let Err(error) = run_due(app, clock.now()).await {
            tracing::warn!("a job is put off: {error:#}");
        }
    }
}

/// Every replica for itself: it reads into its own memory.
async fn keep_warm(app: &App, clock: &dyn Clock) {
    let mut interval = every(EVERY);
    loop {
        interval.tick().await;
        if let Err(error) = app.dashboard().keep_warm(clock.now()).await {
            let error = anyhow::Error::from(error);
            tracing::warn!("the dashboard could not read ahead: {error:#}");
        }
    }
}

/// Every replica for itself: each is asked for its own metrics.
async fn keep_watch(watch: &Watch, clock: &dyn Clock) {
    let mut interval = every(LOOK);
    loop {
        interval.tick().await;
        if let Err(error) = watch.look(clock.now()).await {
            let error = anyhow::Error::from(error);
            tracing::warn!("the database could not be looked at: {error:#}");
        }
    }
}

/// Checks every invariant now and then, if `audit_every` is not 0.
async fn audit(app: &App, audit_every: Duration) {
    if audit_every.is_zero() {
        return;
    }
    let mut interval = every(AUDIT_LOOK);
    loop {
        interval.tick().await;
        if let Err(error) = app.audit_if_due(audit_every, AUDIT_LEASE).await {
            let error = anyhow::Error::from(error);
            tracing::warn!("the audit is put off: {error:#}");
        }
    }
}

/// Whichever replica comes first. What it has not finished goes on at the next tick.
async fn keep_house(app: &App, clock: &dyn Clock) {
    let mut interval = every(EVERY);
    loop {
        interval.tick().await;
        if let Err(error) = app.keep_house(clock.now()).await {
            let error = anyhow::Error::from(error);
            tracing::warn!("housekeeping is put off: {error:#}");
        }
    }
}

/// Every replica looks for itself; whichever comes first counts.
async fn keep_odds(app: &App, clock: &dyn Clock) {
    let mut interval = every(EVERY);
    loop {
        interval.tick().await;
        if let Err(error) = app.keep_odds(clock.now()).await {
            let error = anyhow::Error::from(error);
            tracing::warn!("what is published of odds is late: {error:#}");
        }
    }
}

/// Says once a minute how well the cache that replicas share has served, if there is one and it was asked.
async fn log_cache(cache: &dyn Cache) {
    if !cache.is_shared() {
        return;
    }
    let mut interval = every(CACHE_LOG);
    let mut before = cache.stats();
    loop {
        interval.tick().await;
        let now = cache.stats();
        let minute = now.since(&before);
        before = now;
        if minute == Stats::default() {
            continue;
        }
        let Stats {
            hits,
            misses,
            failures,
        } = minute;
        let hit_ratio = minute.hit_ratio();
        tracing::info!(
            hits,
            misses,
            failures,
            hit_ratio,
            "Redis: {:.0} % of {} reads found something, and {failures} requests failed",
            100.0 * hit_ratio,
            hits + misses,
        );
    }
}

/// Ticks with at least `time` between two, however long what is done at one takes.
fn every(time: Duration) -> Interval {
    let mut interval = tokio::time::interval(time);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Does what is due at `now`: seeds of the days ahead, and whatever the bridge waits for.
pub async fn run_due(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    // Neither waits for the other one to work.
    let prepared = app.prepare_draws(now).await;
    run_bridge(app, now).await?;
    Ok(prepared?)
}

async fn run_bridge(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    let settlement = app.settlement();
    // After a settlement that was late, the closing may be due as well.
    for _ in 0..2 {
        let Some(due) = settlement.due(now).await? else {
            return Ok(());
        };
        let (Due::Precheck(bridge) | Due::Settle(bridge) | Due::Close(bridge)) = due;
        let name = format!("bridge:{bridge}");
        let Some(lease) = Lease::take(app.db(), &name, app.process(), LEASE).await? else {
            return Ok(());
        };
        let done = do_now(app, settlement, due, now).await;
        let given_back = lease.give_back(app.db()).await;
        done?;
        given_back?;
    }
    Ok(())
}

async fn do_now(
    app: &App,
    settlement: &Settlement,
    due: Due,
    now: DateTime<Utc>,
) -> anyhow::Result<()> {
    match due {
        Due::Precheck(bridge) => {
            let violations = app.audit().run().await?.violations();
            let certificate = settlement.certificate(bridge).await?;
            if settlement.note_precheck(bridge, now).await? {
                log_certificate("the evening before the settlement", bridge, &certificate);
                if violations > 0 {
                    tracing::error!(
                        %bridge,
                        violations,
                        "the audit finds {violations} violations; look at `xmas-api audit` before \
                         the settlement runs"
                    );
                }
            }
        }
        Due::Settle(bridge) => {
            let run = settlement.settle(bridge, USUAL_CHUNK, now, &|_| ()).await?;
            tracing::info!(%bridge, paid = run.paid, points = run.points, "the bridge was settled");
            let certificate = settlement.certificate(bridge).await?;
            log_certificate("the settlement has run", bridge, &certificate);
        }
        Due::Close(bridge) => {
            let certificate = settlement.close(bridge, USUAL_CHUNK, now).await?;
            log_certificate("the bridge is closed", bridge, &certificate);
        }
    }
    Ok(())
}

fn log_certificate(when: &str, bridge: BridgeId, certificate: &Certificate) {
    tracing::info!(
        %bridge,
        eligible = certificate.eligible,
        paid = certificate.paid,
        points = certificate.points,
        unpaid = ?certificate.unpaid,
        unpaid_points = certificate.unpaid_points,
        digest = certificate.digest,
        "{when}: {} of {} paid",
        certificate.paid,
        certificate.eligible
    );
}
