use serde_json::json;
use xmas_test_support::TestApp;

const BUNDLES: &str = "/admin/api/bundles/";

#[tokio::test]
async fn a_bundle_is_added_and_a_prize_can_name_it() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let body = json!({ "name": "상자", "items": [
        { "reward_type": "POINT", "reward_amount": 500 },
        { "reward_type": "TICKET_ROULETTE", "reward_amount": 2 },
    ] });
    let added = admin.post(BUNDLES, &body).await.expect_status(201).body;
    assert_eq!(
        (&added["name"], &added["items"]),
        (&body["name"], &body["items"])
    );
    let id = &added["id"];
    let item = admin
        .get(&format!("{BUNDLES}{id}"))
        .await
        .expect_status(200);
    assert_eq!(item.body, added);
    let boxes = json!({ "reward_type": "BUNDLE", "reward_value": 1, "reward_item": id });
    let wheel = json!({ "segments": vec![boxes; 6] });
    let saved = admin.put("/admin/api/roulette-config/1", &wheel).await;
    saved.expect_status(200);
    let player = app.player("santa", 1).await;
    player.play("/api/roulette/play").await.expect_status(200);
    let wallet = player.get("/api/wallet").await.body;
    assert_eq!(wallet["balances"]["POINT"], 500);
    assert_eq!(wallet["balances"]["ROULETTE_COIN"], 2);
    let told = format!(
        "SELECT COUNT(*) FROM admin_audit_log WHERE action = 'BUNDLE_CREATE' \
         AND resource = 'bundle:{id}' AND after_json LIKE '%TICKET_ROULETTE%'"
    );
    assert_eq!(app.test.count(&told).await, 1);
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_bundle_is_named() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.test.count("SELECT COUNT(*) FROM reward_bundle").await;
    let point = json!({ "reward_type": "POINT", "reward_amount": 1 });
    for (body, fields) in [
        (
            json!({ "name": "", "items": [point, { "reward_type": "BUNDLE", "reward_amount": 1 },
                { "reward_type": "POINT", "reward_amount": 0 }] }),
            vec!["name", "items.1.reward_type", "items.2.reward_amount"],
        ),
        (json!({ "name": "a", "items": [] }), vec!["items"]),
        (
            json!({ "name": "a", "items": vec![point.clone(); 21] }),
            vec!["items"],
        ),
        (
            json!({ "name": "룰렛 1장 + 주사위 1장", "items": [point] }),
            vec!["name"],
        ),
        (
            json!({ "name": "a", "items": [{ "reward_type": "POINT" }] }),
            vec!["items.0.reward_amount"],
        ),
        (
            json!({ "name": "a", "items": [point], "price": 1 }),
            vec!["price"],
        ),
        (json!({ "name": "a" }), vec!["items"]),
    ] {
        let answer = admin.post(BUNDLES, &body).await;
        let answer = answer.expect_error(422, "VALIDATION_ERROR");
        let details = answer.body["error"]["details"].as_object().unwrap();
        assert_eq!(details.len(), fields.len(), "{}", answer.text);
        for field in fields {
            assert!(details.contains_key(field), "{field}: {}", answer.text);
        }
    }
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM reward_bundle").await,
        before
    );
    assert_eq!(
        app.test.count("SELECT COUNT(*) FROM admin_audit_log").await,
        0
    );
    let unknown = admin.get(&format!("{BUNDLES}999")).await;
    unknown.expect_error(404, "BUNDLE_NOT_FOUND");
}

#[tokio::test]
async fn the_list_is_newest_first_and_a_constant_number_of_statements() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let list = async |query: &str| {
        let before = app.statements();
        let page = admin.get(&format!("{BUNDLES}{query}")).await;
        (page.expect_status(200).body, app.statements() - before)
    };
    let (two, few) = list("").await;
    assert_eq!(two["items"].as_array().unwrap().len(), 2);
    assert_eq!(
        two["items"][1]["items"][0]["reward_type"],
        "TICKET_ROULETTE"
    );
    for number in 0..6 {
        let body = json!({ "name": format!("상자 {number}"),
            "items": [{ "reward_type": "CC_COIN", "reward_amount": number + 1 }] });
        admin.post(BUNDLES, &body).await.expect_status(201);
    }
    let (eight, many) = list("").await;
    assert_eq!(eight["items"][0]["name"], "상자 5");
    // The guard, the bundles and what lies in them.
    assert_eq!((few, many), (3, 3));
    let (page, _) = list("?limit=5").await;
    let next = page["next_cursor"].as_str().unwrap();
    let (rest, _) = list(&format!("?limit=5&cursor={next}")).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 3);
}
