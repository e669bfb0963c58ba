//! What the audit finds: nothing in an event that was really played, and each fault that is planted in one.

use chrono::TimeDelta;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_players::Identity;
use xmas_test_support::{Client, TestApp, TestDb};
use xmas_time::EventDay;

const ADMIN: &str = "/admin/api";

/// An event in which everything has happened that moves something of value.
struct Played {
    app: TestApp,
    /// Plays, stamps, claims, and is in batches.
    santa: Identity,
    /// Is paid for six keys.
    rudolf: Identity,
    /// Holds one key.
    elf: Identity,
    /// Had two coins, and has played once.
    dasher: Identity,
    /// Of a roulette that wins one.
    bundle_play: i64,
    /// Of a roulette that wins nothing.
    blank_play: i64,
}

fn at(app: &TestApp, day: u32, hour: i64) {
    let first = EventDay::from_ymd(2025, 12, 25).unwrap();
    app.clock
        .set(first.plus_days(day - 1).start() + TimeDelta::hours(hour));
}

async fn log_in(app: &TestApp, name: &str) -> Client {
    let session = app.login(name).await.expect_status(200).body;
    app.with_token(session["access_token"].as_str())
}

async fn post(admin: &Client, path: &str, body: Value) -> Value {
    let done = admin.post(&format!("{ADMIN}{path}"), &body).await;
    done.expect_status(200).body
}

async fn put(admin: &Client, path: &str, body: Value) -> Value {
    let saved = admin.put(&format!("{ADMIN}{path}"), &body).await;
    saved.expect_status(200).body
}

async fn play(player: &Client, game: &str) -> i64 {
    let played = player.play(&format!("/api/{game}/play")).await;
    let played = played.expect_status(200).body;
    played["receipt"]["play_id"].as_i64().unwrap()
}

/// Makes this the only prize of the roulette, and plays it.
async fn win(admin: &Client, player: &Client, prize: Value) -> i64 {
    let wheel = json!({ "segments": vec![prize; 6] });
    put(admin, "/roulette-config/1", wheel).await;
    play(player, "roulette").await
}

/// Plays with prizes of every kind. Returns the plays that won a bundle and nothing.
async fn play_all_prizes(app: &TestApp, admin: &Client, santa: &Client) -> (i64, i64) {
    let items = json!([{ "reward_type": "POINT", "reward_amount": 500 },
        { "reward_type": "TICKET_DICE", "reward_amount": 2 }]);
    let bundle = json!({ "name": "상자", "items": items });
    let bundle = admin.post(&format!("{ADMIN}/bundles/"), &bundle).await;
    let bundle = bundle.expect_status(201).body["id"].clone();
    let kind = "SELECT id FROM coupon_kind WHERE name = '배민 1만'";
    let kind = app.test.count(kind).await;
    let codes = format!("{ADMIN}/coupons/{kind}/codes");
    let codes = admin.post_csv(&codes, "code\nBM-0001\nBM-0002\n").await;
    codes.expect_status(200);
    let prize = |what: &str, amount: i64, item: Value| json!({ "reward_type": what, "reward_value": amount, "reward_item": item });
    let bundle_play = win(admin, santa, prize("BUNDLE", 1, bundle)).await;
    win(admin, santa, prize("COUPON", 1, json!(kind))).await;
    win(admin, santa, prize("POINT", 20_000, Value::Null)).await;
    win(admin, santa, prize("XP", 7, Value::Null)).await;
    win(admin, santa, prize("CC_COIN", 3, Value::Null)).await;
    let blank_play = win(admin, santa, prize("NONE", 0, Value::Null)).await;
    for _ in 0..5 {
        play(santa, "dice").await;
        play(santa, "lottery").await;
    }
    (bundle_play, blank_play)
}

/// Climbs a ladder that is edited on the way, and claims.
async fn climb(app: &TestApp, admin: &Client, santa: &Client) {
    let user = format!("/users/{}", santa.identity().user_id);
    let stamp = json!({ "source_feature_type": "SEASON_PASS", "xp_bonus": 20 });
    let stamp = santa.post("/api/season-pass/stamp", &stamp).await;
    stamp.expect_status(200);
    put(admin, &user, json!({ "xp": 1_300 })).await;
    for level in [7, 8, 9] {
        let claim = json!({ "level": level });
        let claim = santa.post("/api/season-pass/claim", &claim).await;
        claim.expect_status(200);
    }
    let mut levels = admin.get(&format!("{ADMIN}/seasons/1/levels")).await.body["levels"].clone();
    levels[8]["required_xp"] = json!(1_250);
    levels[9]["required_xp"] = json!(1_350);
    put(admin, "/seasons/1/levels", json!({ "levels": levels })).await;
    assert_sound(&app.test).await;
    app.clock.advance(TimeDelta::minutes(20));
    put(admin, &user, json!({ "xp": 1_360 })).await;
    let waiting = admin.get(&format!("{ADMIN}/rewards/")).await.body["items"].clone();
    let waiting = waiting.as_array().unwrap().clone();
    assert!(waiting.len() >= 3, "{waiting:?}");
    for (reward, decision) in waiting.iter().zip(["approve", "reject", "approve"]) {
        let path = format!("/rewards/{}/{decision}", reward["id"]);
        let because = if decision == "reject" {
            json!({ "reason": "착오" })
        } else {
            json!({})
        };
        post(admin, &path, because).await;
    }
}

/// An order for one, a batch for many, and its revert.
async fn move_tokens(admin: &Client) {
    let tokens = "/game-tokens";
    let order = json!({ "external_id": "santa", "token_type": "DICE_TOKEN", "amount": 2 });
    post(admin, &format!("{tokens}/grant"), order.clone()).await;
    post(admin, &format!("{tokens}/revoke"), order).await;
    for batch in ["kept", "wrong"] {
        let order = json!({ "token_type": "CC_COIN", "amount": 3, "batch_id": batch,
            "filter": { "status": "ACTIVE" } });
        post(admin, &format!("{tokens}/grant-bulk?dry_run=false"), order).await;
    }
    let revert = json!({ "dry_run": false, "reason": "잘못된 수량" });
    post(admin, &format!("{tokens}/batches/wrong/revert"), revert).await;
}

async fn give_key(admin: &Client, day: u32, to: &str) -> Value {
    let key = json!({ "day": day, "external_id": to, "reason": "보상" });
    post(admin, "/event-bridge/keys", key).await["gift_id"].clone()
}

async fn played() -> Played {
    let app = TestApp::start().await;
    at(&app, 1, 9);
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 20).await;
    let rudolf = app.player("rudolf", 0).await.identity();
    let elf = app.player("elf", 1).await.identity();
    let dasher = app.player("dasher", 2).await;
    for token in [Asset::DiceToken, Asset::LotteryTicket] {
        app.give(santa.identity(), token, 20).await;
    }
    put(&admin, "/event-bridge/", json!({ "keys_required": 6 })).await;
    let (bundle_play, blank_play) = play_all_prizes(&app, &admin, &santa).await;
    play(&dasher, "roulette").await;
    climb(&app, &admin, &santa).await;
    move_tokens(&admin).await;
    at(&app, 6, 20);
    let admin = log_in(&app, "operator").await;
    for day in 1..=6 {
        give_key(&admin, day, "rudolf").await;
    }
    give_key(&admin, 4, "elf").await;
    let mistake = give_key(&admin, 5, "elf").await;
    let revert = format!("/event-bridge/keys/{mistake}/revert");
    post(
        &admin,
        &revert,
        json!({ "dry_run": false, "reason": "착오" }),
    )
    .await;
    assert_sound(&app.test).await;
    at(&app, 8, 9);
    let admin = log_in(&app, "operator").await;
    let run = post(&admin, "/event-bridge/settle", json!({ "dry_run": false })).await;
    assert_eq!(run["run"]["paid"], 1);
    Played {
        santa: santa.identity(),
        app,
        rudolf,
        elf,
        dasher: dasher.identity(),
        bundle_play,
        blank_play,
    }
}

/// The checks that are violated, and what is named.
async fn found(test: &TestDb) -> Vec<(&'static str, Vec<String>)> {
    let report = xmas_reporting::Audit::new(test.db.clone()).run().await;
    let checks = report.unwrap().checks.into_iter();
    let violated = checks.filter(|check| check.violations > 0);
    violated.map(|check| (check.name, check.examples)).collect()
}

async fn assert_sound(test: &TestDb) {
    assert_eq!(found(test).await, []);
}

/// A statement that plants a fault, and one that takes it back.
type Edit = (String, String);

fn set(table: &str, change: &str, back: &str, which: &str) -> Edit {
    let statement = |set: &str| format!("UPDATE {table} SET {set} WHERE {which}");
    (statement(change), statement(back))
}

/// Plants a fault of several edits, asserts that exactly these checks find it and that the first of them names
/// it, and takes it back.
async fn plant(test: &TestDb, edits: &[Edit], checks: &[&str], named: &str) {
    for (change, _) in edits {
        test.execute(change).await;
    }
    let found = found(test).await;
    let names: Vec<&str> = found.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, checks, "{edits:?}: {found:?}");
    let examples = found.iter().flat_map(|(_, examples)| examples);
    let examples: Vec<&String> = examples.collect();
    assert!(
        examples.iter().any(|example| *example == named),
        "{named} is not among {examples:?}"
    );
    for (_, back) in edits.iter().rev() {
        test.execute(back).await;
    }
}

/// The last row of a player's ledger of an asset. Here ids are in order.
async fn last_move(test: &TestDb, player: Identity, asset: &str) -> i64 {
    let user = player.user_id;
    let last =
        format!("SELECT MAX(id) FROM wallet_ledger WHERE user_id = {user} AND asset = '{asset}'");
    test.count(&last).await
}

const CHAIN: &str = "every balance_after follows from another, from 0 up to the balance";
const LEVEL: &str = "a level is the one that its XP reaches";
const REACHED: &str = "levels were reached as often as was recorded";
const ACCOUNT_LEVEL: &str =
    "an account level is 1, the season levels that were reached, and the completed bridges";
const XP: &str = "XP is stamps and XP receipts";
const STAMPS: &str = "stamps are counted, all but keys";
const WINS: &str = "wins are plays of the season that were won";
const ONE_SPEND: &str = "every play has its one spend";
const SPEND: &str = "every spend on a play is one token of its game, and has its play";
const WON: &str = "every play has the receipt of what it won";
const PLAY_RECEIPT: &str = "every receipt of a play has its play";
const DELIVERED: &str =
    "every delivered reward is in a ledger once, or is a coupon, a bundle, XP or nothing";
const BUNDLE: &str =
    "every delivered bundle is in a ledger, with all that lies in it and nothing else";
const REWARDED: &str = "every ledger of a reward has its delivered receipt";
const COUPON: &str = "every delivered coupon has its code, and no other reward has one";
const COUPON_KIND: &str = "every coupon code that was given is of its receipt's kind";
const CLAIM: &str =
    "every level that was paid has its receipt, and every receipt of a level its level";
const BATCH: &str = "every ledger of a batch has its item, and every item its batch";
const ORDER: &str = "whatever an operator moved for a player is in the operators' log";
const BLOCK: &str = "a block is in the account and in its profile";
const KEYS: &str = "keys are key stamps that are not settled or expired";
const KEY_DAY: &str = "every key is of a day of its season's bridge";
const GIFT: &str = "a key that was given by hand and not taken back has its stamp";
const SETTLED: &str = "a settlement paid the points of the keys, to whoever had enough";

#[tokio::test]
async fn levels_stamps_and_xp_that_do_not_follow_are_named() {
    let Played {
        app, santa, elf, ..
    } = played().await;
    let test = &app.test;
    assert_sound(test).await;
    let (santa, elf) = (santa.user_id, elf.user_id);
    let season = format!("user {santa} season 1");
    let progress = |column: &str, by: i64| {
        let set_to = |by: i64| format!("{column} = {column} + {by}");
        let own = format!("user_id = {santa}");
        set("season_pass_progress", &set_to(by), &set_to(-by), &own)
    };
    let user = format!("user {santa}");
    plant(test, &[progress("current_level", -1)], &[LEVEL], &season).await;
    let too_high = [progress("level_high_water", 1)];
    plant(test, &too_high, &[REACHED, ACCOUNT_LEVEL], &user).await;
    let both = [
        progress("level_high_water", 1),
        progress("current_level", 1),
    ];
    plant(test, &both, &[LEVEL, REACHED, ACCOUNT_LEVEL], &season).await;
    let account = format!("user_id = {santa}");
    let account = set(
        "user_profiles",
        "level = level + 1",
        "level = level - 1",
        &account,
    );
    plant(test, &[account], &[ACCOUNT_LEVEL], &user).await;
    plant(test, &[progress("total_stamps", 1)], &[STAMPS], &season).await;
    plant(test, &[progress("internal_wins", -1)], &[WINS], &season).await;
    plant(test, &[progress("current_xp", 1)], &[XP], &season).await;
    let stamp = |xp: i64| {
        let stamp = format!(
            "INSERT INTO season_pass_stamp_log (user_id, season_id, period_key, source_feature_type, \
             xp_earned, event_day, created_at) SELECT {elf}, 1, '2025-12-25', 'SEASON_PASS', {xp}, \
             '2025-12-25', created_at FROM `user` WHERE id = {elf}"
        );
        let back = format!(
            "DELETE FROM season_pass_stamp_log WHERE user_id = {elf} AND event_type IS NULL"
        );
        [(stamp, back)]
    };
    let season = format!("user {elf} season 1");
    plant(test, &stamp(0), &[STAMPS], &season).await;
    plant(test, &stamp(20), &[XP, STAMPS], &season).await;
    let receipt = (
        format!(
            "INSERT INTO season_pass_progress SELECT {elf}, 1, 60, 1, 1, 0, NULL, 0, updated_at \
             FROM season_pass_progress WHERE user_id = {santa}"
        ),
        format!("DELETE FROM season_pass_progress WHERE user_id = {elf}"),
    );
    plant(
        test,
        &[receipt],
        &[XP, LEVEL, REACHED, ACCOUNT_LEVEL],
        &season,
    )
    .await;
    let blocked = set(
        "user_profiles",
        "is_blocked = 1",
        "is_blocked = 0",
        &format!("user_id = {elf}"),
    );
    plant(test, &[blocked], &[BLOCK], &format!("user {elf}")).await;
    assert_sound(test).await;
}

#[tokio::test]
async fn an_edit_of_the_ladder_leaves_players_behind_without_a_violation() {
    let Played { app, santa, .. } = played().await;
    let admin = log_in(&app, "operator").await;
    let mut levels = admin.get(&format!("{ADMIN}/seasons/1/levels")).await.body["levels"].clone();
    levels[9]["required_xp"] = json!(5_000);
    put(&admin, "/seasons/1/levels", json!({ "levels": levels })).await;
    // By the new ladder it would be 9.
    let own = format!("user_id = {}", santa.user_id);
    let level = format!("SELECT current_level FROM season_pass_progress WHERE {own}");
    assert_eq!(app.test.count(&level).await, 10);
    assert_sound(&app.test).await;
    app.clock.advance(TimeDelta::minutes(20));
    put(
        &admin,
        &format!("/users/{}", santa.user_id),
        json!({ "xp": 1_400 }),
    )
    .await;
    assert_eq!(app.test.count(&level).await, 9);
    assert_sound(&app.test).await;
    let change = set(
        "season_pass_progress",
        "current_level = 10",
        "current_level = 9",
        &own,
    );
    let season = format!("user {} season 1", santa.user_id);
    plant(&app.test, &[change], &[LEVEL], &season).await;
}

#[tokio::test]
async fn a_ledger_that_does_not_follow_is_named() {
    let Played {
        app,
        santa,
        dasher,
        bundle_play,
        blank_play,
        ..
    } = played().await;
    let test = &app.test;
    let user = santa.user_id;
    let points = last_move(test, santa, "DICE_TOKEN").await;
    let ledger = |change: &str, back: &str, which: &str| set("wallet_ledger", change, back, which);
    let row = format!("id = {points}");
    let value = format!("SELECT balance_after FROM wallet_ledger WHERE id = {points}");
    let value = test.count(&value).await;
    let more = |by: i64, row: &str| {
        let to = |by: i64| format!("balance_after = balance_after + {by}");
        ledger(&to(by), &to(-by), row)
    };
    let named = format!("user {user} DICE_TOKEN at {value}");
    for by in [1, 2, 1_000] {
        plant(test, &[more(by, &row)], &[CHAIN], &named).await;
    }
    // Two that cancel each other out in every sum.
    let first = format!(
        "SELECT MIN(id) FROM wallet_ledger WHERE user_id = {user} AND asset = 'DICE_TOKEN'"
    );
    let first = format!("id = {}", test.count(&first).await);
    plant(test, &[more(1, &row), more(-1, &first)], &[CHAIN], &named).await;

    // A play that cost two.
    let last = last_move(test, dasher, "ROULETTE_COIN").await;
    let wallet = format!("user_id = {} AND asset = 'ROULETTE_COIN'", dasher.user_id);
    let twice = [
        ledger(
            "delta = -2, balance_after = balance_after - 1",
            "delta = -1, balance_after = balance_after + 1",
            &format!("id = {last}"),
        ),
        set(
            "user_game_wallet",
            "balance = balance - 1",
            "balance = balance + 1",
            &wallet,
        ),
    ];
    plant(test, &twice, &[SPEND], &format!("ledger {last}")).await;
    let spend = format!("reason = 'PLAY' AND reference = 'play:{blank_play}'");
    let free = [ledger(
        "reason = 'TEST', reference = 'lost'",
        &format!("reason = 'PLAY', reference = 'play:{blank_play}'"),
        &format!("reference IN ('play:{blank_play}', 'lost')"),
    )];
    plant(test, &free, &[ONE_SPEND], &format!("play {blank_play}")).await;
    let id = test
        .count(&format!("SELECT id FROM wallet_ledger WHERE {spend}"))
        .await;
    let nowhere = [ledger(
        "reference = 'play:999999'",
        &format!("reference = 'play:{blank_play}'"),
        &format!("id = {id}"),
    )];
    plant(test, &nowhere, &[ONE_SPEND, SPEND], &format!("ledger {id}")).await;

    // Half of a bundle.
    let grant = format!("play:{bundle_play}");
    let part =
        format!("SELECT id FROM wallet_ledger WHERE reference = '{grant}' AND asset = 'POINT'");
    let part = format!("id = {}", test.count(&part).await);
    let half = [ledger(
        "reason = 'TEST', reference = 'lost'",
        &format!("reason = 'PRIZE', reference = '{grant}'"),
        &part,
    )];
    let receipt = format!("SELECT id FROM reward_log WHERE grant_key = '{grant}'");
    let receipt = test.count(&receipt).await;
    plant(test, &half, &[BUNDLE], &format!("reward {receipt} POINT")).await;
    let another = [set(
        "reward_log",
        "reward_item = 999",
        &format!(
            "reward_item = {}",
            test.count(&format!(
                "SELECT reward_item FROM reward_log WHERE id = {receipt}"
            ))
            .await
        ),
        &format!("id = {receipt}"),
    )];
    let none = format!("reward {receipt} names no bundle");
    plant(test, &another, &[BUNDLE], &none).await;
    assert_sound(test).await;
}

#[tokio::test]
async fn receipts_codes_and_claims_that_belong_to_nothing_are_named() {
    let Played {
        app,
        santa,
        blank_play,
        ..
    } = played().await;
    let test = &app.test;
    let user = santa.user_id;
    let one = async |sql: &str| test.count(sql).await;
    // A receipt of what was not won.
    let play = one("SELECT id FROM feature_log WHERE reward_type = 'CC_COIN'").await;
    let which = format!("id = {play}");
    let won = [set(
        "feature_log",
        "reward_amount = 4",
        "reward_amount = 3",
        &which,
    )];
    plant(test, &won, &[WON], &format!("play {play}")).await;
    let receipt = one(&format!(
        "SELECT id FROM reward_log WHERE grant_key = 'play:{play}'"
    ))
    .await;
    // Paid in something else.
    let other = [
        set(
            "feature_log",
            "reward_type = 'POINT'",
            "reward_type = 'CC_COIN'",
            &which,
        ),
        set(
            "reward_log",
            "reward_type = 'POINT'",
            "reward_type = 'CC_COIN'",
            &format!("id = {receipt}"),
        ),
    ];
    plant(test, &other, &[DELIVERED], &format!("reward {receipt}")).await;
    let invented = (
        format!(
            "INSERT INTO reward_log (id, user_id, grant_key, source, reward_type, amount, state, event_day, \
             created_at, delivered_at) SELECT 999999, user_id, 'play:999999', source, 'NONE', 0, state, event_day, \
             created_at, delivered_at FROM reward_log WHERE grant_key = 'play:{blank_play}'"
        ),
        "DELETE FROM reward_log WHERE id = 999999".to_owned(),
    );
    plant(test, &[invented], &[PLAY_RECEIPT], "reward 999999").await;
    let prize = one(&format!(
        "SELECT id FROM wallet_ledger WHERE reason = 'PRIZE' AND reference = 'play:{play}'"
    ))
    .await;
    let strange = [set(
        "wallet_ledger",
        "reference = 'play:999999'",
        &format!("reference = 'play:{play}'"),
        &format!("id = {prize}"),
    )];
    plant(
        test,
        &strange,
        &[DELIVERED, REWARDED],
        &format!("ledger {prize}"),
    )
    .await;

    // A code of another kind, and one of a receipt that is no coupon.
    let code = one("SELECT id FROM coupon_code WHERE reward_id IS NOT NULL").await;
    let kind = one(&format!(
        "SELECT kind_id FROM coupon_code WHERE id = {code}"
    ))
    .await;
    let winner = one(&format!(
        "SELECT reward_id FROM coupon_code WHERE id = {code}"
    ))
    .await;
    let which = format!("id = {code}");
    let named = format!("coupon code {code}");
    let kinds = [set(
        "coupon_code",
        &format!("kind_id = (SELECT MAX(id) FROM coupon_kind WHERE id <> {kind})"),
        &format!("kind_id = {kind}"),
        &which,
    )];
    plant(test, &kinds, &[COUPON_KIND], &named).await;
    for elsewhere in [receipt, 999_999] {
        let given = [set(
            "coupon_code",
            &format!("reward_id = {elsewhere}"),
            &format!("reward_id = {winner}"),
            &which,
        )];
        plant(test, &given, &[COUPON, COUPON_KIND], &named).await;
    }

    // A level without its receipt, and one that paid something else.
    let claim = one("SELECT id FROM season_pass_reward_log WHERE level = 2").await;
    let which = format!("id = {claim}");
    let key = format!("grant_key = 'season:1:level:2:user:{user}'");
    let lost = [set(
        "season_pass_reward_log",
        "grant_key = 'lost'",
        &key,
        &which,
    )];
    plant(test, &lost, &[CLAIM], &format!("claim {claim}")).await;
    let other = [set(
        "season_pass_reward_log",
        "reward_amount = 2",
        "reward_amount = 1",
        &which,
    )];
    plant(test, &other, &[CLAIM], &format!("claim {claim}")).await;

    // What came out of nowhere.
    let gift = one(&format!(
        "SELECT MIN(id) FROM wallet_ledger WHERE user_id = {user} AND reason = 'TEST'"
    ))
    .await;
    let reference = |to: &str| {
        let to = format!("reference = '{to}'");
        [set(
            "wallet_ledger",
            &to,
            "reference = 'test'",
            &format!("id = {gift}"),
        )]
    };
    let named = format!("ledger {gift}");
    plant(test, &reference("batch:unknown"), &[BATCH], &named).await;
    plant(test, &reference("batch:kept"), &[BATCH], &named).await;
    plant(test, &reference("request:unknown"), &[ORDER], &named).await;
    let item = (
        format!(
            "INSERT INTO wallet_batch_item (batch_id, user_id, asset, amount, state, part_moved) VALUES (999, {user}, 'POINT', 1, 'PLANNED', 0)"
        ),
        "DELETE FROM wallet_batch_item WHERE batch_id = 999".to_owned(),
    );
    plant(
        test,
        &[item],
        &[BATCH],
        &format!("batch 999 user {user} POINT"),
    )
    .await;
    assert_sound(test).await;
}

#[tokio::test]
async fn payments_that_are_not_the_points_of_the_keys_are_named() {
    let Played {
        app, rudolf, elf, ..
    } = played().await;
    let test = &app.test;
    let (paid, elf) = (rudolf.user_id, elf.user_id);
    let receipt = test
        .count("SELECT id FROM reward_log WHERE source = 'BRIDGE'")
        .await;
    let named = format!("reward {receipt}");
    let one_more = [
        set(
            "reward_log",
            "amount = amount + 1",
            "amount = amount - 1",
            &format!("id = {receipt}"),
        ),
        set(
            "wallet_ledger",
            "delta = delta + 1, balance_after = balance_after + 1",
            "delta = delta - 1, balance_after = balance_after - 1",
            "reason = 'BRIDGE'",
        ),
        set(
            "user_game_wallet",
            "balance = balance + 1",
            "balance = balance - 1",
            &format!("user_id = {paid} AND asset = 'POINT'"),
        ),
    ];
    plant(test, &one_more, &[KEYS, SETTLED], &named).await;
    let more_keys = [set(
        "event_bridge",
        "keys_required = 7",
        "keys_required = 6",
        "1 = 1",
    )];
    plant(test, &more_keys, &[SETTLED], &named).await;
    let key = test
        .count(&format!(
            "SELECT id FROM season_pass_stamp_log WHERE user_id = {elf} AND event_type IS NOT NULL"
        ))
        .await;
    let no_day = [set(
        "season_pass_stamp_log",
        "event_type = 'KEY_DAY_9'",
        "event_type = period_key",
        &format!("id = {key}"),
    )];
    plant(test, &no_day, &[KEY_DAY], &format!("stamp {key}")).await;
    let gift = (
        format!(
            "INSERT INTO event_bridge_gift_key (gift_id, user_id, state) VALUES (999, {elf}, 'GIVEN')"
        ),
        "DELETE FROM event_bridge_gift_key WHERE gift_id = 999".to_owned(),
    );
    plant(test, &[gift], &[GIFT], &format!("gift 999 user {elf}")).await;
    assert_sound(test).await;

    // A key that came while its player was being paid is held, and lost with the closing.
    test.execute(&format!(
        "INSERT INTO season_pass_stamp_log (user_id, season_id, period_key, event_type, source_feature_type, \
         xp_earned, event_day, created_at) SELECT user_id, 1, 'KEY_DAY_7_LAST_LOGIN', 'KEY_DAY_7_LAST_LOGIN', \
         'SEASON_PASS', 0, '2025-12-31', updated_at FROM user_profiles WHERE user_id = {paid}"
    ))
    .await;
    let hold = |keys: i64, points: i64| {
        format!("event_key_count = {keys}, event_pending_points = {points}")
    };
    let own = format!("user_id = {paid}");
    let held = set("user_profiles", &hold(1, 5_000), &hold(0, 0), &own);
    plant(
        test,
        &[(held.1.clone(), held.0.clone())],
        &[KEYS, SETTLED],
        &named,
    )
    .await;
    assert_sound(test).await;
    let admin = log_in(&app, "operator").await;
    let closed = post(&admin, "/event-bridge/close", json!({})).await;
    assert_eq!(closed["paid"], 1, "{closed}");
    assert_sound(test).await;
    let receipts = [set(
        "reward_log",
        "amount = amount + 5001",
        "amount = amount - 5001",
        &format!("id = {receipt}"),
    )];
    plant(test, &receipts, &[DELIVERED, SETTLED], &named).await;
}

#[tokio::test]
async fn of_very_many_players_none_is_passed_over() {
    let test = TestDb::new().await;
    let at = "'2025-12-26 00:00:00.000000'";
    let players =
        (1..=1_100).map(|id| format!("({}, 'p{id}', '!', 'PLAYER', 'ACTIVE', {at}, {at})", 3 * id));
    let players: Vec<String> = players.collect();
    for sql in [
        format!(
            "INSERT INTO `user` (id, external_id, password_hash, role, status, created_at, updated_at) \
             VALUES {}",
            players.join(", ")
        ),
        format!(
            "INSERT INTO user_profiles (user_id, level, event_key_count, event_pending_points, is_blocked, \
             token_epoch, updated_at) SELECT id, 1, 0, 0, 0, 0, {at} FROM `user`"
        ),
        format!(
            "INSERT INTO user_game_wallet (user_id, asset, balance, updated_at) SELECT id, 'POINT', 5, {at} \
             FROM `user`"
        ),
        format!(
            "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, reference, actor, \
             created_at) SELECT id, 'POINT', 5, 5, 'TEST', 'test', 'test', {at} FROM `user`"
        ),
    ] {
        test.execute(&sql).await;
    }
    assert_sound(&test).await;
    for player in [3, 1_500, 1_503, 3_300] {
        let which = format!("user_id = {player}");
        let one_more = set(
            "wallet_ledger",
            "balance_after = 6",
            "balance_after = 5",
            &which,
        );
        plant(
            &test,
            &[one_more],
            &[CHAIN],
            &format!("user {player} POINT at 6"),
        )
        .await;
    }
    // All are counted, and some are named.
    test.execute("UPDATE wallet_ledger SET balance_after = 6")
        .await;
    let report = xmas_reporting::Audit::new(test.db.clone()).run().await;
    let checks = report.unwrap().checks;
    let chain = checks.iter().find(|check| check.name == CHAIN).unwrap();
    assert_eq!((chain.violations, chain.examples.len()), (1_100 * 4, 20));
}
