use std::collections::BTreeMap;

use xmas_kernel::{Asset, db::DbError, paging::Limit};
use xmas_time::{EventDay, Kst};

use crate::{
    AuditRecord, Cursor, EventRecord, Kind, LedgerRecord, PlayReceipt, StampReceipt, place::Part,
};

/// What an entry of a timeline is of. Entries of one instant stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, strum::IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum TimelineKind {
    Play,
    Stamp,
    Reward,
    /// A level of the season pass that was paid or claimed.
    Level,
    /// A change of a balance.
    Ledger,
    Event,
    /// What an operator did to the player.
    Audit,
}

impl Kind for TimelineKind {
    const ALL: &[Self] = &[
        TimelineKind::Play,
        TimelineKind::Stamp,
        TimelineKind::Reward,
        TimelineKind::Level,
        TimelineKind::Ledger,
        TimelineKind::Event,
        TimelineKind::Audit,
    ];

    fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The end of a page of a timeline.
pub type TimelineCursor = Cursor<TimelineKind>;

/// What part of a timeline is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimelineQuery {
    /// Only entries of this; `None` for all.
    pub kind: Option<TimelineKind>,
    pub limit: Limit,
    /// Where the page before ended; `None` for the newest.
    pub before: Option<TimelineCursor>,
}

impl TimelineQuery {
    /// What of this kind is asked for; nothing if only another kind is.
    pub(crate) fn part(&self, kind: TimelineKind) -> Option<Part> {
        let wanted = self.kind.is_none_or(|only| only == kind);
        wanted.then(|| Part::of(self.limit, self.before, kind))
    }
}

/// Where a player stands now.
#[derive(Clone, Debug, PartialEq)]
pub struct PlayerStanding {
    pub id: i64,
    pub external_id: String,
    pub nickname: Option<String>,
    pub status: String,
    pub account_level: i64,
    pub event_key_count: i64,
    pub event_pending_points: i64,
    /// Of every asset.
    pub balances: BTreeMap<Asset, i64>,
}

/// A grant as operators see it: in every state, and without the code of a coupon.
#[derive(Clone, Debug, PartialEq)]
pub struct RewardEntry {
    pub id: i64,
    pub at: Kst,
    pub day: EventDay,
    pub source: String,
    /// Names the occasion; ledger entries of the grant have it as their reference.
    pub grant_key: String,
    pub play_id: Option<i64>,
    pub label: Option<String>,
    pub reward_type: String,
    pub reward_amount: i64,
    pub state: String,
    /// Why it waits, or why it was rejected.
    pub reason: Option<String>,
    pub delivered_at: Option<Kst>,
    pub reviewed_at: Option<Kst>,
    pub reviewed_by: Option<String>,
}

/// A level that was paid or claimed.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelEntry {
    pub id: i64,
    pub at: Kst,
    pub season_id: i64,
    pub level: i64,
    pub reward_type: String,
    pub reward_amount: i64,
    pub label: String,
    pub auto_claim: bool,
    /// Names the grant that it brought.
    pub grant_key: String,
}

/// One thing that happened to a player.
#[derive(Clone, Debug, PartialEq)]
pub enum TimelineEntry {
    Play(PlayReceipt),
    Stamp(StampReceipt),
    Reward(RewardEntry),
    Level(LevelEntry),
    Ledger(LedgerRecord),
    Event(EventRecord),
    Audit(AuditRecord),
}

impl TimelineEntry {
    pub(crate) fn cursor(&self) -> TimelineCursor {
        let (at, kind, id) = match self {
            TimelineEntry::Play(play) => (play.at.0, TimelineKind::Play, play.id),
            TimelineEntry::Stamp(stamp) => (stamp.at.0, TimelineKind::Stamp, stamp.id),
            TimelineEntry::Reward(entry) => (entry.at.0, TimelineKind::Reward, entry.id),
            TimelineEntry::Level(entry) => (entry.at.0, TimelineKind::Level, entry.id),
            TimelineEntry::Ledger(row) => (row.created_at.0, TimelineKind::Ledger, row.id),
            TimelineEntry::Event(row) => (row.created_at.0, TimelineKind::Event, row.id),
            TimelineEntry::Audit(row) => (row.created_at.0, TimelineKind::Audit, row.id),
        };
        Cursor::new(at, kind, id)
    }
}

/// One page, and where the next one starts; `next` is `None` on the last page.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    pub player: PlayerStanding,
    pub items: Vec<TimelineEntry>,
    pub next: Option<TimelineCursor>,
}

#[derive(Debug, thiserror::Error)]
pub enum TimelineError {
    #[error("there is no such player")]
    UnknownPlayer,
    #[error("the database failed")]
    Db(#[from] DbError),
}
