//! What a fresh database is filled with: the 2025 event, and for a demo its players.

mod demo;
pub mod demo_state;

use anyhow::bail;
use xmas_config::{Config, Secrets};
use xmas_event_file::{CheckedFile, EventError, Plan, read};
use xmas_kernel::{db::Db, with_causes};
use xmas_players::has_accounts;
use xmas_season_pass::SeasonPass;
use xmas_texts::{Language, start};
use xmas_time::{DateTime, EventDay, SystemClock, Utc};

use crate::{
    schema::{USUAL_PATIENCE, bring_up_to_date},
    wiring::App,
};

pub use demo::{ADMIN, ADMIN_PASSWORD, PLAYER_PASSWORD, demo, first_steps};

/// The 2025 event (docs/rules.md, "The 2025 event").
pub(crate) const XMAS_2025: &str = include_str!("../../../../events/xmas-2025.toml");

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
pub async fn event(app: &App, now: DateTime<Utc>) -> anyhow::Result<()> {
    let file = xmas_2025(now)?;
    if is_there(app.db(), &file).await? {
        bail!(start::event_is_there());
    }
    let applied = app.event().apply(None, &file, None, now).await;
    written(applied)?;
    Ok(())
}

fn xmas_2025(now: DateTime<Utc>) -> anyhow::Result<CheckedFile> {
    read(XMAS_2025, EventDay::of(now)).map_err(|problems| {
        let told = problems.iter().map(|it| it.sentence(Language::English));
        start::event_unwritten(told.collect::<Vec<_>>().join(" ")).into()
    })
}

/// Whether the season of a file is there already.
async fn is_there(db: &Db, file: &CheckedFile) -> anyhow::Result<bool> {
    let Some(season) = &file.event.season else {
        return Ok(false);
    };
    let season = SeasonPass::named(db.read(), &season.season_name).await?;
    Ok(season.is_some())
}

/// What has been applied, or why the event was not written.
fn written(applied: Result<Plan, EventError>) -> anyhow::Result<Plan> {
    applied.map_err(|error| {
        let cause = match &error {
            EventError::Refused(plan) => {
                let told = plan.refused.iter();
                let told = told.map(|it| it.sentence(Language::English));
                told.collect::<Vec<_>>().join(" ")
            }
            error => with_causes(error),
        };
        start::event_unwritten(cause).into()
    })
}
