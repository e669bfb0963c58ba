//! Configurations of the games, their odds, and the boards.

pub(crate) mod config;
pub(crate) mod config_versions;
pub(crate) mod dice_config;
pub(crate) mod external_ranking;
pub(crate) mod game_config;
pub(crate) mod lottery_config;
pub(crate) mod odds;
pub(crate) mod ranking;
pub(crate) mod roulette_config;

use std::sync::Arc;

use actix_web::web::{Data, ServiceConfig};
use xmas_games::{Engine, Fairness, Ranking, dice::Dice, lottery::Lottery, roulette::Roulette};

/// What the paths of games and boards work with.
#[derive(Clone)]
pub struct Services {
    pub roulette: Arc<Engine<Roulette>>,
    pub dice: Arc<Engine<Dice>>,
    pub lottery: Arc<Engine<Lottery>>,
    pub fairness: Arc<Fairness>,
    pub ranking: Arc<Ranking>,
}

impl Services {
    pub(crate) fn register(&self, cfg: &mut ServiceConfig) {
        // Named one by one, so that the compiler notices one that was forgotten.
        let Self {
            roulette,
            dice,
            lottery,
            fairness,
            ranking,
        } = self;
        cfg.app_data(Data::from(roulette.clone()))
            .app_data(Data::from(dice.clone()))
            .app_data(Data::from(lottery.clone()))
            .app_data(Data::from(fairness.clone()))
            .app_data(Data::from(ranking.clone()));
    }
}
