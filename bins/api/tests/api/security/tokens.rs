//! Tokens that nobody was given, or that are good no more.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};
use xmas_test_support::{Client, JWT_SECRET, TestApp};

use super::{operations_that_need_a_token, rows};

/// A good token, taken apart.
struct Parts {
    header: Value,
    claims: Value,
    token: String,
}

impl Parts {
    fn of(token: &str) -> Self {
        let part = |index| {
            let part = token.split('.').nth(index).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        Self {
            header: part(0),
            claims: part(1),
            token: token.to_owned(),
        }
    }

    fn segment(&self, index: usize) -> &str {
        self.token.split('.').nth(index).unwrap()
    }

    /// With another header, and the signature of `secret`.
    fn headed(&self, field: &str, value: Value, secret: &str) -> String {
        let header = with(&self.header, field, value);
        signed(&header.to_string(), &self.claims.to_string(), secret)
    }

    /// With another claim, under the real secret: what only its owner could make.
    fn claiming(&self, field: &str, value: Value) -> String {
        let claims = with(&self.claims, field, value);
        self.claimed(&claims.to_string())
    }

    fn claimed(&self, claims: &str) -> String {
        signed(&self.header.to_string(), claims, JWT_SECRET)
    }

    /// With another claim, under the signature of this one.
    fn altered(&self, field: &str, value: Value) -> String {
        let claims = encoded(&with(&self.claims, field, value).to_string());
        format!("{}.{claims}.{}", self.segment(0), self.segment(2))
    }
}

fn with(base: &Value, field: &str, value: Value) -> Value {
    let mut changed = base.clone();
    changed[field] = value;
    changed
}

fn encoded(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

fn signed(header: &str, claims: &str, secret: &str) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    let signature = mac.chain_update(&message).finalize().into_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A real signature of an algorithm that nobody here speaks, under the real secret.
fn signed_by_its_sisters(parts: &Parts) -> Vec<String> {
    let message = |alg: &str| {
        let header = with(&parts.header, "alg", json!(alg));
        format!("{}.{}", encoded(&header.to_string()), parts.segment(1))
    };
    let secret = JWT_SECRET.as_bytes();
    let (first, second) = (message("HS384"), message("HS512"));
    let mac = Hmac::<Sha384>::new_from_slice(secret).unwrap();
    let hs384 = mac.chain_update(&first).finalize().into_bytes();
    let mac = Hmac::<Sha512>::new_from_slice(secret).unwrap();
    let hs512 = mac.chain_update(&second).finalize().into_bytes();
    vec![
        format!("{first}.{}", URL_SAFE_NO_PAD.encode(hs384)),
        format!("{second}.{}", URL_SAFE_NO_PAD.encode(hs512)),
    ]
}

/// What somebody makes of a good token who has no secret.
fn forged(parts: &Parts) -> Vec<String> {
    let mut forged = Vec::new();
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        let header = encoded(&with(&parts.header, "alg", json!(alg)).to_string());
        for signature in ["", parts.segment(2)] {
            forged.push(format!("{header}.{}.{signature}", parts.segment(1)));
        }
    }
    // Another algorithm than the one that made the signature.
    for alg in [
        "HS384", "HS512", "RS256", "ES256", "PS256", "EdDSA", "hs256",
    ] {
        forged.push(parts.headed("alg", json!(alg), JWT_SECRET));
    }
    forged.extend(signed_by_its_sisters(parts));
    // Whatever everybody knows is no key: nothing, the key's name, who issues, and the defaults of others.
    let kid = parts.header["kid"].as_str().unwrap();
    for known in ["", kid, "xmas-1week", "xmas-1week-api", "secret"] {
        forged.push(signed(
            &parts.header.to_string(),
            &parts.claims.to_string(),
            known,
        ));
    }
    // Keys that the token brings along, or says where to get.
    let own_key = json!({ "kty": "oct", "k": encoded("mine"), "kid": kid, "alg": "HS256" });
    for (field, value) in [
        ("jku", json!("https://evil.example/keys.json")),
        ("x5u", json!("https://evil.example/chain.pem")),
        ("x5c", json!([encoded("mine")])),
        ("jwk", own_key),
        ("kid", json!("../../../../dev/null")),
        ("kid", json!("x' UNION SELECT 'mine")),
        ("kid", json!("")),
        ("kid", Value::Null),
        ("kid", json!(7)),
        ("kid", json!([kid])),
        ("kid", json!("k".repeat(4_000))),
    ] {
        for secret in ["mine", ""] {
            forged.push(parts.headed(field, value.clone(), secret));
        }
    }
    for (field, value) in [
        ("sub", json!("1")),
        ("scope", json!("admin")),
        ("epoch", json!(1)),
        ("exp", json!(9_999_999_999_i64)),
        ("sid", json!("another")),
    ] {
        forged.push(parts.altered(field, value));
    }
    let [header, claims, signature] = [0, 1, 2].map(|index| parts.segment(index));
    // The last letter of a signature has two bits that mean nothing: another spelling of the same bytes.
    let (most, last) = signature.split_at(signature.len() - 1);
    let respelled = char::from(last.as_bytes()[0] + 1);
    forged.extend([
        format!("{header}.{claims}.{most}{respelled}"),
        format!("{header}.{claims}."),
        format!("{header}.{claims}"),
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("..{signature}"),
        "..".to_owned(),
        "...".to_owned(),
        ".".to_owned(),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}.{claims}.{signature}="),
        format!("{header}.{claims}.{signature}A"),
        format!("{header}.{claims}.{most}"),
        format!("{claims}.{header}.{signature}"),
        format!("{header}.{header}.{signature}"),
        // Five parts, as a sealed token has.
        format!("{header}..{claims}.{signature}.{signature}"),
        format!("\"{}\"", parts.token),
        format!("Bearer {}", parts.token),
        format!("{0},{0}", parts.token),
        "x".repeat(15_000),
        format!("{header}.{}.{signature}", "A".repeat(14_000)),
    ]);
    forged
}

/// What nobody could sign, and would still be no token, nor bring anything down.
fn odd(parts: &Parts) -> Vec<String> {
    let mut odd = Vec::new();
    for (field, value) in [
        ("iss", json!("someone-else")),
        ("iss", Value::Null),
        ("aud", json!("another-api")),
        ("aud", json!(["another-api"])),
        ("aud", json!({})),
        ("sub", json!("")),
        ("sub", json!("-1")),
        ("sub", json!("0")),
        ("sub", json!("999999")),
        ("sub", json!("99999999999999999999")),
        ("sub", json!(1)),
        ("sub", json!("1 OR 1=1")),
        ("scope", json!("root")),
        ("scope", json!(["player", "admin"])),
        ("epoch", json!(-1)),
        ("epoch", json!(1)),
        ("epoch", json!("0")),
        ("exp", json!("9999999999")),
        ("exp", json!(-1)),
        ("exp", json!(i64::MIN)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(1e30)),
        ("exp", Value::Null),
        ("exp", json!(true)),
        ("nbf", json!(9_999_999_999_i64)),
        ("nbf", json!("tomorrow")),
    ] {
        odd.push(parts.claiming(field, value));
    }
    let claims = parts.claims.to_string();
    let doubled = claims.replacen('{', r#"{"sub":"1","#, 1);
    for claims in [
        "",
        "[]",
        "null",
        "{}",
        "7",
        "{",
        "\u{0}",
        doubled.as_str(),
        &"[".repeat(3_000),
        &claims.replacen("\"exp\":", "\"exp\":1e400,\"x\":", 1),
    ] {
        odd.push(parts.claimed(claims));
    }
    for field in parts.claims.as_object().unwrap().keys() {
        let mut claims = parts.claims.clone();
        claims.as_object_mut().unwrap().remove(field);
        // When it was made and its number are for people.
        if !["iat", "jti"].contains(&field.as_str()) {
            odd.push(parts.claimed(&claims.to_string()));
        }
    }
    odd
}

/// Something to read and something to change, and what is asked for it.
const PLAYER: [(Method, &str); 3] = [
    (Method::GET, "/api/wallet"),
    (Method::POST, "/api/roulette/play"),
    (Method::POST, "/api/auth/logout"),
];
const ADMIN: [(Method, &str); 2] = [
    (Method::GET, "/admin/api/users/"),
    (Method::DELETE, "/admin/api/users/1"),
];

#[tokio::test]
async fn no_forged_token_opens_anything() {
    let app = TestApp::start().await;
    let (player, admin) = (app.player("santa", 5).await, app.admin("operator").await);
    let before = rows(&app).await;
    for (client, paths) in [(&player, &PLAYER[..]), (&admin, &ADMIN)] {
        let parts = Parts::of(client.token());
        let again = parts.claimed(&parts.claims.to_string());
        let (method, path) = &paths[0];
        let works = app.with_token(Some(&again));
        let works = works.send(works.request(method.clone(), path)).await;
        works.expect_status(200);
        let tokens = [forged(&parts), odd(&parts)].concat();
        assert!(tokens.len() > 100, "{}", tokens.len());
        for token in &tokens {
            let bearer = app.with_token(Some(token));
            for (method, path) in paths {
                let answer = bearer.send(bearer.request(method.clone(), path)).await;
                assert_eq!(
                    (answer.status, answer.code()),
                    (401, "TOKEN_INVALID"),
                    "{method} {path} with {token}: {}",
                    answer.text
                );
                answer.expect_error(401, "TOKEN_INVALID");
            }
        }
    }
    assert_eq!(rows(&app).await, before);
    player.get("/api/wallet").await.expect_status(200);
}

#[tokio::test]
async fn a_scope_that_is_only_claimed_makes_nobody_an_admin() {
    let app = TestApp::start().await;
    let player = app.player("santa", 0).await;
    let claimed = Parts::of(player.token()).claiming("scope", json!("admin"));
    let claimed = app.with_token(Some(&claimed));
    let before = rows(&app).await;
    // Even with the secret: who is an admin is looked up.
    for (method, path) in ADMIN {
        let answer = claimed.send(claimed.request(method, path)).await;
        answer.expect_error(401, "TOKEN_INVALID");
    }
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn the_event_s_clock_says_when_a_token_ends() {
    let app = TestApp::start().await;
    let player = app.player("santa", 1).await;
    let parts = Parts::of(player.token());
    let before = rows(&app).await;
    for ended in [0, 1, parts.claims["iat"].as_i64().unwrap()] {
        let ended = app.with_token(Some(&parts.claiming("exp", json!(ended))));
        let answer = ended.play("/api/roulette/play").await;
        answer.expect_error(401, "TOKEN_EXPIRED");
    }
    app.clock.advance(TimeDelta::minutes(720));
    let answer = player.play("/api/roulette/play").await;
    answer.expect_error(401, "TOKEN_EXPIRED");
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn the_two_kinds_of_token_are_no_good_for_each_other() {
    let app = TestApp::start().await;
    app.player("santa", 1).await;
    let session = app.login("santa").await.expect_status(200).body;
    let before = rows(&app).await;
    let refresh = app.with_token(session["refresh_token"].as_str());
    for (method, path) in PLAYER.into_iter().chain(ADMIN) {
        let answer = refresh.send(refresh.request(method, path)).await;
        answer.expect_error(401, "TOKEN_INVALID");
    }
    let access = session["access_token"].as_str().unwrap();
    let trade = async |token: &str| {
        let body = json!({ "refresh_token": token });
        app.anonymous().post("/api/auth/refresh", &body).await
    };
    // Whole it is longer than any that is given out.
    trade(access).await.expect_error(422, "VALIDATION_ERROR");
    for part in access.split('.') {
        let part = &part[..part.len().min(256)];
        trade(part).await.expect_error(401, "TOKEN_INVALID");
    }
    assert_eq!(rows(&app).await, before);
}

#[tokio::test]
async fn a_token_counts_once_and_in_its_header_only() {
    let app = TestApp::start().await;
    let player = app.player("santa", 5).await;
    let (nobody, token) = (app.anonymous(), player.token());
    let good = format!("Bearer {token}");
    let other = format!("Bearer {}", app.player("rudolf", 0).await.token());
    let before = rows(&app).await;
    let play = || nobody.request(Method::POST, "/api/roulette/play");
    // Which of two counts is not for proxies and servers to disagree about.
    for two in [
        [&good, "Bearer x"],
        ["Bearer x", &good],
        [&good, &good],
        [&good, &other],
    ] {
        let request = play()
            .header("authorization", two[0])
            .header("authorization", two[1]);
        let answer = nobody.send(request).await;
        answer.expect_error(401, "TOKEN_INVALID");
    }
    for header in [
        token.to_owned(),
        format!("Bearer\t{token}"),
        format!("Basic {token}"),
        format!("JWT {token}"),
    ] {
        let request = play().header("authorization", header);
        let answer = nobody.send(request).await;
        answer.expect_error(401, "AUTH_REQUIRED");
    }
    for (name, value) in [
        ("cookie", format!("access_token={token}; token={token}")),
        ("x-access-token", token.to_owned()),
        ("x-authorization", good.clone()),
        ("proxy-authorization", good.clone()),
    ] {
        let answer = nobody.send(play().header(name, value)).await;
        answer.expect_error(401, "AUTH_REQUIRED");
    }
    for name in ["access_token", "token", "authorization"] {
        let path = format!("/api/roulette/play?{name}={token}");
        let answer = nobody.play(&path).await;
        answer.expect_error(401, "AUTH_REQUIRED");
    }
    assert_eq!(rows(&app).await, before);
    for scheme in ["bearer", "BEARER"] {
        let request = play().header("authorization", format!("{scheme} {token}"));
        nobody.send(request).await.expect_status(200);
    }
}

/// Whose token ended, how, and what they are told.
async fn ended(app: &TestApp, admin: &Client) -> Vec<(&'static str, Client, u16, &'static str)> {
    let everywhere = app.player("everywhere", 5).await;
    let logout = json!({ "everywhere": true });
    let answer = everywhere.post("/api/auth/logout", &logout).await;
    answer.expect_status(204);
    let changed = app.player("changed", 5).await;
    let change = json!({ "current_password": "test-password", "new_password": "another one" });
    let answer = changed.post("/api/auth/password", &change).await;
    answer.expect_status(200);
    let path = |client: &Client| format!("/admin/api/users/{}", client.identity().user_id);
    let deleted = app.player("deleted", 5).await;
    admin.delete(&path(&deleted)).await.expect_status(204);
    let anonymised = app.player("anonymised", 5).await;
    let answer = admin
        .play(&format!("{}/anonymise", path(&anonymised)))
        .await;
    answer.expect_status(200);
    let blocked = app.player("blocked", 5).await;
    app.test.block(&blocked.identity()).await;
    vec![
        ("logged out everywhere", everywhere, 401, "TOKEN_INVALID"),
        ("password changed", changed, 401, "TOKEN_INVALID"),
        ("deleted", deleted, 401, "TOKEN_INVALID"),
        ("anonymised", anonymised, 401, "TOKEN_INVALID"),
        ("blocked", blocked, 403, "USER_BLOCKED"),
    ]
}

#[tokio::test]
async fn a_token_that_was_ended_opens_no_operation_at_all() {
    let app = TestApp::start().await;
    let admin = app.admin("operator").await;
    let former = app.admin("former").await;
    let logout = json!({ "everywhere": true });
    let answer = former.post("/api/auth/logout", &logout).await;
    answer.expect_status(204);
    let ended = ended(&app, &admin).await;
    let before = rows(&app).await;
    let mut asked = 0;
    for operation in operations_that_need_a_token() {
        if operation.is_admin() {
            let answer = former.send(operation.request(&former)).await;
            answer.expect_error(401, "TOKEN_INVALID");
            asked += 1;
            continue;
        }
        for (how, client, status, code) in &ended {
            let answer = client.send(operation.request(client)).await;
            assert_eq!(
                (answer.status, answer.code()),
                (*status, *code),
                "{} when {how}: {}",
                operation.name(),
                answer.text
            );
            asked += 1;
        }
    }
    assert!(asked > 150, "{asked}");
    assert_eq!(rows(&app).await, before);
}
