use xmas_kernel::UserId;
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
    /// For operators only; up to 255 characters.
    pub memo: Option<String>,
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
