use std::{cmp::Reverse, fmt, str::FromStr};

use chrono::{DateTime, Utc};
use xmas_kernel::paging::Limit;
use xmas_time::{EventDay, Kst};

/// What a receipt is of. Receipts of one instant stand in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HistoryKind {
    Play,
    Stamp,
    Reward,
}

impl HistoryKind {
    pub const ALL: [HistoryKind; 3] = [HistoryKind::Play, HistoryKind::Stamp, HistoryKind::Reward];

    /// Its name in cursors and queries.
    pub fn as_str(self) -> &'static str {
        match self {
            HistoryKind::Play => "play",
            HistoryKind::Stamp => "stamp",
            HistoryKind::Reward => "reward",
        }
    }
}

impl fmt::Display for HistoryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not one of [`HistoryKind::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not play, stamp or reward")]
pub struct UnknownKind(String);

impl FromStr for HistoryKind {
    type Err = UnknownKind;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        HistoryKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == name)
            .ok_or_else(|| UnknownKind(name.to_owned()))
    }
}

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
    pub(crate) fn includes(&self, kind: HistoryKind) -> bool {
        self.kind.is_none_or(|only| only == kind)
    }
}

/// A receipt's place in a history, and the end of a page. It is a place in time, so that receipts
/// which are added later do not move it.
///
/// Its text form (microseconds since 1970, kind, id) means nothing to clients; they give it back as
/// they got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryCursor {
    at: DateTime<Utc>,
    kind: HistoryKind,
    id: i64,
}

impl HistoryCursor {
    /// The last instant that every server can compare with: the end of the year 9999.
    const LAST_MICROS: i64 = 253_402_300_799_999_999;

    pub(crate) fn at(self) -> DateTime<Utc> {
        self.at
    }

    pub(crate) fn kind(self) -> HistoryKind {
        self.kind
    }

    pub(crate) fn id(self) -> i64 {
        self.id
    }

    /// Sorts as the history does: newest first, and no two receipts are equal.
    pub(crate) fn place(self) -> (Reverse<DateTime<Utc>>, HistoryKind, Reverse<i64>) {
        (Reverse(self.at), self.kind, Reverse(self.id))
    }

    fn parse(text: &str) -> Option<Self> {
        let (micros, rest) = text.split_once('-')?;
        let (kind, id) = rest.split_once('-')?;
        let micros: i64 = micros.parse().ok()?;
        if !(0..=Self::LAST_MICROS).contains(&micros) {
            return None;
        }
        Some(Self {
            at: DateTime::from_timestamp_micros(micros)?,
            kind: kind.parse().ok()?,
            id: id.parse().ok()?,
        })
    }
}

impl fmt::Display for HistoryCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.timestamp_micros();
        write!(f, "{micros}-{}-{}", self.kind, self.id)
    }
}

/// Text that no page has named as its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a cursor is what an earlier page has named as the next one")]
pub struct MalformedCursor;

impl FromStr for HistoryCursor {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Numbers are read leniently; one place has one spelling.
        Self::parse(text)
            .filter(|cursor| cursor.to_string() == text)
            .ok_or(MalformedCursor)
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
        HistoryCursor {
            at: at.0,
            kind,
            id: *id,
        }
    }
}

/// One page, and where the next one starts; `next` is `None` on the last page.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryPage {
    pub items: Vec<Receipt>,
    pub next: Option<HistoryCursor>,
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;

    fn any_cursor() -> impl Strategy<Value = HistoryCursor> {
        let kinds = prop::sample::select(HistoryKind::ALL.to_vec());
        let places = (0..=HistoryCursor::LAST_MICROS, kinds, any::<i64>());
        places.prop_map(|(micros, kind, id)| HistoryCursor {
            at: Utc.timestamp_micros(micros).unwrap(),
            kind,
            id,
        })
    }

    #[test]
    fn a_cursor_is_spelled_in_one_way() {
        let text = "1766707200000000-play-17";
        let cursor: HistoryCursor = text.parse().unwrap();
        assert_eq!(cursor.kind(), HistoryKind::Play);
        assert_eq!(cursor.id(), 17);
        assert_eq!(cursor.to_string(), text);
        for bad in [
            "",
            "-",
            "--",
            "17",
            "1766707200000000",
            "1766707200000000-play",
            "1766707200000000-play-",
            "1766707200000000-PLAY-17",
            "1766707200000000-spin-17",
            "1766707200000000-play-17 ",
            "1766707200000000-play-17-1",
            "1766707200000000-play-+17",
            "1766707200000000-play-017",
            "+1766707200000000-play-17",
            "-1766707200000000-play-17",
            "253402300800000000-play-17",
            "9223372036854775808-play-17",
            "1766707200000000-play-9223372036854775808",
            "지금-play-17",
        ] {
            assert_eq!(
                bad.parse::<HistoryCursor>(),
                Err(MalformedCursor),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_later_instant_comes_first_then_the_kind_then_a_higher_id() {
        let order = [
            "200-reward-1",
            "100-play-2",
            "100-play-1",
            "100-stamp-9",
            "100-reward-3",
            "99-play-4",
        ];
        let mut places: Vec<HistoryCursor> =
            order.iter().map(|text| text.parse().unwrap()).collect();
        places.reverse();
        places.sort_by_key(|cursor| cursor.place());
        let sorted: Vec<String> = places.iter().map(ToString::to_string).collect();
        assert_eq!(sorted, order);
    }

    proptest! {
        #[test]
        fn a_cursor_reads_back(cursor in any_cursor()) {
            prop_assert_eq!(cursor.to_string().parse::<HistoryCursor>(), Ok(cursor));
        }

        #[test]
        fn no_text_is_too_odd_to_be_refused(text in ".{0,60}") {
            if let Ok(cursor) = text.parse::<HistoryCursor>() {
                prop_assert_eq!(cursor.to_string(), text);
            }
        }
    }
}
