//! Newest-first paging by row id: stable while rows are being added, and one index range per page.

use serde::{Deserialize, Serialize};

/// How many rows one page may hold: 1 to [`Limit::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u64);

impl Limit {
    pub const MAX: u64 = 200;

    /// The nearest allowed limit to what was asked for.
    pub fn clamped(rows: u64) -> Self {
        Self(rows.clamp(1, Self::MAX))
    }

    pub fn get(self) -> u64 {
        self.0
    }
}

/// The id of the last row that a reader has seen; the next page starts below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub i64);

/// One page and where the next one starts; `next` is `None` on the last page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts rows that were fetched with `limit + 1` down to one page.
    pub fn from_overfetched(mut rows: Vec<T>, limit: Limit, id: impl Fn(&T) -> i64) -> Self {
        let size = usize::try_from(limit.get()).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        let next = rows.last().filter(|_| more).map(|row| Cursor(id(row)));
        Self { items: rows, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_with_more_behind_it_names_its_last_row() {
        let page = Page::from_overfetched(vec![9, 8, 7], Limit::clamped(2), |id| *id);
        assert_eq!(page.items, [9, 8]);
        assert_eq!(page.next, Some(Cursor(8)));
    }

    #[test]
    fn the_last_page_has_no_next() {
        let page = Page::from_overfetched(vec![9, 8], Limit::clamped(2), |id| *id);
        assert_eq!(page.next, None);
        assert_eq!(
            Page::from_overfetched(Vec::<i64>::new(), Limit::clamped(2), |id| *id).next,
            None
        );
    }

    #[test]
    fn a_limit_is_clamped_to_its_bounds() {
        assert_eq!(Limit::clamped(0).get(), 1);
        assert_eq!(Limit::clamped(u64::MAX).get(), Limit::MAX);
    }
}
