//! A database has one `DATA_KEY`: that of its first sealed value, and of nobody who failed.

use std::{net::TcpListener, path::Path, process::Output, sync::Arc};

use futures_util::future::join;
use tempfile::TempDir;
use xmas_api::{
    seed,
    wiring::{App, Ports, data_key},
};
use xmas_config::{Config, Secrets, Variables};
use xmas_kernel::entropy::OsEntropy;
use xmas_test_support::TestDb;
use xmas_time::{Clock, SystemClock};

use super::command_line::{Serving, run, text, xmas_api};

const FIRST: &str = "the first data key, of 32 bytes or more";
const SECOND: &str = "the second data key, of 32 bytes or more";
const REFUSAL: &str = "DATA_KEY is not the one that this database's";

/// Sealed values and the probe.
async fn sealed(test: &TestDb) -> (i64, i64) {
    let values = "(SELECT COUNT(*) FROM coupon_code) + (SELECT COUNT(*) FROM draw_seed)";
    let probes = "SELECT COUNT(*) FROM data_key_probe";
    (test.count(values).await, test.count(probes).await)
}

fn with_key(folder: &Path, test: &TestDb, key: &str, args: &[&str]) -> Output {
    let mut command = xmas_api(folder);
    command
        .env("DATABASE_URL", test.url())
        .env("DATA_KEY", key)
        .args(args);
    run(&mut command)
}

fn serving(folder: &Path, test: &TestDb, key: &str) -> Serving {
    Serving::start(folder, &[("DATABASE_URL", test.url()), ("DATA_KEY", key)])
}

#[track_caller]
fn assert_refused(output: &Output) {
    let reason = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{reason}");
    assert!(reason.contains(REFUSAL), "{reason}");
}

fn app(test: &TestDb, key: &str) -> App {
    let config = Config::from_variables(&Variables::default()).unwrap();
    let secrets = Secrets {
        jwt: FIRST.parse().unwrap(),
        data_key: key.parse().unwrap(),
        data_key_previous: None,
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    App::new(&test.db, &config, &secrets, Ports::with_clock(clock))
}

#[tokio::test]
async fn a_wrong_key_claims_no_seeded_database() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    let seeded = with_key(folder.path(), &test, FIRST, &["seed", "demo"]);
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    let (values, probes) = sealed(&test).await;
    // The codes of two kinds of coupon, and seeds of days around the day that was played.
    assert!(values > 40, "{values}");
    assert_eq!(probes, 1);

    let owner = test.as_owner().await;
    for args in [
        &["serve"][..],
        &["migrate", "up"],
        &["seed", "event"],
        &["seed", "demo"],
        &["check"],
    ] {
        assert_refused(&with_key(folder.path(), &owner, SECOND, args));
    }
    assert_eq!(sealed(&test).await, (values, 1));

    for args in [&["check"][..], &["migrate", "up"]] {
        let accepted = with_key(folder.path(), &owner, FIRST, args);
        assert!(accepted.status.success(), "{}", text(&accepted.stderr));
    }
    let server = serving(folder.path(), &test, FIRST);
    server.login("demo-01", "demo-pass").await;
}

#[tokio::test]
async fn a_start_that_fails_leaves_no_key_behind() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    let seeded = seed::event(&app(&test, FIRST), SystemClock.now()).await;
    seeded.unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let failed = run(xmas_api(folder.path())
        .env("DATABASE_URL", test.url())
        .env("DATA_KEY", SECOND)
        .env("BIND_ADDR", taken.local_addr().unwrap().to_string()));
    assert_eq!(failed.status.code(), Some(1));
    let reason = text(&failed.stderr);
    assert!(reason.contains("set BIND_ADDR"), "{reason}");
    assert_eq!(sealed(&test).await, (0, 0));
    drop(serving(folder.path(), &test, FIRST));
    let (values, probes) = sealed(&test).await;
    assert!(values > 0 && probes == 1, "{values} {probes}");
}

#[tokio::test]
async fn what_an_older_version_sealed_without_a_probe_keeps_its_key() {
    let folder = TempDir::new().unwrap();
    let test = TestDb::new().await;
    let seeded = with_key(folder.path(), &test, FIRST, &["seed", "demo"]);
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    for one_table_is_enough in ["DELETE FROM draw_seed", "DELETE FROM coupon_code"] {
        test.execute("DELETE FROM data_key_probe").await;
        assert_refused(&with_key(folder.path(), &test, SECOND, &["serve"]));
        let stranger = app(&test, SECOND);
        let now = SystemClock.now();
        assert!(stranger.prepare_draws(now).await.is_err());
        assert_eq!(sealed(&test).await.1, 0);
        // Whose key it is writes the probe with the next value.
        app(&test, FIRST).prepare_draws(now).await.unwrap();
        assert_eq!(sealed(&test).await.1, 1);
        test.execute(one_table_is_enough).await;
    }
}

#[tokio::test]
async fn of_two_first_keys_at_once_exactly_one_wins() {
    for _ in 0..8 {
        let test = TestDb::new().await;
        let now = SystemClock.now();
        let (first, second) = (app(&test, FIRST), app(&test, SECOND));
        // Of other days, so that only the probe stands between them.
        let later = now + chrono::TimeDelta::days(30);
        let (one, other) = join(first.prepare_draws(now), second.prepare_draws(later)).await;
        let (winner, of_winner) = match (one, other) {
            (Ok(()), Err(_)) => (FIRST, now),
            (Err(_), Ok(())) => (SECOND, later),
            (one, other) => panic!("{one:?} {other:?}"),
        };
        // Nothing of the loser's is there: the winner opens every seed.
        app(&test, winner).prepare_draws(of_winner).await.unwrap();
        assert_eq!(sealed(&test).await, (8, 1));
    }
}

#[tokio::test]
async fn a_key_becomes_the_database_s_only_with_a_sealed_value() {
    let test = TestDb::new().await;
    let key = data_key(&FIRST.parse().unwrap(), None);
    assert!(!key.compare(&test.db).await.unwrap());
    let tx = test.db.begin().await.unwrap();
    let _claimed = key.claim_in_tx(&tx, &OsEntropy).await.unwrap();
    // Whatever was to be sealed was not.
    drop(tx);
    let other = data_key(&SECOND.parse().unwrap(), None);
    assert!(!other.compare(&test.db).await.unwrap());
    app(&test, SECOND)
        .prepare_draws(SystemClock.now())
        .await
        .unwrap();
    assert!(other.compare(&test.db).await.unwrap());
    assert!(key.compare(&test.db).await.is_err());
}

#[test]
fn check_says_when_it_could_not_compare() {
    let folder = TempDir::new().unwrap();
    let check = |env: &str| {
        let mut command = xmas_api(folder.path());
        command
            .env("APP_ENV", env)
            .env("DATABASE_URL", "mysql://u:p@127.0.0.1:1/x")
            .env("DATA_KEY", FIRST)
            .env("DATABASE_ACQUIRE_SECONDS", "1");
        run(command.arg("check"))
    };
    let development = check("development");
    let told = text(&development.stderr);
    assert!(development.status.success(), "{told}");
    let warning = "warning: DATA_KEY was not compared with the database's: ";
    assert!(told.starts_with(warning), "{told}");
    // As before.
    assert_eq!(check("production").status.code(), Some(1));
    // Looking makes nothing.
    let nothing = run(xmas_api(folder.path()).arg("check"));
    assert!(nothing.status.success() && nothing.stderr.is_empty());
    assert!(!folder.path().join("data").exists());
}
