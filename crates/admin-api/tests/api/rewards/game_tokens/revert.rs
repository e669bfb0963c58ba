use futures_util::future::join_all;
use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::{Client, TestApp};

use super::{assert_clean, many_players};

const GRANT: &str = "/admin/api/game-tokens/grant-bulk?dry_run=false";
const REVOKE: &str = "/admin/api/game-tokens/revoke-bulk?dry_run=false";

fn path(batch: &str) -> String {
    format!("/admin/api/game-tokens/batches/{batch}")
}

fn revert(batch: &str) -> String {
    format!("{}/revert", path(batch))
}

fn wrong(dry_run: bool) -> Value {
    json!({ "dry_run": dry_run, "reason": "잘못된 수량" })
}

async fn give_coins(admin: &Client, batch: &str, amount: i64) -> Value {
    let body = json!({ "token_type": "ROULETTE_COIN", "amount": amount, "batch_id": batch,
        "filter": { "status": "ACTIVE" } });
    admin.post(GRANT, &body).await.expect_status(200).body
}

async fn coins(app: &TestApp, who: &str) -> i64 {
    let balance = format!(
        "SELECT w.balance FROM user_game_wallet w JOIN user u ON u.id = w.user_id \
         WHERE u.external_id = '{who}' AND w.asset = 'ROULETTE_COIN'"
    );
    app.test.count(&balance).await
}

#[tokio::test]
async fn a_wrong_batch_is_looked_at_taken_back_and_shown_both_ways() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let santa = app.player("santa", 0).await;
    app.player("rudolf", 1).await;
    let elf = app.player("elf", 0).await.identity();
    give_coins(&admin, "daily-1", 3).await;
    app.test.block(&elf).await;
    // As if played, without a chance to win coins.
    let spent = json!({ "external_id": "santa", "token_type": "ROULETTE_COIN", "amount": 2 });
    let spent = admin.post("/admin/api/game-tokens/revoke", &spent).await;
    spent.expect_status(200);
    let before = app.test.count("SELECT COUNT(*) FROM wallet_ledger").await;
    let look = admin.post(&revert("daily-1"), &wrong(true)).await;
    let look = look.expect_status(200).body;
    assert_eq!(
        (&look["dry_run"], &look["replayed"], &look["id"]),
        (&json!(true), &json!(false), &Value::Null)
    );
    let santa_is_short = json!([{ "user_id": santa.identity().user_id.0, "external_id": "santa",
        "token_type": "ROULETTE_COIN", "amount": 3, "moved": 1, "balance": 1 }]);
    assert_eq!(look["short"], santa_is_short);
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM wallet_ledger").await,
        before
    );

    app.clock.advance(chrono::TimeDelta::minutes(5));
    let done = admin.post(&revert("daily-1"), &wrong(false)).await;
    let done = done.expect_status(200);
    assert!(!done.is_replayed());
    let id = done.body["id"].as_i64().unwrap();
    insta::assert_json_snapshot!("revert", done.body);
    for (who, left) in [("santa", 0), ("rudolf", 1), ("elf", 0)] {
        assert_eq!(coins(&app, who).await, left, "{who}");
    }
    // Sent again, by whatever name: what became of it, and that nothing was done now.
    for name in ["daily-1", "1", "id:1", "batch_id:daily-1"] {
        for dry_run in [false, true] {
            let again = admin
                .post(&revert(name), &wrong(dry_run))
                .await
                .expect_status(200);
            assert!(again.is_replayed());
            let mut expected = done.body.clone();
            expected["replayed"] = json!(true);
            expected["dry_run"] = json!(dry_run);
            expected["short"][0]["balance"] = json!(0);
            assert_eq!(again.body, expected, "{name}");
        }
    }
    let batch = admin.get(&path("daily-1")).await.expect_status(200).body;
    assert_eq!(
        (&batch["reverted_by"], &batch["reverts"], &batch["state"]),
        (&json!(id), &Value::Null, &json!("DONE"))
    );
    let list = admin
        .get("/admin/api/game-tokens/batches/")
        .await
        .expect_status(200)
        .body;
    let links = list["items"].as_array().unwrap().iter();
    let links: Vec<_> = links
        .map(|item| {
            (
                item["id"].clone(),
                item["reverts"].clone(),
                item["reverted_by"].clone(),
            )
        })
        .collect();
    assert_eq!(
        links,
        [
            (json!(id), json!(1), Value::Null),
            (json!(1), Value::Null, json!(id))
        ]
    );
    // The same batch again says that it was taken back.
    let again = give_coins(&admin, "daily-1", 3).await;
    assert_eq!(
        (&again["replayed"], &again["reverted_by"]),
        (&json!(true), &json!(id))
    );
    let own = admin
        .post(&revert(&format!("id:{id}")), &wrong(false))
        .await;
    let own = own.expect_error(409, "BATCH_IS_REVERT");
    let problem =
        "batch must not be a revert: this one takes back batch 1; give or take anew instead.";
    assert_eq!(own.body["error"]["details"]["batch"], json!([problem]));
    for told in [
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BATCH_CREATE' \
         AND resource = 'batch:key:revert:1' AND reason = '잘못된 수량' AND actor = 'operator' \
         AND after_json LIKE '%\"batch_id\":\"daily-1\"%'",
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BATCH_DONE' \
         AND resource = 'batch:key:revert:1' AND reason = '잘못된 수량'",
        "SELECT COUNT(*) - 2 FROM wallet_ledger WHERE reference = 'batch:key:revert:1' \
         AND reason = 'ADMIN_REVOKE' AND delta IN (-3, -1)",
    ] {
        assert_eq!(app.test.count(told).await, 1, "{told}");
    }
    assert_clean(&app).await;
}

#[tokio::test]
async fn what_a_revert_needs_is_refused_by_name() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_players(&app, 2).await;
    give_coins(&admin, "daily", 2).await;
    let before = app.test.count("SELECT COUNT(*) FROM wallet_ledger").await;
    let said = "dry_run must be given: true only looks, false does the work.";
    let long = "x".repeat(192);
    let length = "reason must have 1 to 191 characters; got ";
    for (body, field, problem) in [
        (json!({ "reason": "x" }), "dry_run", said),
        (json!({ "dry_run": null, "reason": "x" }), "dry_run", said),
        (json!({ "dry_run": false }), "reason", length),
        (json!({ "dry_run": true, "reason": " " }), "reason", length),
        (
            json!({ "dry_run": false, "reason": long }),
            "reason",
            length,
        ),
    ] {
        let refused = admin.post(&revert("daily"), &body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let details = &refused.body["error"]["details"];
        assert_eq!(details.as_object().unwrap().len(), 1, "{body}");
        let told = details[field][0].as_str();
        assert!(told.is_some_and(|told| told.starts_with(problem)), "{body}");
    }
    let missing = admin.post(&revert("nightly"), &wrong(false)).await;
    missing.expect_error(404, "BATCH_NOT_FOUND");
    // A name that is made of whatever a name may be made of.
    let odd = "a/b%20+?#\"id:1";
    give_coins(&admin, odd, 1).await;
    let encoded = "a%2Fb%2520%2B%3F%23%22id%3A1";
    let found = admin.get(&path(encoded)).await.expect_status(200);
    assert_eq!(found.body["batch_id"], odd);
    // Batch 3 is called "1".
    give_coins(&admin, "1", 1).await;
    for request in [
        admin.get(&path("1")).await,
        admin.post(&revert("1"), &wrong(false)).await,
    ] {
        let two = request.expect_error(409, "BATCH_AMBIGUOUS");
        let problem = "batch must be id:1 or batch_id:1, which is batch 3.";
        assert_eq!(two.body["error"]["details"]["batch"], json!([problem]));
    }
    for (name, id) in [("id:1", 1), ("batch_id:1", 3), ("3", 3)] {
        let found = admin.get(&path(name)).await.expect_status(200);
        assert_eq!(found.body["id"], id, "{name}");
    }
    let after = app.test.count("SELECT COUNT(*) FROM wallet_ledger").await;
    assert_eq!(after, before + 2 * 2);
    // Nobody can take the name that a revert will have.
    let body = json!({ "token_type": "POINT", "amount": 1, "batch_id": "key:revert:1",
        "filter": { "status": "ACTIVE" } });
    admin
        .post(GRANT, &body)
        .await
        .expect_error(422, "VALIDATION_ERROR");
    // X-Reason does as well.
    let request = admin.request("POST".parse().unwrap(), &revert("id:1"));
    let request = request
        .header("x-reason", "oops")
        .json(&json!({ "dry_run": false }));
    let reverted = admin.send(request).await.expect_status(200);
    assert_eq!(reverted.body["reason"], "oops");
    assert_clean(&app).await;
}

#[tokio::test]
async fn what_was_taken_by_mistake_is_given_back() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let rich = app.player("rich", 0).await.identity();
    let poor = app.player("poor", 0).await.identity();
    app.give(rich, Asset::Point, 5_000).await;
    app.give(poor, Asset::Point, 40).await;
    let table = "external_id,amount,token_type\nrich,5000,POINT\npoor,15,POINT\n";
    let taken = admin
        .post_csv(&format!("{REVOKE}&batch_id=oops"), table)
        .await;
    taken.expect_status(200);
    let back = admin.post(&revert("oops"), &wrong(false)).await;
    let back = back.expect_status(200).body;
    assert_eq!(back["kind"], "GRANT");
    assert_eq!(
        back["done"],
        json!({ "players": 2, "totals": { "POINT": 5_015 } })
    );
    assert_eq!(back["short_totals"], json!({}));
    let sum = "SELECT SUM(balance) FROM user_game_wallet WHERE asset = 'POINT'";
    assert_eq!(app.test.count(sum).await, 5_040);
    assert_clean(&app).await;
}

/// A look says of players who were anonymised what is done: they are passed over.
#[tokio::test]
async fn nothing_is_taken_back_from_a_player_who_was_anonymised_or_given_back() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let gone = app.player("gone", 0).await.identity();
    app.player("here", 0).await;
    give_coins(&admin, "given", 3).await;
    let table = "external_id,amount,token_type\ngone,1,ROULETTE_COIN\nhere,1,ROULETTE_COIN\n";
    let taken = format!("{REVOKE}&batch_id=taken");
    let taken = admin.post_csv(&taken, table).await;
    taken.expect_status(200);
    let id = gone.user_id;
    let anonymise = format!("/admin/api/users/{id}/anonymise");
    let anonymise = admin.post(&anonymise, &json!({})).await;
    anonymise.expect_status(200);
    for (batch, amount, left) in [("taken", 1, 3), ("given", 3, 0)] {
        let look = admin.post(&revert(batch), &wrong(true)).await;
        let look = look.expect_status(200).body;
        let passed_over = json!([{ "user_id": id, "external_id": format!("anon-{id}"),
            "token_type": "ROULETTE_COIN", "amount": amount, "moved": 0, "balance": 2 }]);
        assert_eq!(look["short"], passed_over, "{batch}");
        assert_eq!(look["short_totals"], json!({ "ROULETTE_COIN": amount }));
        let done = admin.post(&revert(batch), &wrong(false)).await;
        let done = done.expect_status(200).body;
        for field in [
            "players",
            "totals",
            "short",
            "short_players",
            "short_totals",
        ] {
            assert_eq!(done[field], look[field], "{batch}: {field}");
        }
        let moved = json!({ "players": 1, "totals": { "ROULETTE_COIN": amount } });
        assert_eq!(done["done"], moved, "{batch}");
        assert_eq!(coins(&app, "here").await, left, "{batch}");
    }
    assert_eq!(coins(&app, &format!("anon-{id}")).await, 2);
    assert_clean(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn plays_and_reverts_at_once_neither_make_nor_lose_a_coin() {
    const PLAYERS: usize = 20;
    let app = TestApp::start().await;
    let admins = [app.admin("operator").await, app.admin("colleague").await];
    let mut players = Vec::new();
    for number in 0..PLAYERS {
        players.push(app.player(&format!("p-{number}"), 0).await);
    }
    give_coins(&admins[0], "wrong", 3).await;
    let plays = players
        .iter()
        .flat_map(|player| (0..3).map(move |_| player));
    let plays = join_all(plays.map(|player| player.play("/api/roulette/play")));
    let body = wrong(false);
    let (one, two) = (revert("wrong"), revert("batch_id:wrong"));
    let reverts = async {
        let both = [(&admins[0], &one), (&admins[1], &two)];
        join_all(both.map(|(admin, path)| admin.post(path, &body))).await
    };
    let (plays, reverts) = tokio::join!(plays, reverts);
    let mut played = 0;
    for play in plays {
        match play.status {
            200 => played += 1,
            _ => drop(play.expect_error(400, "NOT_ENOUGH_TOKENS")),
        }
    }
    let all = i64::try_from(PLAYERS * 3).unwrap();
    let taken = "SELECT COALESCE(-SUM(delta), 0) FROM wallet_ledger \
                 WHERE reference LIKE 'batch:key:revert:%'";
    let taken = app.test.count(taken).await;
    // What the wheel has given in coins is the players' own, and may have been taken in the place of others.
    let won = "SELECT COALESCE(SUM(delta), 0) FROM wallet_ledger WHERE asset = 'ROULETTE_COIN' \
               AND delta > 0 AND reference NOT LIKE 'batch:%'";
    let won = app.test.count(won).await;
    let left = "SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet \
                WHERE asset = 'ROULETTE_COIN'";
    let left = app.test.count(left).await;
    assert_eq!(taken + played + left, all + won);
    for answer in reverts {
        let answer = answer.expect_status(200).body;
        let moved = answer["done"]["totals"]["ROULETTE_COIN"]
            .as_i64()
            .unwrap_or(0);
        let missing = answer["short_totals"]["ROULETTE_COIN"]
            .as_i64()
            .unwrap_or(0);
        assert_eq!((moved, moved + missing), (taken, all));
    }
    assert_eq!(app.test.count("SELECT COUNT(*) FROM wallet_batch").await, 2);
    assert_clean(&app).await;
}

/// Each of these is found by the audit, and by nothing else.
#[tokio::test]
async fn the_audit_finds_batches_that_do_not_agree_with_the_ledger() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    many_players(&app, 3).await;
    give_coins(&admin, "daily", 2).await;
    give_coins(&admin, "wrong", 3).await;
    admin
        .post(&revert("wrong"), &wrong(false))
        .await
        .expect_status(200);
    assert_clean(&app).await;
    const LEDGER: &str = "every item of a batch is in the ledger as far as it is done";
    const ITEM: &str = "every ledger of a batch has its item, and every item its batch";
    const PLANNED: &str = "a batch that is done has nothing planned";
    const REVERT: &str = "a revert takes back what its batch has done, and no more";
    // Batch 3 takes batch 2 back.
    for (change, back, expected) in [
        (
            "amount = 3 WHERE batch_id = 1",
            "amount = 2 WHERE batch_id = 1",
            &[LEDGER][..],
        ),
        (
            "state = 'PLANNED' WHERE batch_id = 1",
            "state = 'DONE' WHERE batch_id = 1",
            &[LEDGER, PLANNED],
        ),
        (
            "state = 'SHORT' WHERE batch_id = 2",
            "state = 'DONE' WHERE batch_id = 2",
            &[LEDGER, REVERT],
        ),
        (
            "state = 'SHORT', part_moved = 3 WHERE batch_id = 3",
            "state = 'DONE', part_moved = 0 WHERE batch_id = 3",
            &[REVERT],
        ),
        (
            "part_moved = 1 WHERE batch_id = 1",
            "part_moved = 0 WHERE batch_id = 1",
            &[REVERT],
        ),
    ] {
        let set = |what: &str| format!("UPDATE wallet_batch_item SET {what}");
        app.test.execute(&set(change)).await;
        let report = app.app.audit().run().await.unwrap();
        let found = report.checks.iter().filter(|check| check.violations > 0);
        let found: Vec<_> = found.map(|check| check.name).collect();
        assert_eq!(found, expected, "{change}");
        app.test.execute(&set(back)).await;
        assert_clean(&app).await;
    }
    // Somebody to whom the batch has given, and whom its revert leaves out.
    let left_out = "DELETE FROM wallet_batch_item WHERE batch_id = 3 AND user_id = \
                    (SELECT MAX(user_id) FROM wallet_ledger)";
    app.test.execute(left_out).await;
    let report = app.app.audit().run().await.unwrap();
    let found = report.checks.iter().filter(|check| check.violations > 0);
    let found: Vec<_> = found.map(|check| (check.name, check.violations)).collect();
    assert_eq!(found, [(ITEM, 1), (REVERT, 1)]);
}
