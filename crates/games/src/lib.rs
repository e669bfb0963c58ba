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
//! To add a game: a folder with `rules.rs` (what a valid configuration is, and its odds), its tables
//! and store, and an implementation of [`Game`] in its `mod.rs`; an arm in
//! `fairness/receipt.rs`, so that its draws can be checked; and its route. Limits, tokens, draws,
//! prizes, XP and activity come from [`House`].
//!
//! Owns the tables `roulette_*`, `dice_config`, `lottery_*`, `feature_log`, `feature_redraw`,
//! `odds_table`, `draw_seed`, `ranking_daily` and `external_ranking_data`.

pub mod dice;
pub mod draw;
mod error;
pub mod fairness;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
pub mod floor;
mod game;
mod house;
pub mod lottery;
pub mod odds;
mod play_log;
pub mod ranking;
pub mod roulette;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{Problem, idempotency::Replayable};
use xmas_players::Identity;
use xmas_rewards::{Reward, are_deliverable};

pub use error::{FairnessError, GameError, SaveError};
pub use fairness::{DrawBook, Fairness, FairnessService};
pub use floor::{Floor, PlayCommand};
pub use game::{Game, Play, Receipt, Status, Table};
pub use house::House;
pub use ranking::{Ranking, RankingNames, RankingService};

/// One game for handlers.
#[async_trait]
pub trait GameService<G: Game>: Send + Sync {
    /// The game, what is left today, and how many tokens the player holds.
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<Status<G::Menu>, GameError>;

    /// Plays once for one token.
    async fn play(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<Play<G::Outcome>>, GameError>;
}

/// Refuses a configuration with problems, or with a bundle or kind of coupon that does not exist;
/// `field` is where it would be named.
async fn check_save(
    tx: &DatabaseTransaction,
    mut problems: Vec<Problem>,
    field: &'static str,
    rewards: &[Reward],
) -> Result<(), SaveError> {
    if !are_deliverable(tx, rewards).await? {
        problems.push(Problem::new(field, "names no bundle or kind of coupon"));
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(SaveError::Invalid(problems))
    }
}
