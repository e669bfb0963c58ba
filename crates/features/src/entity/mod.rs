pub(crate) mod app_ui_config;
pub(crate) mod feature_config;
pub(crate) mod feature_schedule;
