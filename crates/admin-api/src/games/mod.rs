//! Configurations of the games, their odds, and the boards.

pub(crate) mod config_versions;
pub(crate) mod dice_config;
pub(crate) mod external_ranking;
pub(crate) mod game_config;
pub(crate) mod lottery_config;
pub(crate) mod odds;
pub(crate) mod ranking;
pub(crate) mod roulette_config;
