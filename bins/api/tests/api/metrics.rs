//! What those who watch the service see, and that it is true.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Stdio},
    time::Duration,
};

use chrono::TimeDelta;
use reqwest::Method;
use sea_orm::ConnectionTrait;
use serde_json::json;
use tempfile::TempDir;
use xmas_kernel::Asset;
use xmas_test_support::{AppBuilder, TestApp};
use xmas_time::{Clock, EventDay};

use crate::command_line::{run, text, xmas_api};

/// The number of a series, which is there.
pub(crate) fn value(shown: &str, series: &str) -> f64 {
    find(shown, series).unwrap_or_else(|| panic!("{series} is not in\n{shown}"))
}

/// Somebody was turned away by this limit, and metrics say so.
pub(crate) fn assert_rejected(app: &TestApp, reason: &str) {
    let series = format!("xmas_http_rejected_total{{reason=\"{reason}\"}}");
    assert!(value(&app.counted(), &series) >= 1.0, "{reason}");
}

fn find(shown: &str, series: &str) -> Option<f64> {
    let mut lines = shown.lines();
    let line = lines.find(|line| {
        line.rsplit_once(' ')
            .is_some_and(|(name, _)| name == series)
    })?;
    Some(line.rsplit_once(' ')?.1.parse().unwrap())
}

/// Every series that is shown, without its number.
fn series(shown: &str) -> BTreeSet<String> {
    let lines = shown.lines().filter(|line| !line.starts_with('#'));
    let names = lines.map(|line| line.rsplit_once(' ').unwrap().0.to_owned());
    names.collect()
}

/// Metrics by name: their type, and the labels that they have in `shown`.
fn described(shown: &str) -> BTreeMap<String, (String, BTreeSet<String>)> {
    let mut metrics = BTreeMap::new();
    let mut of: Option<(String, String)> = None;
    for line in shown.lines() {
        if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            of = Some((name.to_owned(), kind.to_owned()));
        } else if !line.starts_with('#') {
            let (name, kind) = of.clone().expect("a type stands before its numbers");
            let labels = line.split_once('{').map_or("", |(_, labels)| labels);
            let labels = labels.split_once('}').map_or("", |(labels, _)| labels);
            // No value has a comma and an equals sign in it.
            let names = labels
                .split(',')
                .filter_map(|label| Some(label.split_once('=')?.0));
            let entry = metrics.entry(name).or_insert((kind, BTreeSet::new()));
            entry
                .1
                .extend(names.filter(|name| *name != "le").map(str::to_owned));
        }
    }
    metrics
}

/// `| name | type | labels | meaning |`, each in backquotes but the last.
fn documented() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let metrics = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let labels = cells[3]
            .split(',')
            .map(|label| label.trim().trim_matches('`'));
        let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned);
        let name = cells[1].trim_matches('`').to_owned();
        (name, (cells[2].to_owned(), labels.collect()))
    });
    metrics.collect()
}

/// A little of everything that is counted.
async fn live(app: &TestApp) {
    // From here on.
    app.metrics().await;
    let player = app.player("santa", 5).await;
    player.play("/api/roulette/play").await.expect_status(200);
    player
        .get("/api/season-pass/claim")
        .await
        .expect_status(405);
    player.get("/nowhere").await.expect_status(404);
    let stamp = json!({ "source_feature_type": "ROULETTE" });
    player
        .post("/api/season-pass/stamp", &stamp)
        .await
        .expect_status(200);
    app.test
        .execute(
            "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, state, event_day, created_at) \
             SELECT id, 'by hand', 'ADMIN', 'POINT', 99999, 'PENDING_REVIEW', '2025-12-26', \
             '2025-12-25 23:00:00.000000' FROM `user` WHERE external_id = 'santa'",
        )
        .await;
    let lease = Duration::from_secs(60);
    app.app
        .audit_if_due(Duration::from_secs(3600), lease)
        .await
        .unwrap();
    app.app.keep_house(app.clock.now()).await.unwrap();
    app.app.keep_odds(app.clock.now()).await.unwrap();
}

#[tokio::test]
async fn the_page_about_metrics_lists_what_is_shown() {
    let app = TestApp::start().await;
    live(&app).await;
    // The evening before a settlement, which is when its numbers appear.
    let settle_on = EventDay::from_ymd(2026, 1, 1).unwrap();
    app.clock.set(settle_on.start() - TimeDelta::minutes(30));
    app.metrics().await;
    let mut shown = described(&app.metrics().await);
    let mut documented = documented();
    for metrics in [&mut shown, &mut documented] {
        // Only Linux tells of processes.
        metrics.retain(|name, _| !name.starts_with("process_"));
    }
    // No statement is counted in a test.
    let (name, kind) = ("xmas_db_statement_duration_seconds", "histogram".to_owned());
    shown.insert(name.to_owned(), (kind, BTreeSet::from(["kind".to_owned()])));
    assert_eq!(shown, documented);
}

#[tokio::test]
async fn no_request_makes_a_label_of_its_own_or_says_who_plays() {
    let app = TestApp::start().await;
    live(&app).await;
    let player = app.player("rudolph", 5).await;
    let admin = app.admin("ops").await;
    let brew = || Method::from_bytes(b"BREW").unwrap();
    let ask = async |number: u32| {
        player.get(&format!("/nowhere/{number}")).await;
        player
            .send(player.request(brew(), &format!("/api/wallet?{number}")))
            .await;
        admin.get(&format!("/admin/api/users/{number}")).await;
        admin.get(&format!("/admin/api/users/{number}/")).await;
    };
    ask(900_000).await;
    // What happened before is counted by the second look.
    app.metrics().await;
    let before = series(&app.metrics().await);
    for number in 900_001..900_020 {
        ask(number).await;
    }
    let after = app.metrics().await;
    let new: Vec<_> = series(&after).difference(&before).cloned().collect();
    assert!(new.is_empty(), "{new:?}");
    for name in ["rudolph", "santa", "ops", "90000", "BREW"] {
        let said: Vec<_> = series(&after)
            .into_iter()
            .filter(|series| series.contains(name))
            .collect();
        assert!(said.is_empty(), "{said:?}");
    }
    let route = "xmas_http_request_duration_seconds_count{method=\"GET\",route=\"/admin/api/users/{id}\",status=\"4xx\"}";
    assert_eq!(value(&after, route), 40.0);
    let route = "xmas_http_errors_total{method=\"other\",route=\"/api/wallet\",code=\"METHOD_NOT_ALLOWED\"}";
    assert_eq!(value(&after, route), 20.0);
}

#[tokio::test]
async fn whoever_is_turned_away_is_counted_by_the_limit() {
    let app = AppBuilder::default()
        .set("PLAYER_WRITES_PER_MINUTE", "1")
        .set("PLAYER_READS_PER_MINUTE", "1")
        .set("LOGINS_PER_MINUTE", "1")
        .start()
        .await;
    let player = app.player("santa", 5).await;
    for _ in 0..3 {
        player.play("/api/roulette/play").await;
        player.get("/api/wallet").await;
    }
    let credentials = json!({ "external_id": "nobody", "password": "whatever it is" });
    for _ in 0..4 {
        app.anonymous().post("/api/auth/token", &credentials).await;
    }
    let shown = app.metrics().await;
    let rejected = |reason: &str| {
        value(
            &shown,
            &format!("xmas_http_rejected_total{{reason=\"{reason}\"}}"),
        )
    };
    assert_eq!(rejected("player_writes"), 2.0);
    assert_eq!(rejected("player_reads"), 2.0);
    assert_eq!(rejected("login_throttle"), 3.0);
    assert_eq!(rejected("requests"), 0.0);
    let code =
        "xmas_http_errors_total{method=\"GET\",route=\"/api/wallet\",code=\"TOO_MANY_REQUESTS\"}";
    assert_eq!(value(&shown, code), 2.0);
    assert_eq!(value(&shown, "xmas_http_requests_in_flight"), 0.0);
}

#[tokio::test]
async fn what_happens_in_the_event_is_counted_once_and_by_every_replica() {
    let app = TestApp::start().await;
    let player = app.player("santa", 5).await;
    app.give(player.identity(), Asset::RouletteCoin, 1).await;
    // What was there before the first look is history.
    app.metrics().await;
    for _ in 0..3 {
        player.play("/api/roulette/play").await.expect_status(200);
    }
    let stamp = json!({ "source_feature_type": "ROULETTE" });
    player
        .post("/api/season-pass/stamp", &stamp)
        .await
        .expect_status(200);
    let plays = |shown: &str| {
        let of = |result| {
            find(
                shown,
                &format!("xmas_plays_total{{game=\"ROULETTE\",result=\"{result}\"}}"),
            )
        };
        of("win").unwrap_or_default() + of("lose").unwrap_or_default()
    };
    // Seen, and not yet counted: an earlier one may still be on its way.
    let seen = app.metrics().await;
    assert_eq!(
        (plays(&seen), value(&seen, "xmas_stamps_total")),
        (0.0, 0.0)
    );
    for _ in 0..3 {
        let counted = app.metrics().await;
        assert_eq!(
            (plays(&counted), value(&counted, "xmas_stamps_total")),
            (3.0, 1.0)
        );
        let spent =
            "xmas_ledger_amount_total{asset=\"ROULETTE_COIN\",reason=\"PLAY\",direction=\"out\"}";
        assert_eq!(value(&counted, spent), 3.0);
        let never = "xmas_plays_total{game=\"LOTTERY\",result=\"win\"}";
        assert_eq!(value(&counted, never), 0.0);
        assert_eq!(value(&counted, "xmas_last_stamp_age_seconds"), 0.0);
    }
    app.clock.advance(TimeDelta::hours(2));
    let later = app.metrics().await;
    assert_eq!(value(&later, "xmas_last_stamp_age_seconds"), 7_200.0);
    assert_eq!(value(&later, "xmas_season_running"), 1.0);
    app.clock.advance(TimeDelta::days(60));
    assert_eq!(value(&app.metrics().await, "xmas_season_running"), 0.0);
}

#[tokio::test]
async fn what_waits_or_runs_out_is_shown_as_it_is() {
    let app = TestApp::start().await;
    live(&app).await;
    app.test
        .execute("UPDATE lottery_prize SET stock = 3 WHERE label = '배민 2만'")
        .await;
    app.test.execute("DELETE FROM coupon_code").await;
    let shown = app.metrics().await;
    let prize = app
        .test
        .count("SELECT id FROM lottery_prize WHERE label = '배민 2만'")
        .await;
    let stock = |what: &str| {
        value(
            &shown,
            &format!("{what}{{prize=\"{prize}\",name=\"배민 2만\"}}"),
        )
    };
    assert_eq!(stock("xmas_prize_stock"), 3.0);
    assert_eq!(stock("xmas_prize_stock_supplied"), 20.0);
    assert_eq!(
        value(&shown, "xmas_coupon_codes_free{kind=\"배민 2만\"}"),
        0.0
    );
    // What the play has won may wait as well.
    let pending = "SELECT COUNT(*) FROM reward_log WHERE state = 'PENDING_REVIEW'";
    let pending = app.test.count(pending).await;
    assert!((1..=2).contains(&pending), "{pending}");
    assert_eq!(value(&shown, "xmas_review_pending"), pending as f64);
    // Since eight in the morning.
    assert_eq!(value(&shown, "xmas_review_oldest_seconds"), 3_600.0);
    app.test
        .execute("UPDATE reward_log SET state = 'REJECTED' WHERE state = 'PENDING_REVIEW'")
        .await;
    let shown = app.metrics().await;
    assert_eq!(value(&shown, "xmas_review_pending"), 0.0);
    assert_eq!(value(&shown, "xmas_review_oldest_seconds"), 0.0);
}

#[tokio::test]
async fn a_settlement_is_late_until_it_has_ended() {
    let app = TestApp::start().await;
    app.player("santa", 0).await;
    app.test
        .execute("UPDATE user_profiles SET event_key_count = 7, event_pending_points = 35000")
        .await;
    let settle_on = EventDay::from_ymd(2026, 1, 1).unwrap();
    let due = settle_on.start() + TimeDelta::minutes(10);
    let numbers = async || {
        let shown = app.metrics().await;
        let late = value(&shown, "xmas_settlement_late_seconds");
        let eligible = find(&shown, "xmas_settlement_eligible");
        (late, eligible, find(&shown, "xmas_settlement_paid"))
    };
    app.clock.set(settle_on.start() - TimeDelta::minutes(61));
    assert_eq!(numbers().await, (0.0, None, None));
    app.clock.set(due);
    assert_eq!(numbers().await, (0.0, Some(1.0), Some(0.0)));
    app.clock.set(due + TimeDelta::seconds(90));
    assert_eq!(numbers().await, (90.0, Some(1.0), Some(0.0)));
    let settlement = app.app.settlement();
    let bridge = settlement.find(None).await.unwrap().id;
    settlement
        .settle(bridge, 100, app.clock.now(), &|_| ())
        .await
        .unwrap();
    app.clock.advance(TimeDelta::hours(1));
    assert_eq!(numbers().await, (0.0, Some(1.0), Some(1.0)));
}

#[tokio::test]
async fn an_audit_is_made_by_one_replica_and_shown_by_all_until_the_next() {
    let app = TestApp::start().await;
    assert_eq!(find(&app.metrics().await, "xmas_audit_violations"), None);
    let (hours, lease) = (Duration::from_secs(3600), Duration::from_secs(60));
    let player = app.player("santa", 5).await;
    app.test
        .execute("UPDATE user_game_wallet SET balance = balance + 1")
        .await;
    // While one has the lease, no other reads the whole database.
    app.test
        .execute("INSERT INTO job_lease (name, holder, expires_at) VALUES ('audit', 'another', '2999-01-01 00:00:00.000000')")
        .await;
    app.app.audit_if_due(hours, lease).await.unwrap();
    assert_eq!(app.test.count("SELECT COUNT(*) FROM job_result").await, 0);
    app.test.execute("DELETE FROM job_lease").await;
    let other = AppBuilder::default().start_on(app.test.reconnected().await);
    let other = other.await;
    let (first, second) = tokio::join!(
        app.app.audit_if_due(hours, lease),
        other.app.audit_if_due(hours, lease),
    );
    first.unwrap();
    second.unwrap();
    let found = value(&other.metrics().await, "xmas_audit_violations");
    assert!(found >= 1.0, "{found}");
    other.stop().await;
    assert_eq!(app.test.count("SELECT COUNT(*) FROM job_result").await, 1);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM job_lease").await, 0);
    let found = value(&app.metrics().await, "xmas_audit_violations");
    assert!(found >= 1.0, "{found}");
    drop(player);

    // A deployment does not hide what was found.
    let again = AppBuilder::default().start_on(app.stop().await).await;
    assert_eq!(
        value(&again.metrics().await, "xmas_audit_violations"),
        found
    );
    again
        .test
        .execute("UPDATE user_game_wallet SET balance = balance - 1")
        .await;
    again.app.audit_if_due(hours, lease).await.unwrap();
    assert_eq!(
        value(&again.metrics().await, "xmas_audit_violations"),
        found
    );
    again.app.audit_if_due(Duration::ZERO, lease).await.unwrap();
    let shown = again.metrics().await;
    assert_eq!(value(&shown, "xmas_audit_violations"), 0.0);
    let ran_at = value(&shown, "xmas_audit_last_run_timestamp_seconds");
    let now = value(&shown, "xmas_observed_timestamp_seconds");
    assert!((ran_at - now).abs() < 60.0, "{ran_at} and {now}");
}

/// Two may find at once that an audit is due. The later one waits for the lease, and then has nothing to do.
#[tokio::test]
async fn an_audit_that_was_made_meanwhile_is_not_made_again() {
    let app = TestApp::start().await;
    let (hours, lease) = (Duration::from_secs(3600), Duration::from_secs(60));
    let tx = app.test.db.begin().await.unwrap();
    for made in [
        "INSERT INTO job_lease (name, holder, expires_at) VALUES ('audit', 'another', '2000-01-01 00:00:00.000000')",
        "INSERT INTO job_result (name, result, finished_at) VALUES ('audit', '{\"violations\":7,\"checks\":[]}', '2999-01-01 00:00:00.000000')",
    ] {
        tx.execute_unprepared(made).await.unwrap();
    }
    let before = app.statements();
    let late = app.app.clone();
    let late = tokio::spawn(async move { late.audit_if_due(hours, lease).await });
    // It has seen that there is none, and comes to the lease.
    while app.statements() == before {
        tokio::task::yield_now().await;
    }
    tx.commit().await.unwrap();
    late.await.unwrap().unwrap();
    let shown = app.metrics().await;
    assert_eq!(value(&shown, "xmas_audit_violations"), 7.0);
    assert_eq!(app.test.count("SELECT COUNT(*) FROM job_lease").await, 0);
}

/// The whole database would be read over and over.
#[tokio::test]
async fn an_audit_that_fails_is_not_tried_again_at_once() {
    let app = TestApp::start().await;
    let (hours, lease) = (Duration::from_secs(3600), Duration::from_secs(60));
    app.test.execute("DROP TABLE wallet_ledger").await;
    app.app.audit_if_due(hours, lease).await.unwrap_err();
    assert_eq!(app.test.count("SELECT COUNT(*) FROM job_result").await, 0);
    let held = "SELECT COUNT(*) FROM job_lease WHERE name = 'audit'";
    assert_eq!(app.test.count(held).await, 1);
}

/// A database whose schema does not fit is not one that is away, and what was seen of the event is kept.
#[tokio::test]
async fn a_table_that_is_missing_is_told_apart_from_a_database_that_is_away() {
    let app = TestApp::start().await;
    let before = app.metrics().await;
    assert_eq!(value(&before, "xmas_schema_current"), 1.0);
    assert_eq!(value(&before, "xmas_db_up"), 1.0);
    app.test
        .execute("DELETE FROM seaql_migrations WHERE version LIKE '%job_results'")
        .await;
    app.test.execute("DROP TABLE job_result").await;
    let after = app.metrics_of_failed_look().await;
    assert_eq!(value(&after, "xmas_db_up"), 1.0);
    assert_eq!(value(&after, "xmas_schema_current"), 0.0);
    let expected = value(&after, "xmas_schema_migrations{kind=\"expected\"}");
    assert_eq!(
        value(&after, "xmas_schema_migrations{kind=\"actual\"}"),
        expected - 1.0
    );
    let seen = "xmas_observed_timestamp_seconds";
    assert_eq!(value(&after, seen), value(&before, seen));
    app.test.db.close().await.unwrap();
    let away = app.metrics_of_failed_look().await;
    assert_eq!(value(&away, "xmas_db_up"), 0.0);
}

/// A server of its own that is watched; ended with its test.
struct Watched {
    child: Child,
    base: String,
    metrics: String,
}

impl Watched {
    fn start(folder: &Path) -> Self {
        let mut command = xmas_api(folder);
        command
            .env("METRICS_ADDR", "127.0.0.1:0")
            .env("SLOW_STATEMENT_MILLIS", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut after = |what: &str| {
            let line = lines.by_ref().map(|line| line.unwrap());
            let line = line.into_iter().find(|line| line.contains(what)).unwrap();
            let from = line.find(what).unwrap() + what.len();
            line[from..].split(' ').next().unwrap().to_owned()
        };
        let metrics = after("metrics at ");
        let base = format!("http://{}", after("ready on "));
        // What is logged later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            base,
            metrics,
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn metrics_have_an_address_of_their_own_and_probes_a_verb() {
    let folder = TempDir::new().unwrap();
    let mut server = Watched::start(folder.path());
    let answer = reqwest::get(&server.metrics).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let shown = answer.text().await.unwrap();
    for name in [
        "xmas_db_statement_duration_seconds_count{kind=\"select\"}",
        "xmas_db_acquire_seconds_count",
        "xmas_db_connections_max{pool=\"write\"}",
        "xmas_http_connections",
    ] {
        value(&shown, name);
    }
    assert!(value(&shown, "xmas_db_acquire_seconds_count") > 10.0);
    assert!(shown.contains(&format!("version=\"{}\"", env!("CARGO_PKG_VERSION"))));
    if cfg!(target_os = "linux") {
        assert!(value(&shown, "process_resident_memory_bytes") > 1e6);
        assert!(value(&shown, "process_start_time_seconds") > 1.7e9);
        assert!(value(&shown, "process_open_fds") > 5.0);
    }
    let not_there = reqwest::get(format!("{}/api/docs", server.metrics)).await;
    assert_eq!(not_there.unwrap().status(), 404);
    let outside = reqwest::get(format!("{}/metrics", server.base)).await;
    assert_eq!(outside.unwrap().status(), 404);

    let address = server.base.strip_prefix("http://").unwrap().to_owned();
    let healthy = |arguments: &[&str]| {
        let mut command = xmas_api(folder.path());
        command
            .env("BIND_ADDR", &address)
            .arg("healthcheck")
            .args(arguments);
        run(&mut command)
    };
    let ready = healthy(&[]);
    assert!(ready.status.success());
    assert!(text(&ready.stdout).contains("\"database\":\"ok\""));
    assert!(healthy(&["--live"]).status.success());
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let gone = healthy(&[]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(text(&gone.stderr).contains("/readyz"));
}

#[test]
fn the_version_names_the_commit() {
    let folder = TempDir::new().unwrap();
    let version = run(xmas_api(folder.path()).arg("--version"));
    let version = text(&version.stdout);
    let known = version.strip_prefix(concat!("xmas-api ", env!("CARGO_PKG_VERSION"), " ("));
    let commit = known.and_then(|rest| rest.strip_suffix(")\n"));
    let is_commit = |commit: &str| commit == "unknown" || commit.len() == 12;
    assert!(commit.is_some_and(is_commit), "{version}");
}
