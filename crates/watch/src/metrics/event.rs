//! What this replica last saw in the database.

use std::{fmt, sync::Arc};

use prometheus_client::{collector::Collector, encoding::DescriptorEncoder};
use xmas_games::catalog;
use xmas_housekeeping::{Counts, Record};
use xmas_migration::SchemaState;
use xmas_reporting::{Direction, Flows, Vitals};

use super::samples::{Samples, flag, float};
use crate::watch::{Answer, Seen, Watch};

#[derive(Debug)]
pub(super) struct EventMetrics(Arc<Watch>);

impl EventMetrics {
    pub(super) fn new(watch: Arc<Watch>) -> Self {
        Self(watch)
    }
}

impl Collector for EventMetrics {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut samples = Samples(encoder);
        let is_up = self.0.is_up().map(|is_up| (Vec::new(), flag(is_up)));
        samples.gauges(
            "xmas_db_up",
            "Whether the database server answered the last regular question",
            is_up,
        )?;
        if let Some(answer) = self.0.last_answer() {
            schema_and_clock(&mut samples, &answer)?;
        }
        let Some(seen) = self.0.last_seen() else {
            return Ok(());
        };
        samples.gauge(
            "xmas_observed_timestamp_seconds",
            "When the event in the database was last looked at",
            seconds(seen.at.timestamp_millis()),
        )?;
        flows(&mut samples, &seen.vitals.flows)?;
        stocks(&mut samples, &seen.vitals)?;
        waiting(&mut samples, &seen)?;
        housekeeping(&mut samples, &seen.housekeeping)?;
        odds(&mut samples, &seen)
    }
}

fn schema_and_clock(samples: &mut Samples<'_>, answer: &Answer) -> fmt::Result {
    let versions = [
        ("expected", answer.versions.expected),
        ("actual", answer.versions.actual),
    ];
    samples.gauges(
        "xmas_schema_migrations",
        "Migrations that this binary knows, and that the database has",
        versions.map(|(kind, number)| (vec![("kind", kind.to_owned())], number as f64)),
    )?;
    samples.gauge(
        "xmas_schema_current",
        "Whether the database's schema fits this binary",
        flag(answer.state.schema == SchemaState::Current),
    )?;
    samples.gauge(
        "xmas_db_clock_skew_seconds",
        "How far this machine's clock is ahead of the database's, at least",
        seconds(answer.state.skew.num_milliseconds()),
    )
}

fn flows(samples: &mut Samples<'_>, flows: &Flows) -> fmt::Result {
    // Also of games that nobody has played yet, so that the first play is seen as an increase.
    let mut plays = flows.plays.clone();
    for game in catalog::features() {
        for is_win in [true, false] {
            plays.entry((game.as_str().to_owned(), is_win)).or_default();
        }
    }
    let plays = plays.iter().map(|((game, is_win), number)| {
        let result = if *is_win { "win" } else { "lose" };
        let labels = vec![("game", game.clone()), ("result", result.to_owned())];
        (labels, float(*number))
    });
    samples.counters("xmas_plays", "Plays of a game, by how they ended", plays)?;
    let one = |number: u64| [(Vec::new(), float(number))];
    samples.counters(
        "xmas_stamps",
        "Stamps of the season pass",
        one(flows.stamps),
    )?;
    samples.counters(
        "xmas_claims",
        "Rewards of levels of the season pass",
        one(flows.claims),
    )?;
    let rewards = flows.rewards.iter().map(|((kind, state), number)| {
        let labels = vec![("type", kind.clone()), ("state", state.clone())];
        (labels, float(*number))
    });
    samples.counters(
        "xmas_rewards",
        "Rewards, by their state when they were counted",
        rewards,
    )?;
    let amounts = flows.amounts.iter();
    let amounts = amounts.map(|((asset, reason, direction), amount)| {
        let direction = match direction {
            Direction::In => "in",
            Direction::Out => "out",
        };
        let labels = vec![
            ("asset", asset.clone()),
            ("reason", reason.clone()),
            ("direction", direction.to_owned()),
        ];
        (labels, float(*amount))
    });
    samples.counters(
        "xmas_ledger_amount",
        "What wallets gained and lost, in units of the asset",
        amounts,
    )
}

fn stocks(samples: &mut Samples<'_>, vitals: &Vitals) -> fmt::Result {
    let prizes = |number: fn(&xmas_reporting::PrizeStock) -> i64| {
        vitals.prizes.iter().map(move |prize| {
            let labels = vec![
                ("prize", prize.id.to_string()),
                ("name", prize.label.clone()),
            ];
            (labels, float(number(prize).unsigned_abs()))
        })
    };
    samples.gauges(
        "xmas_prize_stock",
        "What is left of a limited prize of the lottery that is played",
        prizes(|prize| prize.left),
    )?;
    samples.gauges(
        "xmas_prize_stock_supplied",
        "What was ever put in of a limited prize of the lottery that is played",
        prizes(|prize| prize.supplied),
    )?;
    let codes = vitals.free_codes.iter();
    let codes = codes.map(|free| (vec![("kind", free.kind.clone())], float(free.codes)));
    samples.gauges(
        "xmas_coupon_codes_free",
        "Coupon codes of a kind that nobody has yet",
        codes,
    )
}

/// What somebody, or something, waits for.
fn waiting(samples: &mut Samples<'_>, seen: &Seen) -> fmt::Result {
    let reviews = seen.vitals.reviews;
    samples.gauge(
        "xmas_review_pending",
        "Rewards that wait for an admin",
        float(reviews.number.unsigned_abs()),
    )?;
    samples.gauge(
        "xmas_review_oldest_seconds",
        "How long the oldest of them has waited",
        reviews
            .oldest
            .map_or(0.0, |since| seen.seconds_since(since)),
    )?;
    samples.gauge(
        "xmas_season_running",
        "Whether a season takes stamps today",
        flag(seen.is_season_running),
    )?;
    let last_stamp = seen.vitals.last_stamp;
    samples.gauges(
        "xmas_last_stamp_age_seconds",
        "Time since the last stamp",
        last_stamp.map(|at| (Vec::new(), seen.seconds_since(at))),
    )?;
    let settlement = seen.settlement.iter();
    samples.gauges(
        "xmas_settlement_eligible",
        "Players whom the settlement of the bridge has paid or will pay",
        settlement
            .clone()
            .map(|it| (Vec::new(), float(it.paid + it.waiting))),
    )?;
    samples.gauges(
        "xmas_settlement_paid",
        "Players whom the settlement of the bridge has paid",
        settlement.map(|it| (Vec::new(), float(it.paid))),
    )?;
    let late = seen.settlement.and_then(|settlement| settlement.late);
    samples.gauge(
        "xmas_settlement_late_seconds",
        "How long the settlement of the bridge has been due without having ended",
        late.map_or(0.0, |late| seconds(late.num_milliseconds())),
    )?;
    let audit = seen.audit.iter();
    samples.gauges(
        "xmas_audit_violations",
        "What the last audit found",
        audit
            .clone()
            .map(|audit| (Vec::new(), float(audit.violations))),
    )?;
    samples.gauges(
        "xmas_audit_last_run_timestamp_seconds",
        "When the last audit ended",
        audit.map(|audit| (Vec::new(), seconds(audit.finished_at.timestamp_millis()))),
    )
}

fn housekeeping(samples: &mut Samples<'_>, record: &Record) -> fmt::Result {
    let of = |counts: Counts| {
        let by_name = counts.by_name().into_iter();
        by_name.map(|(what, number)| (vec![("what", what.to_owned())], float(number)))
    };
    samples.counters(
        "xmas_housekeeping_deleted",
        "What housekeeping has removed, since there is any",
        of(record.deleted),
    )?;
    let kept = record.finished_at.map(|_| of(record.kept));
    samples.gauges(
        "xmas_housekeeping_kept",
        "What the last housekeeping has left",
        kept.into_iter().flatten(),
    )?;
    let last = record.finished_at.map(|at| at.timestamp_millis());
    samples.gauges(
        "xmas_housekeeping_last_run_timestamp_seconds",
        "When the last housekeeping ended, on the event's clock",
        last.map(|millis| (Vec::new(), seconds(millis))),
    )
}

fn odds(samples: &mut Samples<'_>, seen: &Seen) -> fmt::Result {
    let age = seen.odds_counted.finished_at;
    samples.gauges(
        "xmas_odds_counted_age_seconds",
        "How long ago it was counted how often each result of the games comes up",
        age.map(|at| (Vec::new(), seen.seconds_since(at))),
    )?;
    samples.gauge(
        "xmas_odds_plans_refused",
        "Plans of games that could not take over in the last day",
        float(seen.plans_refused),
    )
}

fn seconds(millis: i64) -> f64 {
    millis as f64 / 1_000.0
}
