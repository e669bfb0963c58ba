//! Games of chance (domain.md, "Games" and "Fair and disclosed odds").
//!
//! Invariants:
//! - A play is one transaction: the token, the draw's log row, the prize, the season's XP and the
//!   activity are all there or none is.
//! - `feature_log` is the one play log of all games. Its nonce is the player's 0-based play number
//!   for the game and day, without gaps; with the day's seed it decides every draw.
//! - An odds table never changes, and every draw names the one it was made from. A seed is committed
//!   to before its day and leaves this crate only after it.
//! - A broken configuration answers its own error and takes no token.
//! - A limited prize is taken by the last statement before commit. If none is left, nothing of the
//!   attempt remains, and the play is drawn again without it.
//!
//! - What operators save is checked as a whole before anything is touched; at most one configuration of
//!   a game is active, and one that was played is never deleted.
//!
//! To add a game: a folder with `rules.rs` (what a valid configuration is, and its odds), its tables
//! and store, and implementations of [`Game`] and [`Configurable`] in its `mod.rs`; an arm in
//! `fairness/receipt.rs`, so that its draws can be checked; and its routes. Limits, tokens, draws,
//! prizes, XP, activity, and how configurations are saved come from [`House`].
//!
//! Owns the tables `roulette_*`, `dice_config`, `lottery_*`, `feature_log`, `feature_redraw`,
//! `odds_table`, `draw_seed`, `ranking_daily` and `external_ranking_data`.

pub mod catalog;
pub mod config;
mod context;
pub mod dice;
pub mod draw;
mod engine;
mod error;
pub mod fairness;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod game;
pub mod lottery;
pub mod odds;
mod play_counts;
mod play_log;
pub mod ranking;
pub mod roulette;
mod service;

pub use context::PlayContext;
pub use engine::Engine;
pub use error::{ConfigError, FairnessError, GameError, RankingDeskError, SaveError};
pub use fairness::{DrawRegistry, Fairness, SealedSeeds};
pub use game::{ActiveConfig, Game};
pub use ranking::{Ranking, RankingNames, RankingService};
pub use service::{GameService, Play, PlayCommand, Receipt, Status};
