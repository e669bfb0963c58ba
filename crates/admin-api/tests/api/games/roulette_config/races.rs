//! Two at once.

use serde_json::json;
use xmas_games::fairness::{DrawReceipt, Published};
use xmas_kernel::Asset;
use xmas_test_support::TestApp;

use super::{PATH, item, load, new_wheel};

#[tokio::test]
async fn the_second_of_two_who_loaded_the_same_form_is_told() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let loaded = load(&admin, 1).await;
    let version = loaded["version"].as_str().unwrap();
    let edit = json!({ "name": "먼저", "version": version });
    let first = admin.put(&item(1), &edit).await.expect_status(200).body;
    assert_ne!(first["version"], loaded["version"]);
    let late = json!({ "name": "나중", "version": version });
    admin
        .put(&item(1), &late)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let request = admin.request("PUT".parse().unwrap(), &item(1));
    let request = request
        .json(&json!({ "name": "나중" }))
        .header("if-match", format!("\"{version}\""));
    admin
        .send(request)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    // Another wheel that is switched on changes this one.
    admin
        .post(PATH, &new_wheel("둘째"))
        .await
        .expect_status(201);
    admin
        .put(&item(2), &json!({ "is_active": true }))
        .await
        .expect_status(200);
    let late = json!({ "name": "나중", "version": first["version"] });
    admin
        .put(&item(1), &late)
        .await
        .expect_error(409, "VERSION_CONFLICT");
    let last = json!({ "name": "나중" });
    assert_eq!(
        admin.put(&item(1), &last).await.expect_status(200).body["name"],
        "나중"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_admins_at_once_leave_one_truth_and_one_active_wheel() {
    let app = TestApp::start().await;
    let admins = [app.admin("one").await, app.admin("two").await];
    for name in ["둘째", "셋째", "넷째"] {
        admins[0]
            .post(PATH, &new_wheel(name))
            .await
            .expect_status(201);
    }
    for round in 0..5 {
        let version = load(&admins[0], 1).await["version"].clone();
        let edits = admins.iter().map(|admin| {
            let admin = admin.clone();
            let name = format!("{round}: {}", admin.identity().user_id);
            let edit = json!({ "name": name, "version": version });
            tokio::spawn(async move { (admin.put(&item(1), &edit).await, name) })
        });
        let edits: Vec<_> = edits.collect();
        let mut winners = Vec::new();
        for edit in edits {
            let (answer, name) = edit.await.unwrap();
            match answer.status {
                200 => winners.push(name),
                _ => drop(answer.expect_error(409, "VERSION_CONFLICT")),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(load(&admins[0], 1).await["name"], json!(winners[0]));
    }
    let mut switches = Vec::new();
    for id in [2, 3, 4, 1, 3, 2] {
        for admin in &admins {
            let admin = admin.clone();
            switches.push(tokio::spawn(async move {
                admin
                    .put(&item(id), &json!({ "is_active": true }))
                    .await
                    .expect_status(200);
            }));
        }
    }
    for switch in switches {
        switch.await.unwrap();
    }
    let active = "SELECT COUNT(*) FROM roulette_config WHERE is_active = 1 AND active_slot = 1";
    assert_eq!(app.test.count(active).await, 1);
    let odds = app.anonymous().get("/api/odds/roulette").await;
    odds.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_spin_during_edits_is_drawn_from_a_table_that_was_in_force() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let mut players = Vec::new();
    for number in 0..8 {
        let player = app.player(&format!("elf-{number}"), 0).await;
        app.give(player.identity(), Asset::RouletteCoin, 8).await;
        players.push(player);
    }
    let plays: Vec<_> = players
        .iter()
        .cloned()
        .map(|player| {
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..8 {
                    let play = player.play("/api/roulette/play").await.expect_status(200);
                    ids.push(play.body["receipt"]["play_id"].as_i64().unwrap());
                }
                ids
            })
        })
        .collect();
    for weight in 1..=6 {
        let edit = json!({ "segments": [{ "weight": weight }, {}, {}, {}, {}, {}] });
        admin.put(&item(1), &edit).await.expect_status(200);
    }
    let mut ids = Vec::new();
    for play in plays {
        ids.push(play.await.unwrap());
    }
    // Every play names a table, and an entry of it.
    let report = admin
        .get("/admin/api/odds/roulette?limit=50")
        .await
        .expect_status(200)
        .body;
    let tables = report["items"].as_array().unwrap();
    let drawn: i64 = tables
        .iter()
        .map(|table| table["draws"].as_i64().unwrap())
        .sum();
    let known: i64 = tables
        .iter()
        .flat_map(|table| table["entries"].as_array().unwrap())
        .map(|entry| entry["observed"].as_i64().unwrap())
        .sum();
    assert_eq!((drawn, known), (64, 64));
    let audit = app.app.audit().run().await.unwrap();
    assert_eq!(audit.violations(), 0, "{audit:?}");
    // Each can be checked after the day, against the table that it names.
    app.clock.advance(chrono::TimeDelta::hours(16));
    for (number, ids) in ids.iter().enumerate() {
        let session = app.login(&format!("elf-{number}")).await.expect_status(200);
        let player = app.with_token(session.body["access_token"].as_str());
        for id in ids {
            let path = format!("/api/me/plays/{id}/draw");
            let receipt = player.get(&path).await.expect_status(200).text;
            let checked = DrawReceipt::verify(receipt.as_bytes(), Published::default());
            checked.unwrap();
        }
    }
}
