//! `xmas-api keys`, killed wherever it happens to be, and several at once.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use sea_orm::DbBackend;
use serde_json::Value;
use tempfile::TempDir;
use xmas_test_support::TestDb;

use crate::command_line::{run, text, xmas_api};

const PLAYERS: i64 = 400;
/// Whom an operator's key of the third day reaches: those who were there that week, and earned none.
const LACKING: i64 = PLAYERS * 4 / 5;
const KEYS: &str =
    "SELECT COUNT(*) FROM season_pass_stamp_log WHERE period_key = 'KEY_DAY_3_LOTTERY'";

/// A database with the event, an admin, and a crowd that was there in the week. Every fifth one has earned
/// the third day's key.
async fn crowd(folder: &Path) -> TestDb {
    let test = TestDb::new().await;
    let seeded = run(xmas_api(folder)
        .env("DATABASE_URL", test.url())
        .args(["seed", "event"]));
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    let mut admin = xmas_api(folder);
    let admin = run(admin
        .env("DATABASE_URL", test.url())
        .args(["create-admin", "operator"]));
    assert!(admin.status.success(), "{}", text(&admin.stderr));
    let at = "'2025-12-27 00:00:00.000000'";
    let players: Vec<String> = (1..=PLAYERS)
        .map(|number| {
            format!(
                "({}, 'p{number}', '!', 'PLAYER', 'ACTIVE', {at}, {at})",
                number + 1_000
            )
        })
        .collect();
    for sql in [
        format!(
            "INSERT INTO `user` (id, external_id, password_hash, role, status, created_at, \
             updated_at) VALUES {}",
            players.join(", ")
        ),
        format!(
            "INSERT INTO user_profiles (user_id, level, event_key_count, event_pending_points, \
             is_blocked, token_epoch, updated_at) SELECT id, 1, CASE WHEN id % 5 = 0 THEN 1 ELSE 0 END, \
             CASE WHEN id % 5 = 0 THEN 5000 ELSE 0 END, 0, 0, {at} FROM `user` WHERE role = 'PLAYER'"
        ),
        format!(
            "INSERT INTO season_pass_stamp_log (user_id, season_id, period_key, event_type, \
             source_feature_type, xp_earned, event_day, created_at) SELECT id, 1, 'KEY_DAY_3_LOTTERY', \
             'KEY_DAY_3_LOTTERY', 'LOTTERY', 0, '2025-12-27', {at} FROM `user` \
             WHERE role = 'PLAYER' AND id % 5 = 0"
        ),
        format!(
            "INSERT INTO user_event_log (user_id, event_type, event_day, meta_json, created_at) \
             SELECT id, 'AUTH_LOGIN', '2025-12-27', '{{}}', {at} FROM `user`"
        ),
    ] {
        test.execute(&sql).await;
    }
    test
}

fn keys(folder: &Path, test: &TestDb, args: &[&str]) -> Command {
    let because = ["--admin", "operator", "--reason", "outage"];
    keys_because(folder, test, because, args)
}

fn keys_because(folder: &Path, test: &TestDb, because: [&str; 4], args: &[&str]) -> Command {
    let mut command = xmas_api(folder);
    command
        .env("DATABASE_URL", test.url())
        .env("XMAS_CLOCK", "2025-12-28T10:00:00+09:00")
        .args(["keys", "--json", "--chunk", "10"])
        .args(because)
        .args(args);
    command
}

const GIVE: [&str; 4] = ["give", "--day", "3", "--all-active"];

fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["keys"].clone()
}

async fn assert_clean(folder: &Path, test: &TestDb) {
    let mut audit = xmas_api(folder);
    let audit = run(audit.env("DATABASE_URL", test.url()).arg("audit"));
    assert!(audit.status.success(), "{}", text(&audit.stdout));
}

#[tokio::test]
async fn killed_at_twenty_points_and_run_again_it_gives_and_takes_each_key_once() {
    let folder = TempDir::new().unwrap();
    let test = crowd(folder.path()).await;
    let earned = test.count(KEYS).await;
    for kill in 1..=20 {
        let mut command = keys(folder.path(), &test, &GIVE);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while test.count(KEYS).await - earned < kill * 15 && child.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(test.count(KEYS).await > earned + 200);
    let given = report(&run(&mut keys(folder.path(), &test, &GIVE)));
    assert_eq!(
        (&given["given"], &given["had"]),
        (&LACKING.into(), &earned.into())
    );
    assert_eq!(test.count(KEYS).await, PLAYERS);
    let gifts = "SELECT COUNT(*) FROM event_bridge_gift WHERE state = 'DONE'";
    assert_eq!(
        test.count(gifts).await,
        1,
        "every run went on with the same gift"
    );
    assert_clean(folder.path(), &test).await;

    let gift = given["gift"].to_string();
    for kill in 1..=20 {
        let mut command = keys(folder.path(), &test, &["revert", &gift]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while PLAYERS - test.count(KEYS).await < kill * 15 && child.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let taken = report(&run(&mut keys(folder.path(), &test, &["revert", &gift])));
    assert_eq!(
        (&taken["taken"], &taken["kept"]),
        (&LACKING.into(), &0.into())
    );
    assert_eq!(test.count(KEYS).await, earned);
    let held = "SELECT SUM(event_pending_points) FROM user_profiles";
    assert_eq!(test.count(held).await, earned * 5_000);
    assert_clean(folder.path(), &test).await;
}

#[tokio::test]
async fn several_at_once_give_each_key_once() {
    let folder = TempDir::new().unwrap();
    let test = crowd(folder.path()).await;
    // A file has one writer at a time; a server has as many as come.
    let processes = if test.db.backend() == DbBackend::Sqlite {
        2
    } else {
        4
    };
    let children: Vec<_> = (0..processes)
        .map(|_| {
            let mut command = keys(folder.path(), &test, &GIVE);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        report(&child.wait_with_output().unwrap());
    }
    assert_eq!(test.count(KEYS).await, PLAYERS);
    let given = "SELECT COUNT(*) FROM event_bridge_gift_key";
    assert_eq!(test.count(given).await, LACKING);
    assert_clean(folder.path(), &test).await;
}

#[tokio::test]
async fn it_says_what_it_refuses_and_what_would_be() {
    let folder = TempDir::new().unwrap();
    let test = crowd(folder.path()).await;
    let before = test.count(KEYS).await;
    let try_it = |args: &[&str]| run(&mut keys(folder.path(), &test, args));
    let dry = [&GIVE[..], &["--dry-run"]].concat();
    let dry = report(&try_it(&dry));
    assert_eq!(
        (&dry["given"], &dry["gift"]),
        (&LACKING.into(), &Value::Null)
    );
    for (args, code, said) in [
        (
            &["give", "--day", "5", "--all-active"][..],
            1,
            "day must not be still to come",
        ),
        (
            &["give", "--day", "8", "--all-active"],
            1,
            "day must be a day of the bridge",
        ),
        (
            &["give", "--day", "3", "--external-id", "nobody"],
            1,
            "no such player",
        ),
        (&["give", "--day", "3"], 2, "--all-active"),
        (
            &["give", "--day", "3", "--all-active", "--user-id", "1001"],
            2,
            "cannot be used with",
        ),
        (&["revert", "9"], 1, "GIFT_NOT_FOUND"),
    ] {
        let refused = try_it(args);
        let stderr = text(&refused.stderr);
        assert_eq!(refused.status.code(), Some(code), "{args:?}: {stderr}");
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    }
    for (because, said) in [
        (
            ["--admin", "p1001", "--reason", "outage"],
            "there is no active admin \"p1001\"",
        ),
        (["--admin", "operator", "--reason", " "], "reason"),
    ] {
        let refused = run(&mut keys_because(folder.path(), &test, because, &GIVE));
        assert_eq!(refused.status.code(), Some(1));
        assert!(
            text(&refused.stderr).contains(said),
            "{}",
            text(&refused.stderr)
        );
    }
    let mut shifted = keys(folder.path(), &test, &GIVE);
    let shifted = run(shifted.env("APP_ENV", "production"));
    assert_eq!(shifted.status.code(), Some(1));
    assert!(text(&shifted.stderr).contains("XMAS_CLOCK"));
    assert_eq!(test.count(KEYS).await, before);
    // A table that is gone stops it half-way, and it says so.
    test.execute("DROP TABLE user_event_log").await;
    let stopped = try_it(&GIVE);
    assert_eq!(stopped.status.code(), Some(3), "{}", text(&stopped.stderr));
    assert!(text(&stopped.stderr).contains("run it again"));
}
