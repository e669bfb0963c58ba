//! The week of the bridge and what comes after it, day by day on a clock that the tests set.

use std::{collections::BTreeMap, ops::RangeInclusive};

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};
use xmas_api::jobs;
use xmas_event_bridge::{
    Bridge, BridgeDay, BridgeError, BridgeState, Bridges, Certificate, NewBridge, Reason, Run,
};
use xmas_kernel::{Asset, BridgeId, SeasonId};
use xmas_players::{Identity, Status, lock_by_id_in_tx, set_status_in_tx};
use xmas_rewards::{Reward, RewardType};
use xmas_season_pass::{Level, NewSeason, SeasonPass};
use xmas_test_support::{AppBuilder, Client, TestApp};
use xmas_time::{Clock, DateTime, EventDay, Utc};

/// What each key promises.
const POINTS: i64 = 5_000;
/// What all seven keys together pay.
const ALL_POINTS: i64 = 7 * POINTS;

/// An instant as a clock in Korea shows it.
fn kst(text: &str) -> DateTime<Utc> {
    let instant = DateTime::parse_from_rfc3339(&format!("{text}+09:00"));
    instant.unwrap().to_utc()
}

/// The full hour of a day: day 1 is the first of the bridge, and day 8 is the new year's.
fn at(day: u32, hour: i64) -> DateTime<Utc> {
    let first = EventDay::from_ymd(2025, 12, 25).unwrap();
    first.plus_days(day - 1).start() + TimeDelta::hours(hour)
}

/// A new player with tokens for every game of the week.
async fn newcomer(app: &TestApp, name: &str) -> Identity {
    let identity = app.player(name, 20).await.identity();
    app.give(identity, Asset::DiceToken, 20).await;
    app.give(identity, Asset::LotteryTicket, 20).await;
    identity
}

async fn log_in(app: &TestApp, name: &str) -> Client {
    let session = app.login(name).await.expect_status(200).body;
    app.with_token(session["access_token"].as_str())
}

async fn refresh(app: &TestApp, session: &Value) -> Client {
    let body = json!({ "refresh_token": session["refresh_token"] });
    let renewed = app.anonymous().post("/api/auth/refresh", &body).await;
    let renewed = renewed.expect_status(200).body;
    app.with_token(renewed["access_token"].as_str())
}

async fn play(player: &Client, game: &str) {
    let played = player.play(&format!("/api/{game}/play")).await;
    played.expect_status(200);
}

async fn stamp(player: &Client) {
    let source = json!({ "source_feature_type": "SEASON_PASS" });
    let stamped = player.post("/api/season-pass/stamp", &source).await;
    stamped.expect_status(200);
}

async fn view_ranking(player: &Client) {
    view(player, "/api/ranking/today", 4).await;
}

/// Opens a page that earns a day's key. A view whose note would take too long is answered without it, and
/// noted the next time.
async fn view(player: &Client, page: &str, day: u32) {
    for _ in 0..10 {
        player.get(page).await.expect_status(200);
        let bridge = bridge_of(player).await;
        let keys = bridge["active_keys"].as_array().unwrap();
        if keys.contains(&json!(day)) {
            return;
        }
    }
    panic!("ten views of {page} brought no key");
}

/// Does what earns the key of today, which is this day of the bridge.
async fn fulfil(player: &Client, day: u32) {
    match day {
        1 => play(player, "roulette").await,
        2 => play(player, "dice").await,
        3 => play(player, "lottery").await,
        4 => view_ranking(player).await,
        5 => stamp(player).await,
        6 => {
            for game in ["lottery", "roulette", "dice"] {
                play(player, game).await;
            }
        }
        // Whoever is here has logged in.
        7 => {}
        other => unreachable!("the bridge has no day {other}"),
    }
}

/// Lets players do the missions of these days, all at eight in the evening.
async fn walk(app: &TestApp, names: &[&str], days: RangeInclusive<u32>) {
    for day in days {
        app.clock.set(at(day, 20));
        join_all(names.iter().map(|name| one_day(app, name, day))).await;
    }
}

async fn one_day(app: &TestApp, name: &str, day: u32) {
    let player = log_in(app, name).await;
    fulfil(&player, day).await;
}

async fn status(player: &Client) -> Value {
    let status = player.get("/api/season-pass/status").await;
    status.expect_status(200).body
}

async fn bridge_of(player: &Client) -> Value {
    status(player).await["event_bridge"].clone()
}

/// The first letters of the slots' states: collected, open, missed, upcoming.
fn letters(bridge: &Value) -> String {
    let slots = bridge["slots"].as_array().unwrap().iter();
    let letter = |slot: &Value| slot["state"].as_str().unwrap().chars().next().unwrap();
    slots.map(letter).collect()
}

/// Asserts what a player who is not paid sees of their bridge, slot by slot as [`letters`] has them.
#[track_caller]
fn assert_shows(bridge: &Value, slots: &str, countdown: &str) {
    let numbered = (1..).zip(slots.chars());
    let collected = numbered.filter(|(_, letter)| *letter == 'C');
    let days: Vec<i64> = collected.map(|(day, _)| day).collect();
    let keys = days.len();
    assert_eq!(letters(bridge), slots);
    assert_eq!(bridge["active_keys"], json!(days));
    assert_eq!(bridge["total_key_count"], keys);
    assert_eq!(bridge["keys_required"], 7);
    assert_eq!(bridge["pending_reward_points"], 5_000 * keys);
    assert_eq!(bridge["is_all_keys_collected"], keys == 7);
    assert_eq!(bridge["countdown_to_new_season"], countdown);
    assert_eq!(bridge["settled"], false);
}

/// Asserts what a player who has been paid sees of their bridge.
#[track_caller]
fn assert_shows_settled(bridge: &Value) {
    assert_eq!(letters(bridge), "CCCCCCC");
    assert_eq!(bridge["active_keys"], json!([1, 2, 3, 4, 5, 6, 7]));
    assert_eq!(bridge["total_key_count"], 7);
    assert_eq!(bridge["is_all_keys_collected"], true);
    assert_eq!(bridge["pending_reward_points"], 0);
    assert_eq!(bridge["countdown_to_new_season"], "0:00:00");
    assert_eq!(bridge["settled"], true);
}

/// What a player owns, as they see it: the account level and the points.
async fn holdings(player: &Client) -> (i64, i64) {
    let level = status(player).await["account_level"].as_i64().unwrap();
    let wallet = player.get("/api/wallet").await.expect_status(200).body;
    (level, wallet["balances"]["POINT"].as_i64().unwrap())
}

async fn profile(app: &TestApp, player: Identity, column: &str) -> i64 {
    let user = player.user_id;
    let sql = format!("SELECT {column} FROM user_profiles WHERE user_id = {user}");
    app.test.count(&sql).await
}

async fn level(app: &TestApp, player: Identity) -> i64 {
    profile(app, player, "level").await
}

/// The keys that a player has and the points that these promise.
async fn keys(app: &TestApp, player: Identity) -> (i64, i64) {
    let keys = profile(app, player, "event_key_count").await;
    (keys, profile(app, player, "event_pending_points").await)
}

/// How many rows of a kind a player's activity has.
async fn told(app: &TestApp, player: Identity, kind: &str) -> i64 {
    let user = player.user_id;
    let sql = format!(
        "SELECT COUNT(*) FROM user_event_log WHERE event_type = '{kind}' AND user_id = {user}"
    );
    app.test.count(&sql).await
}

/// How many players any settlement has paid.
async fn payments(app: &TestApp) -> i64 {
    let rows = "SELECT COUNT(*) FROM reward_log WHERE source = 'BRIDGE'";
    app.test.count(rows).await
}

/// What a running process would do by itself now.
async fn run_due(app: &TestApp) {
    let done = jobs::run_due(&app.app, app.clock.now()).await;
    done.unwrap();
}

/// The bridge that is not closed.
async fn open_bridge(app: &TestApp) -> Bridge {
    app.app.settlement().find(None).await.unwrap()
}

async fn known_bridge(app: &TestApp, id: BridgeId) -> Bridge {
    app.app.settlement().find(Some(id)).await.unwrap()
}

/// What an operator does by hand.
async fn settle(app: &TestApp, id: BridgeId) -> Result<Run, BridgeError> {
    let (settlement, now) = (app.app.settlement(), app.clock.now());
    settlement.settle(id, 1_000, now, &|_| ()).await
}

async fn certify(app: &TestApp, id: BridgeId) -> Certificate {
    app.app.settlement().certificate(id).await.unwrap()
}

async fn assert_audit_is_clean(app: &TestApp) {
    let report = app.app.audit().run().await.unwrap();
    assert_eq!(report.violations(), 0, "{report:?}");
}

/// Lets a blocked player in again, as an operator would.
async fn unblock(app: &TestApp, player: Identity) {
    let tx = app.test.db.begin().await.unwrap();
    let locked = lock_by_id_in_tx(&tx, player.user_id).await.unwrap();
    let (player, now) = (locked.unwrap(), app.clock.now());
    let unblocked = set_status_in_tx(&tx, &player, Status::Active, now).await;
    unblocked.unwrap();
    tx.commit().await.unwrap();
}

/// The season of the year after.
fn next_season() -> NewSeason {
    NewSeason {
        name: "XMAS_1WEEK_2026".to_owned(),
        start: EventDay::from_ymd(2026, 12, 25).unwrap(),
        end: EventDay::from_ymd(2026, 12, 31).unwrap(),
        max_level: 1,
        base_xp_per_stamp: 20,
        max_xp_bonus: 20,
        grace_days: 7,
        internal_win_threshold: 50,
        is_active: true,
        levels: vec![Level {
            level: 1,
            required_xp: 20,
            reward: Reward::new(RewardType::TicketRoulette, 1).unwrap(),
            reward_label: "룰렛 티켓 1장".to_owned(),
            auto_claim: true,
            manual: false,
        }],
    }
}

/// The bridge of the year after, with the missions of the last one.
fn next_bridge(last: &Bridge, season_id: SeasonId) -> NewBridge {
    let eve = EventDay::from_ymd(2026, 12, 24).unwrap();
    let day = |day: &BridgeDay| BridgeDay {
        day: eve.plus_days(u32::try_from(day.number).unwrap()),
        ..day.clone()
    };
    NewBridge {
        season_id,
        days: last.rules.days.iter().map(day).collect(),
        settle_on: EventDay::from_ymd(2027, 1, 1).unwrap(),
        ..last.rules.clone()
    }
}

/// Saves the season and the bridge of the year after, or neither.
async fn open_next_year(app: &TestApp, last: &Bridge) -> Result<BridgeId, BridgeError> {
    let (season, now) = (next_season(), app.clock.now());
    let tx = app.test.db.begin().await?;
    let season_id = SeasonPass::insert_in_tx(&tx, &season, now).await?;
    let days = (season.start, season.end);
    let id = Bridges::insert_in_tx(&tx, &next_bridge(last, season_id), days, now).await?;
    tx.commit().await?;
    Ok(id)
}

#[tokio::test]
async fn the_bridge_shows_its_seven_days_from_the_first_one_on() {
    let app = TestApp::start().await;
    app.clock.set(kst("2025-12-25T13:39:49"));
    newcomer(&app, "santa").await;
    let bridge = bridge_of(&log_in(&app, "santa").await).await;
    assert_shows(&bridge, "OUUUUUU", "154:20:11");
    assert_eq!(bridge["settles_at"], "2026-01-01T00:00:00.000000+09:00");
    let days = [
        ("2025-12-25", "KEY_DAY_1_ROULETTE", "PLAY_ROULETTE"),
        ("2025-12-26", "KEY_DAY_2_DICE", "PLAY_DICE"),
        ("2025-12-27", "KEY_DAY_3_LOTTERY", "PLAY_LOTTERY"),
        ("2025-12-28", "KEY_DAY_4_RANKING", "VIEW_RANKING"),
        ("2025-12-29", "KEY_DAY_5_SEASON_PASS", "STAMP"),
        ("2025-12-30", "KEY_DAY_6_ALL_GAMES", "PLAY_ALL_GAMES"),
        ("2025-12-31", "KEY_DAY_7_LAST_LOGIN", "LOGIN"),
    ];
    let slot = |(day, (date, event_type, mission)): (i64, (&str, &str, &str))| {
        json!({
            "day": day,
            "date": date,
            "event_type": event_type,
            "mission": mission,
            "points": POINTS,
            "state": if day == 1 { "OPEN" } else { "UPCOMING" },
        })
    };
    let slots: Vec<Value> = (1..).zip(days).map(slot).collect();
    assert_eq!(bridge["slots"], json!(slots));
}

#[tokio::test]
async fn a_week_of_missions_collects_seven_keys_and_the_last_one_comes_with_being_there() {
    let app = TestApp::start().await;
    app.clock.set(at(1, 19));
    let santa = newcomer(&app, "santa").await;
    for (day, before, after, countdown) in [
        (1, "OUUUUUU", "CUUUUUU", "148:00:00"),
        (2, "COUUUUU", "CCUUUUU", "124:00:00"),
        (3, "CCOUUUU", "CCCUUUU", "100:00:00"),
        (4, "CCCOUUU", "CCCCUUU", "76:00:00"),
        (5, "CCCCOUU", "CCCCCUU", "52:00:00"),
    ] {
        app.clock.set(at(day, 20));
        let player = log_in(&app, "santa").await;
        assert_shows(&bridge_of(&player).await, before, countdown);
        fulfil(&player, day).await;
        assert_shows(&bridge_of(&player).await, after, countdown);
    }

    app.clock.set(at(6, 20));
    let session = app.login("santa").await.expect_status(200).body;
    let player = app.with_token(session["access_token"].as_str());
    for game in ["lottery", "roulette", "lottery"] {
        play(&player, game).await;
        let bridge = bridge_of(&player).await;
        assert_shows(&bridge, "CCCCCOU", "28:00:00");
    }
    play(&player, "dice").await;
    assert_shows(&bridge_of(&player).await, "CCCCCCU", "28:00:00");

    // The token of the evening still lives, and the client that holds it never refreshes: the first page that
    // it reads is there with the key.
    app.clock.set(kst("2025-12-31T00:30:00"));
    view(&player, "/api/season-pass/status", 7).await;
    assert_shows(&bridge_of(&player).await, "CCCCCCC", "23:30:00");
    let logins = "SELECT COUNT(*) FROM user_event_log WHERE event_type = 'AUTH_LOGIN' AND \
                  event_day = '2025-12-31'";
    assert_eq!(app.test.count(logins).await, 0);
    assert_eq!(keys(&app, santa).await, (7, ALL_POINTS));
    assert_eq!(told(&app, santa, "BRIDGE_KEY").await, 7);
    assert_eq!(payments(&app).await, 0);
    assert_audit_is_clean(&app).await;
}

/// A client that logs in late on the sixth day, and what it does on the seventh.
#[tokio::test]
async fn on_the_last_day_anything_that_a_player_does_is_being_there() {
    let app = TestApp::start().await;
    app.clock.set(at(6, 23));
    let names = ["refresh", "play", "stamp", "page", "ranking", "idle"];
    let mut sessions = Vec::new();
    for name in names {
        let id = newcomer(&app, name).await;
        sessions.push((id, app.login(name).await.expect_status(200).body));
    }
    app.clock.set(kst("2025-12-31T00:00:00"));
    for (name, (id, session)) in names.into_iter().zip(&sessions) {
        let player = app.with_token(session["access_token"].as_str());
        let status = "/api/season-pass/status";
        match name {
            "refresh" => drop(refresh(&app, session).await),
            "play" => play(&player, "dice").await,
            "stamp" => stamp(&player).await,
            "page" => view(&player, "/api/lottery/status", 7).await,
            "ranking" => view(&player, "/api/ranking/today", 7).await,
            _ => {
                // A look at the wallet is no page; the status is one, and shows the key in the same answer.
                player.get("/api/wallet").await.expect_status(200);
                assert_eq!(keys(&app, *id).await, (0, 0));
                view(&player, status, 7).await;
            }
        }
        assert_eq!(keys(&app, *id).await, (1, POINTS), "{name}");
        assert_shows(&bridge_of(&player).await, "MMMMMMC", "24:00:00");
    }
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn a_key_that_cannot_be_noted_does_not_fail_the_read_and_comes_with_the_next() {
    let app = TestApp::start().await;
    app.clock.set(at(6, 23));
    let santa = newcomer(&app, "santa").await;
    let player = log_in(&app, "santa").await;
    app.clock.set(kst("2025-12-31T00:00:00"));
    // Somebody else is at the player's data.
    let tx = app.test.db.begin().await.unwrap();
    let held = lock_by_id_in_tx(&tx, santa.user_id).await.unwrap();
    assert!(held.is_some());
    assert_shows(&bridge_of(&player).await, "MMMMMMO", "24:00:00");
    drop(tx);
    view(&player, "/api/season-pass/status", 7).await;
    assert_eq!(keys(&app, santa).await, (1, POINTS));
}

#[tokio::test]
async fn a_blocked_player_is_not_there() {
    let app = TestApp::start().await;
    app.clock.set(at(6, 23));
    let santa = newcomer(&app, "santa").await;
    let player = log_in(&app, "santa").await;
    let admin = app.admin("operator").await;
    let block = json!({ "status": "BLOCKED" });
    admin
        .put(&format!("/admin/api/users/{}", santa.user_id), &block)
        .await
        .expect_status(200);
    app.clock.set(kst("2025-12-31T00:00:00"));
    player
        .get("/api/season-pass/status")
        .await
        .expect_error(403, "USER_BLOCKED");
    assert_eq!(keys(&app, santa).await, (0, 0));
}

#[tokio::test]
async fn a_play_in_the_last_microsecond_of_a_day_earns_its_key_and_one_at_midnight_does_not() {
    let app = TestApp::start().await;
    app.clock.set(at(1, 23));
    newcomer(&app, "santa").await;
    newcomer(&app, "rudolf").await;
    let santa = log_in(&app, "santa").await;
    let rudolf = log_in(&app, "rudolf").await;

    app.clock.set(kst("2025-12-25T23:59:59.999999"));
    let shown = status(&santa).await;
    assert_eq!(shown["today"]["date"], "2025-12-25");
    assert_eq!(shown["next_reset_at"], "2025-12-26T00:00:00.000000+09:00");
    assert_shows(&shown["event_bridge"], "OUUUUUU", "144:00:01");
    play(&santa, "roulette").await;
    assert_shows(&bridge_of(&santa).await, "CUUUUUU", "144:00:01");
    assert_shows(&bridge_of(&rudolf).await, "OUUUUUU", "144:00:01");

    app.clock.set(kst("2025-12-26T00:00:00"));
    let shown = status(&santa).await;
    assert_eq!(shown["today"]["date"], "2025-12-26");
    assert_eq!(shown["next_reset_at"], "2025-12-27T00:00:00.000000+09:00");
    for (player, slots) in [(&santa, "COUUUUU"), (&rudolf, "MOUUUUU")] {
        assert_shows(&bridge_of(player).await, slots, "144:00:00");
        play(player, "roulette").await;
        assert_shows(&bridge_of(player).await, slots, "144:00:00");
    }
    play(&rudolf, "dice").await;
    assert_shows(&bridge_of(&rudolf).await, "MCUUUUU", "144:00:00");
    let on_time = "SELECT COUNT(*) FROM season_pass_stamp_log WHERE event_type = \
                   'KEY_DAY_1_ROULETTE' AND event_day = '2025-12-25'";
    assert_eq!(app.test.count(on_time).await, 1);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn a_login_counts_until_the_year_ends_and_not_an_instant_longer() {
    let app = TestApp::start().await;
    app.clock.set(at(6, 23));
    let santa = newcomer(&app, "santa").await;
    let rudolf = newcomer(&app, "rudolf").await;
    app.clock.set(kst("2025-12-31T23:59:59.999999"));
    let player = log_in(&app, "santa").await;
    assert_shows(&bridge_of(&player).await, "MMMMMMC", "0:00:01");
    app.clock.set(kst("2026-01-01T00:00:00"));
    let player = log_in(&app, "rudolf").await;
    assert_shows(&bridge_of(&player).await, "MMMMMMM", "0:00:00");
    assert_eq!(keys(&app, santa).await, (1, POINTS));
    assert_eq!(keys(&app, rudolf).await, (0, 0));
}

#[tokio::test]
async fn a_mission_that_is_done_again_earns_nothing_more() {
    let app = TestApp::start().await;
    app.clock.set(at(1, 20));
    let santa = newcomer(&app, "santa").await;
    let player = log_in(&app, "santa").await;
    join_all((0..6).map(|_| play(&player, "roulette"))).await;
    play(&player, "roulette").await;
    assert_eq!(keys(&app, santa).await, (1, POINTS));
    assert_eq!(told(&app, santa, "BRIDGE_KEY").await, 1);

    app.clock.set(at(7, 20));
    for _ in 0..3 {
        log_in(&app, "santa").await;
    }
    let session = app.login("santa").await.expect_status(200).body;
    let player = refresh(&app, &session).await;
    assert_shows(&bridge_of(&player).await, "CMMMMMC", "4:00:00");
    assert_eq!(keys(&app, santa).await, (2, 2 * POINTS));
    assert_eq!(told(&app, santa, "BRIDGE_KEY").await, 2);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn whoever_misses_a_day_or_comes_late_keeps_their_keys_and_is_not_paid() {
    let app = TestApp::start().await;
    let id = open_bridge(&app).await.id;
    app.clock.set(at(1, 19));
    let santa = newcomer(&app, "santa").await;
    walk(&app, &["santa"], 1..=2).await;
    app.clock.set(at(3, 19));
    let rudolf = newcomer(&app, "rudolf").await;
    walk(&app, &["rudolf"], 3..=3).await;
    walk(&app, &["santa", "rudolf"], 4..=4).await;
    for (name, slots) in [("santa", "CCMCUUU"), ("rudolf", "MMCCUUU")] {
        let player = log_in(&app, name).await;
        assert_shows(&bridge_of(&player).await, slots, "76:00:00");
    }
    walk(&app, &["santa", "rudolf"], 5..=7).await;

    let levels = (level(&app, santa).await, level(&app, rudolf).await);
    app.clock.set(kst("2026-01-01T00:10:00"));
    run_due(&app).await;
    assert!(known_bridge(&app, id).await.settled_at.is_some());
    for (name, slots) in [("santa", "CCMCCCC"), ("rudolf", "MMCCCCC")] {
        let player = log_in(&app, name).await;
        assert_shows(&bridge_of(&player).await, slots, "0:00:00");
    }
    let unmoved = (level(&app, santa).await, level(&app, rudolf).await);
    assert_eq!(unmoved, levels);
    assert_eq!(payments(&app).await, 0);
    let certificate = certify(&app, id).await;
    assert_eq!((certificate.eligible, certificate.paid), (0, 0));
    assert_eq!(certificate.too_few_keys, 2);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn a_blocked_player_is_paid_once_they_are_unblocked_and_only_once() {
    let app = TestApp::start().await;
    let id = open_bridge(&app).await.id;
    app.clock.set(at(1, 19));
    let santa = newcomer(&app, "santa").await;
    let rudolf = newcomer(&app, "rudolf").await;
    walk(&app, &["santa", "rudolf"], 1..=7).await;
    let levels = (level(&app, santa).await, level(&app, rudolf).await);
    app.test.block(&rudolf).await;
    let refused = app.login("rudolf").await;
    refused.expect_error(403, "USER_BLOCKED");

    app.clock.set(kst("2026-01-01T00:10:00"));
    run_due(&app).await;
    let certificate = certify(&app, id).await;
    assert_eq!((certificate.eligible, certificate.paid), (2, 1));
    assert_eq!(certificate.points, ALL_POINTS);
    assert_eq!(certificate.unpaid, BTreeMap::from([(Reason::Blocked, 1)]));
    assert_eq!(certificate.unpaid_points, ALL_POINTS);
    assert_eq!(level(&app, santa).await, levels.0 + 1);
    assert_eq!(level(&app, rudolf).await, levels.1);
    assert_eq!(keys(&app, rudolf).await, (7, ALL_POINTS));

    app.clock.set(kst("2026-01-02T12:00:00"));
    unblock(&app, rudolf).await;
    let run = settle(&app, id).await.unwrap();
    assert_eq!((run.paid, run.points), (1, ALL_POINTS));
    assert_eq!(settle(&app, id).await.unwrap().paid, 0);
    let certificate = certify(&app, id).await;
    assert_eq!((certificate.eligible, certificate.paid), (2, 2));
    assert_eq!(certificate.points, 2 * ALL_POINTS);
    assert_eq!(certificate.unpaid, BTreeMap::new());
    assert_eq!(level(&app, santa).await, levels.0 + 1);
    assert_eq!(level(&app, rudolf).await, levels.1 + 1);
    for name in ["santa", "rudolf"] {
        assert_shows_settled(&bridge_of(&log_in(&app, name).await).await);
    }
    assert_eq!(payments(&app).await, 2);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn nothing_is_paid_before_ten_past_midnight_and_then_everything_once() {
    let app = TestApp::start().await;
    let id = open_bridge(&app).await.id;
    app.clock.set(at(1, 19));
    let santa = newcomer(&app, "santa").await;
    walk(&app, &["santa"], 1..=7).await;

    app.clock.set(kst("2025-12-31T23:59:59.999999"));
    let early = settle(&app, id).await;
    assert!(matches!(early, Err(BridgeError::NotDue)), "{early:?}");
    run_due(&app).await;
    app.clock.set(kst("2026-01-01T00:09:59"));
    run_due(&app).await;
    let bridge = known_bridge(&app, id).await;
    assert_eq!((bridge.state, bridge.settled_at), (BridgeState::Open, None));
    let player = log_in(&app, "santa").await;
    assert_shows(&bridge_of(&player).await, "CCCCCCC", "0:00:00");
    assert_eq!(payments(&app).await, 0);
    let (level, points) = holdings(&player).await;

    let ten_past = kst("2026-01-01T00:10:00");
    app.clock.set(ten_past);
    run_due(&app).await;
    let bridge = known_bridge(&app, id).await;
    assert_eq!(bridge.state, BridgeState::Settling);
    assert_eq!(bridge.settled_at, Some(ten_past));
    let paid = (level + 1, points + ALL_POINTS);
    assert_eq!(holdings(&player).await, paid);
    run_due(&app).await;
    assert_eq!(settle(&app, id).await.unwrap().paid, 0);
    for run in join_all((0..8).map(|_| settle(&app, id))).await {
        assert_eq!(run.unwrap().paid, 0);
    }
    assert_eq!(holdings(&player).await, paid);
    assert_shows_settled(&bridge_of(&player).await);

    assert_eq!(payments(&app).await, 1);
    assert_eq!(told(&app, santa, "BRIDGE_SETTLED").await, 1);
    let receipt = format!(
        "SELECT COUNT(*) FROM reward_log WHERE grant_key = 'bridge:{id}:user:{}' AND \
         state = 'DELIVERED' AND reward_type = 'POINT' AND amount = {ALL_POINTS}",
        santa.user_id
    );
    assert_eq!(app.test.count(&receipt).await, 1);
    let history = player.get("/api/me/history?kind=reward").await;
    let history = history.expect_status(200).body;
    let newest = &history["items"][0];
    assert_eq!(newest["source"], "BRIDGE");
    assert_eq!(newest["reward_type"], "POINT");
    assert_eq!(newest["reward_amount"], ALL_POINTS);
    assert_eq!(newest["state"], "DELIVERED");
    assert_eq!(newest["at"], "2026-01-01T00:10:00.000000+09:00");
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn eight_settlements_at_once_pay_each_player_once() {
    let app = TestApp::start().await;
    let id = open_bridge(&app).await.id;
    let names = ["santa", "rudolf", "comet"];
    app.clock.set(at(1, 19));
    for name in names {
        newcomer(&app, name).await;
    }
    walk(&app, &names, 1..=7).await;
    let mut before = Vec::new();
    for name in names {
        before.push(holdings(&log_in(&app, name).await).await);
    }

    app.clock.set(kst("2026-01-01T00:10:00"));
    let runs = join_all((0..8).map(|_| settle(&app, id))).await;
    let paid: u64 = runs.into_iter().map(|run| run.unwrap().paid).sum();
    assert_eq!(paid, 3);
    run_due(&app).await;
    for (name, (level, points)) in names.into_iter().zip(before) {
        let player = log_in(&app, name).await;
        let after = holdings(&player).await;
        assert_eq!(after, (level + 1, points + ALL_POINTS), "{name}");
        assert_shows_settled(&bridge_of(&player).await);
    }
    assert_eq!(payments(&app).await, 3);
    let certificate = certify(&app, id).await;
    assert_eq!((certificate.eligible, certificate.paid), (3, 3));
    assert_eq!(certificate.points, 3 * ALL_POINTS);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn the_grace_days_show_the_settlement_and_pay_claims_and_then_the_bridge_closes() {
    let app = TestApp::start().await;
    app.test
        .execute("UPDATE season_pass_level SET auto_claim = 0 WHERE level = 1")
        .await;
    let id = open_bridge(&app).await.id;
    app.clock.set(at(1, 19));
    let santa = newcomer(&app, "santa").await;
    let rudolf = newcomer(&app, "rudolf").await;
    walk(&app, &["santa", "rudolf"], 1..=3).await;
    walk(&app, &["santa"], 4..=7).await;

    // The service was down at midnight and catches up in the evening.
    for day in 8..=14 {
        app.clock.set(at(day, 20));
        run_due(&app).await;
        let player = log_in(&app, "santa").await;
        let shown = status(&player).await;
        assert_eq!(shown["season"]["end_date"], "2025-12-31");
        assert_shows_settled(&shown["event_bridge"]);
        let source = json!({ "source_feature_type": "SEASON_PASS" });
        let late = player.post("/api/season-pass/stamp", &source).await;
        late.expect_error(404, "NO_ACTIVE_SEASON");
        let player = log_in(&app, "rudolf").await;
        assert_shows(&bridge_of(&player).await, "CCCMMMM", "0:00:00");
    }
    let player = log_in(&app, "santa").await;
    let first = json!({ "level": 1 });
    let claimed = player.post("/api/season-pass/claim", &first).await;
    assert_eq!(claimed.expect_status(200).body["state"], "DELIVERED");
    let again = player.post("/api/season-pass/claim", &first).await;
    again.expect_error(400, "REWARD_ALREADY_CLAIMED");

    app.clock.set(kst("2026-01-07T23:59:59.999999"));
    run_due(&app).await;
    let bridge = known_bridge(&app, id).await;
    assert_eq!(bridge.state, BridgeState::Settling);
    assert_eq!(bridge.settled_at, Some(at(8, 20)));
    assert_eq!(keys(&app, rudolf).await, (3, 3 * POINTS));

    app.clock.set(kst("2026-01-08T00:00:00"));
    for _ in 0..2 {
        let player = log_in(&app, "santa").await;
        let served = player.get("/api/season-pass/status").await;
        served.expect_error(404, "NO_ACTIVE_SEASON");
        run_due(&app).await;
        let bridge = known_bridge(&app, id).await;
        assert_eq!(bridge.state, BridgeState::Closed);
    }
    assert_eq!(keys(&app, rudolf).await, (0, 0));
    assert_eq!(told(&app, rudolf, "BRIDGE_EXPIRED").await, 1);
    assert_eq!(told(&app, santa, "BRIDGE_EXPIRED").await, 0);
    let none = app.app.settlement().find(None).await;
    assert!(matches!(none, Err(BridgeError::NotFound)), "{none:?}");
    let certificate = certify(&app, id).await;
    assert_eq!((certificate.eligible, certificate.paid), (1, 1));
    assert_eq!(certificate.points, ALL_POINTS);
    assert_eq!(payments(&app).await, 1);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn the_next_year_cannot_open_before_the_bridge_is_closed_and_starts_from_zero() {
    let app = TestApp::start().await;
    let last = open_bridge(&app).await;
    app.clock.set(at(1, 19));
    let santa = newcomer(&app, "santa").await;
    walk(&app, &["santa"], 1..=3).await;
    app.clock.set(kst("2026-01-07T23:59:59.999999"));
    let refused = open_next_year(&app, &last).await;
    assert!(matches!(refused, Err(BridgeError::Conflict)), "{refused:?}");
    let seasons = "SELECT COUNT(*) FROM season_pass_config";
    assert_eq!(app.test.count(seasons).await, 1);
    assert_eq!(keys(&app, santa).await, (3, 3 * POINTS));

    // Nothing ran all week: the late settlement and the closing come together.
    app.clock.set(kst("2026-01-08T00:00:00"));
    run_due(&app).await;
    let closed = known_bridge(&app, last.id).await;
    assert_eq!(closed.state, BridgeState::Closed);
    assert_eq!(keys(&app, santa).await, (0, 0));
    assert_eq!(told(&app, santa, "BRIDGE_EXPIRED").await, 1);
    let next = open_next_year(&app, &last).await.unwrap();
    assert_eq!(open_bridge(&app).await.id, next);

    // A year later nobody remembers the configuration of the year before.
    let app = AppBuilder::default().start_on(app.stop().await).await;
    app.clock.set(kst("2026-12-25T20:00:00"));
    run_due(&app).await;
    let player = log_in(&app, "santa").await;
    let shown = status(&player).await;
    assert_eq!(shown["season"]["season_name"], "XMAS_1WEEK_2026");
    assert_shows(&shown["event_bridge"], "OUUUUUU", "148:00:00");
    play(&player, "roulette").await;
    assert_shows(&bridge_of(&player).await, "CUUUUUU", "148:00:00");
    assert_eq!(keys(&app, santa).await, (1, POINTS));
    assert_eq!(known_bridge(&app, next).await.state, BridgeState::Open);
    assert_eq!(payments(&app).await, 0);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn a_bridge_that_does_not_settle_by_itself_waits_for_an_operator() {
    let app = TestApp::start().await;
    app.test
        .execute("UPDATE event_bridge SET auto_settle = 0")
        .await;
    let id = open_bridge(&app).await.id;
    app.clock.set(at(1, 19));
    newcomer(&app, "santa").await;
    walk(&app, &["santa"], 1..=7).await;
    for instant in ["2026-01-01T00:10:00", "2026-01-01T12:00:00"] {
        app.clock.set(kst(instant));
        run_due(&app).await;
        let bridge = known_bridge(&app, id).await;
        assert_eq!((bridge.state, bridge.settled_at), (BridgeState::Open, None));
        assert_eq!(payments(&app).await, 0);
    }
    let player = log_in(&app, "santa").await;
    let (level, points) = holdings(&player).await;
    let run = settle(&app, id).await.unwrap();
    assert_eq!((run.paid, run.points), (1, ALL_POINTS));
    assert_eq!(holdings(&player).await, (level + 1, points + ALL_POINTS));
    assert_shows_settled(&bridge_of(&player).await);
    assert_audit_is_clean(&app).await;
}

#[tokio::test]
async fn the_evening_before_is_checked_once() {
    let app = TestApp::start().await;
    let id = open_bridge(&app).await.id;
    let eleven = kst("2025-12-31T23:00:00");
    for (instant, checked) in [
        (kst("2025-12-31T22:59:59.999999"), None),
        (eleven, Some(eleven)),
        (eleven, Some(eleven)),
        (kst("2025-12-31T23:05:00"), Some(eleven)),
        (kst("2026-01-01T00:09:59"), Some(eleven)),
    ] {
        app.clock.set(instant);
        run_due(&app).await;
        let bridge = known_bridge(&app, id).await;
        assert_eq!(bridge.prechecked_at, checked, "{instant}");
        assert_eq!(bridge.state, BridgeState::Open);
    }
}
