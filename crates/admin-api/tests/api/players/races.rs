use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::{join, join_all};
use serde_json::json;
use xmas_test_support::TestApp;

use super::{assert_sound, audits, get, path_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn after_a_block_nobody_plays_and_what_was_played_is_whole() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    for round in 0..3 {
        let player = app.player(&format!("santa-{round}"), 100).await;
        let path = path_of(&player);
        let is_blocked = Arc::new(AtomicBool::new(false));
        let plays = (0..6).map(|_| {
            let (player, is_blocked) = (player.clone(), is_blocked.clone());
            tokio::spawn(async move {
                let mut done = 0;
                for _ in 0..12 {
                    let was_blocked = is_blocked.load(Ordering::SeqCst);
                    let answer = player.play("/api/roulette/play").await;
                    match answer.status {
                        200 => {
                            assert!(!was_blocked, "a play after the block: {}", answer.text);
                            done += 1;
                        }
                        _ => drop(answer.expect_error(403, "USER_BLOCKED")),
                    }
                }
                done
            })
        });
        let plays: Vec<_> = plays.collect();
        let logged = format!(
            "SELECT COUNT(*) FROM feature_log WHERE user_id = {}",
            player.identity().user_id
        );
        while app.test.count(&logged).await < 5 {
            tokio::task::yield_now().await;
        }
        let block = json!({ "status": "BLOCKED" });
        admin.put(&path, &block).await.expect_status(200);
        is_blocked.store(true, Ordering::SeqCst);
        let mut done: i64 = 0;
        for play in plays {
            done += play.await.unwrap();
        }
        assert_eq!(app.test.count(&logged).await, done);
        assert!(done < 72, "the block came too late to show anything");
    }
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_admins_who_save_the_same_form_one_is_told() {
    let app = TestApp::start().await;
    let (one, two) = (app.admin("one").await, app.admin("two").await);
    let player = app.player("santa", 0).await;
    let path = path_of(&player);
    for round in 0..5 {
        let version = get(&one, &path).await["version"].clone();
        let edit = |name: &str| json!({ "nickname": format!("{name} {round}"), "xp": 10 * (round + 1), "version": version });
        let (edit_one, edit_two) = (edit("one"), edit("two"));
        let both = join(one.put(&path, &edit_one), two.put(&path, &edit_two)).await;
        let (winner, loser) = if both.0.status == 200 {
            both
        } else {
            (both.1, both.0)
        };
        loser.expect_error(409, "VERSION_CONFLICT");
        let winner = winner.expect_status(200);
        let shown = get(&one, &path).await;
        assert_eq!(shown["nickname"], winner.body["nickname"]);
        assert_eq!(shown["xp"], 10 * (round + 1));
    }
    assert_eq!(audits(&app).await, 5);
    // Without a version the last one wins, and XP is corrected to one of the two, not to their sum.
    let xp = [json!({ "xp": 200 }), json!({ "xp": 300 })];
    let saves = xp.iter().map(|edit| one.put(&path, edit));
    for saved in join_all(saves).await {
        saved.expect_status(200);
    }
    assert_eq!(get(&one, &path).await["xp"], 300);
    assert_sound(&app).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_admins_who_shut_each_other_out_one_is_left() {
    let app = TestApp::start().await;
    for round in 0..4 {
        let one = app.admin(&format!("one-{round}")).await;
        let two = app.admin(&format!("two-{round}")).await;
        let (path_one, path_two) = (path_of(&one), path_of(&two));
        let block = json!({ "status": "BLOCKED" });
        let both = join(one.put(&path_two, &block), two.delete(&path_one)).await;
        let done = [both.0.status == 200, both.1.status == 204];
        assert_eq!(done.into_iter().filter(|done| *done).count(), 1, "{both:?}");
    }
    let left = "SELECT COUNT(*) FROM `user` WHERE status = 'ACTIVE'";
    assert_eq!(app.test.count(left).await, 4);
}
