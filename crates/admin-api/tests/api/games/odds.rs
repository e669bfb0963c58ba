use serde_json::{Value, json};
use xmas_kernel::Asset;
use xmas_test_support::TestApp;

const PATH: &str = "/admin/api/odds/dice";

fn ids(report: &Value) -> Vec<i64> {
    let items = report["items"].as_array().unwrap().iter();
    items
        .map(|table| table["odds_id"].as_i64().unwrap())
        .collect()
}

#[tokio::test]
async fn declared_and_observed_stand_side_by_side() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 0).await);
    app.give(player.identity(), Asset::DiceToken, 12).await;
    for _ in 0..12 {
        player.play("/api/dice/play").await.expect_status(200);
    }
    let report = admin.get(PATH).await.expect_status(200).body;
    assert_eq!(
        (&report["feature_type"], &report["next_cursor"]),
        (&json!("DICE"), &Value::Null)
    );
    let table = &report["items"][0];
    assert_eq!(
        (&table["in_force"], &table["draws"], &table["total_weight"]),
        (&json!(true), &json!(12), &json!(1296))
    );
    assert_eq!(table["first_play"], "2025-12-26T09:00:00.000000+09:00");
    assert_eq!(
        (&table["degrees"], &table["is_reliable"]),
        (&json!(2), &json!(false))
    );
    assert!((0.0..=1.0).contains(&table["p_value"].as_f64().unwrap()));
    let entries = table["entries"].as_array().unwrap();
    let observed: i64 = entries
        .iter()
        .map(|entry| entry["observed"].as_i64().unwrap())
        .sum();
    let shares: f64 = entries
        .iter()
        .map(|entry| entry["observed_share"].as_f64().unwrap())
        .sum();
    assert_eq!(observed, 12);
    assert!((shares - 1.0).abs() < 1e-9);
    let win = &entries[0];
    assert_eq!(
        (
            &win["label"],
            &win["weight"],
            &win["reward_type"],
            &win["reward_amount"]
        ),
        (&json!("WIN"), &json!(575), &json!("POINT"), &json!(500))
    );
    assert!((win["declared"].as_f64().unwrap() - 575.0 / 1296.0).abs() < 1e-12);
}

#[tokio::test]
async fn past_tables_are_there_page_by_page_in_a_fixed_number_of_statements() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 0).await);
    app.give(player.identity(), Asset::DiceToken, 9).await;
    for points in 1..=5 {
        let edit = json!({ "win_reward_value": points });
        admin
            .put("/admin/api/dice-config/1", &edit)
            .await
            .expect_status(200);
        player.play("/api/dice/play").await.expect_status(200);
    }
    let all = admin.get(PATH).await.expect_status(200).body;
    // The tables that the event began with have the first numbers, one for each game.
    assert_eq!(ids(&all), [8, 7, 6, 5, 4, 2]);
    let in_force: Vec<_> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["in_force"] == true)
        .collect();
    assert_eq!(in_force, [true, false, false, false, false, false]);
    let draws = all["items"].as_array().unwrap().iter();
    let draws: Vec<_> = draws.map(|table| table["draws"].clone()).collect();
    assert_eq!(draws, [1, 1, 1, 1, 1, 0]);
    let mut counts = Vec::new();
    for limit in [1, 5] {
        let before = app.statements();
        admin
            .get(&format!("{PATH}?limit={limit}"))
            .await
            .expect_status(200);
        counts.push(app.statements() - before);
    }
    // The guard, the tables, two counts and the times; and at times the table in force, with what is planned and since
    // when it is.
    assert!(
        counts.iter().all(|count| (5..=8).contains(count)),
        "{counts:?}"
    );
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = admin
            .get(&format!("{PATH}?limit=2{cursor}"))
            .await
            .expect_status(200)
            .body;
        seen.extend(ids(&page));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, [8, 7, 6, 5, 4, 2]);
    let one = admin
        .get(&format!("{PATH}?odds_id=5"))
        .await
        .expect_status(200)
        .body;
    assert_eq!(
        (ids(&one), &one["items"][0]["entries"][0]["reward_amount"]),
        (vec![5], &json!(2))
    );
}

#[tokio::test]
async fn a_table_for_spreadsheets_has_a_line_for_each_entry() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 2).await);
    let rename = json!({ "segments": [{ "label": "=1+1" }, {}, {}, {}, {}, {}] });
    player.play("/api/roulette/play").await.expect_status(200);
    admin
        .put("/admin/api/roulette-config/1", &rename)
        .await
        .expect_status(200);
    player.play("/api/roulette/play").await.expect_status(200);
    for path in [
        "/admin/api/odds/roulette.csv",
        "/admin/api/odds/ROULETTE.csv/",
    ] {
        let csv = admin.get(path).await.expect_status(200);
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        assert_eq!(
            csv.headers["content-disposition"],
            "attachment; filename=\"odds-roulette.csv\""
        );
        let text = csv.text.strip_prefix('\u{feff}').unwrap();
        let lines: Vec<&str> = text.split_terminator("\r\n").collect();
        assert_eq!(lines.len(), 1 + 2 * 6);
        assert!(lines[0].starts_with("odds_id,content_hash,in_force,first_play"));
        assert!(
            lines[1].starts_with("4,")
                && lines[1].contains(",true,2025-12-26T09:00:00.000000+09:00,")
        );
        assert!(lines[1].contains(",'=1+1,NONE,0,120,0.12,"), "{}", lines[1]);
        assert!(lines[7].starts_with("1,") && lines[7].contains(",false,"));
    }
    let one = admin
        .get("/admin/api/odds/roulette.csv?odds_id=1")
        .await
        .expect_status(200);
    assert_eq!(one.text.lines().count(), 7);
}

#[tokio::test]
async fn what_is_no_game_or_no_table_has_no_report() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.anonymous()
        .get("/api/odds/dice")
        .await
        .expect_status(200);
    for path in [
        "season_pass",
        "RANKING",
        "poker",
        "%EB%A3%B0",
        "dice?odds_id=99",
        "roulette?odds_id=2",
    ] {
        for path in [
            format!("/admin/api/odds/{path}"),
            format!("/admin/api/odds/{}", path.replacen('?', ".csv?", 1)),
        ] {
            admin.get(&path).await.expect_error(404, "ODDS_NOT_FOUND");
        }
    }
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=51", "limit"),
        ("cursor=x", "cursor"),
        ("odds_id=x", "odds_id"),
        ("odds_id=-1", "odds_id"),
        ("odds_id=9000000000000001", "odds_id"),
    ] {
        let refused = admin
            .get(&format!("{PATH}?{query}"))
            .await
            .expect_error(422, "VALIDATION_ERROR");
        assert!(
            refused.body["error"]["details"][field].is_array(),
            "{}",
            refused.text
        );
    }
    // Nothing has been played, or looked at.
    let none = admin
        .get("/admin/api/odds/lottery?cursor=1")
        .await
        .expect_status(200)
        .body;
    assert_eq!(none["items"], json!([]));
    // A game that is broken now still tells of what it was.
    let off = json!({ "is_active": false });
    let saved = admin.put("/admin/api/dice-config/1", &off).await;
    saved.expect_status(200);
    let past = admin.get(PATH).await.expect_status(200).body;
    assert_eq!(past["items"][0]["in_force"], false);
    assert_eq!(past["items"][0]["p_value"], Value::Null);
}
