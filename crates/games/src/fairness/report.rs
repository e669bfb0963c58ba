//! Declared against observed frequencies.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use statrs::distribution::{ChiSquared, ContinuousCDF};
use xmas_kernel::{OddsId, paging::Page};

use crate::{
    draw_counts::Observed,
    odds::{Entry, Odds},
    percent::Percent,
};

/// One table, and what was drawn from it.
#[derive(Clone, Debug, PartialEq)]
pub struct OddsReport {
    pub odds_id: OddsId,
    pub content_hash: String,
    /// Whether a play now would be drawn from it.
    pub in_force: bool,
    /// The sum of the weights.
    pub total_weight: u64,
    /// The span of its plays; `None` if there was none.
    pub first_play: Option<DateTime<Utc>>,
    pub last_play: Option<DateTime<Utc>>,
    /// All draws, whether or not they counted in the end.
    pub draws: i64,
    pub entries: Vec<EntryReport>,
    pub fit: Option<Fit>,
}

/// One entry of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryReport {
    pub entry: Entry,
    /// The probability that the table declares, 0 to 1.
    pub declared: f64,
    /// The same, exactly.
    pub percent: Percent,
    pub observed: i64,
}

/// How well the draws fit the table: Pearson's chi-squared test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    pub chi_squared: f64,
    /// Entries that can come up, less one.
    pub degrees: u32,
    /// How probable draws at least this far from the table are if it is true. Of a hundred true
    /// tables, one is below 0.01.
    pub p_value: f64,
    /// Whether every entry is expected at least five times; with fewer the test says little.
    pub is_reliable: bool,
}

impl OddsReport {
    pub(crate) fn new(odds_id: OddsId, odds: Odds, observed: &Observed, in_force: bool) -> Self {
        let count = |entry: &Entry| -> i64 {
            let own = observed.draws.iter().filter(|(id, _)| *id == entry.id);
            own.map(|(_, draws)| draws).sum()
        };
        let total = odds.total() as f64;
        let entries: Vec<EntryReport> = odds
            .entries()
            .iter()
            .map(|entry| EntryReport {
                declared: entry.weight as f64 / total,
                percent: odds.percent(entry.id),
                observed: count(entry),
                entry: entry.clone(),
            })
            .collect();
        let draws = observed.draws.iter().map(|(_, draws)| draws).sum();
        Self {
            odds_id,
            content_hash: odds.hash().to_owned(),
            in_force,
            total_weight: odds.total(),
            first_play: observed.first_play,
            last_play: observed.last_play,
            fit: fit(&entries, draws),
            draws,
            entries,
        }
    }
}

/// A page of tables, each with what was drawn from it.
pub(super) fn page(
    tables: Page<(OddsId, Odds)>,
    mut observed: HashMap<OddsId, Observed>,
    in_force: Option<OddsId>,
) -> Page<OddsReport> {
    let report = |(id, odds)| {
        let observed = observed.remove(&id).unwrap_or_default();
        OddsReport::new(id, odds, &observed, in_force == Some(id))
    };
    Page {
        items: tables.items.into_iter().map(report).collect(),
        next: tables.next,
    }
}

/// `None` if nothing was drawn, or if only one entry can come up.
fn fit(entries: &[EntryReport], draws: i64) -> Option<Fit> {
    let possible: Vec<&EntryReport> = entries
        .iter()
        .filter(|entry| entry.declared > 0.0)
        .collect();
    let degrees = u32::try_from(possible.len()).ok()?.checked_sub(1)?;
    if draws == 0 || degrees == 0 {
        return None;
    }
    let expected = |entry: &EntryReport| entry.declared * draws as f64;
    let square =
        |entry: &&EntryReport| (entry.observed as f64 - expected(entry)).powi(2) / expected(entry);
    let mut chi_squared: f64 = possible.iter().map(square).sum();
    // What cannot come up, and what is not even in the table, must not have.
    let accounted: i64 = possible.iter().map(|entry| entry.observed).sum();
    if accounted != draws {
        chi_squared = f64::INFINITY;
    }
    let p_value = match ChiSquared::new(f64::from(degrees)) {
        Ok(distribution) if chi_squared.is_finite() => distribution.sf(chi_squared),
        _ => 0.0,
    };
    Some(Fit {
        chi_squared,
        degrees,
        p_value,
        is_reliable: possible.iter().all(|entry| expected(entry) >= 5.0),
    })
}

#[cfg(test)]
mod tests {
    use xmas_kernel::{ConfigId, Feature};
    use xmas_rewards::Reward;

    use super::*;

    fn report(weights: &[i64], draws: &[(i64, i64)]) -> OddsReport {
        let entry =
            |(id, weight): (i64, &i64)| Entry::new(id, "칸", *weight, Reward::NONE).unwrap();
        let entries = (1..).zip(weights).map(entry).collect();
        let odds = Odds::new(Feature::Roulette, ConfigId(1), entries).unwrap();
        let observed = Observed {
            draws: draws.to_vec(),
            ..Observed::default()
        };
        OddsReport::new(OddsId(1), odds, &observed, true)
    }

    #[test]
    fn the_p_value_is_the_one_of_the_tables() {
        // 60 throws of a die, a textbook's example: 5, 8, 9, 8, 10, 20 come to 13.4.
        let thrown = [(1, 5), (2, 8), (3, 9), (4, 8), (5, 10), (6, 20)];
        let report = report(&[1; 6], &thrown);
        let fit = report.fit.unwrap();
        assert_eq!((report.draws, fit.degrees), (60, 5));
        assert!((fit.chi_squared - 13.4).abs() < 1e-9, "{fit:?}");
        // 5 degrees: 0.02 at 13.388, 0.01 at 15.086.
        assert!((0.019..0.02).contains(&fit.p_value), "{fit:?}");
        assert!(fit.is_reliable);
    }

    #[test]
    fn draws_as_declared_fit_perfectly() {
        let fit = report(&[1, 3], &[(1, 25), (2, 70), (2, 5)]).fit.unwrap();
        assert!((fit.p_value - 1.0).abs() < 1e-12, "{fit:?}");
    }

    #[test]
    fn what_cannot_come_up_must_not_have() {
        let impossible = report(&[0, 1, 1], &[(1, 1), (2, 50), (3, 50)]);
        assert!(impossible.fit.unwrap().p_value.abs() < f64::EPSILON);
        let stranger = report(&[1, 1], &[(1, 50), (2, 50), (9, 1)]);
        assert!(stranger.fit.unwrap().p_value.abs() < f64::EPSILON);
    }

    #[test]
    fn too_little_says_nothing_or_little() {
        assert_eq!(report(&[1, 1], &[]).fit, None);
        assert_eq!(report(&[1, 0], &[(1, 10)]).fit, None);
        assert!(!report(&[1, 1], &[(1, 3), (2, 3)]).fit.unwrap().is_reliable);
    }
}
