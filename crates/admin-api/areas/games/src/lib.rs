//! Configurations of the games, their odds, and the boards.

mod config;
mod config_plans;
mod config_versions;
mod dice_config;
pub mod external_ranking;
mod game_config;
mod lottery_config;
pub mod odds;
pub mod ranking;
mod roulette_config;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_games::{
    Fairness, Ranking, catalog::Engines, dice::Dice, lottery::Lottery, roulette::Roulette,
};
use xmas_http::endpoint::Operation;

/// The paths of the configurations of all games.
pub fn operations() -> Vec<Operation> {
    let games = [
        config::operations::<Roulette>(),
        config_plans::operations::<Roulette>(),
        config::operations::<Dice>(),
        config_plans::operations::<Dice>(),
        config::operations::<Lottery>(),
        config_plans::operations::<Lottery>(),
    ];
    games.into_iter().flatten().collect()
}

/// What the paths of games and boards work with.
#[derive(Clone)]
pub struct Services {
    pub engines: Engines,
    pub fairness: Arc<Fairness>,
    pub ranking: Arc<Ranking>,
}

impl Services {
    pub fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self {
            engines,
            fairness,
            ranking,
        } = self;
        let Engines {
            roulette,
            dice,
            lottery,
        } = engines;
        cfg.app_data(Data::from(roulette.clone()))
            .app_data(Data::from(dice.clone()))
            .app_data(Data::from(lottery.clone()))
            .app_data(Data::from(fairness.clone()))
            .app_data(Data::from(ranking.clone()));
    }
}
