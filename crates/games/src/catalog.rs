//! What is asked of all games at once. `GAMES` in `lib.rs` lists them.

use xmas_kernel::{ErrorCode, Feature};

use crate::{GAMES, game::GameEntry};

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
