//! Switches of features, their schedule, and the texts that clients show.

pub(crate) mod feature_config;
pub(crate) mod feature_schedule;
pub(crate) mod ui_config;
