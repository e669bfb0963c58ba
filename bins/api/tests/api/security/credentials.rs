//! Who is there, and what their passwords are: neither is found out by trying.

use serde_json::{Value, json};
use xmas_test_support::{Answer, AppBuilder, TestApp};

const PASSWORD: &str = "test-password";

async fn attempt(app: &TestApp, external_id: &str, password: &str) -> Answer {
    let credentials = json!({ "external_id": external_id, "password": password });
    app.anonymous().post("/api/auth/token", &credentials).await
}

/// What an answer shows, but for what is new in each: its id and its time.
fn shown(answer: Answer) -> (u16, Value, Vec<String>) {
    let mut body = answer.body;
    body["error"]["request_id"].take();
    let mut headers: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
    headers.sort();
    (answer.status, body, headers)
}

/// Every kind of account that there may be, by its name.
const KINDS: [&str; 7] = [
    "active", "operator", "blocked", "inactive", "gone", "imported", "locked",
];

async fn with_every_kind() -> TestApp {
    let app = TestApp::start().await;
    let operator = app.admin("operator").await;
    app.player("active", 0).await;
    let path = |id: &str| format!("/admin/api/users/{id}");
    let blocked = app.player("blocked", 0).await;
    app.test.block(&blocked.identity()).await;
    let inactive = app
        .player("inactive", 0)
        .await
        .identity()
        .user_id
        .to_string();
    operator.delete(&path(&inactive)).await.expect_status(204);
    let gone = app.player("gone", 0).await.identity().user_id.to_string();
    let gone = format!("{}/anonymise", path(&gone));
    operator.play(&gone).await.expect_status(200);
    for (name, hash) in [
        ("imported", format!("sha256${}", "0".repeat(64))),
        ("locked", "!".to_owned()),
    ] {
        app.player(name, 0).await;
        let sql =
            format!("UPDATE `user` SET password_hash = '{hash}' WHERE external_id = '{name}'");
        app.test.execute(&sql).await;
    }
    app
}

#[tokio::test]
async fn logging_in_does_not_tell_who_is_there() {
    let app = with_every_kind().await;
    let work_of = async |external_id: &str, password: &str| {
        let before = app.statements();
        let answer = attempt(&app, external_id, password).await;
        (shown(answer), app.statements() - before)
    };
    let unknown = work_of("nobody", "wrong").await;
    assert_eq!(unknown.0.0, 401, "{:?}", unknown.0.1);
    assert_eq!(unknown.0.1["error"]["code"], "INVALID_CREDENTIALS");
    for name in KINDS
        .into_iter()
        .chain(["' OR '1'='1", "ACTIVE", "active\u{200b}"])
    {
        assert_eq!(work_of(name, "wrong").await, unknown, "{name}");
    }
    // Nor does the right password of somebody who may not come in, unless they were told why.
    for name in ["nobody", "inactive", "gone"] {
        assert_eq!(work_of(name, PASSWORD).await, unknown, "{name}");
    }
    for password in ["!", "0", &format!("sha256${}", "0".repeat(64))] {
        for name in ["imported", "locked"] {
            assert_eq!(work_of(name, password).await, unknown, "{name} {password}");
        }
    }
    let blocked = attempt(&app, "blocked", PASSWORD).await;
    blocked.expect_error(403, "USER_BLOCKED");
}

#[tokio::test]
async fn being_turned_away_does_not_tell_who_is_there_either() {
    let app = AppBuilder::default()
        .set("LOGINS_PER_MINUTE", "2")
        .start()
        .await;
    // Logging in counts as well.
    app.player("santa", 0).await;
    attempt(&app, "nobody", "wrong").await.expect_status(401);
    let mut seen = Vec::new();
    for name in ["santa", "nobody"] {
        let second = attempt(&app, name, "wrong").await;
        let third = attempt(&app, name, PASSWORD).await;
        assert_eq!(third.code(), "TOO_MANY_REQUESTS");
        seen.push([shown(second), shown(third)]);
    }
    assert_eq!(seen[0], seen[1]);
}

/// Where attempts come from is what a trusted proxy says.
async fn behind_a_proxy(by_account: &str, anywhere: &str, by_address: &str) -> TestApp {
    AppBuilder::default()
        .set("TRUSTED_PROXIES", "127.0.0.1")
        .set("LOGINS_PER_MINUTE", by_account)
        .set("LOGINS_PER_ACCOUNT_PER_MINUTE", anywhere)
        .set("LOGINS_PER_ADDRESS_PER_MINUTE", by_address)
        .start()
        .await
}

async fn attempt_from(app: &TestApp, forwarded: &str, external_id: &str, password: &str) -> u16 {
    let credentials = json!({ "external_id": external_id, "password": password });
    let client = app.anonymous();
    let request = client
        .request(reqwest::Method::POST, "/api/auth/token")
        .header("x-forwarded-for", forwarded)
        .json(&credentials);
    let answer = client.send(request).await;
    if answer.status == 429 {
        assert_eq!(answer.code(), "TOO_MANY_REQUESTS");
        let seconds: u64 = answer.headers["retry-after"]
            .to_str()
            .unwrap()
            .parse()
            .unwrap();
        assert!((1..=60).contains(&seconds), "{seconds}");
    }
    answer.status
}

#[tokio::test]
async fn one_password_is_not_tried_on_many_names_from_one_address() {
    let app = behind_a_proxy("1000", "1000", "5").await;
    app.player("santa", 0).await;
    let from = "203.0.113.1";
    for number in 0..5 {
        let name = format!("player-{number}");
        assert_eq!(attempt_from(&app, from, &name, PASSWORD).await, 401);
    }
    let mut sprayed = Vec::new();
    // Neither another name, nor a hop that the client made up before its own, makes it somebody else.
    for (forwarded, name) in [
        (from, "player-5"),
        (from, "santa"),
        ("198.51.100.9, 203.0.113.1", "santa"),
        ("203.0.113.1:50000", "santa"),
        ("::ffff:203.0.113.1", "santa"),
    ] {
        sprayed.push(attempt_from(&app, forwarded, name, PASSWORD).await);
    }
    assert_eq!(sprayed, [429; 5]);
    // Refresh tokens are tried from the same purse.
    let client = app.anonymous();
    let request = client
        .request(reqwest::Method::POST, "/api/auth/refresh")
        .header("x-forwarded-for", from)
        .json(&json!({ "refresh_token": "guess" }));
    let answer = client.send(request).await;
    answer.expect_error(429, "TOO_MANY_REQUESTS");
    // Nobody else pays for it.
    assert_eq!(
        attempt_from(&app, "203.0.113.2", "santa", PASSWORD).await,
        200
    );
    // Whoever has one address of a network of IPv6 has them all.
    for number in 0..5 {
        let from = format!("2001:db8::{number}");
        assert_eq!(attempt_from(&app, &from, "nobody", "wrong").await, 401);
    }
    assert_eq!(
        attempt_from(&app, "2001:db8::ffff", "nobody", "wrong").await,
        429
    );
    assert_eq!(
        attempt_from(&app, "2001:db8:0:1::1", "santa", PASSWORD).await,
        200
    );
}

#[tokio::test]
async fn many_passwords_are_not_tried_on_one_name_and_its_owner_still_comes_in() {
    let app = behind_a_proxy("3", "8", "1000").await;
    app.player("산타", 0).await;
    let (attacker, owner) = ("203.0.113.1", "198.51.100.7");
    for number in 0..3 {
        let password = format!("guess-{number}");
        assert_eq!(attempt_from(&app, attacker, "산타", &password).await, 401);
    }
    // However the name is spelled, and however long it goes on.
    for _ in 0..20 {
        for name in [
            "산타",
            " 산타 ",
            "\u{1109}\u{1161}\u{11ab}\u{1110}\u{1161}",
            "산\u{1110}\u{1161}",
        ] {
            assert_eq!(attempt_from(&app, attacker, name, PASSWORD).await, 429);
        }
    }
    // What was turned away does not count for everybody: one address locks nobody out but itself.
    assert_eq!(attempt_from(&app, owner, "산타", PASSWORD).await, 200);
}

/// What the product does not prevent (docs/SECURITY.md): enough addresses together lock an account's owner out, for the
/// minute, so that a botnet cannot guess on.
#[tokio::test]
async fn many_addresses_together_lock_an_account_and_no_other() {
    let app = behind_a_proxy("3", "8", "1000").await;
    app.player("santa", 0).await;
    app.player("rudolf", 0).await;
    let mut tried = 1;
    for number in 1..=3 {
        for _ in 0..3 {
            let from = format!("203.0.113.{number}");
            let status = attempt_from(&app, &from, "santa", "wrong").await;
            tried += 1;
            assert_eq!(status, if tried <= 8 { 401 } else { 429 });
        }
    }
    let owner = "198.51.100.7";
    assert_eq!(attempt_from(&app, owner, "santa", PASSWORD).await, 429);
    assert_eq!(attempt_from(&app, owner, "rudolf", PASSWORD).await, 200);
}

#[tokio::test]
async fn a_stolen_token_does_not_find_the_password_out() {
    let app = AppBuilder::default()
        .set("LOGINS_PER_MINUTE", "3")
        .start()
        .await;
    let player = app.player("santa", 0).await;
    let change = async |current: &str| {
        let change = json!({ "current_password": current, "new_password": "another one" });
        player.post("/api/auth/password", &change).await
    };
    for number in 0..3 {
        let answer = change(&format!("guess-{number}")).await;
        answer.expect_error(422, "VALIDATION_ERROR");
    }
    let answer = change(PASSWORD).await;
    answer.expect_error(429, "TOO_MANY_REQUESTS");
    // The owner, who knows it, still logs in.
    app.login("santa").await.expect_status(200);
}

/// Names of accounts are for operators: no answer to a player or to nobody says whether one is taken.
#[tokio::test]
async fn only_operators_look_accounts_up() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    app.player("rudolf", 0).await;
    for client in [&player, &app.anonymous()] {
        let mut answers = Vec::new();
        for name in ["rudolf", "nobody"] {
            for path in [
                format!("/admin/api/users/external_id:{name}"),
                format!("/admin/api/users/?search={name}"),
                format!("/admin/api/game-tokens/ledger?external_id={name}"),
            ] {
                answers.push(shown(client.get(&path).await));
            }
        }
        let (of_somebody, of_nobody) = answers.split_at(3);
        assert_eq!(of_somebody, of_nobody);
        assert!(
            answers
                .iter()
                .all(|(status, ..)| [401, 403].contains(status))
        );
    }
}
