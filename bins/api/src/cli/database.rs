use std::{sync::Arc, time::Duration};

use anyhow::bail;
use xmas_config::{Config, Secrets, prepare_data_dir};
use xmas_kernel::{
    Problem,
    db::{Db, DbError, DbOptions, reach},
    seal::{DataKey, ProbeError},
    with_causes,
};
use xmas_texts::{setting, start};
use xmas_time::{Clock, ShiftedClock, SystemClock};

use crate::{
    schema::{self, TABLE_WAIT},
    seed::{
        self,
        demo_state::{self, DemoState},
    },
    wiring,
};

/// How many connections several runtimes have at least: in none of them is everybody held up by one who waits for a row.
fn fewest(runtimes: usize) -> u32 {
    u32::try_from(runtimes)
        .unwrap_or(u32::MAX)
        .saturating_mul(4)
}

/// Connects to the configured database; the embedded one is made if it is not there.
pub(super) async fn connect(config: &Config) -> anyhow::Result<Db> {
    connect_with(config, 1, None).await
}

/// Connects to the configured database to change its schema, which waits for tables in use for
/// [`TABLE_WAIT`] only.
pub(super) async fn connect_to_change(config: &Config) -> anyhow::Result<Db> {
    connect_with(config, 1, Some(TABLE_WAIT)).await
}

async fn connect_with(
    config: &Config,
    runtimes: usize,
    table_wait: Option<Duration>,
) -> anyhow::Result<Db> {
    if config.is_production() && config.is_embedded() {
        bail!(Problem::new(
            "DATABASE_URL",
            setting::embedded_in_production()
        ));
    }
    if config.is_embedded() {
        prepare_data_dir(&config.app.data_dir)?;
    }
    let options = DbOptions {
        url: config.database_url(),
        max_connections: match runtimes {
            1 => config.database.max_connections,
            _ => config.database.max_connections.max(fewest(runtimes)),
        },
        runtimes,
        acquire_timeout: Duration::from_secs(config.database.acquire_seconds),
        causal_reads: config.database.causal_reads,
        table_wait,
    };
    reach(&options.url, options.acquire_timeout).await?;
    let db = Db::connect(&options).await;
    Ok(db.map_err(|error| start::database_unusable(with_causes(&error)))?)
}

/// Connects to a database that is ready for use; the embedded one is made so.
pub(super) async fn open(config: &Config) -> anyhow::Result<Db> {
    open_for(config, 1).await
}

/// The same, for so many runtimes, which share the connections.
pub(super) async fn open_for(config: &Config, runtimes: usize) -> anyhow::Result<Db> {
    let db = connect_with(config, runtimes, None).await?;
    if config.is_embedded() {
        seed::prepare_embedded(&db, config).await?;
    }
    schema::require(&db).await?;
    if config.is_production() && demo_state::find(&db).await?.is_some() {
        bail!(start::demo_refused());
    }
    Ok(db)
}

/// Fails if what is sealed in the database was sealed with another key (`DATA_KEY`).
pub(super) async fn compare_key(key: &DataKey, db: &Db) -> anyhow::Result<()> {
    match key.compare(db).await {
        // A schema without the table of probes holds nothing sealed.
        Ok(_) | Err(ProbeError::Db(DbError::SchemaMismatch(_))) => Ok(()),
        Err(ProbeError::OtherKey(_)) => bail!(start::other_data_key()),
        Err(ProbeError::HalfKnown) => bail!(start::two_data_keys()),
        Err(ProbeError::Db(error)) => Err(error.into()),
    }
}

/// [`compare_key`], where there is a key to compare.
pub(super) async fn compare_known_key(config: &Config, db: &Db) -> anyhow::Result<()> {
    match Secrets::known_data_key(config)? {
        Some(key) => {
            let previous = config.database.data_key_previous.as_ref();
            compare_key(&wiring::data_key(&key, previous), db).await
        }
        None => Ok(()),
    }
}

/// Refuses a clock that is not the real one in production: nobody brings a day forward there by shifting
/// the clock.
pub(super) fn require_real_time(config: &Config) -> anyhow::Result<()> {
    if config.is_production() && config.event.clock.is_some() {
        bail!(Problem::new("XMAS_CLOCK", setting::clock_in_production()));
    }
    Ok(())
}

/// The event's clock: shifted by `XMAS_CLOCK`, or as the demo in the database is.
pub(super) fn clock(config: &Config, demo: Option<&DemoState>) -> Arc<dyn Clock> {
    match (config.event.clock, demo) {
        (Some(start), _) => Arc::new(ShiftedClock::starting_at(SystemClock, start)),
        (None, Some(demo)) => Arc::new(ShiftedClock::with_offset(SystemClock, demo.clock_offset)),
        (None, None) => Arc::new(SystemClock),
    }
}
