mod feature_config;
mod feature_schedule;
mod ui_config;
