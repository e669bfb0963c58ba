use xmas_kernel::paging::Limit;
use xmas_time::{EventDay, Kst};

use crate::place::{Cursor, Kind, Part};

/// What a receipt is of. Receipts of one instant stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HistoryKind {
    Play,
    Stamp,
    Reward,
}

impl Kind for HistoryKind {
    const ALL: &[Self] = &[HistoryKind::Play, HistoryKind::Stamp, HistoryKind::Reward];

    fn as_str(self) -> &'static str {
        match self {
            HistoryKind::Play => "play",
            HistoryKind::Stamp => "stamp",
            HistoryKind::Reward => "reward",
        }
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

/// One thing that happened to a player.
#[derive(Clone, Debug, PartialEq)]
pub enum Receipt {
    Play {
        id: i64,
        at: Kst,
        day: EventDay,
        feature: String,
        /// What came up, as the game describes it.
        outcome: serde_json::Value,
        is_win: bool,
        reward_type: String,
        reward_amount: i64,
        /// How far the prize has come.
        reward_state: Option<String>,
        /// The table that the play was drawn from.
        odds_id: Option<i64>,
        /// The player's 0-based play number for the game and day.
        nonce: i64,
        /// How many draws before it brought a prize of which nothing was left.
        attempt: i64,
    },
    Stamp {
        id: i64,
        at: Kst,
        day: EventDay,
        source_feature_type: String,
        /// Which bridge key it is; `None` for other stamps.
        event_type: Option<String>,
        xp: i64,
    },
    /// A grant of something; a play that brought nothing has no such receipt.
    Reward {
        id: i64,
        at: Kst,
        day: EventDay,
        /// What it was given for.
        source: String,
        /// The play that brought it, if one did.
        play_id: Option<i64>,
        label: Option<String>,
        reward_type: String,
        reward_amount: i64,
        state: String,
        /// Why it waits, or why it was rejected.
        reason: Option<String>,
        delivered_at: Option<Kst>,
        /// Of a delivered coupon, whole: for its winner's eyes only.
        coupon_code: Option<String>,
    },
}

impl Receipt {
    pub(crate) fn cursor(&self) -> HistoryCursor {
        let (at, kind, id) = match self {
            Receipt::Play { id, at, .. } => (at, HistoryKind::Play, id),
            Receipt::Stamp { id, at, .. } => (at, HistoryKind::Stamp, id),
            Receipt::Reward { id, at, .. } => (at, HistoryKind::Reward, id),
        };
        Cursor::new(at.0, kind, *id)
    }
}

/// One page, and where the next one starts; `next` is `None` on the last page.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPage {
    pub items: Vec<Receipt>,
    pub next: Option<HistoryCursor>,
}
