//! Whoever is a moment too late reaches nobody any more, and whoever was in time is in the answer.

use futures_util::future::join;
use serde_json::{Value, json};
use xmas_test_support::TestApp;

use super::{assert_sound, path_of};

const ROUNDS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_grant_is_in_what_is_given_up_or_was_refused() {
    let app = TestApp::start().await;
    let (admin, other) = (app.admin("operator").await, app.admin("other").await);
    for round in 0..ROUNDS {
        let player = app.player(&format!("santa-{round}"), 0).await;
        let id = player.identity().user_id;
        let order =
            json!({ "user_id": id, "token_type": "DICE_TOKEN", "amount": 5, "force": true });
        let (path, nothing) = (format!("{}/anonymise", path_of(&player)), json!({}));
        let grant = admin.post("/admin/api/game-tokens/grant", &order);
        let (granted, left) = match round % 2 {
            0 => join(grant, other.post(&path, &nothing)).await,
            _ => {
                let (left, granted) = join(other.post(&path, &nothing), grant).await;
                (granted, left)
            }
        };
        let balances = left.expect_status(200).body["given_up"]["balances"].clone();
        if granted.status == 200 {
            assert_eq!(balances, json!({ "DICE_TOKEN": 5 }));
        } else {
            granted.expect_error(409, "USER_ANONYMISED");
            assert_eq!(balances, json!({}));
        }
        let held =
            format!("SELECT COALESCE(SUM(delta), 0) FROM wallet_ledger WHERE user_id = {id}");
        let held = app.test.count(&held).await;
        assert_eq!(held, balances["DICE_TOKEN"].as_i64().unwrap_or(0));
    }
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_approval_spends_a_coupon_before_or_not_at_all() {
    let app = TestApp::start().await;
    let (admin, other) = (app.admin("operator").await, app.admin("other").await);
    let kind = json!({ "name": "경주 쿠폰" });
    let kind = admin.post("/admin/api/coupons/", &kind).await;
    let kind = kind.expect_status(201).body["id"].clone();
    let codes: String = (0..ROUNDS)
        .map(|code| format!("RACE-CODE-{code:04}\n"))
        .collect();
    let upload = format!("/admin/api/coupons/{kind}/codes?dry_run=false");
    let upload = admin.post_csv(&upload, &format!("code\n{codes}")).await;
    upload.expect_status(200);
    let mut approvals = 0;
    for round in 0..ROUNDS {
        let player = app.player(&format!("santa-{round}"), 0).await;
        let id = player.identity().user_id;
        app.test
            .execute(&format!(
                "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, reward_item, \
                 state, event_day, created_at) VALUES ({id}, 'race:{round}', 'CORRECTION', 'COUPON', 1, {kind}, \
                 'PENDING_REVIEW', '2025-12-26', '2025-12-26 00:00:00.000000')"
            ))
            .await;
        let reward = format!("SELECT id FROM reward_log WHERE grant_key = 'race:{round}'");
        let reward = app.test.count(&reward).await;
        let approve = format!("/admin/api/rewards/{reward}/approve");
        let (path, nothing) = (format!("{}/anonymise", path_of(&player)), json!({}));
        let (approved, left) = match round % 2 {
            0 => join(admin.play(&approve), other.post(&path, &nothing)).await,
            _ => {
                let (left, approved) =
                    join(other.post(&path, &nothing), admin.play(&approve)).await;
                (approved, left)
            }
        };
        let refused = left.expect_status(200).body["given_up"]["rewards"].clone();
        if approved.status == 200 {
            approvals += 1;
            assert_eq!(refused, 0);
        } else {
            approved.expect_error(409, "USER_ANONYMISED");
            assert_eq!(refused, 1);
        }
        let spent = "SELECT COUNT(*) FROM coupon_code WHERE reward_id IS NOT NULL";
        assert_eq!(app.test.count(spent).await, approvals);
    }
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_that_was_in_time_leads_nowhere() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for round in 0..ROUNDS {
        let name = format!("santa-{round}");
        let player = app.player(&name, 1).await;
        let path = format!("{}/anonymise", path_of(&player));
        let nothing = json!({});
        // The password takes some time, so the session would begin after the player has gone.
        let (session, left) = join(app.login(&name), admin.post(&path, &nothing)).await;
        left.expect_status(200);
        if session.status == 200 {
            let held = app.with_token(session.body["access_token"].as_str());
            held.get("/api/wallet")
                .await
                .expect_error(401, "TOKEN_INVALID");
            let played = held.play("/api/roulette/play").await;
            played.expect_error(401, "TOKEN_INVALID");
            let refresh = json!({ "refresh_token": session.body["refresh_token"] });
            let refreshed = app.anonymous().post("/api/auth/refresh", &refresh).await;
            refreshed.expect_error(401, "TOKEN_INVALID");
        } else {
            session.expect_error(401, "INVALID_CREDENTIALS");
        }
        let id = player.identity().user_id;
        let addresses = format!(
            "SELECT COUNT(*) FROM user_event_log WHERE user_id = {id} AND meta_json LIKE '%127.0.0.1%'"
        );
        assert_eq!(app.test.count(&addresses).await, 0);
        let sessions = format!(
            "SELECT COUNT(*) FROM refresh_token WHERE user_id = {id} AND revoked_at IS NULL"
        );
        assert_eq!(app.test.count(&sessions).await, 0);
    }
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_edit_or_an_import_does_not_name_them_again() {
    let app = TestApp::start().await;
    let (admin, other) = (app.admin("operator").await, app.admin("other").await);
    for round in 0..ROUNDS {
        let name = format!("santa-{round}");
        let player = app.player(&name, 0).await;
        let id = player.identity().user_id;
        let (path, nothing) = (format!("{}/anonymise", path_of(&player)), json!({}));
        let edit = json!({ "nickname": "새 이름", "status": "ACTIVE" });
        let own = path_of(&player);
        let table = format!("external_id,nickname,status\n{name},새 이름,ACTIVE\n");
        let import = "/admin/api/users/import?dry_run=false";
        let changed = async {
            match round % 2 {
                0 => admin.put(&own, &edit).await,
                _ => admin.post_csv(import, &table).await,
            }
        };
        let (changed, left) = join(changed, other.post(&path, &nothing)).await;
        left.expect_status(200);
        // An import that was too late has created somebody new.
        assert!(matches!(changed.status, 200 | 409), "{}", changed.text);
        let gone = format!(
            "SELECT COUNT(*) FROM `user` WHERE id = {id} AND external_id = 'anon-{id}' \
             AND nickname IS NULL AND status = 'INACTIVE'"
        );
        assert_eq!(app.test.count(&gone).await, 1, "{}", changed.text);
    }
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_memo_is_forgotten_or_refused() {
    let app = TestApp::start().await;
    let (admin, other) = (app.admin("operator").await, app.admin("other").await);
    for round in 0..ROUNDS {
        let player = app.player(&format!("santa-{round}"), 0).await;
        let id = player.identity().user_id;
        let (path, nothing) = (format!("{}/anonymise", path_of(&player)), json!({}));
        let row = json!([{ "user_id": id, "deposit_amount": 1, "play_count": 1, "memo": "단골" }]);
        let boards = "/admin/api/external-ranking/";
        let (saved, left) = join(admin.post(boards, &row), other.post(&path, &nothing)).await;
        left.expect_status(200);
        if saved.status != 200 {
            saved.expect_error(422, "VALIDATION_ERROR");
        }
        let memos = "SELECT COUNT(*) FROM external_ranking_data WHERE memo IS NOT NULL";
        assert_eq!(app.test.count(memos).await, 0);
    }
}

/// The memo that stood on a large board already, and comes with all of it again.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_memo_that_is_sent_again_does_not_come_back() {
    const OTHERS: usize = 2_500;
    const ROUNDS: usize = 16;
    let boards = "/admin/api/external-ranking/";
    let app = TestApp::start().await;
    let (admin, other) = (app.admin("operator").await, app.admin("other").await);
    let then = "'2025-12-26 00:00:00.000000'";
    let others = (0..OTHERS)
        .map(|other| format!("('elf-{other}', '!', 'PLAYER', 'ACTIVE', {then}, {then})"));
    let others = others.collect::<Vec<_>>().join(", ");
    for sql in [
        format!(
            "INSERT INTO `user` (external_id, password_hash, role, status, created_at, updated_at) \
             VALUES {others}"
        ),
        "INSERT INTO user_profiles (user_id, level, event_key_count, event_pending_points, is_blocked, \
         token_epoch, updated_at) SELECT id, 1, 0, 0, 0, 0, created_at FROM `user` \
         WHERE external_id LIKE 'elf-%'"
            .to_owned(),
    ] {
        app.test.execute(&sql).await;
    }
    let mut refusals = 0;
    for round in 0..ROUNDS {
        let player = app.player(&format!("santa-{round}"), 0).await;
        let id = player.identity().user_id;
        // Of every other one the deposit is new, so that the row itself is waited for.
        let row = |deposit: usize| json!({ "user_id": id, "deposit_amount": deposit, "play_count": 1, "memo": "단골" });
        let there = admin.post(boards, &json!([row(1)])).await;
        there.expect_status(200);
        let board = (0..OTHERS)
            .map(|other| json!({ "external_id": format!("elf-{other}"), "deposit_amount": round, "play_count": 1 }));
        let board: Vec<Value> = board.chain([row(1 + round % 2)]).collect();
        let upload = tokio::spawn({
            let admin = admin.clone();
            async move { admin.post(boards, &json!(board)).await }
        });
        // A little later each time.
        let begun = app.statements();
        let until = begun + u64::try_from(2 * round).unwrap();
        while app.statements() < until && !upload.is_finished() {
            tokio::task::yield_now().await;
        }
        let path = format!("{}/anonymise", path_of(&player));
        other.post(&path, &json!({})).await.expect_status(200);
        let saved = upload.await.unwrap();
        let is_saved = saved.status == 200;
        if !is_saved {
            let saved = saved.expect_error(422, "VALIDATION_ERROR");
            let problems = &saved.body["error"]["details"][format!("{OTHERS}.memo")];
            assert!(
                problems.to_string().contains("anonymised"),
                "{}",
                saved.text
            );
            refusals += 1;
        }
        let memos = "SELECT COUNT(*) FROM external_ranking_data WHERE memo IS NOT NULL";
        assert_eq!(app.test.count(memos).await, 0, "{round}, saved: {is_saved}");
    }
    assert!(refusals > 0, "every upload came too early to show anything");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_batch_reaches_a_player_before_or_not_at_all() {
    let app = TestApp::start().await;
    let (admin, other) = (app.admin("operator").await, app.admin("other").await);
    for round in 0..ROUNDS {
        let player = app.player(&format!("santa-{round}"), 0).await;
        let second = app
            .player(&format!("rudolf-{round}"), 0)
            .await
            .identity()
            .user_id;
        let id = player.identity().user_id;
        let table = format!("user_id,amount\n{id},5\n{second},5\n");
        let bulk = format!(
            "/admin/api/game-tokens/grant-bulk?token_type=DICE_TOKEN&dry_run=false&batch_id=b{round}"
        );
        let (path, nothing) = (format!("{}/anonymise", path_of(&player)), json!({}));
        let (batch, left) = join(admin.post_csv(&bulk, &table), other.post(&path, &nothing)).await;
        let balances = left.expect_status(200).body["given_up"]["balances"].clone();
        let held = format!(
            "SELECT COALESCE(SUM(balance), 0) FROM user_game_wallet \
             WHERE user_id = {id} AND asset = 'DICE_TOKEN'"
        );
        let held = app.test.count(&held).await;
        assert_eq!(held, balances["DICE_TOKEN"].as_i64().unwrap_or(0));
        if batch.status == 200 {
            // Whoever was passed over is told of.
            let (done, short) = (&batch.body["done"], &batch.body["short_players"]);
            let players = if held == 5 { 2 } else { 1 };
            assert_eq!(done["players"], players, "{}", batch.text);
            assert_eq!(*short, 2 - players, "{}", batch.text);
        } else {
            // The plan was made a moment too late.
            batch.expect_error(422, "VALIDATION_ERROR");
            assert_eq!(held, 0);
        }
    }
    assert_sound(&app).await;
}
