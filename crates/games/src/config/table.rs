//! The table of a game's configurations.

use chrono::{DateTime, Utc};
use sea_orm::EntityTrait;
use xmas_kernel::ConfigId;

/// A table of configurations, such as `dice_config`. Every game has one, with these columns beside its own.
pub trait ConfigTable: EntityTrait {
    const COLUMNS: ConfigColumns<Self::Column>;

    /// What every configuration has.
    fn head(row: &Self::Model) -> ConfigHead;
}

/// The columns that every table of configurations has.
#[derive(Clone, Copy, Debug)]
pub struct ConfigColumns<C> {
    pub id: C,
    pub name: C,
    pub is_active: C,
    /// 1 for the active one, null for all others: a unique key, so that there is at most one.
    pub active_slot: C,
    pub max_daily: C,
    pub created_at: C,
    pub updated_at: C,
}

/// What every configuration has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigHead {
    pub id: ConfigId,
    pub name: String,
    pub is_active: bool,
    /// How often a player may play on a day; 0 means no limit.
    pub max_daily: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}
