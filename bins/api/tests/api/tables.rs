//! Tables as real offices have them, on every path that takes one; and JSON as their editors save it.

use encoding_rs::EUC_KR;
use reqwest::Method;
use serde_json::{Value, json};
use xmas_test_support::{Answer, Client, TestApp};

const IMPORT: &str = "/admin/api/users/import?dry_run=false";
const CODES: &str = "/admin/api/coupons/1/codes?dry_run=false";
const GRANT: &str = "/admin/api/game-tokens/grant-bulk?token_type=POINT&dry_run=false&batch_id=b";
const BOARD: &str = "/admin/api/ranking/2025-12-26";
const EXTERNAL: &str = "/admin/api/external-ranking/";

async fn send(
    admin: &Client,
    (method, path): (Method, &str),
    content_type: &str,
    body: impl Into<Vec<u8>>,
) -> Answer {
    let request = admin.request(method, path).body(body.into());
    admin
        .send(request.header("content-type", content_type))
        .await
}

fn euc_kr(text: &str) -> Vec<u8> {
    EUC_KR.encode(text).0.into_owned()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn details(answer: &Answer) -> &Value {
    &answer.body["error"]["details"]
}

#[tokio::test]
async fn every_path_reads_what_its_charset_says() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let players =
        "external_id;nickname;password\r\n산타;\"루돌프; 코\";\"  겨울 왕국  \"\r\n;;\r\n";
    let imported = send(
        &admin,
        (Method::POST, IMPORT),
        "text/csv; charset=ks_c_5601-1987",
        euc_kr(players),
    )
    .await
    .expect_status(200);
    assert_eq!(imported.body["created"], 1);
    let named = "SELECT COUNT(*) FROM `user` \
        WHERE external_id = '산타' AND nickname = '루돌프; 코'";
    assert_eq!(app.test.count(named).await, 1);
    // Between quotes the spaces of a password count.
    let login = |password: &str| json!({ "external_id": "산타", "password": password });
    for (password, status) in [("  겨울 왕국  ", 200), ("겨울 왕국", 401)] {
        let client = app.anonymous();
        let answer = client.post("/api/auth/token", &login(password)).await;
        answer.expect_status(status);
    }

    let codes = "\u{feff}쿠폰-0001\r\n쿠폰-0002\r\n";
    for (path, body, rows) in [
        (CODES, utf_16(codes), 2),
        (CODES, b"code;;\rB-1;;\r;;\r".to_vec(), 1),
    ] {
        let added = send(&admin, (Method::POST, path), "text/csv", body).await;
        assert_eq!(added.expect_status(200).body["added"], rows);
    }
    let granted = "external_id\tamount\t\r\n산타\t70\t\r\n\t\t\r\n";
    let granted = send(
        &admin,
        (Method::POST, GRANT),
        "text/tab-separated-values; charset=utf-16le",
        utf_16(granted),
    )
    .await
    .expect_status(200);
    assert_eq!(granted.body["totals"]["POINT"], 70);
    // Not declared, and Korean without a doubt; the charset of the third table is in its mark.
    let board = euc_kr("sep=;\nrank;external_id;display_name;score\n1;산타;산타 할아버지;9\n");
    let board = send(&admin, (Method::PUT, BOARD), "text/csv", board).await;
    let board = board.expect_status(200).body;
    assert_eq!(board["items"][0]["display_name"], "산타 할아버지");
    let external = "\u{feff}external_id,deposit_amount,play_count,memo,\n\u{feff}산타,5,1,단골,\n";
    let external = send(&admin, (Method::POST, EXTERNAL), "text/csv", external).await;
    let external = external.expect_status(200).body;
    assert_eq!(external["items"][0]["memo"], "단골");
    let marked = "SELECT COUNT(*) FROM `user` WHERE external_id LIKE '%\u{feff}%'";
    assert_eq!(app.test.count(marked).await, 0);
}

#[tokio::test]
async fn what_could_be_read_wrongly_is_refused_and_nothing_is_stored() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let before = app.test.count("SELECT COUNT(*) FROM `user`").await;
    for (content_type, body, place) in [
        (
            "text/csv; charset=utf-8",
            euc_kr("external_id\n\n산타\n"),
            "line 3",
        ),
        (
            "text/csv; charset=euc-kr",
            b"external_id\n\xb0".to_vec(),
            "line 2",
        ),
        (
            "text/csv; charset=euc-kr",
            "external_id\n산타\n".into(),
            "csv",
        ),
        // "호" in CP949, or "ȣ" in UTF-8.
        ("text/csv", euc_kr("external_id\n호\n"), "csv"),
        ("text/csv", b"external_id\nJ\xf6rg\n".to_vec(), "line 2"),
        ("text/csv", utf_16("external_id\n산타\n"), "line 1"),
        ("text/csv", "external_id\n\u{fffd}\n".into(), "line 2"),
        (
            "text/csv",
            "external_id,nickname\n산타,\"x\n".into(),
            "line 2",
        ),
        ("text/csv", "external_id|nickname\n산타|x\n".into(), "csv"),
        (
            "text/csv",
            "external_id\n1.23457E+11\n".into(),
            "line 2.external_id",
        ),
        (
            "text/csv",
            "external_id\r\rsanta\rru\u{feff}dolf".into(),
            "line 4.external_id",
        ),
    ] {
        let refused = send(&admin, (Method::POST, IMPORT), content_type, body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        assert!(details(&refused)[place].is_array(), "{}", refused.text);
        for parser in ["CSV", "record", "byte position", "utf8", "serde"] {
            assert!(
                !refused.text.replace("CSV UTF-8", "").contains(parser),
                "{}",
                refused.text
            );
        }
    }
    assert_eq!(app.test.count("SELECT COUNT(*) FROM `user`").await, before);
}

#[tokio::test]
async fn what_is_no_table_is_told_what_to_send() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let paths = [
        (Method::POST, IMPORT),
        (Method::POST, CODES),
        (Method::POST, GRANT),
        (Method::PUT, BOARD),
        (Method::POST, EXTERNAL),
    ];
    for path in paths {
        for content_type in [
            "text/plain",
            "multipart/form-data; boundary=x",
            "application/x-www-form-urlencoded",
            "text/csv; charset=iso-8859-1",
            "text/csv; charset=klingon",
        ] {
            let refused = send(&admin, path.clone(), content_type, "external_id\na\n").await;
            let refused = refused.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
            let told = details(&refused)["Content-Type"][0].as_str().unwrap();
            let what = if content_type.contains("charset") {
                "euc-kr"
            } else {
                "text/csv"
            };
            assert!(told.contains(what), "{content_type}: {told}");
        }
    }
}

#[tokio::test]
async fn a_number_that_a_spreadsheet_has_dressed_up_is_told_how_to_be() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    app.player("santa", 0).await;
    for (cell, told) in [
        (
            "\"1,000\"",
            "must be a whole number without separators, such as 1000; got",
        ),
        ("１０", "must be a whole number in the digits 0 to 9; got"),
        (
            "1E+05",
            "must not be in scientific notation, which has lost digits; got",
        ),
        ("열", "must be a whole number; got"),
    ] {
        for (path, table, place) in [
            (
                (Method::PUT, BOARD),
                format!("rank,external_id,score\n1,santa,{cell}\n"),
                "line 2.score",
            ),
            (
                (Method::POST, EXTERNAL),
                format!("external_id,deposit_amount,play_count\nsanta,{cell},1\n"),
                "line 2.deposit_amount",
            ),
        ] {
            let refused = send(&admin, path, "text/csv", table).await;
            let refused = refused.expect_error(422, "VALIDATION_ERROR");
            let said = details(&refused)[place][0].as_str().unwrap().to_owned();
            assert!(said.contains(told), "{said}");
        }
        let table = format!("external_id,amount\nsanta,{cell}\n");
        let refused = send(&admin, (Method::POST, GRANT), "text/csv", table).await;
        assert!(refused.text.contains(told), "{}", refused.text);
    }
}

#[tokio::test]
async fn json_may_have_a_mark_before_it_and_says_nothing_twice() {
    let app = TestApp::start().await;
    let (admin, player) = (app.admin("operator").await, app.player("santa", 0).await);
    let claim = (Method::POST, "/api/season-pass/claim");
    for content_type in ["application/json", "application/json; charset=utf-8"] {
        let body = "\u{feff} {\"level\": 7}\r\n ";
        let answer = send(&player, claim.clone(), content_type, body).await;
        answer.expect_error(400, "LEVEL_NOT_REACHED");
    }
    let foreign = send(
        &player,
        claim.clone(),
        "application/json; charset=euc-kr",
        "{}",
    )
    .await;
    let foreign = foreign.expect_error(415, "UNSUPPORTED_MEDIA_TYPE");
    let told = details(&foreign)["Content-Type"][0].as_str().unwrap();
    assert!(told.contains("UTF-8"), "{told}");
    for body in [
        utf_16("\u{feff}{\"level\":7}"),
        utf_16("{\"level\":7}"),
        euc_kr("{\"level\":\"산타\"}"),
    ] {
        let refused = send(&player, claim.clone(), "application/json", body).await;
        let refused = refused.expect_error(422, "VALIDATION_ERROR");
        let told = details(&refused)["body"][0].as_str().unwrap();
        assert!(told.starts_with("the body must be UTF-8"), "{told}");
    }
    // Also where any names may stand.
    let text = (Method::PUT, "/admin/api/ui-config/notice");
    let body = r#"{"value": {"a": [{"title": "x", "title": "y"}]}}"#;
    let refused = send(&admin, text, "application/json", body).await;
    let refused = refused.expect_error(422, "VALIDATION_ERROR");
    assert!(
        details(&refused)["value.a.0.title"].is_array(),
        "{}",
        refused.text
    );
}
