//! Games of chance (docs/rules.md, "Games" and "Fair and disclosed odds").
//!
//! Invariants:
//! - A play is one transaction: the token, the draw's log row, the prize, the season's XP and the
//!   activity are all there or none is.
//! - `feature_log` is the one play log of all games. Its nonce is the player's 0-based play number
//!   for the game and day, without gaps; with the day's seed it decides every draw.
//! - An odds table never changes, and every draw names the one it was made from. A seed is committed
//!   to before its day and leaves this crate only after it.
//! - What is in force at an instant is the same on every replica, also across the instant of a plan (`config/plan/`); and
//!   what was in force when is kept.
//! - A broken configuration answers its own error and takes no token.
//! - A limited prize is taken by the last statement before commit. If none is left, nothing of the
//!   attempt remains, and the play is drawn again without it.
//! - What operators save is checked as a whole before anything is touched; at most one configuration of
//!   a game is active, and one that was played is never deleted.
//!
//! To add a game, with `x` for its name:
//! 1. `kernel`: `feature.rs` gets its [`xmas_kernel::Feature`], also in `Feature::ALL`, and `error_code.rs` its two
//!    codes. It is played for a token that there is; a new one is an asset of its own, and changes the constraints of
//!    the wallets' tables.
//! 2. `migration`: a file with its tables, its row in `config_lock` ([`Game::AREA`]) and its row in `feature_config`,
//!    switched off; and its line in `lib.rs`.
//! 3. Here: a folder `x/` with `model.rs` (what operators and players see), `rules.rs` (what a valid
//!    configuration is, and its odds), `store.rs` (its tables) and the implementation of [`Game`] in `mod.rs`;
//!    its line below, its tables in the last line of this text, its line in `GAMES`, and its engine in
//!    `catalog.rs`.
//! 4. `admin-api/areas/games/src/x_config.rs` and `player-api/src/games/x.rs`: what its answers show and its
//!    requests say; and its lines in the `lib.rs` and `mod.rs` beside them.
//! 5. `scripts/grants.sql` names its tables.
//! 6. `just docs`; and its paths where tests list those of all games (`openapi.rs` and `nothing_ignored.rs` in
//!    `bins/api/tests/api/`).
//!
//! Limits, tokens, draws, prizes, XP, activity, receipts, and how configurations are read, saved, restored and
//! deleted come from [`Engine`]; paths, their documentation and their errors are the same for every game.
//!
//! Owns the tables `roulette_*`, `dice_config`, `lottery_*`, `feature_log`, `feature_redraw`,
//! `odds_table`, `odds_plan`, `odds_change`, `odds_observed`, `draw_seed`, `ranking_daily` and `external_ranking_data`.

pub mod catalog;
pub mod config;
mod context;
mod daily_limit;
pub mod dice;
pub mod draw;
mod draw_counts;
mod engine;
mod error;
pub mod fairness;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod game;
mod in_force;
pub mod lottery;
pub mod odds;
pub mod percent;
mod play_log;
mod plays;
pub mod ranking;
pub mod roulette;
mod service;

pub use context::PlayContext;
pub use engine::Engine;
pub use error::{ConfigError, FairnessError, GameError, RankingDeskError, SaveError};
pub use fairness::{DrawRegistry, Fairness, SealedSeeds};
pub use game::{ActiveConfig, Game};
pub use ranking::{Ranking, RankingService};
pub use service::{GameService, Play, PlayCommand, Receipt, Status};

/// The games there are.
pub(crate) static GAMES: [game::GameEntry; 3] = [
    game::GameEntry::of::<roulette::Roulette>(),
    game::GameEntry::of::<dice::Dice>(),
    game::GameEntry::of::<lottery::Lottery>(),
];
