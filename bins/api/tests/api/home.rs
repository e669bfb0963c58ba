//! The page at `/`, and `HEAD` wherever `GET` is answered.

use reqwest::{Method, header};
use serde_json::json;
use xmas_test_support::TestApp;

#[tokio::test]
async fn a_browser_is_told_what_this_is_whether_it_runs_and_the_odds() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let prizes = json!({ "prizes": [
        { "label": "<b onclick=\"x\">꽝 & 끝</b>", "weight": 3, "reward_type": "NONE", "reward_value": 0 },
        { "label": "핫팩", "weight": 1, "stock": 7, "reward_type": "POINT", "reward_value": 5 },
    ] });
    let saved = admin.put("/admin/api/lottery-config/1", &prizes).await;
    saved.expect_status(200);
    let visitor = app.anonymous();
    for (language, runs, odds, dice) in [
        (
            "en",
            "It runs and takes requests.",
            "Odds today, 2025-12-26",
            "<td>A draw</td><td>11.2654%</td>",
        ),
        (
            "ko-KR",
            "정상 동작 중이며 요청을 받고 있습니다.",
            "오늘(2025-12-26)의 확률",
            "<td>무승부</td><td>11.2654%</td>",
        ),
    ] {
        let page = visitor.request(Method::GET, "/");
        let page = visitor
            .send(page.header(header::ACCEPT_LANGUAGE, language))
            .await;
        let page = page.expect_status(200);
        assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'unsafe-inline';"),
            "{policy}"
        );
        for told in [
            runs,
            odds,
            dice,
            "href=\"/api/docs/\"",
            "href=\"/api/fairness/2025-12-26\"",
            "&lt;b onclick=&quot;x&quot;&gt;꽝 &amp; 끝&lt;/b&gt;</td><td>75%</td>",
            "<td>핫팩</td><td>25%</td><td>7</td>",
        ] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
    }
    let other = visitor.send(visitor.request(Method::POST, "/")).await;
    let other = other.expect_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(other.headers["allow"], "GET, HEAD");
}

/// Worked out by hand from the event's weights: of 1,000 at the wheel and in the lottery; of the 6^4 = 1,296 throws of
/// four dice 1² + 2² + … + 6² + … + 2² + 1² = 146 have equal sums, and half of the others, 575, are won.
#[tokio::test]
async fn the_odds_of_the_first_page_are_those_that_a_hand_works_out() {
    let app = TestApp::start().await;
    let page = app.anonymous().get("/").await.expect_status(200).text;
    let rows = page.split("<tr><td>").skip(1);
    let shown: Vec<&str> = rows
        .map(|row| {
            row.split("</td>")
                .nth(1)
                .unwrap()
                .trim_start_matches("<td>")
        })
        .collect();
    let by_hand = [
        // 120, 220, 220, 200, 180 and 60 of 1,000.
        "12%", "22%", "22%", "20%", "18%", "6%",
        // 575/1296 = 0.443672…, 146/1296 = 0.112654…
        "44.3673%", "11.2654%", "44.3673%", // 400, 240, 240, 100 and 20 of 1,000.
        "40%", "24%", "24%", "10%", "2%",
    ];
    assert_eq!(shown, by_hand);
    // To the last digit, where the decimals do not end: 57500/1296 and 14600/1296 in lowest terms.
    let dice = app.anonymous().get("/api/odds/dice").await.body;
    let exact = dice["entries"].as_array().unwrap().iter();
    let exact: Vec<_> = exact.map(|entry| entry["percent_exact"].clone()).collect();
    assert_eq!(exact, ["14375/324", "1825/162", "14375/324"]);
}

#[tokio::test]
async fn the_page_tells_what_is_announced() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let plan = json!({ "effective_from": "2025-12-28T00:00:00+09:00",
        "config": { "win_reward_type": "POINT", "win_reward_value": 700 } });
    let planned = admin.post("/admin/api/dice-config/1/plans", &plan).await;
    let planned = planned.expect_status(201).body;
    let page = app.anonymous().request(Method::GET, "/");
    let page = page.header(header::ACCEPT_LANGUAGE, "ko");
    let page = app.anonymous().send(page).await.expect_status(200).text;
    let link = format!("href=\"/api/odds/dice?odds_id={}\"", planned["odds_id"]);
    for told in [
        "확률형 아이템 포함",
        "2025-12-28 00:00:00 KST부터 다른 확률표가 적용됩니다.",
        &link,
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    let app = TestApp::start().await;
    let visitor = app.anonymous();
    for path in [
        "/",
        "/health",
        "/readyz",
        "/api/docs/",
        "/api/docs/index.html",
        "/api/docs/openapi.json",
        "/api/odds/lottery",
    ] {
        let [head, get] = [Method::HEAD, Method::GET].map(|method| visitor.request(method, path));
        let get = visitor.send(get).await.expect_status(200);
        let head = visitor.send(head).await.expect_status(200);
        assert_eq!(head.text, "", "{path}");
        for name in ["content-type", "content-security-policy"] {
            assert_eq!(head.headers[name], get.headers[name], "{path}");
        }
    }
    let nothing = visitor.request(Method::HEAD, "/api/docs/nothing.js");
    visitor.send(nothing).await.expect_status(404);
}
