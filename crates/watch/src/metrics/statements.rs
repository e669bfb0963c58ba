//! Statements, and how long connections were waited for.

use std::{sync::LazyLock, time::Duration};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};
use xmas_kernel::db::{Db, Executed};

/// Upper bounds in seconds.
const SECONDS: [f64; 13] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0, 3.0,
];
/// What the log shows of a slow statement, in characters.
const SHOWN: usize = 500;

/// The pool says this to the log only, and there is one log for the whole process.
static ACQUIRED: LazyLock<Histogram> = LazyLock::new(|| Histogram::new(SECONDS));

/// What is counted of statements; a clone counts to the same.
#[derive(Clone, Debug)]
pub struct StatementMetrics {
    durations: Family<Kind, Histogram, fn() -> Histogram>,
    failures: Family<Kind, Counter>,
    slow: Family<Kind, Counter>,
    slow_from: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

const KINDS: [&str; 5] = ["select", "insert", "update", "delete", "other"];

impl Kind {
    fn of(sql: &str) -> Self {
        let word = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic());
        let word = word.into_iter().next().unwrap_or_default();
        let known = KINDS.iter().find(|kind| word.eq_ignore_ascii_case(kind));
        Self {
            kind: known.copied().unwrap_or("other"),
        }
    }
}

impl StatementMetrics {
    /// Statements are slow from `slow_from` on.
    pub fn new(slow_from: Duration) -> Self {
        let metrics = Self {
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            failures: Family::default(),
            slow: Family::default(),
            slow_from,
        };
        // What has not happened yet is zero, so that the first time is seen as an increase.
        for kind in KINDS.map(|kind| Kind { kind }) {
            drop(metrics.failures.get_or_create(&kind));
            drop(metrics.slow.get_or_create(&kind));
        }
        metrics
    }

    /// Counts what goes through a handle and its later clones.
    pub fn observe(&self, db: &mut Db) {
        let metrics = self.clone();
        db.observe_statements(move |executed| metrics.count(executed));
    }

    fn count(&self, executed: Executed<'_>) {
        let Executed {
            sql,
            elapsed,
            has_failed,
        } = executed;
        let kind = Kind::of(sql);
        let durations = self.durations.get_or_create(&kind);
        durations.observe(elapsed.as_secs_f64());
        if has_failed {
            self.failures.get_or_create(&kind).inc();
        }
        if elapsed >= self.slow_from {
            self.slow.get_or_create(&kind).inc();
            let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
            let shown: String = sql.chars().take(SHOWN).collect();
            tracing::warn!(millis, sql = shown, "a statement took {millis} ms: {shown}");
        }
    }

    /// Shows what is counted in a registry.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "xmas_db_statement_duration_seconds",
            "Time until the database has answered a statement",
            self.durations.clone(),
        );
        registry.register(
            "xmas_db_statement_failures",
            "Statements that failed, also because of a unique key",
            self.failures.clone(),
        );
        registry.register(
            "xmas_db_slow_statements",
            "Statements that took SLOW_STATEMENT_MILLIS or longer",
            self.slow.clone(),
        );
        registry.register(
            "xmas_db_acquire_seconds",
            "Time until a connection of either pool came free",
            ACQUIRED.clone(),
        );
    }
}

/// Hears from the pools how long connections were waited for.
pub struct AcquireTimes;

impl<S: Subscriber> Layer<S> for AcquireTimes {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut Acquired);
    }
}

struct Acquired;

impl Visit for Acquired {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "acquired_after_secs" {
            ACQUIRED.observe(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::prometheus_text;

    use super::*;

    #[test]
    fn a_statement_is_known_by_its_first_word() {
        for (sql, kind) in [
            ("SELECT 1", "select"),
            ("\n  insert INTO t VALUES (?)", "insert"),
            ("UPDATE t SET a = ?", "update"),
            ("DELETE FROM t", "delete"),
            ("SELECTED", "other"),
            ("WITH a AS (SELECT 1) SELECT 1", "other"),
            ("", "other"),
        ] {
            assert_eq!(Kind::of(sql).kind, kind, "{sql}");
        }
    }

    #[test]
    fn what_is_slow_is_counted_from_its_bound_on() {
        let metrics = StatementMetrics::new(Duration::from_millis(200));
        for (millis, has_failed) in [(199, false), (200, false), (201, true)] {
            metrics.count(Executed {
                sql: "UPDATE t SET a = ?",
                elapsed: Duration::from_millis(millis),
                has_failed,
            });
        }
        let kind = Kind { kind: "update" };
        let mut registry = Registry::default();
        metrics.register(&mut registry);
        let mut text = String::new();
        prometheus_text::encode(&mut text, &registry).unwrap();
        let counted = "xmas_db_statement_duration_seconds_count{kind=\"update\"} 3\n";
        assert!(text.contains(counted), "{text}");
        assert_eq!(metrics.slow.get_or_create(&kind).get(), 2);
        assert_eq!(metrics.failures.get_or_create(&kind).get(), 1);
    }
}
