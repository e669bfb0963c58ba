mod config_plans;
mod config_versions;
mod dice_config;
mod external_ranking;
mod lottery_config;
mod odds;
mod ranking;
mod roulette_config;
