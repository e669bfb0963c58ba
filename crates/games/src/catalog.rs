//! What is asked of all games at once. `GAMES` in `lib.rs` lists them.

use std::sync::Arc;

use xmas_kernel::{ErrorCode, Feature};

use crate::{
    Engine, GAMES, GameService, PlayContext, dice::Dice, fairness::OddsSource, game::GameEntry,
    lottery::Lottery, roulette::Roulette,
};

/// The engine of every game, for operators.
#[derive(Clone)]
pub struct Engines {
    pub roulette: Arc<Engine<Roulette>>,
    pub dice: Arc<Engine<Dice>>,
    pub lottery: Arc<Engine<Lottery>>,
}

/// Every game, for players.
#[derive(Clone)]
pub struct GameServices {
    pub roulette: Arc<dyn GameService<Roulette>>,
    pub dice: Arc<dyn GameService<Dice>>,
    pub lottery: Arc<dyn GameService<Lottery>>,
}

impl Engines {
    pub fn new(context: &PlayContext) -> Self {
        Self {
            roulette: Arc::new(Engine::new(context.clone())),
            dice: Arc::new(Engine::new(context.clone())),
            lottery: Arc::new(Engine::new(context.clone())),
        }
    }

    pub fn services(&self) -> GameServices {
        GameServices {
            roulette: self.roulette.clone(),
            dice: self.dice.clone(),
            lottery: self.lottery.clone(),
        }
    }

    /// Whose odds are published.
    pub fn odds(&self) -> Vec<Arc<dyn OddsSource>> {
        vec![
            self.roulette.clone(),
            self.dice.clone(),
            self.lottery.clone(),
        ]
    }
}

/// The games of chance.
pub fn features() -> impl Iterator<Item = Feature> {
    GAMES.iter().map(|game| game.feature)
}

/// The game that a feature is; `None` if it is not a game of chance.
pub fn find(feature: Feature) -> Option<&'static GameEntry> {
    GAMES.iter().find(|game| game.feature == feature)
}

/// Whether a game answers with this code when it is not configured correctly.
pub fn is_of_play(code: ErrorCode) -> bool {
    GAMES.iter().any(|game| game.invalid_config == code)
}

/// Whether a configuration of a game is refused with this code.
pub fn is_of_config(code: ErrorCode) -> bool {
    let is_own =
        |game: &GameEntry| game.config_not_found == code || game.check_codes.contains(&code);
    GAMES.iter().any(is_own)
}
