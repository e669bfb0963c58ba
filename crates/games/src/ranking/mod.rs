//! The ranking: two boards that operators fill and players read. Nothing is played or won here.
//!
//! - The day's board: `ranking_daily`, one row per place.
//! - The external board: `external_ranking_data`, what players did elsewhere, ordered by deposits,
//!   then plays, then who came first.
//!
//! A read is a fixed number of statements, however long the boards are. The operators' memo about a
//! player stays with the operators.

mod boards;
mod desk;
mod entity;
mod forget;
mod model;
mod rules;
mod service;
mod store;

pub use model::{
    DayBoard, DayRow, DayRowEdit, ExternalBoard, ExternalEdit, ExternalEntry, ExternalRow,
    ExternalRowEdit, NewExternalEntry, NewRankingEntry, RankingEntry, RankingToday,
};
pub use rules::{MAX_ROWS, MEMO_CHARACTERS};
pub use service::{Ranking, RankingService};
