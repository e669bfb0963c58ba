//! What a fresh database is filled with: the 2025 event, and for a demo its players.

mod demo;
pub mod demo_state;
mod event_2025;

use anyhow::{Context, bail};
use sea_orm::{ConnectionTrait, Statement};
use xmas_kernel::db::{Constraint, Db};
use xmas_migration::{Migrator, MigratorTrait};
use xmas_time::{DateTime, Utc};

pub use demo::{ADMIN, ADMIN_PASSWORD, PLAYER_PASSWORD, demo, first_steps};

/// Applies every migration that is missing.
pub async fn migrate(db: &Db) -> anyhow::Result<()> {
    Migrator::up(db.write(), None)
        .await
        .context("a migration failed")
}

/// Whether nobody has an account yet.
pub async fn is_empty(db: &Db) -> anyhow::Result<bool> {
    let sql = "SELECT 1 FROM `user` LIMIT 1";
    let row = db
        .read()
        .query_one_raw(Statement::from_string(db.backend(), sql))
        .await?;
    Ok(row.is_none())
}

/// Writes the configuration of the 2025 event, and no player.
pub async fn event(db: &Db, now: DateTime<Utc>) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    match event_2025::write_in_tx(&tx, now).await {
        Ok(()) => Ok(tx.commit().await?),
        Err(error) if error.constraint() == Some(Constraint::SeasonName) => {
            bail!("this database holds the 2025 event already; nothing was changed")
        }
        Err(error) => Err(error).context("the event cannot be written; nothing was changed"),
    }
}
