//! Whether the schema of a database fits this binary, and bringing it up to date while others use it.

use std::time::{Duration, Instant};

use anyhow::bail;
use tokio::time::sleep;
use xmas_kernel::{
    db::{Db, DbError},
    with_causes,
};
use xmas_migration::{MigrationLock, SchemaState, apply_next, schema_state};
use xmas_texts::start;

use crate::version::VERSION;

/// How long a statement waits for a table that a transaction has in use. Players wait behind it meanwhile, so it
/// gives way and comes back.
pub const TABLE_WAIT: Duration = Duration::from_secs(3);

/// How long others that change the schema are waited for, unless somebody says otherwise.
pub const USUAL_PATIENCE: Duration = Duration::from_secs(60);

/// How long players get between two attempts.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a lock that another process has is asked for.
const LOOK: Duration = Duration::from_millis(200);

/// Applies every migration that is missing, as the only process to do so, and returns their names. `patience` is
/// how long it waits for another process that does, and then how long it goes on asking for tables in use.
///
/// What was applied before an error stays; run it again.
pub async fn bring_up_to_date(db: &Db, patience: Duration) -> anyhow::Result<Vec<String>> {
    let lock = take_lock(db, patience).await?;
    let applied = apply_missing(db, &lock, patience).await;
    let released = lock.release().await;
    let applied = applied?;
    released?;
    Ok(applied)
}

async fn apply_missing(
    db: &Db,
    lock: &MigrationLock,
    patience: Duration,
) -> anyhow::Result<Vec<String>> {
    refuse_newer(db).await?;
    let started = Instant::now();
    let mut applied = Vec::new();
    loop {
        if !lock.is_held().await {
            bail!(start::migration_lock_lost());
        }
        match apply_next(db.write()).await.map_err(DbError::from) {
            Ok(Some(name)) => applied.push(name),
            Ok(None) => return Ok(applied),
            Err(DbError::Contention(error)) if started.elapsed() < patience => {
                tracing::warn!("a table is in use, and is waited for: {error}");
                sleep(PAUSE).await;
            }
            Err(error) if error.is_forbidden() => bail!(start::migration_forbidden()),
            Err(error) => bail!(start::migration_failed(with_causes(&error))),
        }
    }
}

/// Fails, with what to do, unless the schema fits this binary.
pub async fn require(db: &Db) -> anyhow::Result<()> {
    match schema_state(db.read(), VERSION).await? {
        SchemaState::Current => Ok(()),
        SchemaState::TooOld { missing } => {
            let first = missing.first().cloned().unwrap_or_default();
            bail!(start::schema_too_old(missing.len(), first))
        }
        SchemaState::TooNew { .. } => refuse_newer(db).await,
    }
}

/// Fails if the schema needs a newer binary than this one.
pub async fn refuse_newer(db: &Db) -> anyhow::Result<()> {
    match schema_state(db.read(), VERSION).await? {
        SchemaState::TooNew {
            migration,
            oldest_binary,
        } => bail!(start::schema_newer_than(VERSION, migration, oldest_binary)),
        SchemaState::Current | SchemaState::TooOld { .. } => Ok(()),
    }
}

/// The lock of those who change the schema, as soon as nobody else has it.
pub async fn take_lock(db: &Db, patience: Duration) -> anyhow::Result<MigrationLock> {
    let started = Instant::now();
    loop {
        if let Some(lock) = MigrationLock::try_take(db.read()).await? {
            return Ok(lock);
        }
        if started.elapsed() >= patience {
            bail!(start::migration_elsewhere(patience.as_secs()));
        }
        sleep(LOOK).await;
    }
}
