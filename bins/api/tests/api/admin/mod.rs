//! `/admin/api/*`: one module per path.

mod event_bridge;
mod feature_config;
mod feature_schedule;
mod seasons;
mod ui_config;
mod users;
