//! `/api/{game}/status` and `/api/{game}/play`. The paths are the same for every game; what an answer shows is
//! the game's own (`paths.rs`).

mod dice;
mod lottery;
mod paths;
mod receipt;
mod roulette;

use actix_web::web::{Data, ServiceConfig};
use xmas_games::{catalog::GameServices, dice::Dice, lottery::Lottery, roulette::Roulette};
use xmas_http::endpoint::Operation;

use paths::of_game;

/// The paths of all games.
pub(crate) fn operations() -> Vec<Operation> {
    let games = [
        of_game::<Roulette>(),
        of_game::<Dice>(),
        of_game::<Lottery>(),
    ];
    games.into_iter().flatten().collect()
}

pub(crate) fn register(services: &GameServices, cfg: &mut ServiceConfig) {
    // Named one by one, so that the compiler notices one that was forgotten.
    let GameServices {
        roulette,
        dice,
        lottery,
    } = services;
    cfg.app_data(Data::from(roulette.clone()))
        .app_data(Data::from(dice.clone()))
        .app_data(Data::from(lottery.clone()));
}
