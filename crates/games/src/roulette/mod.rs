//! The roulette: six segments, one coin a spin.

mod entity;
mod model;
pub mod rules;
mod store;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use xmas_kernel::{Asset, ConfigId, Feature, db::DbError};
use xmas_rewards::Reward;

use crate::{Game, SaveError, Table, odds::Entry};

pub use model::{NewSegment, NewWheel, Segment};

/// The rules of the roulette.
#[derive(Clone, Copy, Debug)]
pub struct Roulette;

#[async_trait]
impl Game for Roulette {
    const FEATURE: Feature = Feature::Roulette;
    const TOKEN: Asset = Asset::RouletteCoin;
    /// Six segments in the order of their slots.
    type Menu = Vec<Segment>;
    type Outcome = Segment;

    async fn active_table(conn: &DatabaseConnection) -> Result<Option<Table<Self>>, DbError> {
        store::active_table(conn).await
    }

    fn outcome(menu: &Vec<Segment>, entry: &Entry, _: u64) -> Segment {
        let segment = menu.iter().find(|segment| segment.id == entry.id);
        segment
            .expect("a wheel's odds are those of its segments")
            .clone()
    }

    fn agrees(outcome: &Segment, entry: &Entry, _: u64) -> bool {
        let shown = (outcome.reward_type, outcome.reward_amount);
        outcome.id == entry.id
            && outcome.label == entry.label
            && shown == (entry.reward_type, entry.reward_amount)
    }
}

impl Roulette {
    /// Checks a wheel and saves it as the active one.
    pub async fn insert_active_in_tx(
        tx: &DatabaseTransaction,
        wheel: &NewWheel,
        now: DateTime<Utc>,
    ) -> Result<ConfigId, SaveError> {
        let rewards = wheel.segments.iter().map(|segment| segment.reward);
        let rewards: Vec<Reward> = rewards.collect();
        crate::check_save(tx, rules::check(wheel), "segments.reward_item", &rewards).await?;
        Ok(store::insert_active(tx, wheel, now).await?)
    }
}
