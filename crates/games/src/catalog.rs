//! The games there are: the one list that a new game is added to.

use xmas_kernel::{ErrorCode, Feature};

use crate::{
    Game,
    dice::Dice,
    lottery::Lottery,
    odds::{Entry, Odds},
    roulette::Roulette,
};

static GAMES: [GameEntry; 3] = [
    GameEntry::of::<Roulette>(),
    GameEntry::of::<Dice>(),
    GameEntry::of::<Lottery>(),
];

/// What is known of a game where only its [`Feature`] is.
#[derive(Clone, Copy, Debug)]
pub struct GameEntry {
    pub feature: Feature,
    /// [`Game::INVALID_CONFIG`].
    pub invalid_config: ErrorCode,
    /// [`Game::CONFIG_NOT_FOUND`].
    pub config_not_found: ErrorCode,
    /// [`Game::CHECK_CODES`].
    pub check_codes: &'static [ErrorCode],
    /// [`Game::entry_at`].
    pub(crate) entry_at: fn(&Odds, u64) -> &Entry,
    /// [`Game::agrees`], with the outcome as JSON text.
    pub(crate) agrees: fn(&str, &Entry, u64) -> bool,
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

impl GameEntry {
    const fn of<G: Game>() -> Self {
        Self {
            feature: G::FEATURE,
            invalid_config: G::INVALID_CONFIG,
            config_not_found: G::CONFIG_NOT_FOUND,
            check_codes: G::CHECK_CODES,
            entry_at: G::entry_at,
            agrees: agrees::<G>,
        }
    }
}

fn agrees<G: Game>(outcome: &str, entry: &Entry, number: u64) -> bool {
    serde_json::from_str(outcome).is_ok_and(|outcome| G::agrees(&outcome, entry, number))
}
