//! Places in what has happened to somebody, and pages that begin and end at them.

use std::{
    cmp::{Ordering, Reverse},
    fmt,
    str::FromStr,
};

use chrono::{DateTime, Utc};
use xmas_kernel::{UnknownName, paging::Limit};
use xmas_texts::{Text, field, quoted};

/// What a row is of. Rows of one instant stand in the order of their kinds.
pub trait Kind: Copy + Ord + Sized + 'static {
    const ALL: &[Self];

    /// Its name in cursors and queries.
    fn as_str(self) -> &'static str;

    /// The kind of this name.
    fn named(name: &str) -> Result<Self, UnknownName> {
        let mut all = Self::ALL.iter().copied();
        let found = all.find(|kind| kind.as_str() == name);
        let known = Self::ALL.iter().map(|kind| kind.as_str());
        found.ok_or_else(|| UnknownName::new("kind", name, known))
    }
}

/// The last instant that every server can compare with: the end of the year 9999.
const LAST_MICROS: i64 = 253_402_300_799_999_999;

/// A row's place among all that has happened, and the end of a page. It is a place in time, so that
/// rows which are added later do not move it.
///
/// Its text form (microseconds since 1970, kind, id) means nothing to clients; they give it back as
/// they got it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor<K> {
    at: DateTime<Utc>,
    kind: K,
    id: i64,
}

impl<K: Kind> Cursor<K> {
    pub(crate) fn new(at: DateTime<Utc>, kind: K, id: i64) -> Self {
        Self { at, kind, id }
    }

    /// Sorts newest first, and no two rows are equal.
    pub(crate) fn place(self) -> (Reverse<DateTime<Utc>>, K, Reverse<i64>) {
        (Reverse(self.at), self.kind, Reverse(self.id))
    }

    fn parse(text: &str) -> Option<Self> {
        let (micros, rest) = text.split_once('-')?;
        let (kind, id) = rest.split_once('-')?;
        let micros: i64 = micros.parse().ok()?;
        if !(0..=LAST_MICROS).contains(&micros) {
            return None;
        }
        Some(Self {
            at: DateTime::from_timestamp_micros(micros)?,
            kind: K::named(kind).ok()?,
            id: id.parse().ok()?,
        })
    }
}

impl<K: Kind> fmt::Display for Cursor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.at.timestamp_micros();
        write!(f, "{micros}-{}-{}", self.kind.as_str(), self.id)
    }
}

/// Text that no page has named as its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no cursor of an earlier page")]
pub struct MalformedCursor(String);

impl From<MalformedCursor> for Text {
    fn from(malformed: MalformedCursor) -> Self {
        field::cursor(quoted(&malformed.0))
    }
}

impl<K: Kind> FromStr for Cursor<K> {
    type Err = MalformedCursor;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Numbers are read leniently; one place has one spelling.
        Self::parse(text)
            .filter(|cursor| cursor.to_string() == text)
            .ok_or_else(|| MalformedCursor(text.to_owned()))
    }
}

/// What a page asks of one kind's table: one row more than fits, from behind an edge on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) rows: u64,
    pub(crate) edge: Option<Edge>,
}

/// Where the page before ended, seen from one kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) at: DateTime<Utc>,
    pub(crate) id: i64,
    /// How this kind stands to the one at which the page ended.
    pub(crate) kind: Ordering,
}

impl Part {
    pub(crate) fn of<K: Kind>(limit: Limit, before: Option<Cursor<K>>, kind: K) -> Self {
        Self {
            rows: limit.get() + 1,
            edge: before.map(|cursor| Edge {
                at: cursor.at,
                id: cursor.id,
                kind: kind.cmp(&cursor.kind),
            }),
        }
    }
}

/// Cuts the parts of a page, each of which holds one row more than fits, down to the page.
pub(crate) fn cut<T, K: Kind>(
    mut found: Vec<T>,
    limit: Limit,
    cursor: impl Fn(&T) -> Cursor<K>,
) -> (Vec<T>, Option<Cursor<K>>) {
    found.sort_by_key(|row| cursor(row).place());
    let size = usize::try_from(limit.get()).unwrap_or(usize::MAX);
    let more = found.len() > size;
    found.truncate(size);
    let next = found.last().filter(|_| more).map(cursor);
    (found, next)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;
    use proptest::prelude::*;

    use super::*;
    use crate::{HistoryCursor, HistoryKind};

    fn any_cursor() -> impl Strategy<Value = HistoryCursor> {
        let kinds = prop::sample::select(HistoryKind::ALL.to_vec());
        let places = (0..=LAST_MICROS, kinds, any::<i64>());
        places.prop_map(|(micros, kind, id)| {
            HistoryCursor::new(Utc.timestamp_micros(micros).unwrap(), kind, id)
        })
    }

    #[test]
    fn a_cursor_is_spelled_in_one_way() {
        let text = "1766707200000000-play-17";
        let cursor: HistoryCursor = text.parse().unwrap();
        assert_eq!(cursor.kind, HistoryKind::Play);
        assert_eq!(cursor.id, 17);
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
                Err(MalformedCursor(bad.to_owned())),
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

    #[test]
    fn an_unknown_kind_is_told_which_there_are() {
        assert_eq!(HistoryKind::named("play"), Ok(HistoryKind::Play));
        let error = Text::from(HistoryKind::named("spin").unwrap_err()).to_string();
        assert!(error.ends_with("got \"spin\""), "{error}");
        for kind in HistoryKind::ALL {
            assert!(error.contains(kind.as_str()), "{error}");
        }
    }

    #[test]
    fn a_part_asks_for_one_row_more_than_fits_from_behind_the_edge() {
        let first = Part::of(Limit::clamped(20), None::<HistoryCursor>, HistoryKind::Play);
        assert_eq!(first.rows, 21);
        assert!(first.edge.is_none());
        let before: HistoryCursor = "100-play-17".parse().unwrap();
        let edge = |kind| {
            Part::of(Limit::clamped(1), Some(before), kind)
                .edge
                .unwrap()
        };
        assert_eq!(edge(HistoryKind::Play).kind, Ordering::Equal);
        assert_eq!(edge(HistoryKind::Play).id, 17);
        assert_eq!(
            edge(HistoryKind::Play).at,
            Utc.timestamp_micros(100).unwrap()
        );
        for kind in HistoryKind::ALL {
            assert_eq!(edge(*kind).kind, kind.cmp(&HistoryKind::Play));
        }
    }

    #[test]
    fn a_page_is_cut_from_its_parts_and_ends_at_its_last_row() {
        let cursor = |text: &&str| -> HistoryCursor { text.parse().unwrap() };
        let page = |limit, mut rows: Vec<&'static str>| {
            rows.reverse();
            let (rows, next) = cut(rows, Limit::clamped(limit), cursor);
            (rows, next.map(|next| next.to_string()))
        };
        let rows = vec!["200-reward-1", "100-play-2", "99-play-4"];
        assert_eq!(page(4, rows.clone()), (rows.clone(), None));
        assert_eq!(page(3, rows.clone()), (rows.clone(), None));
        let next = Some("100-play-2".to_owned());
        assert_eq!(page(2, rows.clone()), (rows[..2].to_vec(), next));
        assert_eq!(page(2, Vec::new()), (Vec::new(), None));
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
