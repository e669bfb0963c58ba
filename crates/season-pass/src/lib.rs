//! The season pass: daily stamps, XP, levels and their rewards (docs/rules.md, "Season pass").
//!
//! Invariants:
//! - One daily stamp per player, season and event day; one payment per player, season and level.
//!   Unique keys hold both.
//! - XP never falls except by an operator's correction, of which a receipt tells. `level_high_water` is
//!   the highest level ever reached; neither a correction nor an edit of the ladder claws anything
//!   back.
//! - An `auto_claim` level that a player has reached is paid by the next operation that moves
//!   their season. A delivery that fails undoes the whole operation.
//! - A read pays nothing.
//!
//! Owns the tables `season_pass_*`.

pub mod constraints;
mod correction;
mod desk;
mod entity;
mod error;
#[cfg(any(test, feature = "testing"))]
pub mod fake;
mod model;
mod named;
mod participant;
mod place;
pub mod rules;
mod service;
mod store;
mod warden;

pub use correction::XpCorrections;
pub use desk::SeasonEditor;
pub use error::{SeasonDeskError, SeasonError};
pub use model::{
    ClaimCommand, EditedSeason, InternalWins, Level, LevelEdit, LevelReward, NewSeason, PlayEffect,
    Progress, SavedSeason, Season, SeasonEdit, SeasonStatus, SettleDay, StampCommand, StampResult,
};
pub use named::Standing;
pub use participant::{KeyStamps, SeasonMover, SeasonProgress, SeasonStamps};
pub use place::Place;
pub use service::{SeasonPass, SeasonPassOptions, SeasonPassService, reveal_coupons};
pub use store::{
    days_of, has_key_stamps, is_running, join_keys, joined_keys, key_owners, season_spans,
    stamp_key_many_in_tx, unstamp_key_many_in_tx,
};
pub use warden::SeasonWarden;
