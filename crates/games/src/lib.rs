//! Games of chance (domain.md, "Games").
//!
//! Invariants:
//! - A play is one transaction: the token, the draw's log row, the prize, the season's XP and the
//!   activity are all there or none is.
//! - `feature_log` is the one play log of all games. Its nonce is the player's 0-based play number
//!   for the game and day, without gaps.
//! - A broken configuration answers its own error and takes no token.
//!
//! To add a game: a folder with `rules.rs` (what a valid configuration is, and the draw), its
//! tables and store, and a service whose play ends in `floor::Floor::settle_in_tx`. Limits,
//! tokens, prizes, XP and activity come from the floor.
//!
//! Owns the tables `roulette_config`, `roulette_segment` and `feature_log`.

pub mod draw;
mod error;
pub mod floor;
mod play_log;
pub mod roulette;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use xmas_kernel::idempotency::Replayable;
use xmas_players::Identity;

pub use error::GameError;
pub use floor::{Floor, PlayCommand, Receipt};

use roulette::{RoulettePlay, RouletteStatus};

/// The roulette for handlers.
#[async_trait]
pub trait RouletteService: Send + Sync {
    /// The wheel, what is left today, and how many coins the player holds.
    async fn status(
        &self,
        identity: &Identity,
        now: DateTime<Utc>,
    ) -> Result<RouletteStatus, GameError>;

    /// Spins once for one coin.
    async fn play(
        &self,
        command: &PlayCommand,
        now: DateTime<Utc>,
    ) -> Result<Replayable<RoulettePlay>, GameError>;
}
