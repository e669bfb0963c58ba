//! `/admin/api/*`: one module per path.

mod feature_config;
mod users;
