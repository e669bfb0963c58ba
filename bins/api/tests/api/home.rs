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
            "&lt;b onclick=&quot;x&quot;&gt;꽝 &amp; 끝&lt;/b&gt;</td><td>75.0000%</td>",
            "<td>핫팩</td><td>25.0000%</td><td>7</td>",
        ] {
            assert!(page.text.contains(told), "{told}: {}", page.text);
        }
    }
    let other = visitor.send(visitor.request(Method::POST, "/")).await;
    let other = other.expect_error(405, "METHOD_NOT_ALLOWED");
    assert_eq!(other.headers["allow"], "GET, HEAD");
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
