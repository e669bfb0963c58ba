//! `/admin/api/*`: one module per path.

mod dice_config;
mod event_bridge;
mod external_ranking;
mod feature_config;
mod feature_schedule;
mod lottery_config;
mod odds;
mod ranking;
mod roulette_config;
mod seasons;
mod ui_config;
