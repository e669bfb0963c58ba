//! `/admin/api/*`: one module per path.

mod dashboard;
mod feature_config;
mod game_token_exports;
mod game_token_lists;
mod logs;
mod timeline;
