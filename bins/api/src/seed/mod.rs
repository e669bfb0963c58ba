//! What a fresh database is filled with: the 2025 event, and for a demo its players.

mod demo;
pub mod demo_state;
mod event_2025;

use anyhow::bail;
use event_2025::WriteError;
use xmas_config::{Config, Secrets};
use xmas_kernel::{db::Db, with_causes};
use xmas_players::has_accounts;
use xmas_season_pass::SeasonPass;
use xmas_texts::start;
use xmas_time::{DateTime, SystemClock, Utc};

use crate::schema::{USUAL_PATIENCE, bring_up_to_date};

pub use demo::{ADMIN, ADMIN_PASSWORD, PLAYER_PASSWORD, demo, first_steps};

/// Makes the embedded database ready: the whole schema, and the demo if nothing else is there.
pub async fn prepare_embedded(db: &Db, config: &Config) -> anyhow::Result<()> {
    bring_up_to_date(db, USUAL_PATIENCE).await?;
    if !is_empty(db).await? {
        return Ok(());
    }
    demo(db, config, &Secrets::of(config)?, &SystemClock).await
}

/// Whether a database has neither an account nor a season.
pub async fn is_empty(db: &Db) -> anyhow::Result<bool> {
    Ok(!has_accounts(db.read()).await? && !SeasonPass::has_seasons(db).await?)
}

/// Writes the configuration of the 2025 event, and no player.
pub async fn event(db: &Db, now: DateTime<Utc>) -> anyhow::Result<()> {
    let tx = db.begin().await?;
    match event_2025::write_in_tx(&tx, now).await {
        Ok(_) => Ok(tx.commit().await?),
        Err(WriteError::AlreadyThere) => bail!(start::event_is_there()),
        Err(error) => bail!(start::event_unwritten(with_causes(&error))),
    }
}
