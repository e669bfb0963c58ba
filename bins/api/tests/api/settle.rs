//! `xmas-api settle`, killed wherever it happens to be, and several at once.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use sea_orm::DbBackend;
use serde_json::Value;
use tempfile::TempDir;
use xmas_test_support::TestDb;

use crate::command_line::{run, text, xmas_api};

const PLAYERS: i64 = 400;
/// Every fourth one lacks a key, and every tenth one is blocked.
const CROWD: &str = "(user_id % 4 <> 0)";

/// A database with the event, and a crowd that has walked the week.
async fn crowd(folder: &Path) -> TestDb {
    let test = TestDb::new().await;
    let seeded = run(xmas_api(folder)
        .env("DATABASE_URL", test.url())
        .args(["seed", "event"]));
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    let at = "'2025-12-25 00:00:00.000000'";
    let players: Vec<String> = (1..=PLAYERS)
        .map(|number| {
            let status = if number % 10 == 0 {
                "BLOCKED"
            } else {
                "ACTIVE"
            };
            format!("({number}, 'p{number}', '!', 'PLAYER', '{status}', {at}, {at})")
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
             is_blocked, token_epoch, updated_at) SELECT id, 1, 0, 0, id % 10 = 0, 0, {at} \
             FROM `user`"
        ),
        format!(
            "INSERT INTO season_pass_stamp_log (user_id, season_id, period_key, event_type, \
             source_feature_type, xp_earned, event_day, created_at) SELECT user_id, 1, \
             d.event_type, d.event_type, 'SEASON_PASS', 0, d.event_day, {at} FROM user_profiles, \
             event_bridge_day d WHERE {CROWD} OR d.day_number < 7"
        ),
        format!(
            "UPDATE user_profiles SET event_key_count = CASE WHEN {CROWD} THEN 7 ELSE 6 END, \
             event_pending_points = CASE WHEN {CROWD} THEN 35000 ELSE 30000 END"
        ),
        // Some have points already.
        format!(
            "INSERT INTO user_game_wallet (user_id, asset, balance, updated_at) \
             SELECT user_id, 'POINT', 500, {at} FROM user_profiles WHERE user_id % 3 = 0"
        ),
        format!(
            "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, reference, \
             actor, created_at) SELECT user_id, 'POINT', 500, 500, 'TEST', 'test', 'test', {at} \
             FROM user_game_wallet"
        ),
    ] {
        test.execute(&sql).await;
    }
    test
}

fn settle(folder: &Path, test: &TestDb) -> Command {
    let mut command = xmas_api(folder);
    command
        .env("DATABASE_URL", test.url())
        .env("XMAS_CLOCK", "2026-01-01T00:10:00+09:00")
        .args(["settle", "--json", "--chunk", "10"]);
    command
}

fn certificate(folder: &Path, test: &TestDb) -> Value {
    let settled = run(&mut settle(folder, test));
    assert!(settled.status.success(), "{}", text(&settled.stderr));
    let answer: Value = serde_json::from_slice(&settled.stdout).unwrap();
    answer["certificate"].clone()
}

async fn assert_clean(folder: &Path, test: &TestDb) {
    let mut audit = xmas_api(folder);
    let audit = run(audit.env("DATABASE_URL", test.url()).arg("audit"));
    assert!(audit.status.success(), "{}", text(&audit.stdout));
    let paid = format!("SELECT COUNT(*) FROM user_profiles WHERE {CROWD} AND user_id % 10 <> 0");
    let paid = test.count(&paid).await;
    for sql in [
        "SELECT COUNT(*) FROM user_profiles WHERE level = 2 AND event_key_count = 0",
        "SELECT COUNT(*) FROM reward_log WHERE source = 'BRIDGE' AND amount = 35000",
        "SELECT COUNT(DISTINCT user_id) FROM wallet_ledger WHERE reason = 'BRIDGE'",
    ] {
        assert_eq!(test.count(sql).await, paid, "{sql}");
    }
    let more = "SELECT COUNT(*) FROM user_profiles WHERE level > 2";
    assert_eq!(test.count(more).await, 0);
}

#[tokio::test]
async fn killed_at_twenty_points_and_run_again_it_pays_like_an_undisturbed_run() {
    let folder = TempDir::new().unwrap();
    let disturbed = crowd(folder.path()).await;
    let paid = "SELECT COUNT(*) FROM reward_log WHERE source = 'BRIDGE'";
    for kill in 1..=20 {
        let mut command = settle(folder.path(), &disturbed);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        // A little further each time; the last ones find nothing to do and end by themselves.
        while disturbed.count(paid).await < kill * 13 && child.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let last = certificate(folder.path(), &disturbed);
    assert_clean(folder.path(), &disturbed).await;
    let undisturbed = crowd(folder.path()).await;
    assert_eq!(certificate(folder.path(), &undisturbed), last);
    assert_clean(folder.path(), &undisturbed).await;
    assert!(last["paid"].as_i64().unwrap() > 250, "{last}");
    assert_eq!(
        last["unpaid"]["BLOCKED"].as_i64().unwrap() + last["paid"].as_i64().unwrap(),
        300
    );
}

#[tokio::test]
async fn four_at_once_pay_everybody_once() {
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
            let mut command = settle(folder.path(), &test);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let mut paid = 0;
    for child in children {
        let settled = child.wait_with_output().unwrap();
        assert!(settled.status.success(), "{}", text(&settled.stderr));
        let answer: Value = serde_json::from_slice(&settled.stdout).unwrap();
        paid += answer["run"]["paid"].as_i64().unwrap();
    }
    let last = certificate(folder.path(), &test);
    assert_eq!(last["paid"], paid);
    assert_clean(folder.path(), &test).await;
}

#[tokio::test]
async fn it_says_what_it_refuses_and_what_would_be() {
    let folder = TempDir::new().unwrap();
    let test = crowd(folder.path()).await;
    let run_at = |clock: &str, args: &[&str]| {
        let mut command = xmas_api(folder.path());
        run(command
            .env("DATABASE_URL", test.url())
            .env("XMAS_CLOCK", clock)
            .arg("settle")
            .args(args))
    };
    let early = run_at("2025-12-31T23:59:50+09:00", &[]);
    assert_eq!(early.status.code(), Some(1));
    assert!(text(&early.stderr).contains("BRIDGE_NOT_DUE"));
    let dry = run_at("2025-12-31T23:59:50+09:00", &["--dry-run"]);
    assert!(dry.status.success());
    let printed = text(&dry.stdout);
    assert!(
        printed.contains("Dry run: nothing was changed."),
        "{printed}"
    );
    let paid = "SELECT COUNT(*) FROM reward_log WHERE source = 'BRIDGE'";
    assert_eq!(test.count(paid).await, 0);
    let unknown = run_at("2026-01-01T00:10:00+09:00", &["--bridge", "9"]);
    assert_eq!(unknown.status.code(), Some(1));
    assert!(text(&unknown.stderr).contains("BRIDGE_NOT_FOUND"));
    for bad in [["--chunk", "0"], ["--chunk", "x"], ["--bridge", "x"]] {
        let refused = run_at("2026-01-01T00:10:00+09:00", &bad);
        assert_eq!(refused.status.code(), Some(2), "{bad:?}");
    }
    let mut shifted = xmas_api(folder.path());
    let shifted = run(shifted
        .env("DATABASE_URL", test.url())
        .env("APP_ENV", "production")
        .env("XMAS_CLOCK", "2026-01-01T00:10:00+09:00")
        .arg("settle"));
    assert_eq!(shifted.status.code(), Some(1));
    assert!(text(&shifted.stderr).contains("XMAS_CLOCK"));
    assert_eq!(test.count(paid).await, 0);
    // A table that is gone stops it half-way, and it says so.
    test.execute("DROP TABLE wallet_ledger").await;
    let stopped = run_at("2026-01-01T00:10:00+09:00", &[]);
    assert_eq!(stopped.status.code(), Some(3), "{}", text(&stopped.stderr));
    assert!(text(&stopped.stderr).contains("run it again"));
}
