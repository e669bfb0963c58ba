pub(crate) mod feature_config;
pub(crate) mod feature_schedule;
