//! The same request twice has one effect. All operations come from the document, so that a new one cannot be
//! forgotten: each that changes something takes an `Idempotency-Key` or stands in [`WITHOUT`] with its reason,
//! and each that takes one is sent twice here.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use xmas_kernel::{Asset, idempotency::RequestKey};
use xmas_test_support::{Answer, Client, TestApp, document};
use xmas_time::{Clock, DateTime, EventDay, Utc};

/// Operations that change something and take no key, and why.
const WITHOUT: [(&str, &str); 41] = [
    ("POST /admin/api/event/plan", "it changes nothing"),
    (
        "POST /admin/api/event/apply",
        "what is there already is left alone",
    ),
    (
        "POST /admin/api/dice-config/{id}/plans",
        "a game has one plan at an instant, and the second is refused",
    ),
    (
        "POST /admin/api/dice-config/{id}/plans/{plan}/withdraw",
        "what is withdrawn stays so",
    ),
    (
        "POST /admin/api/roulette-config/{id}/plans",
        "a game has one plan at an instant, and the second is refused",
    ),
    (
        "POST /admin/api/roulette-config/{id}/plans/{plan}/withdraw",
        "what is withdrawn stays so",
    ),
    (
        "POST /admin/api/lottery-config/{id}/plans",
        "a game has one plan at an instant, and the second is refused",
    ),
    (
        "POST /admin/api/lottery-config/{id}/plans/{plan}/withdraw",
        "what is withdrawn stays so",
    ),
    (
        "POST /api/auth/token",
        "a stored answer would hold tokens; a second login is a second session",
    ),
    (
        "POST /api/auth/refresh",
        "a stored answer would hold tokens; one used twice ends the session on purpose",
    ),
    ("POST /api/auth/logout", "who is logged out stays so"),
    (
        "POST /api/auth/password",
        "a stored answer would hold tokens; the old password is wrong the second time",
    ),
    (
        "DELETE /admin/api/users/{id}",
        "who is INACTIVE stays so, and nothing of value moves",
    ),
    ("POST /admin/api/bundles/", "its name is no other one's"),
    ("POST /admin/api/coupons/", "its name is no other one's"),
    ("PUT /admin/api/coupons/{kind}", "an edit sets what it says"),
    (
        "POST /admin/api/seasons/",
        "its days are no other active season's",
    ),
    ("PUT /admin/api/seasons/{id}", "an edit sets what it says"),
    (
        "PUT /admin/api/seasons/{id}/levels",
        "an edit sets what it says",
    ),
    (
        "PUT /admin/api/event-bridge/",
        "an edit sets what it says, and one bridge is open at most",
    ),
    (
        "POST /admin/api/dice-config/",
        "a second table of a game gives nobody anything, and can be deleted",
    ),
    (
        "PUT /admin/api/dice-config/{id}",
        "an edit sets what it says",
    ),
    (
        "DELETE /admin/api/dice-config/{id}",
        "what is gone stays gone",
    ),
    (
        "POST /admin/api/dice-config/{id}/versions/{version}/restore",
        "an edit sets what it says",
    ),
    (
        "POST /admin/api/roulette-config/",
        "a second table of a game gives nobody anything, and can be deleted",
    ),
    (
        "PUT /admin/api/roulette-config/{id}",
        "an edit sets what it says",
    ),
    (
        "DELETE /admin/api/roulette-config/{id}",
        "what is gone stays gone",
    ),
    (
        "POST /admin/api/roulette-config/{id}/versions/{version}/restore",
        "an edit sets what it says",
    ),
    (
        "POST /admin/api/lottery-config/",
        "a second table of a game gives nobody anything, and can be deleted",
    ),
    (
        "PUT /admin/api/lottery-config/{id}",
        "an edit sets what it says; what was won meanwhile is a conflict of versions",
    ),
    (
        "DELETE /admin/api/lottery-config/{id}",
        "what is gone stays gone",
    ),
    (
        "POST /admin/api/lottery-config/{id}/versions/{version}/restore",
        "an edit sets what it says",
    ),
    (
        "PUT /admin/api/feature-config/{feature}",
        "an edit sets what it says",
    ),
    (
        "PUT /admin/api/feature-schedule/{date}",
        "an edit sets what it says",
    ),
    (
        "DELETE /admin/api/feature-schedule/{date}",
        "what is gone stays gone",
    ),
    (
        "PUT /admin/api/ui-config/{key}",
        "an edit sets what it says",
    ),
    (
        "POST /admin/api/external-ranking/",
        "a board is no value, and its rows are set to what is sent",
    ),
    (
        "PUT /admin/api/external-ranking/{user_id}/",
        "a board is no value, and its rows are set to what is sent",
    ),
    (
        "DELETE /admin/api/external-ranking/{user_id}/",
        "what is gone stays gone",
    ),
    (
        "PUT /admin/api/ranking/{date}",
        "a board is no value, and is set to what is sent",
    ),
    (
        "DELETE /admin/api/ranking/{date}",
        "what is gone stays gone",
    ),
];

/// The operations that change something, and whether they take a key.
fn mutating() -> BTreeMap<String, bool> {
    let document = document();
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if matches!(method.as_str(), "get" | "head" | "options") {
                continue;
            }
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let takes_key = parameters
                .into_iter()
                .any(|parameter| parameter["name"] == "idempotency-key");
            found.insert(format!("{} {path}", method.to_uppercase()), takes_key);
        }
    }
    found
}

#[test]
fn every_operation_that_changes_something_takes_a_key_or_says_why_not() {
    let operations = mutating();
    let without: BTreeMap<&str, &str> = WITHOUT.into_iter().collect();
    assert_eq!(without.len(), WITHOUT.len());
    for (operation, takes_key) in &operations {
        let reason = without.get(operation.as_str());
        assert_ne!(*takes_key, reason.is_some(), "{operation}: {reason:?}");
    }
    for operation in without.keys() {
        assert!(operations.contains_key(*operation), "{operation} is gone");
    }
}

/// Every row of every table, as text.
type State = BTreeMap<String, Vec<String>>;

async fn texts(app: &TestApp, sql: String) -> Vec<String> {
    let db = &app.test.db;
    let statement = Statement::from_string(db.backend(), sql.clone());
    let rows = db.read().query_all_raw(statement).await;
    let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.iter()
        .map(|row| {
            row.try_get_by(0)
                .unwrap_or_else(|error| panic!("{sql}: {error:?}"))
        })
        .collect()
}

async fn state(app: &TestApp) -> State {
    let is_sqlite = app.test.db.backend() == DbBackend::Sqlite;
    let tables = match is_sqlite {
        true => "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'",
        false => {
            "SELECT CAST(table_name AS CHAR) FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'"
        }
    };
    let mut state = State::new();
    for table in texts(app, tables.to_owned()).await {
        let columns = match is_sqlite {
            true => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
            false => format!(
                "SELECT CAST(column_name AS CHAR) FROM information_schema.columns \
                 WHERE table_schema = DATABASE() AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        let columns: Vec<String> = texts(app, columns).await;
        let columns: Vec<String> = columns.iter().map(|name| format!("`{name}`")).collect();
        let row = format!(
            "SELECT CAST(JSON_ARRAY({}) AS CHAR) FROM `{table}`",
            columns.join(", ")
        );
        let mut rows = texts(app, row).await;
        rows.sort();
        state.insert(table, rows);
    }
    // Odds are published before a play begins, whatever becomes of it.
    state.remove("odds_table");
    assert!(state.len() > 30, "{:?}", state.keys());
    state
}

/// The tables in which something is different.
fn touched(before: &State, after: &State) -> BTreeSet<String> {
    let differs = |table: &&String| before[*table] != after[*table];
    after.keys().filter(differs).cloned().collect()
}

async fn assert_same(app: &TestApp, before: &State, operation: &str) {
    let touched = touched(before, &state(app).await);
    assert!(touched.is_empty(), "{operation}: {touched:?}");
}

/// A request.
#[derive(Clone, Debug)]
struct Sent {
    method: &'static str,
    path: String,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Nothing,
    Json(Value),
    Table(&'static str),
}

fn post(path: impl Into<String>, body: Value) -> Sent {
    Sent {
        method: "POST",
        path: path.into(),
        body: Body::Json(body),
    }
}

fn put(path: impl Into<String>, body: Value) -> Sent {
    Sent {
        method: "PUT",
        ..post(path, body)
    }
}

fn bare(method: &'static str, path: impl Into<String>) -> Sent {
    Sent {
        method,
        path: path.into(),
        body: Body::Nothing,
    }
}

fn table(path: impl Into<String>, rows: &'static str) -> Sent {
    Sent {
        method: "POST",
        path: path.into(),
        body: Body::Table(rows),
    }
}

async fn send(client: &Client, sent: &Sent, key: &str) -> Answer {
    let request = client.request(sent.method.parse().unwrap(), &sent.path);
    let request = match &sent.body {
        Body::Nothing => request,
        Body::Json(body) => request.json(body),
        Body::Table(rows) => request.header("content-type", "text/csv").body(*rows),
    };
    client.send(request.header("idempotency-key", key)).await
}

/// What a body says in words about being a replay, or shows once only.
const ONCE_ONLY: [&str; 2] = ["replayed", "generated_password"];

fn essence(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !ONCE_ONLY.contains(&name.as_str()));
    }
    body
}

struct World {
    app: TestApp,
    admin: Client,
    player: Client,
    /// The operations that were sent twice.
    proved: BTreeSet<String>,
}

impl World {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let player = app.player("santa", 5).await;
        for asset in [Asset::DiceToken, Asset::LotteryTicket, Asset::Point] {
            app.give(player.identity(), asset, 20).await;
        }
        Self {
            admin: app.admin("operator").await,
            player,
            app,
            proved: BTreeSet::new(),
        }
    }

    fn client(&self, sent: &Sent) -> &Client {
        match sent.path.starts_with("/admin/") {
            true => &self.admin,
            false => &self.player,
        }
    }

    /// Sends a request twice, and then another one with the same key. It changes these tables, once.
    async fn prove(&mut self, operation: &str, sent: Sent, other: Sent, tables: &[&str]) -> Value {
        let key = format!("{operation}#{}", self.proved.len()).replace(' ', "-");
        let before = state(&self.app).await;
        let first = send(self.client(&sent), &sent, &key).await;
        assert!(
            (200..300).contains(&first.status),
            "{operation}: {} {}",
            first.status,
            first.text
        );
        assert!(!first.is_replayed(), "{operation}");
        let after = state(&self.app).await;
        let touched = touched(&before, &after);
        for table in tables {
            assert!(touched.contains(*table), "{operation} {table}: {touched:?}");
        }
        self.app.clock.advance(chrono::TimeDelta::seconds(1));
        let again = send(self.client(&sent), &sent, &key).await;
        assert_eq!(again.status, first.status, "{operation}: {}", again.text);
        assert!(again.is_replayed(), "{operation}");
        assert_eq!(essence(&again), essence(&first), "{operation}");
        assert!(
            again.body.get("generated_password").is_none(),
            "{operation}"
        );
        assert_same(&self.app, &after, operation).await;
        let refused = send(self.client(&other), &other, &key).await;
        refused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
        assert_same(&self.app, &after, operation).await;
        self.proved.insert(operation.to_owned());
        first.body
    }
}

const REVIEW: &str = "/admin/api/rewards/";
const USERS: &str = "/admin/api/users/";
const KEYS: &str = "/admin/api/event-bridge/keys";
const WITHHELD: &str = "/admin/api/coupons/withheld/";

/// Level 7 pays nothing by itself.
async fn reach_level_seven(world: &World) {
    let path = format!("{USERS}external_id:santa");
    let reached = world.admin.put(&path, &json!({ "xp": 700 })).await;
    reached.expect_status(200);
}

async fn players_do(world: &mut World) {
    let plays = ["roulette", "dice", "lottery"].map(|game| format!("/api/{game}/play"));
    for (place, play) in plays.iter().enumerate() {
        let other = bare("POST", plays[(place + 1) % 3].as_str());
        let operation = format!("POST {play}");
        let tables = ["feature_log", "wallet_ledger", "user_game_wallet"];
        world
            .prove(&operation, bare("POST", play.as_str()), other, &tables)
            .await;
    }
    let stamp = |game: &str| {
        post(
            "/api/season-pass/stamp",
            json!({ "source_feature_type": game }),
        )
    };
    world
        .prove(
            "POST /api/season-pass/stamp",
            stamp("ROULETTE"),
            stamp("DICE"),
            &["season_pass_stamp_log", "season_pass_progress"],
        )
        .await;
    reach_level_seven(world).await;
    let claim = |level: i64| post("/api/season-pass/claim", json!({ "level": level }));
    world
        .prove(
            "POST /api/season-pass/claim",
            claim(7),
            claim(8),
            &["season_pass_reward_log", "reward_log"],
        )
        .await;
    let record = |value: i64| {
        let event = json!({ "event_id": "6f1c0b7e-3c0b-4f7e-9d55-0a4d1f9b8c11",
            "event_type": "PLAY_DURATION", "value": value });
        post("/api/activity/record", event)
    };
    world
        .prove(
            "POST /api/activity/record",
            record(1),
            record(2),
            &["user_event_log"],
        )
        .await;
}

async fn operators_move_tokens(world: &mut World) {
    let wallet = ["wallet_ledger", "user_game_wallet"];
    for what in ["grant", "revoke"] {
        let path = format!("/admin/api/game-tokens/{what}");
        let order = |amount: i64| {
            let order =
                json!({ "external_id": "santa", "token_type": "DICE_TOKEN", "amount": amount });
            post(path.as_str(), order)
        };
        let operation = format!("POST {path}");
        world.prove(&operation, order(3), order(4), &wallet).await;
    }
    let tables = ["wallet_ledger", "user_game_wallet", "wallet_batch"];
    let mut batch = Value::Null;
    for what in ["revoke-bulk", "debit-bulk", "grant-bulk"] {
        let path = format!("/admin/api/game-tokens/{what}");
        let rows = |rows| table(format!("{path}?dry_run=false&token_type=POINT"), rows);
        let (rows, others) = (
            rows("external_id,amount\nsanta,3\n"),
            rows("external_id,amount\nsanta,4\n"),
        );
        let operation = format!("POST {path}");
        batch = world.prove(&operation, rows, others, &tables).await;
    }
    let revert = |reason: &str| {
        let path = format!("/admin/api/game-tokens/batches/{}/revert", batch["id"]);
        post(path, json!({ "dry_run": false, "reason": reason }))
    };
    let operation = "POST /admin/api/game-tokens/batches/{batch}/revert";
    let (sent, other) = (revert("잘못된 수량"), revert("다른 이유"));
    world.prove(operation, sent, other, &tables).await;
}

/// Three jackpots of `santa` that wait for an admin: their ids.
async fn waiting(world: &World) -> Vec<i64> {
    let jackpots =
        "UPDATE roulette_segment SET weight = CASE WHEN is_jackpot = 1 THEN 1 ELSE 0 END";
    world.app.test.execute(jackpots).await;
    for _ in 0..3 {
        world
            .player
            .play("/api/roulette/play")
            .await
            .expect_status(200);
    }
    let page = world.admin.get(REVIEW).await.expect_status(200).body;
    let items = page["items"].as_array().unwrap().iter();
    items.map(|item| item["id"].as_i64().unwrap()).collect()
}

async fn operators_decide_about_rewards(world: &mut World) {
    let waiting = waiting(world).await;
    let approve = format!("{REVIEW}{}/approve", waiting[0]);
    world
        .prove(
            "POST /admin/api/rewards/{id}/approve",
            bare("POST", approve.as_str()),
            post(approve.as_str(), json!({ "force": true })),
            &["reward_log", "user_game_wallet", "wallet_ledger"],
        )
        .await;
    let reject = |reason: &str| {
        post(
            format!("{REVIEW}{}/reject", waiting[1]),
            json!({ "reason": reason }),
        )
    };
    world
        .prove(
            "POST /admin/api/rewards/{id}/reject",
            reject("중복 계정"),
            reject("다른 이유"),
            &["reward_log"],
        )
        .await;
}

async fn operators_fill_the_stock(world: &mut World) {
    let path = "/admin/api/coupons/1/codes";
    let codes = |rows| table(path, rows);
    let three = "code\nAAAA-0001\nAAAA-0002\nAAAA-0003\n";
    world
        .prove(
            "POST /admin/api/coupons/{kind}/codes",
            codes(three),
            codes("code\nAAAA-0004\n"),
            &["coupon_code"],
        )
        .await;
    let upload = RequestKey::new("k", "POST", path, three.as_bytes()).unwrap();
    assert_eq!(stored_under(&world.app, &upload).await, 0);
    for statement in [
        "INSERT INTO coupon_withheld (kind_id, fingerprint, folded, sealed_code, created_at) \
         SELECT kind_id, fingerprint, folded, sealed_code, created_at FROM coupon_code",
        "DELETE FROM coupon_code",
    ] {
        world.app.test.execute(statement).await;
    }
    let list = world.admin.get(WITHHELD).await.expect_status(200).body;
    let id = |place: usize| list["items"][place]["id"].as_i64().unwrap();
    let release = |id: i64| bare("POST", format!("{WITHHELD}{id}/release"));
    world
        .prove(
            "POST /admin/api/coupons/withheld/{id}/release",
            release(id(0)),
            release(id(1)),
            &["coupon_code", "coupon_withheld"],
        )
        .await;
    let remove = |id: i64| bare("DELETE", format!("{WITHHELD}{id}"));
    world
        .prove(
            "DELETE /admin/api/coupons/withheld/{id}",
            remove(id(1)),
            remove(id(2)),
            &["coupon_withheld"],
        )
        .await;
}

async fn stored_under(app: &TestApp, request: &RequestKey) -> i64 {
    let fingerprint = request.fingerprint();
    let rows = format!("SELECT COUNT(*) FROM idempotency_key WHERE fingerprint = '{fingerprint}'");
    app.test.count(&rows).await
}

async fn operators_change_accounts(world: &mut World) {
    let new = |id: &str| {
        post(
            USERS,
            json!({ "external_id": id, "nickname": "엘프", "xp": 40 }),
        )
    };
    let created = world
        .prove(
            "POST /admin/api/users/",
            new("elf-00"),
            new("elf-01"),
            &[
                "user",
                "user_profiles",
                "season_pass_progress",
                "reward_log",
            ],
        )
        .await;
    assert!(created["generated_password"].is_string());
    // The name in the path is gone afterwards, and so is what was loaded.
    let edit = |xp: i64| {
        let edit = json!({ "external_id": "elf-02", "xp": xp, "status": "BLOCKED",
            "is_blocked": false, "reset_password": true, "version": created["version"] });
        put(format!("{USERS}external_id:elf-00"), edit)
    };
    world
        .prove(
            "PUT /admin/api/users/{id}",
            edit(60),
            edit(80),
            &["user", "user_profiles", "season_pass_progress"],
        )
        .await;
    let import = |rows| table("/admin/api/users/import?dry_run=false", rows);
    let rows =
        "external_id,nickname,password,status\nelf-03,엘프,elf-password-3,\nelf-02,요정,,ACTIVE\n";
    let imported = world
        .prove(
            "POST /admin/api/users/import",
            import(rows),
            import("external_id,nickname\nelf-04,엘프\n"),
            &["user", "user_profiles"],
        )
        .await;
    assert_eq!(imported["lines"][1]["external_id"], "elf-02");
    assert_eq!(
        imported["lines"][1]["changes"],
        json!(["nickname", "status"])
    );
    let anonymise = format!("{USERS}external_id:elf-02/anonymise");
    world
        .prove(
            "POST /admin/api/users/{id}/anonymise",
            bare("POST", anonymise.as_str()),
            post(anonymise.as_str(), json!({})),
            &["user", "user_profiles"],
        )
        .await;
    for secret in ["elf-password-3", "elf-02", "elf-03", "엘프", "요정"] {
        let stored = format!("SELECT COUNT(*) FROM idempotency_key WHERE result LIKE '%{secret}%'");
        assert_eq!(world.app.test.count(&stored).await, 0, "{secret}");
    }
    // Nor is a fingerprint one of a password that anybody could try.
    let path = "/admin/api/users/import";
    let import = RequestKey::new("k", "POST", path, rows.as_bytes()).unwrap();
    assert_eq!(stored_under(&world.app, &import).await, 0);
    // As it would be found, if it were one.
    let body = serde_json::to_vec(&json!({ "external_id": "santa", "token_type": "DICE_TOKEN",
        "amount": 3 }));
    let path = "/admin/api/game-tokens/grant";
    let grant = RequestKey::new("k", "POST", path, &body.unwrap()).unwrap();
    assert_eq!(stored_under(&world.app, &grant).await, 1);
}

/// Nine in the morning of a day.
fn on(world: &World, year: i32, month: u32, day: u32) {
    let day = EventDay::from_ymd(year, month, day).unwrap();
    world
        .app
        .clock
        .set(day.start() + chrono::TimeDelta::hours(9));
}

async fn all_keys(world: &World) {
    for day in 1..=7 {
        let key = json!({ "day": day, "external_id": "santa", "reason": "보상" });
        world.admin.post(KEYS, &key).await.expect_status(200);
    }
}

async fn operators_work_on_the_bridge(world: &mut World) {
    on(world, 2025, 12, 31);
    world.admin = world.app.admin("night").await;
    let all = |day: i64| {
        post(
            KEYS,
            json!({ "day": day, "all_active": true, "reason": "장애 보상", "dry_run": false }),
        )
    };
    let operation = "POST /admin/api/event-bridge/keys";
    let given = world
        .prove(
            operation,
            all(3),
            all(4),
            &["event_bridge_gift", "user_profiles"],
        )
        .await;
    assert_eq!(given["given_now"], 1);
    let one = |day: i64| {
        post(
            KEYS,
            json!({ "day": day, "external_id": "santa", "reason": "보상" }),
        )
    };
    let to_one = world
        .prove(
            operation,
            one(1),
            one(2),
            &["event_bridge_gift", "user_profiles"],
        )
        .await;
    assert_eq!(to_one["given_now"], 1);
    let revert = |reason: &str| {
        let path = format!("{KEYS}/{}/revert", given["gift_id"]);
        post(path, json!({ "dry_run": false, "reason": reason }))
    };
    let (sent, other) = (revert("다른 날의 열쇠"), revert("다른 이유"));
    let operation = "POST /admin/api/event-bridge/keys/{id}/revert";
    let tables = ["event_bridge_gift_key", "user_profiles"];
    world.prove(operation, sent, other, &tables).await;
    all_keys(world).await;
    on(world, 2026, 1, 1);
    world.admin = world.app.admin("new-year").await;
    let settle = |body: Value| post("/admin/api/event-bridge/settle", body);
    let settled = world
        .prove(
            "POST /admin/api/event-bridge/settle",
            settle(json!({ "dry_run": false })),
            settle(json!({ "dry_run": false, "bridge_id": 1 })),
            &["reward_log", "wallet_ledger", "user_game_wallet"],
        )
        .await;
    assert_eq!(settled["run"]["paid"], 1);
    let close = "/admin/api/event-bridge/close";
    world
        .prove(
            "POST /admin/api/event-bridge/close",
            bare("POST", close),
            post(close, json!({ "bridge_id": 1 })),
            &["event_bridge"],
        )
        .await;
}

#[tokio::test]
async fn every_operation_that_takes_a_key_does_its_work_once() {
    let mut world = World::start().await;
    players_do(&mut world).await;
    operators_move_tokens(&mut world).await;
    operators_decide_about_rewards(&mut world).await;
    operators_fill_the_stock(&mut world).await;
    operators_change_accounts(&mut world).await;
    operators_work_on_the_bridge(&mut world).await;
    let declared = mutating().into_iter().filter(|(_, takes_key)| *takes_key);
    let declared: BTreeSet<String> = declared.map(|(operation, _)| operation).collect();
    assert_eq!(world.proved, declared);
    assert_eq!(world.app.app.audit().run().await.unwrap().violations(), 0);
}

/// How many at once send the same.
const AT_ONCE: usize = 4;

#[tokio::test]
async fn the_same_request_several_times_at_once_has_one_effect() {
    let world = World::start().await;
    let waiting = waiting(&world).await;
    let jackpots =
        "SELECT COUNT(*) FROM reward_log WHERE state = 'DELIVERED' AND reward_type = 'POINT'";
    reach_level_seven(&world).await;
    let cases = [
        (
            bare("POST", "/api/dice/play"),
            "SELECT COUNT(*) FROM feature_log",
            1,
        ),
        (
            post("/api/season-pass/claim", json!({ "level": 7 })),
            "SELECT COUNT(*) FROM season_pass_reward_log WHERE level = 7",
            1,
        ),
        (
            bare("POST", format!("{REVIEW}{}/approve", waiting[0])),
            jackpots,
            1,
        ),
        (
            post(
                "/admin/api/game-tokens/grant",
                json!({ "external_id": "santa", "token_type": "CC_COIN", "amount": 7 }),
            ),
            "SELECT COALESCE(SUM(delta), 0) FROM wallet_ledger WHERE asset = 'CC_COIN'",
            7,
        ),
        (
            table("/admin/api/coupons/1/codes", "code\nBBBB-0001\nBBBB-0002\n"),
            "SELECT COUNT(*) FROM coupon_code",
            2,
        ),
        (
            post(USERS, json!({ "external_id": "elf-00" })),
            "SELECT COUNT(*) FROM `user`",
            1,
        ),
        (
            put(format!("{USERS}external_id:elf-00"), json!({ "xp": 60 })),
            "SELECT COUNT(*) FROM reward_log WHERE source = 'CORRECTION'",
            1,
        ),
        (
            table(
                "/admin/api/users/import?dry_run=false",
                "external_id,nickname\nelf-01,엘프\nelf-02,엘프\n",
            ),
            "SELECT COUNT(*) FROM `user`",
            2,
        ),
        (
            post(
                KEYS,
                json!({ "day": 1, "external_id": "santa", "reason": "보상" }),
            ),
            "SELECT COUNT(*) FROM event_bridge_gift_key",
            1,
        ),
        (
            post(
                KEYS,
                json!({ "day": 2, "all_active": true, "reason": "보상", "dry_run": false }),
            ),
            "SELECT COUNT(*) FROM event_bridge_gift",
            1,
        ),
    ];
    for (place, (sent, sum, delta)) in cases.iter().enumerate() {
        let before = world.app.test.count(sum).await;
        let key = format!("at-once-{place}");
        let client = world.client(sent);
        let answers = join_all((0..AT_ONCE).map(|_| send(client, sent, &key))).await;
        for answer in &answers {
            assert!(
                (200..300).contains(&answer.status),
                "{sent:?}: {}",
                answer.text
            );
            assert_eq!(essence(answer), essence(&answers[0]), "{sent:?}");
        }
        let fresh = answers.iter().filter(|answer| !answer.is_replayed());
        assert_eq!(fresh.count(), 1, "{sent:?}");
        let after = world.app.test.count(sum).await;
        assert_eq!(after - before, *delta, "{sent:?}");
        let kept = format!("SELECT COUNT(*) FROM idempotency_key WHERE idem_key = '{key}'");
        assert_eq!(world.app.test.count(&kept).await, 1);
    }
    assert_eq!(world.app.app.audit().run().await.unwrap().violations(), 0);
}

#[tokio::test]
async fn a_refusal_and_a_look_leave_the_key_free() {
    let world = World::start().await;
    let keys = "SELECT COUNT(*) FROM idempotency_key";
    let refused = [
        bare("POST", format!("{REVIEW}999/approve")),
        post(
            "/admin/api/event-bridge/settle",
            json!({ "dry_run": false }),
        ),
        post(USERS, json!({ "external_id": "santa" })),
        table("/admin/api/coupons/999/codes", "code\nAAAA-0001\n"),
        bare("POST", "/admin/api/event-bridge/close"),
        post(
            format!("{KEYS}/999/revert"),
            json!({ "dry_run": false, "reason": "보상" }),
        ),
        post(
            "/admin/api/game-tokens/batches/999/revert",
            json!({ "dry_run": false, "reason": "보상" }),
        ),
    ];
    for sent in refused {
        let answer = send(&world.admin, &sent, "k").await;
        assert!(answer.status >= 400, "{sent:?}");
        assert_ne!(answer.code(), "IDEMPOTENCY_KEY_REUSED");
    }
    for sent in [
        post("/admin/api/event-bridge/settle", json!({ "dry_run": true })),
        table(
            "/admin/api/coupons/1/codes?dry_run=true",
            "code\nAAAA-0001\n",
        ),
        table(
            "/admin/api/users/import?dry_run=true",
            "external_id\nelf-00\n",
        ),
    ] {
        let answer = send(&world.admin, &sent, "k").await.expect_status(200);
        assert!(!answer.is_replayed(), "{sent:?}");
    }
    assert_eq!(world.app.test.count(keys).await, 0);
    let codes = table("/admin/api/coupons/1/codes", "code\nAAAA-0001\n");
    send(&world.admin, &codes, "k").await.expect_status(200);
    // Another operator's key is another one.
    let other = world.app.admin("other").await;
    let approve = bare("POST", format!("{REVIEW}999/approve"));
    let answer = send(&other, &approve, "k").await;
    answer.expect_error(404, "REWARD_NOT_FOUND");
    assert_eq!(world.app.test.count(keys).await, 1);
}

/// The instants at which each of the answers was stored that are left.
async fn left(app: &TestApp) -> Vec<DateTime<Utc>> {
    // Which is done once an hour.
    app.test.execute("DELETE FROM job_result").await;
    app.app.keep_house(app.clock.now()).await.unwrap();
    let rows = "SELECT CAST(created_at AS CHAR) FROM idempotency_key ORDER BY created_at";
    let rows = texts(app, rows.to_owned()).await;
    let instant = |text: &String| {
        let text = text.trim_end_matches(" +00:00");
        let instant = format!("{}+00:00", text.replace(' ', "T")).parse();
        instant.unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    rows.iter().map(instant).collect()
}

#[tokio::test]
async fn stored_answers_are_removed_when_no_season_of_their_time_is_served_any_more() {
    let app = TestApp::start().await;
    let user = app.player("santa", 0).await.identity().user_id;
    let moment = chrono::TimeDelta::microseconds(1);
    let january = |day| EventDay::from_ymd(2026, 1, day).unwrap().start();
    // The season ends on the 31st of December, and its grace on the 7th of January.
    let over = january(8);
    let second_begins = january(5);
    let written = [
        app.clock.now(),
        second_begins - moment,
        second_begins,
        over - moment,
        over,
    ];
    for (key, at) in written.iter().enumerate() {
        let row = format!(
            "INSERT INTO idempotency_key (user_id, idem_key, fingerprint, result, created_at) \
             VALUES ({user}, 'k{key}', 'f', '{{}}', '{}')",
            at.format("%Y-%m-%d %H:%M:%S%.6f")
        );
        app.test.execute(&row).await;
    }
    // Many more than one transaction removes.
    for chunk in 0..5 {
        let rows: Vec<String> = (0..100)
            .map(|row| {
                format!("({user}, 'old-{chunk}-{row}', 'f', '{{}}', '2025-12-26 00:00:00.000000')")
            })
            .collect();
        let insert = format!(
            "INSERT INTO idempotency_key (user_id, idem_key, fingerprint, result, created_at) VALUES {}",
            rows.join(", ")
        );
        app.test.execute(&insert).await;
    }
    let all = 500 + written.len();
    assert_eq!(left(&app).await.len(), all);
    app.clock.set(over - moment);
    assert_eq!(left(&app).await.len(), all);
    // A second season, whose days and grace lie over those of the first one.
    let second = "INSERT INTO season_pass_config (id, season_name, start_date, end_date, max_level, \
                  base_xp_per_stamp, max_xp_bonus, grace_days, internal_win_threshold, is_active, \
                  created_at, updated_at) SELECT 2, 'second', '2026-01-05', '2026-01-10', max_level, \
                  base_xp_per_stamp, max_xp_bonus, 7, internal_win_threshold, 0, created_at, \
                  updated_at FROM season_pass_config WHERE id = 1";
    app.test.execute(second).await;
    assert_eq!(left(&app).await.len(), all);
    app.clock.set(over);
    assert_eq!(left(&app).await, written[2..]);
    app.clock.set(january(18) - moment);
    assert_eq!(left(&app).await, written[2..]);
    app.clock.set(january(18));
    assert!(left(&app).await.is_empty());
}

#[tokio::test]
async fn without_a_season_that_is_over_every_stored_answer_stays() {
    let app = TestApp::start().await;
    let user = app.player("santa", 0).await.identity().user_id;
    let row = format!(
        "INSERT INTO idempotency_key (user_id, idem_key, fingerprint, result, created_at) \
         VALUES ({user}, 'k', 'f', '{{}}', '2020-01-01 00:00:00.000000')"
    );
    app.test.execute(&row).await;
    for table in [
        "event_bridge_day",
        "event_bridge",
        "season_pass_level",
        "season_pass_config",
    ] {
        app.test.execute(&format!("DELETE FROM {table}")).await;
    }
    app.clock.advance(chrono::TimeDelta::days(3_650));
    assert_eq!(left(&app).await.len(), 1);
}

/// Work in many transactions that was cut off before its end: what it did stands, and the key is noted.
#[tokio::test]
async fn a_settlement_that_was_cut_off_is_ended_by_the_same_request_and_by_no_other() {
    let mut world = World::start().await;
    on(&world, 2025, 12, 31);
    world.admin = world.app.admin("night").await;
    all_keys(&world).await;
    on(&world, 2026, 1, 1);
    world.admin = world.app.admin("new-year").await;
    let settle = |body: Value| post("/admin/api/event-bridge/settle", body);
    let (sent, other) = (
        settle(json!({ "dry_run": false })),
        settle(json!({ "dry_run": false, "bridge_id": 1 })),
    );
    let first = send(&world.admin, &sent, "k").await.expect_status(200);
    assert_eq!(first.body["run"]["paid"], 1);
    let cut = "UPDATE idempotency_key SET result = '{\"v\":1}' WHERE idem_key = 'k'";
    world.app.test.execute(cut).await;
    let refused = send(&world.admin, &other, "k").await;
    refused.expect_error(422, "IDEMPOTENCY_KEY_REUSED");
    let paid = "SELECT COUNT(*) FROM reward_log WHERE source = 'BRIDGE'";
    for is_replayed in [false, true] {
        let again = send(&world.admin, &sent, "k").await.expect_status(200);
        assert_eq!(again.is_replayed(), is_replayed);
        assert_eq!(again.body["run"]["paid"], 0);
        assert_eq!(again.body["certificate"], first.body["certificate"]);
        assert_eq!(world.app.test.count(paid).await, 1);
    }
}
