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

pub mod config;
mod desk;
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
mod play_counts;
mod play_log;
pub mod ranking;
pub mod roulette;
mod versions;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{Problems, db::DbError, idempotency::Replayable};
use xmas_players::Identity;
use xmas_rewards::{Reward, are_deliverable};

pub use config::{ConfigDesk, Configurable};
pub use error::{ConfigError, FairnessError, GameError, RankingDeskError, SaveError};
pub use fairness::{DrawBook, Fairness, FairnessService, SealedSeeds};
pub use floor::{Floor, PlayCommand};
pub use game::{Game, Play, Receipt, Status, Table};
pub use house::House;
pub use ranking::{Ranking, RankingDesk, RankingNames, RankingService};

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

/// Notes which rewards name a bundle or a kind of coupon that does not exist.
async fn check_rewards(
    tx: &DatabaseTransaction,
    rewards: &[(String, Reward)],
    problems: &mut Problems,
) -> Result<(), DbError> {
    let all: Vec<Reward> = rewards.iter().map(|(_, reward)| *reward).collect();
    if are_deliverable(tx, &all).await? {
        return Ok(());
    }
    for (field, reward) in rewards {
        let is_known = are_deliverable(tx, std::slice::from_ref(reward)).await?;
        let field = format!("{field}reward_item");
        problems.expect(is_known, field, "names no bundle or kind of coupon");
    }
    Ok(())
}
