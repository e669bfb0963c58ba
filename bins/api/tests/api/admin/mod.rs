//! `/admin/api/*`: one module per path.

mod bundles;
mod coupon_codes;
mod coupons;
mod dashboard;
mod event_bridge;
mod feature_config;
mod feature_schedule;
mod game_tokens;
mod logs;
mod rewards;
mod seasons;
mod ui_config;
mod users;
