//! The unique constraints whose violation means something in this crate.

use xmas_kernel::db::Constraint;

/// One stamp per player, season and period.
pub const STAMP_PERIOD: Constraint = Constraint::new(
    "uq_season_stamp_period",
    "season_pass_stamp_log",
    &["user_id", "season_id", "period_key"],
);
/// One reward per player, season and level.
pub const LEVEL_REWARD: Constraint = Constraint::new(
    "uq_season_level_reward",
    "season_pass_reward_log",
    &["user_id", "season_id", "level"],
);
/// Season names are unique.
pub const SEASON_NAME: Constraint =
    Constraint::new("uq_season_name", "season_pass_config", &["season_name"]);
