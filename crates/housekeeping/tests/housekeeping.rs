//! Housekeeping on a database: what goes, what stays, and what is told of it.

#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use xmas_housekeeping::{Counts, Housekeeping, Record};
use xmas_kernel::db::{Db, DbError};
use xmas_test_support::TestDb;
use xmas_time::EventDay;

const KEPT: TimeDelta = TimeDelta::days(90);

/// A season that was over on the 8th of January, its grace included.
const SEASON: &str = "INSERT INTO season_pass_config (id, season_name, start_date, end_date, max_level, \
    base_xp_per_stamp, max_xp_bonus, grace_days, internal_win_threshold, is_active, created_at, updated_at) \
    VALUES (1, 'first', '2025-12-25', '2025-12-31', 7, 20, 0, 7, 50, 1, '2025-12-01 00:00:00.000000', \
    '2025-12-01 00:00:00.000000')";

fn january(day: u32) -> DateTime<Utc> {
    EventDay::from_ymd(2026, 1, day).unwrap().start()
}

fn sql(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
}

struct House {
    test: TestDb,
    player: i64,
}

impl House {
    async fn new() -> Self {
        let test = TestDb::new().await.as_owner().await;
        test.operator("boss").await;
        let player = test.player("santa").await.user_id.0;
        test.execute(SEASON).await;
        Self { test, player }
    }

    fn of(&self, db: &Db) -> Housekeeping {
        Housekeeping::new(db.clone(), KEPT)
    }

    async fn run(&self, now: DateTime<Utc>) -> Result<(), DbError> {
        self.of(&self.test.db).run_if_due("one", now).await
    }

    async fn record(&self) -> Record {
        Record::of(&self.test.db).await.unwrap()
    }

    /// Many rows in one statement, whose values come from a number.
    async fn insert(&self, into: &str, rows: u32, values: impl Fn(u32) -> String) {
        let mut statement = format!("INSERT INTO {into} VALUES ");
        for row in 0..rows {
            let comma = if row == 0 { "" } else { ", " };
            write!(statement, "{comma}({})", values(row)).unwrap();
        }
        self.test.execute(&statement).await;
    }

    async fn answers(&self, rows: u32, name: &str, at: DateTime<Utc>) {
        let (player, at) = (self.player, sql(at));
        let into = "idempotency_key (user_id, idem_key, fingerprint, result, created_at)";
        self.insert(into, rows, |row| {
            format!("{player}, '{name}-{row}', 'f', '{{}}', '{at}'")
        })
        .await;
    }

    async fn tokens(&self, rows: u32, name: &str, ends: DateTime<Utc>) {
        let (player, ends) = (self.player, sql(ends));
        let into =
            "refresh_token (user_id, family_id, token_hash, token_epoch, issued_at, expires_at)";
        self.insert(into, rows, |row| {
            format!("{player}, 'f', '{name}-{row}', 0, '2025-12-25 00:00:00.000000', '{ends}'")
        })
        .await;
    }

    async fn logins(&self, rows: u32, at: DateTime<Utc>) {
        let (player, at) = (self.player, sql(at));
        let into = "user_event_log (user_id, event_type, event_day, meta_json, created_at)";
        self.insert(into, rows, |_| {
            let meta = r#"{"address":"203.0.113.7","via":"password"}"#;
            format!("{player}, 'AUTH_LOGIN', '2025-12-25', '{meta}', '{at}'")
        })
        .await;
    }

    async fn count(&self, rows: &str) -> i64 {
        self.test
            .count(&format!("SELECT COUNT(*) FROM {rows}"))
            .await
    }

    /// How many rows of the operators' log are of housekeeping and say that so many went.
    async fn told(&self, deleted: Counts) -> i64 {
        let deleted = serde_json::to_value(deleted).unwrap();
        self.count(&format!(
            "admin_audit_log WHERE action = 'HOUSEKEEPING' AND actor = 'xmas-api housekeeping' \
             AND after_json LIKE '%\"deleted\":{deleted}%'"
        ))
        .await
    }

    async fn all_told(&self) -> i64 {
        self.count("admin_audit_log WHERE action = 'HOUSEKEEPING'")
            .await
    }
}

fn counts(answers: u64, refresh_tokens: u64, login_addresses: u64) -> Counts {
    Counts {
        answers,
        refresh_tokens,
        login_addresses,
    }
}

#[tokio::test]
async fn what_nobody_needs_goes_and_is_told_of() {
    let house = House::new().await;
    let moment = TimeDelta::microseconds(1);
    let now = january(8);
    house.answers(450, "old", january(8) - moment).await;
    house.answers(3, "new", january(8)).await;
    house
        .tokens(250, "ended", now - TimeDelta::days(1) - moment)
        .await;
    house.tokens(2, "late", now - TimeDelta::days(1)).await;
    house.tokens(4, "good", now + TimeDelta::days(1)).await;
    // More at one instant than one transaction takes.
    house.logins(500, now - KEPT - moment).await;
    house.logins(5, now - KEPT).await;
    house.run(now).await.unwrap();
    assert_eq!(
        house
            .count("idempotency_key WHERE idem_key LIKE 'new%'")
            .await,
        3
    );
    assert_eq!(house.count("idempotency_key").await, 3);
    assert_eq!(house.count("refresh_token").await, 6);
    assert_eq!(
        house
            .count("refresh_token WHERE token_hash LIKE 'ended%'")
            .await,
        0
    );
    let named = "user_event_log WHERE meta_json LIKE '%203.0.113.7%'";
    assert_eq!(house.count(named).await, 5);
    // How they logged in is still known.
    assert_eq!(
        house
            .count("user_event_log WHERE meta_json LIKE '%password%'")
            .await,
        505
    );
    let record = house.record().await;
    assert_eq!(record.deleted, counts(450, 250, 500));
    assert_eq!(record.kept, counts(3, 6, 5));
    assert_eq!(record.finished_at, Some(now));
    assert_eq!(
        (house.told(record.deleted).await, house.all_told().await),
        (1, 1)
    );
    // Nothing more within the hour, and then what has become old, and no row about nothing.
    house.run(now + TimeDelta::minutes(59)).await.unwrap();
    assert_eq!(house.record().await, record);
    house.run(now + TimeDelta::hours(1)).await.unwrap();
    assert_eq!(house.record().await.deleted, counts(450, 252, 505));
    assert_eq!(house.told(counts(0, 2, 5)).await, 1);
    house.run(now + TimeDelta::hours(2)).await.unwrap();
    assert_eq!(house.all_told().await, 2);
    assert_eq!(house.record().await.kept, counts(3, 4, 0));
}

#[tokio::test]
async fn no_answer_goes_while_its_season_is_served() {
    let house = House::new().await;
    house.answers(3, "old", january(1)).await;
    house
        .run(january(8) - TimeDelta::microseconds(1))
        .await
        .unwrap();
    assert_eq!(house.count("idempotency_key").await, 3);
    // A clock that was set back does not wait for the one before.
    house.run(january(2)).await.unwrap();
    assert_eq!(house.record().await.finished_at, Some(january(2)));
    house.run(january(8)).await.unwrap();
    assert_eq!(house.count("idempotency_key").await, 0);
}

/// A row that cannot be deleted ends a run as a kill would: between two transactions.
#[tokio::test]
async fn a_run_that_was_cut_off_is_told_of_by_the_next() {
    let house = House::new().await;
    let now = january(8);
    house.answers(450, "old", january(1)).await;
    let trigger = match house.test.db.backend() {
        sea_orm::DbBackend::Sqlite => {
            "CREATE TRIGGER stop BEFORE DELETE ON idempotency_key WHEN OLD.idem_key = 'old-320' \
             BEGIN SELECT RAISE(ABORT, 'stop'); END"
        }
        _ => {
            "CREATE TRIGGER stop BEFORE DELETE ON idempotency_key FOR EACH ROW \
             BEGIN IF OLD.idem_key = 'old-320' THEN SIGNAL SQLSTATE '45000'; END IF; END"
        }
    };
    house.test.execute(trigger).await;
    house.run(now).await.unwrap_err();
    let left = house.count("idempotency_key").await;
    assert!((1..450).contains(&left), "{left}");
    let record = house.record().await;
    assert_eq!(record.deleted.answers, 450 - left.unsigned_abs());
    assert_eq!((record.finished_at, house.all_told().await), (None, 0));
    house.test.execute("DROP TRIGGER stop").await;
    // Whoever comes next does not wait for a lease.
    house
        .of(&house.test.db)
        .run_if_due("two", now)
        .await
        .unwrap();
    assert_eq!(house.count("idempotency_key").await, 0);
    assert_eq!(
        (house.told(counts(450, 0, 0)).await, house.all_told().await),
        (1, 1)
    );
}

#[tokio::test]
async fn of_several_replicas_one_does_it() {
    let house = House::new().await;
    let now = january(8);
    house.answers(900, "old", january(1)).await;
    house.tokens(900, "ended", january(1)).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        others.push(house.test.reconnected().await);
    }
    let runs = others.iter().enumerate().map(|(number, replica)| {
        let of_it = house.of(&replica.db);
        async move { of_it.run_if_due(&format!("replica-{number}"), now).await }
    });
    for done in futures_util::future::join_all(runs).await {
        done.unwrap();
    }
    assert_eq!(house.record().await.deleted, counts(900, 900, 0));
    assert_eq!(
        (
            house.told(counts(900, 900, 0)).await,
            house.all_told().await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn an_empty_database_is_in_order() {
    let test = TestDb::new().await;
    let house = Housekeeping::new(test.db.clone(), KEPT);
    house.run_if_due("one", january(8)).await.unwrap();
    let record = Record::of(&test.db).await.unwrap();
    assert_eq!((record.deleted, record.kept), Default::default());
    assert_eq!(record.finished_at, Some(january(8)));
}
