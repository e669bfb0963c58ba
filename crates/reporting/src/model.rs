use xmas_kernel::paging::Limit;
use xmas_time::{EventDay, Kst};

use crate::place::{Cursor, Kind, Part};

/// What a receipt is of. Receipts of one instant stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum HistoryKind {
    Play,
    Stamp,
    Reward,
}

impl Kind for HistoryKind {
    const ALL: &[Self] = &[HistoryKind::Play, HistoryKind::Stamp, HistoryKind::Reward];

    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The end of a page of a history.
pub type HistoryCursor = Cursor<HistoryKind>;

/// What part of a history is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryQuery {
    /// Only receipts of this; `None` for all.
    pub kind: Option<HistoryKind>,
    pub limit: Limit,
    /// Where the page before ended; `None` for the newest.
    pub before: Option<HistoryCursor>,
}

impl HistoryQuery {
    /// What of this kind is asked for; nothing if only another kind is.
    pub(crate) fn part(&self, kind: HistoryKind) -> Option<Part> {
        let wanted = self.kind.is_none_or(|only| only == kind);
        wanted.then(|| Part::of(self.limit, self.before, kind))
    }
}

/// A play of a game.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayReceipt {
    pub id: i64,
    pub at: Kst,
    pub day: EventDay,
    pub feature: String,
    /// What came up, as the game describes it.
    pub outcome: serde_json::Value,
    pub is_win: bool,
    pub reward_type: String,
    pub reward_amount: i64,
    /// How far the prize has come.
    pub reward_state: Option<String>,
    /// The table that the play was drawn from.
    pub odds_id: Option<i64>,
    /// The player's 0-based play number for the game and day.
    pub nonce: i64,
    /// How many draws before it brought a prize of which nothing was left.
    pub attempt: i64,
}

/// A stamp on the season pass.
#[derive(Clone, Debug, PartialEq)]
pub struct StampReceipt {
    pub id: i64,
    pub at: Kst,
    pub day: EventDay,
    pub source_feature_type: String,
    /// Which bridge key it is; `None` for other stamps.
    pub event_type: Option<String>,
    pub xp: i64,
}

/// A grant of something; a play that brought nothing has no such receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct GrantReceipt {
    pub id: i64,
    pub at: Kst,
    pub day: EventDay,
    /// What it was given for.
    pub source: String,
    /// The play that brought it, if one did.
    pub play_id: Option<i64>,
    pub label: Option<String>,
    pub reward_type: String,
    pub reward_amount: i64,
    pub state: String,
    /// Why it waits, or why it was rejected.
    pub reason: Option<String>,
    pub delivered_at: Option<Kst>,
    /// Of a delivered coupon, whole: for its winner's eyes only.
    pub coupon_code: Option<String>,
}

/// One thing that happened to a player.
#[derive(Clone, Debug, PartialEq)]
pub enum Receipt {
    Play(PlayReceipt),
    Stamp(StampReceipt),
    Grant(GrantReceipt),
}

impl Receipt {
    pub(crate) fn cursor(&self) -> HistoryCursor {
        match self {
            Receipt::Play(play) => Cursor::new(play.at.0, HistoryKind::Play, play.id),
            Receipt::Stamp(stamp) => Cursor::new(stamp.at.0, HistoryKind::Stamp, stamp.id),
            Receipt::Grant(grant) => Cursor::new(grant.at.0, HistoryKind::Reward, grant.id),
        }
    }
}

/// One page, and where the next one starts; `next` is `None` on the last page.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPage {
    pub items: Vec<Receipt>,
    pub next: Option<HistoryCursor>,
}
