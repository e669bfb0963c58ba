pub(crate) mod config;
pub(crate) mod level;
pub(crate) mod progress;
pub(crate) mod reward_log;
pub(crate) mod stamp_log;
