//! `/admin/api/*`: one module per path.

mod bundles;
mod config_versions;
mod coupon_codes;
mod coupons;
mod dashboard;
mod dice_config;
mod event_bridge;
mod external_ranking;
mod feature_config;
mod feature_schedule;
mod game_tokens;
mod logs;
mod lottery_config;
mod named;
mod odds;
mod ranking;
mod rewards;
mod roulette_config;
mod season_and_bridge;
mod seasons;
mod ui_config;
mod users;
