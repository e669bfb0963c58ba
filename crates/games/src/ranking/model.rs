use chrono::{DateTime, Utc};
use xmas_kernel::{
    UserId,
    version::{Seen, Version},
};
use xmas_players::PlayerRef;
use xmas_time::EventDay;

/// A place of a day's board to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRankingEntry {
    /// At least 1; once per day.
    pub place: i64,
    /// Whose place it is, if it is a player's; once per day.
    pub user_id: Option<UserId>,
    /// Up to 100 characters; empty for the player's own public name.
    pub display_name: String,
    pub score: i64,
}

/// What a player did elsewhere, to be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewExternalEntry {
    pub user_id: UserId,
    /// At least 0.
    pub deposit_amount: i64,
    /// At least 0.
    pub play_count: i64,
    /// For operators only; up to 255 characters. `None` keeps the one that is there.
    pub memo: Option<Option<String>>,
    /// The version that the operator has seen.
    pub seen: Option<Seen>,
}

/// A place of the day's board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankingEntry {
    /// From 1.
    pub rank: i64,
    pub display_name: String,
    pub score: i64,
    /// Whether it is the place of whoever asks.
    pub is_me: bool,
}

/// A place of the external board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalEntry {
    /// From 1.
    pub rank: i64,
    pub user_id: UserId,
    pub user_name: String,
    pub deposit_amount: i64,
    pub play_count: i64,
}

/// Both boards as one player sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RankingToday {
    pub day: EventDay,
    /// Ascending by rank.
    pub entries: Vec<RankingEntry>,
    /// Also when it is not among the entries.
    pub my_entry: Option<RankingEntry>,
    /// Ascending by rank.
    pub external_entries: Vec<ExternalEntry>,
    /// Also when it is not among the entries.
    pub my_external_entry: Option<ExternalEntry>,
}

/// A place that an operator enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRowEdit {
    pub rank: i64,
    pub player: PlayerRef,
    /// Empty for the player's own public name.
    pub display_name: String,
    pub score: i64,
}

/// A place of a day's board as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayRow {
    pub rank: i64,
    pub user_id: Option<UserId>,
    pub external_id: Option<String>,
    /// What was entered; empty for the player's own public name.
    pub display_name: String,
    /// What players see.
    pub shown_name: String,
    pub score: i64,
}

/// A day's board as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayBoard {
    pub day: EventDay,
    /// Ascending by rank.
    pub rows: Vec<DayRow>,
    pub version: Version,
}

/// What an operator says of a player who may not be on the external board yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRowEdit {
    pub player: PlayerRef,
    pub deposit_amount: i64,
    pub play_count: i64,
    /// `None` keeps it, `Some(None)` clears it.
    pub memo: Option<Option<String>>,
    /// The version that the operator has seen.
    pub seen: Option<Seen>,
}

/// What an operator changes about a player on the external board; `None` stays as it is.
#[derive(Clone, Debug, Default)]
pub struct ExternalEdit {
    pub deposit_amount: Option<i64>,
    pub play_count: Option<i64>,
    /// `Some(None)` clears it.
    pub memo: Option<Option<String>>,
    /// What the operator has seen.
    pub seen: Option<Seen>,
}

/// A player on the external board as operators see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalRow {
    pub id: i64,
    pub user_id: UserId,
    pub external_id: String,
    pub nickname: Option<String>,
    pub deposit_amount: i64,
    pub play_count: i64,
    pub memo: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub version: Version,
}

/// The external board as operators see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalBoard {
    /// The first [`super::Ranking::BOARD`] places, in the order of the board.
    pub rows: Vec<ExternalRow>,
    /// How many there are.
    pub total: i64,
}
