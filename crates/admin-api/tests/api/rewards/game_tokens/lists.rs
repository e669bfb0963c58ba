use std::collections::BTreeSet;

use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};

pub(super) const WALLETS: &str = "/admin/api/game-tokens/wallets";
pub(super) const PLAYS: &str = "/admin/api/game-tokens/play-logs";
pub(super) const LEDGER: &str = "/admin/api/game-tokens/ledger";

pub(super) async fn list(admin: &Client, path: &str) -> Vec<Value> {
    let answer = admin.get(path).await.expect_status(200);
    answer.body.as_array().expect("a bare array").clone()
}

fn keys(item: &Value) -> BTreeSet<&str> {
    item.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn ids(items: &[Value]) -> Vec<i64> {
    items
        .iter()
        .map(|item| item["id"].as_i64().unwrap())
        .collect()
}

/// Two players; the first one has played every game.
pub(super) async fn two_players(app: &TestApp) -> (Client, Client) {
    let santa = app.player("santa", 5).await;
    app.give(santa.identity(), Asset::DiceToken, 2).await;
    app.give(santa.identity(), Asset::LotteryTicket, 2).await;
    for game in ["roulette", "dice", "lottery", "roulette"] {
        app.clock.advance(chrono::TimeDelta::seconds(1));
        let path = format!("/api/{game}/play");
        santa.play(&path).await.expect_status(200);
    }
    let rudolf = app.player("루돌프", 1).await;
    (santa, rudolf)
}

#[tokio::test]
async fn wallets_show_every_balance_and_can_be_narrowed_down() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let (santa, rudolf) = two_players(&app).await;
    let all = list(&admin, WALLETS).await;
    let rows = app
        .test
        .count("SELECT COUNT(*) FROM user_game_wallet")
        .await;
    assert_eq!(all.len() as i64, rows);
    let expected = [
        "user_id",
        "external_id",
        "token_type",
        "balance",
        "updated_at",
    ];
    for item in &all {
        assert_eq!(keys(item), BTreeSet::from(expected));
        assert!(item["balance"].is_i64(), "{item}");
    }
    let id = rudolf.identity().user_id;
    let found = list(
        &admin,
        &format!("{WALLETS}?external_id=%EB%A3%A8%EB%8F%8C%ED%94%84"),
    )
    .await;
    assert_eq!(
        found,
        [
            json!({"user_id": id, "external_id": "루돌프", "token_type": "ROULETTE_COIN",
            "balance": 1, "updated_at": "2025-12-26T09:00:04.000000+09:00"})
        ]
    );
    assert_eq!(
        list(&admin, &format!("{WALLETS}?user_id={id}")).await,
        found
    );
    assert_eq!(
        list(&admin, &format!("{WALLETS}?external_id=nobody")).await,
        [] as [Value; 0]
    );
    assert_eq!(
        list(&admin, &format!("{WALLETS}?user_id=999999"))
            .await
            .len(),
        0
    );
    // Both name somebody, but not the same.
    let both = format!("{WALLETS}?user_id={id}&external_id=santa");
    let refused = admin.get(&both).await;
    refused.expect_error(422, "VALIDATION_ERROR");

    rudolf.play("/api/roulette/play").await.expect_status(200);
    app.test
        .execute(&format!(
            "UPDATE user_game_wallet SET balance = 0 WHERE user_id = {id}"
        ))
        .await;
    let of_rudolf = format!("{WALLETS}?user_id={id}&token_type=ROULETTE_COIN");
    for (has_balance, rows) in [("true", 0), ("false", 1)] {
        let path = format!("{of_rudolf}&has_balance={has_balance}");
        assert_eq!(list(&admin, &path).await.len(), rows, "{has_balance}");
    }
    let coins = list(&admin, &format!("{WALLETS}?token_type=ROULETTE_COIN")).await;
    assert_eq!(coins.len(), 2);
    let santa_id = json!(santa.identity().user_id);
    assert!(coins.iter().any(|item| item["user_id"] == santa_id));
    // By the last change: nothing of tomorrow, everything of today.
    assert_eq!(
        list(&admin, &format!("{WALLETS}?from=2025-12-27"))
            .await
            .len(),
        0
    );
    let today = format!("{WALLETS}?from=2025-12-26&to=2025-12-26");
    assert_eq!(
        list(&admin, &today).await.len(),
        list(&admin, WALLETS).await.len()
    );
}

#[tokio::test]
async fn plays_are_listed_newest_first_with_what_came_up() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let (santa, _) = two_players(&app).await;
    let plays = list(&admin, PLAYS).await;
    let games: Vec<_> = plays
        .iter()
        .map(|play| play["game"].as_str().unwrap())
        .collect();
    assert_eq!(games, ["ROULETTE", "LOTTERY", "DICE", "ROULETTE"]);
    let expected = [
        "id",
        "user_id",
        "external_id",
        "game",
        "reward_type",
        "reward_amount",
        "reward_label",
        "created_at",
    ];
    for play in &plays {
        assert_eq!(keys(play), BTreeSet::from(expected));
        assert_eq!(play["external_id"], "santa");
    }
    assert!(
        ["WIN", "DRAW", "LOSE"]
            .map(|end| json!(end))
            .contains(&plays[2]["reward_label"])
    );
    let history = santa
        .get("/api/me/history?kind=play")
        .await
        .expect_status(200);
    assert_eq!(
        plays[0]["reward_label"],
        history.body["items"][0]["outcome"]["label"]
    );
    for (filter, rows) in [
        ("game=dice", 1),
        ("game=ROULETTE", 2),
        ("external_id=santa", 4),
        ("external_id=Santa", 0),
        ("from=2025-12-26T09:00:02%2B09:00", 3),
        ("to=2025-12-26T09:00:02%2B09:00", 1),
        ("from=2025-12-26T09:00:02 09:00&to=2025-12-26T00:00:04Z", 2),
        ("from=2025-12-26&to=2025-12-26", 4),
        ("to=2025-12-25", 0),
    ] {
        assert_eq!(
            list(&admin, &format!("{PLAYS}?{filter}")).await.len(),
            rows,
            "{filter}"
        );
    }
}

#[tokio::test]
async fn the_ledger_says_what_each_change_belongs_to() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 1).await;
    app.test
        .execute("UPDATE roulette_segment SET weight = 0 WHERE slot_index <> 1")
        .await;
    let play = santa.play("/api/roulette/play").await.expect_status(200);
    let play_id = &play.body["receipt"]["play_id"];
    let ledger = list(&admin, &format!("{LEDGER}?external_id=santa")).await;
    let expected = [
        "id",
        "user_id",
        "external_id",
        "token_type",
        "delta",
        "balance_after",
        "reason",
        "label",
        "meta_json",
        "created_at",
    ];
    let mut changes = Vec::new();
    for row in &ledger {
        assert_eq!(keys(row), BTreeSet::from(expected));
        changes.push(json!([
            row["reason"],
            row["delta"],
            row["balance_after"],
            row["label"]
        ]));
    }
    assert_eq!(
        changes,
        [
            json!(["PRIZE", 3, 3, "룰렛 티켓 3장"]),
            json!(["PLAY", -1, 0, null]),
            json!(["TEST", 1, 1, null]),
        ]
    );
    let belongs = json!({ "reference": format!("play:{play_id}"), "actor": "player" });
    assert_eq!(
        (&ledger[0]["meta_json"], &ledger[1]["meta_json"]),
        (&belongs, &belongs)
    );
    // What an operator said of a batch.
    let id = santa.identity().user_id;
    app.test
        .execute(
            "INSERT INTO wallet_batch (batch_key, kind, fingerprint, state, reason, actor, created_at) \
             VALUES ('day-2', 'GRANT', 'x', 'OPEN', '장애 보상', 'operator', '2025-12-26 00:00:00.000000')",
        )
        .await;
    app.test
        .execute(&format!(
            "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, reference, actor, \
             created_at) VALUES ({id}, 'CC_COIN', 2, 2, 'ADMIN_GRANT', 'batch:day-2', 'operator', \
             '2025-12-26 00:00:00.000000')"
        ))
        .await;
    for (filter, rows) in [
        ("token_type=CC_COIN", 1),
        ("reason=PLAY", 1),
        ("reason=nothing", 0),
        ("user_id=1&token_type=ROULETTE_COIN&reason=PRIZE", 0),
    ] {
        assert_eq!(
            list(&admin, &format!("{LEDGER}?{filter}")).await.len(),
            rows,
            "{filter}"
        );
    }
    let coin = &list(&admin, &format!("{LEDGER}?token_type=CC_COIN")).await[0];
    assert_eq!(coin["label"], "장애 보상");
}

#[tokio::test]
async fn limits_are_clamped_and_kept_to_the_row() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_ledger_rows(&app, 1_203).await;
    for name in ["dasher", "dancer", "vixen"] {
        app.player(name, 1).await;
    }
    app.test
        .execute("DELETE FROM wallet_ledger WHERE asset <> 'POINT'")
        .await;
    for (limit, rows) in [
        ("limit=1", 1),
        ("limit=7", 7),
        ("", 100),
        ("limit=0", 1),
        ("limit=-5", 1),
        ("limit=1000", 1_000),
        ("limit=1001", 1_000),
        ("limit=9000000000000000", 1_000),
        ("limit=1000&offset=1000", 203),
        ("offset=9000000000000000", 0),
    ] {
        assert_eq!(
            list(&admin, &format!("{LEDGER}?{limit}")).await.len(),
            rows,
            "{limit}"
        );
    }
    // By offset and by cursor, each row is shown once and in one order.
    let whole = ids(&list(&admin, &format!("{LEDGER}?limit=1000")).await);
    let mut by_offset = Vec::new();
    let mut by_cursor: Vec<i64> = Vec::new();
    for page in 0..10 {
        let offset = page * 100;
        by_offset.extend(ids(
            &list(&admin, &format!("{LEDGER}?offset={offset}")).await
        ));
        let cursor = by_cursor.last().map_or(String::new(), i64::to_string);
        by_cursor.extend(ids(
            &list(&admin, &format!("{LEDGER}?cursor={cursor}")).await
        ));
    }
    assert_eq!(by_offset, whole);
    assert_eq!(by_cursor, whole);
    // Rows that are added do not move a cursor.
    let last = by_cursor[99];
    let next = ids(&list(&admin, &format!("{LEDGER}?cursor={last}&limit=5")).await);
    many_ledger_rows(&app, 3).await;
    assert_eq!(
        ids(&list(&admin, &format!("{LEDGER}?cursor={last}&limit=5")).await),
        next
    );
    assert_eq!(
        list(&admin, &format!("{LEDGER}?cursor=99999999"))
            .await
            .len(),
        0
    );
    // Wallets have no id; their cursor is made of what a row shows.
    let mut seen = Vec::new();
    loop {
        let cursor = seen.last().map_or(String::new(), |wallet: &Value| {
            let asset = wallet["token_type"].as_str().unwrap();
            format!("{}:{asset}", wallet["user_id"])
        });
        let page = list(&admin, &format!("{WALLETS}?limit=2&cursor={cursor}")).await;
        if page.is_empty() {
            break;
        }
        seen.extend(page);
    }
    assert_eq!(seen, list(&admin, WALLETS).await);
    assert!(seen.len() > 2);
}

#[tokio::test]
async fn bad_parameters_are_told_by_name() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for (path, parameter, values) in [
        (WALLETS, "token_type", &["point", "GOLD", "%20"][..]),
        (WALLETS, "has_balance", &["", "1", "yes", "TRUE"][..]),
        (
            WALLETS,
            "cursor",
            &["1", "1:", "1:GOLD", ":POINT", "-1:POINT", "01:POINT"][..],
        ),
        (
            WALLETS,
            "user_id",
            &[
                "",
                "x",
                "0",
                "-1",
                "9000000000000001",
                "9223372036854775808",
            ][..],
        ),
        (PLAYS, "game", &["RANKING", "SEASON_PASS", "vault"][..]),
        (PLAYS, "limit", &["all", "1.5", "", "9000000000000001"][..]),
        (
            PLAYS,
            "offset",
            &["x", "", "-1", "9000000000000001", "9223372036854775808"][..],
        ),
        (PLAYS, "external_id", &["%00", "a%0Ab", "%7F"][..]),
        (LEDGER, "reason", &["%00"][..]),
        (LEDGER, "token_type", &["POINTS"][..]),
        (
            LEDGER,
            "cursor",
            &["x", "-1", "01", "1%20", "9223372036854775808"][..],
        ),
        (
            LEDGER,
            "from",
            &["yesterday", "2025-02-30", "1766707200", "0001-01-01", "%00"][..],
        ),
        (
            LEDGER,
            "to",
            &["tomorrow", "9999-12-31", "%2B12025-01-01"][..],
        ),
    ] {
        for value in values {
            for suffix in ["", ".csv"] {
                if suffix == ".csv" && matches!(parameter, "limit" | "offset" | "cursor") {
                    continue;
                }
                let refused = admin
                    .get(&format!("{path}{suffix}?{parameter}={value}"))
                    .await;
                let refused = refused.expect_error(422, "VALIDATION_ERROR");
                let problems = &refused.body["error"]["details"][parameter];
                assert!(problems.is_array(), "{value}: {}", refused.text);
            }
        }
    }
    let backwards = format!("{LEDGER}?from=2025-12-27T00:00:00Z&to=2025-12-26T00:00:00Z");
    let refused = admin
        .get(&backwards)
        .await
        .expect_error(422, "VALIDATION_ERROR");
    assert!(refused.body["error"]["details"]["to"].is_array());
    for hostile in [
        "external_id='%20OR%201=1--",
        "external_id=%25",
        "reason=';DROP%20TABLE%20user",
    ] {
        assert_eq!(
            list(&admin, &format!("{LEDGER}?{hostile}")).await.len(),
            0,
            "{hostile}"
        );
    }
}

#[tokio::test]
async fn a_list_is_one_statement_however_long_it_is() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    two_players(&app).await;
    many_ledger_rows(&app, 500).await;
    for path in [
        WALLETS.to_owned(),
        format!("{WALLETS}?external_id=santa&has_balance=true"),
        PLAYS.to_owned(),
        format!("{PLAYS}?external_id=santa&game=dice"),
        format!("{LEDGER}?limit=1000"),
        format!("{LEDGER}?limit=1000&external_id=santa&cursor=400"),
        format!("{WALLETS}.csv"),
        format!("{PLAYS}.csv"),
        format!("{LEDGER}.csv"),
    ] {
        let before = app.statements();
        admin.get(&path).await.expect_status(200);
        // The guard's look at the admin, and the list.
        assert_eq!(app.statements() - before, 2, "{path}");
    }
}

/// Rows for one more player, written at once; many of them have the same time.
pub(super) async fn many_ledger_rows(app: &TestApp, rows: i64) {
    let user = app.test.player(&format!("elf-{rows}")).await.user_id;
    let digits = "SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL \
                  SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL \
                  SELECT 8 UNION ALL SELECT 9";
    app.test
        .execute(&format!(
            "INSERT INTO user_game_wallet (user_id, asset, balance, updated_at) \
             VALUES ({user}, 'POINT', {rows}, '2025-12-26 00:00:00.000000')"
        ))
        .await;
    app.test
        .execute(&format!(
            "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, reference, actor, \
             created_at) SELECT {user}, 'POINT', 1, n + 1, 'TEST', 'test', 'test', \
             CASE WHEN n < 400 THEN '2025-12-26 00:00:00.000000' ELSE '2025-12-26 00:00:01.000000' END \
             FROM (SELECT a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n \
             FROM ({digits}) a, ({digits}) b, ({digits}) c, ({digits}) d, ({digits}) e) numbers \
             WHERE n < {rows} ORDER BY n"
        ))
        .await;
}
