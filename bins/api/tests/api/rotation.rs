//! `xmas-api rotate-data-key`: killed wherever it happens to be, while replicas serve.

use std::{
    collections::HashSet,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, RequestBuilder};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;
use xmas_api::wiring::data_key;
use xmas_kernel::{
    entropy::OsEntropy,
    lease::Lease,
    seal::{Pace, Rotation, RotationError, SealKey},
};
use xmas_test_support::TestDb;
use xmas_time::{Clock, SystemClock};

use super::command_line::{Serving, run, text, xmas_api};

const OLD: &str = "q8RZ1nVw0yTj5GkXe3LbHs7CmUd2PaFo9iJt4Qx6=";
const NEW: &str = "Zk3vJb0mQx9TtYw5Lr8uHc2nPd6sGf1aEo4iKy7=";
const BOTH: [(&str, &str); 2] = [("DATA_KEY", NEW), ("DATA_KEY_PREVIOUS", OLD)];
const TWO_KEYS: &str = "DATA_KEY is being rotated in this database: set DATA_KEY to the new key";
/// How many codes are uploaded before, besides the demo's 40.
const STOCK: usize = 600;
const CODES: &str = "/admin/api/coupons/1/codes";
const LEASE: &str = "data-key:rotate";

/// A demo under the old key.
async fn demo(folder: &Path) -> TestDb {
    let test = TestDb::new().await;
    let seeded = run(xmas_api(folder)
        .env("DATABASE_URL", test.url())
        .env("DATA_KEY", OLD)
        .args(["seed", "demo"]));
    assert!(seeded.status.success(), "{}", text(&seeded.stderr));
    test
}

fn serving(folder: &Path, test: &TestDb, keys: &[(&str, &str)]) -> Serving {
    let unlimited = [
        ("DATABASE_URL", test.url()),
        ("LOGINS_PER_MINUTE", "1000"),
        ("PLAYER_WRITES_PER_MINUTE", "0"),
        ("PLAYER_READS_PER_MINUTE", "0"),
    ];
    Serving::start(folder, &[&unlimited[..], keys].concat())
}

fn verb(folder: &Path, test: &TestDb, keys: &[(&str, &str)], args: &[&str]) -> Command {
    let mut command = xmas_api(folder);
    command
        .env("DATABASE_URL", test.url())
        .envs(keys.iter().copied())
        .args(args);
    command
}

fn rotate(folder: &Path, test: &TestDb, args: &[&str]) -> Command {
    let always = ["rotate-data-key", "--admin", "demo-admin"];
    verb(folder, test, &BOTH, &[&always[..], args].concat())
}

/// As a rotation is that was stopped before it sealed anything again.
async fn begin(test: &TestDb) {
    let [new, old] = [NEW, OLD].map(|key| key.parse().unwrap());
    let rotation = Rotation {
        db: &test.db,
        key: &data_key(&new, Some(&old)),
        entropy: &OsEntropy,
        actor: &test.operator("demo-admin").await,
        process: "a test",
    };
    let pace = Pace {
        chunk: 1,
        progress: &|_| (),
        is_stopped: &|| true,
    };
    let stopped = rotation.run(pace, SystemClock.now()).await;
    assert!(
        matches!(stopped, Err(RotationError::Stopped)),
        "{stopped:?}"
    );
}

/// The codes that a key opens, each with whether its fingerprints are of that key.
async fn codes_under(test: &TestDb, secret: &str) -> Vec<(String, bool)> {
    let sql = "SELECT kind_id, sealed_code, fingerprint, folded FROM coupon_code";
    let ask = Statement::from_string(test.db.backend(), sql);
    let key = SealKey::new(secret);
    let rows = test.db.read().query_all_raw(ask).await.unwrap();
    let opened = rows.into_iter().filter_map(|row| {
        let kind: i64 = row.try_get_by(0).unwrap();
        let [sealed, fingerprint, folded]: [String; 3] =
            [1, 2, 3].map(|column: usize| row.try_get_by(column).unwrap());
        let code = key.open(&format!("coupon_code:{kind}"), &sealed).ok()?;
        let code = String::from_utf8(code).unwrap();
        let by_case = format!("without case:{}", code.to_lowercase());
        let fits = fingerprint == key.fingerprint(code.as_bytes())
            && folded == key.fingerprint(by_case.as_bytes());
        Some((code, fits))
    });
    opened.collect()
}

async fn is_rotating(test: &TestDb) -> bool {
    let two = "SELECT COUNT(*) FROM data_key_probe WHERE sealed LIKE '% %'";
    test.count(two).await == 1
}

/// Somebody who asks a replica.
#[derive(Clone)]
struct Caller {
    http: reqwest::Client,
    bases: Vec<String>,
    token: String,
}

impl Caller {
    async fn new(replicas: &[&Serving], name: &str, password: &str) -> Self {
        Self {
            // A connection that was idle may be closed just when it is used again.
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()
                .unwrap(),
            token: replicas[0].login(name, password).await,
            bases: replicas
                .iter()
                .map(|replica| replica.base().to_owned())
                .collect(),
        }
    }

    fn request(&self, replica: usize, method: Method, path: &str) -> RequestBuilder {
        let base = &self.bases[replica % self.bases.len()];
        let request = self.http.request(method, format!("{base}{path}"));
        request.bearer_auth(&self.token)
    }

    /// Status and body.
    async fn send(&self, request: RequestBuilder) -> (u16, Value) {
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        let body = answer.bytes().await.expect("a body");
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn get(&self, replica: usize, path: &str) -> (u16, Value) {
        self.send(self.request(replica, Method::GET, path)).await
    }

    async fn upload(&self, replica: usize, codes: &[String]) -> (u16, Value) {
        let table = format!("code\n{}\n", codes.join("\n"));
        let request = self.request(replica, Method::POST, CODES);
        let request = request.header("content-type", "text/csv").body(table);
        self.send(request).await
    }

    /// The codes of all coupons that were won, by play.
    async fn coupons(&self, replica: usize) -> Vec<(i64, Option<String>)> {
        let (status, body) = self
            .get(replica, "/api/me/history?kind=reward&limit=200")
            .await;
        assert_eq!(status, 200, "{body}");
        let items = body["items"].as_array().unwrap().iter();
        let coupons = items.filter(|item| item["reward_type"] == "COUPON");
        let coupons = coupons.filter_map(|item| {
            let code = item["coupon_code"].as_str().map(str::to_owned);
            Some((item["play_id"].as_i64()?, code))
        });
        coupons.collect()
    }
}

/// Wins coupons until it is told to stop, or has no tickets left, and looks at what it has won; returns all of it.
async fn play(player: Caller, stop: Arc<AtomicBool>) -> Vec<(i64, String)> {
    let mut won = Vec::new();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let request = player.request(turn, Method::POST, "/api/lottery/play");
        let (status, body) = player.send(request.json(&json!({}))).await;
        assert!(status < 500, "{status} {body}");
        if status == 200 {
            let play = body["receipt"]["play_id"].as_i64().unwrap();
            let code = body["receipt"]["coupon_code"].as_str();
            let code = code.unwrap_or_else(|| panic!("a code for its winner: {body}"));
            won.push((play, code.to_owned()));
        }
        // By the other replica; a page of rewards is the newest ones.
        let mut seen = player.coupons(turn + 1).await;
        seen.sort();
        let newest = won.iter().rev().take(seen.len()).rev();
        let own = newest.map(|(play, code)| (*play, Some(code.clone())));
        assert_eq!(seen, own.collect::<Vec<_>>());
        assert!(seen.len() >= won.len().min(50));
    }
    won
}

/// Uploads until it is told to stop; every second time what is there already. Returns what was taken in.
async fn upload(admin: Caller, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut taken = Vec::new();
    let mut turn = 0;
    while !stop.load(Ordering::Relaxed) {
        turn += 1;
        let fresh: Vec<String> = (0..5)
            .map(|number| format!("LOAD-{turn:05}-{number}"))
            .collect();
        let (one, other) = tokio::join!(
            admin.upload(turn, &fresh),
            // The same at once, in part.
            admin.upload(turn + 1, &fresh[2..])
        );
        match [one.0, other.0] {
            [200, 422] => taken.extend(fresh),
            [422, 200] => taken.extend_from_slice(&fresh[2..]),
            _ => panic!("{one:?} {other:?}"),
        }
        // One of the first stock, of which any may be under either key.
        let known = format!("STOCK-{:05}", turn * 37 % STOCK);
        let (status, body) = admin.upload(turn, &[format!("X-{turn}"), known]).await;
        assert_eq!(status, 422, "{body}");
    }
    taken
}

async fn stocked(admin: &Caller) {
    let first: Vec<String> = (0..STOCK)
        .map(|number| format!("STOCK-{number:05}"))
        .collect();
    let (status, body) = admin.upload(0, &first).await;
    assert_eq!(status, 200, "{body}");
}

/// Everybody wins a coupon of the first kind, as long as there are codes.
async fn let_all_win(test: &TestDb, admin: &Caller) {
    test.execute("UPDATE lottery_config SET max_daily_plays = 0")
        .await;
    let prizes = json!({ "prizes": [
        { "label": "배민 1만", "weight": 1, "reward_type": "COUPON", "reward_value": 1, "reward_item": 1 },
    ] });
    let request = admin.request(0, Method::PUT, "/admin/api/lottery-config/1");
    let (status, body) = admin.send(request.json(&prizes)).await;
    assert_eq!(status, 200, "{body}");
}

/// How often a rotation is killed before it may end.
const KILLS: usize = 8;

/// Kills it once so many codes are under the new key; whether it was killed.
async fn killed_at(mut rotation: Child, test: &TestDb, codes: usize) -> Option<Output> {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        assert!(Instant::now() < deadline, "the rotation goes on");
        if rotation.try_wait().unwrap().is_some() {
            return Some(rotation.wait_with_output().unwrap());
        }
        let is_there = match codes {
            0 => is_rotating(test).await,
            codes => codes_under(test, NEW).await.len() >= codes,
        };
        if is_there {
            rotation.kill().unwrap();
            rotation.wait().unwrap();
            return None;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn killed_again_and_again_under_load_it_loses_no_code_and_no_answer() {
    let folder = TempDir::new().unwrap();
    let test = demo(folder.path()).await;
    // A file has one writer at a time; a server has as many as come.
    let (players, servers) = match test.db.backend() {
        DbBackend::Sqlite => (1, 1),
        _ => (4, 2),
    };
    let servers: Vec<_> = (0..servers)
        .map(|_| serving(folder.path(), &test, &BOTH))
        .collect();
    let replicas: Vec<_> = servers.iter().collect();
    let admin = Caller::new(&replicas, "demo-admin", "demo-admin-pass").await;
    stocked(&admin).await;
    let_all_win(&test, &admin).await;
    assert!(codes_under(&test, NEW).await.is_empty());

    let stop = Arc::new(AtomicBool::new(false));
    let mut loads = Vec::new();
    let mut callers = Vec::new();
    for number in 2..2 + players {
        let name = format!("demo-{number:02}");
        let player = Caller::new(&replicas, &name, "demo-pass").await;
        loads.push(tokio::spawn(play(player.clone(), stop.clone())));
        callers.push((name, player));
    }
    let uploads = tokio::spawn(upload(admin.clone(), stop.clone()));

    let mut kills = 0;
    let ended = loop {
        let mut rotation = rotate(folder.path(), &test, &["--chunk", "10", "--json"]);
        rotation.stdout(Stdio::piped()).stderr(Stdio::piped());
        let rotation = rotation.spawn().unwrap();
        // The last one is left alone: close to its end, it may have ended before it is killed.
        let at = if kills < KILLS {
            kills * 70
        } else {
            usize::MAX
        };
        if let Some(output) = killed_at(rotation, &test, at).await {
            break output;
        }
        kills += 1;
        assert!(is_rotating(&test).await);
        // An operator would wait until it has run out.
        test.execute(&format!("DELETE FROM job_lease WHERE name = '{LEASE}'"))
            .await;
        // Whoever starts now needs both.
        if kills == 3 {
            for key in [OLD, NEW] {
                let one = [("DATA_KEY", key)];
                let refused = run(&mut verb(folder.path(), &test, &one, &["serve"]));
                assert_eq!(refused.status.code(), Some(1));
                let reason = text(&refused.stderr);
                assert!(reason.contains(TWO_KEYS), "{reason}");
            }
        }
    };
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert_eq!(kills, KILLS);
    // What is uploaded and won afterwards counts too.
    let after = codes_under(&test, NEW).await.len();
    let deadline = Instant::now() + Duration::from_secs(60);
    while codes_under(&test, NEW).await.len() < after + 10 {
        assert!(Instant::now() < deadline, "codes are still uploaded");
        tokio::task::yield_now().await;
    }
    stop.store(true, Ordering::Relaxed);
    let uploaded = uploads.await.unwrap();
    let mut won = Vec::new();
    for load in loads {
        won.push(load.await.unwrap());
    }
    let wins: usize = won.iter().map(Vec::len).sum();
    assert!(
        uploaded.len() > 20 && wins > 20,
        "{} {wins}",
        uploaded.len()
    );
    drop(servers);

    // Nothing is under the old key, nothing is gone, and nothing is there twice.
    assert!(codes_under(&test, OLD).await.is_empty());
    let codes = codes_under(&test, NEW).await;
    assert!(codes.iter().all(|(_, fits)| *fits), "{codes:?}");
    let codes: Vec<String> = codes.into_iter().map(|(code, _)| code).collect();
    let different: HashSet<&String> = codes.iter().collect();
    assert_eq!(different.len(), codes.len());
    assert_eq!(codes.len(), 40 + STOCK + uploaded.len());
    assert!(uploaded.iter().all(|code| different.contains(code)));
    let rows = "SELECT COUNT(*) FROM coupon_code";
    assert_eq!(test.count(rows).await, i64::try_from(codes.len()).unwrap());

    assert_says_whose_key_it_is(folder.path(), &test);
    let server = serving(folder.path(), &test, &[("DATA_KEY", NEW)]);
    for ((name, _), won) in callers.iter().zip(&won) {
        let player = Caller::new(&[&server], name, "demo-pass").await;
        let seen = player.coupons(0).await;
        assert!(
            seen.len() >= won.len().min(50),
            "{} {}",
            seen.len(),
            won.len()
        );
        for (play, code) in seen {
            let code = code.expect("it is readable");
            assert!(won.contains(&(play, code)), "{play}");
        }
    }
    assert_draws_verify(folder.path(), &server).await;
    assert_told_without_keys(&test).await;
    let audited = run(&mut verb(
        folder.path(),
        &test,
        &[("DATA_KEY", NEW)],
        &["audit"],
    ));
    assert!(audited.status.success(), "{}", text(&audited.stdout));
}

/// The new key is the database's, and the old one is none.
fn assert_says_whose_key_it_is(folder: &Path, test: &TestDb) {
    let again = run(&mut rotate(folder, test, &[]));
    let printed = text(&again.stdout);
    assert!(again.status.success(), "{}", text(&again.stderr));
    assert!(
        printed.starts_with("DATA_KEY is this database's key already."),
        "{printed}"
    );
    for args in ["serve", "check"] {
        let refused = run(&mut verb(folder, test, &[("DATA_KEY", OLD)], &[args]));
        assert_eq!(refused.status.code(), Some(1), "{args}");
        let reason = text(&refused.stderr);
        assert!(reason.contains("DATA_KEY is not the one"), "{reason}");
    }
    let accepted = run(&mut verb(folder, test, &[("DATA_KEY", NEW)], &["check"]));
    assert!(accepted.status.success(), "{}", text(&accepted.stderr));
}

/// The seeds of the day before, on which the first player has played, are those that were committed to.
async fn assert_draws_verify(folder: &Path, server: &Serving) {
    let player = Caller::new(&[server], "demo-01", "demo-pass").await;
    let (_, history) = player.get(0, "/api/me/history?kind=play").await;
    let plays = history["items"].as_array().unwrap();
    assert!(plays.len() >= 3, "{history}");
    for play in plays {
        let draw = format!("/api/me/plays/{}/draw", play["id"]);
        let (status, receipt) = player.get(0, &draw).await;
        assert_eq!(status, 200, "{receipt}");
        let (status, day) = player.get(0, "/api/fairness/2025-12-25").await;
        assert_eq!(status, 200, "{day}");
        let file = folder.join("receipt.json");
        std::fs::write(&file, receipt.to_string()).unwrap();
        let commitment = day["commitment"].as_str().unwrap();
        let mut verify = xmas_api(folder);
        let verify = verify.arg("verify-draw").arg(&file);
        let verified = run(verify.args(["--commitment", commitment]));
        assert!(verified.status.success(), "{}", text(&verified.stdout));
    }
}

/// The log of operators says that it began and ended, how many values there are, and no key.
async fn assert_told_without_keys(test: &TestDb) {
    let sql = "SELECT action, COALESCE(after_json, '') FROM admin_audit_log \
               WHERE resource = 'data_key' AND actor = 'demo-admin' ORDER BY id";
    let ask = Statement::from_string(test.db.backend(), sql);
    let rows = test.db.read().query_all_raw(ask).await.unwrap();
    let rows: Vec<(String, String)> = rows
        .iter()
        .map(|row| (row.try_get_by(0).unwrap(), row.try_get_by(1).unwrap()))
        .collect();
    assert_eq!(rows.len(), 2, "{rows:?}");
    assert_eq!(rows[0], ("DATA_KEY_ROTATE_BEGIN".to_owned(), String::new()));
    assert_eq!(rows[1].0, "DATA_KEY_ROTATE_END");
    let told: Value = serde_json::from_str(&rows[1].1).unwrap();
    assert!(
        told["coupon_code"]["sealed"].as_u64().unwrap() >= 640,
        "{told}"
    );
    assert!(told["draw_seed"]["sealed"].as_u64().unwrap() >= 8, "{told}");
    assert!(!rows[1].1.contains(OLD) && !rows[1].1.contains(NEW));
}

#[tokio::test]
async fn a_replica_that_knows_the_old_key_alone_reads_and_seals_nothing() {
    let folder = TempDir::new().unwrap();
    let test = demo(folder.path()).await;
    let old = serving(folder.path(), &test, &[("DATA_KEY", OLD)]);
    let admin = Caller::new(&[&old], "demo-admin", "demo-admin-pass").await;
    let_all_win(&test, &admin).await;
    let player = Caller::new(&[&old], "demo-02", "demo-pass").await;
    let win = async || {
        let request = player.request(0, Method::POST, "/api/lottery/play");
        let (status, body) = player.send(request.json(&json!({}))).await;
        assert_eq!(status, 200, "{body}");
        body["receipt"]["coupon_code"].clone()
    };
    let (status, ready) = admin.get(0, "/readyz").await;
    assert_eq!((status, &ready["checks"]["data_key"]), (200, &json!("ok")));
    // What it knows is still there for its players.
    begin(&test).await;
    assert!(win().await.is_string());
    let (status, ready) = admin.get(0, "/readyz").await;
    assert_eq!(
        (status, &ready["error"]["code"]),
        (503, &json!("NOT_READY"))
    );
    let told = &ready["error"]["details"]["data_key"][0];
    assert_eq!(
        told,
        "data_key is being rotated, and DATA_KEY or DATA_KEY_PREVIOUS is missing; set both."
    );
    let rows = test.count("SELECT COUNT(*) FROM coupon_code").await;
    let (status, body) = admin.upload(0, &["NEW-00001".to_owned()]).await;
    assert_eq!((status, &body["error"]["code"]), (500, &json!("INTERNAL")));
    assert_eq!(test.count("SELECT COUNT(*) FROM coupon_code").await, rows);

    for keys in [[("DATA_KEY", OLD)], [("DATA_KEY", NEW)]] {
        for args in ["serve", "check"] {
            let refused = run(&mut verb(folder.path(), &test, &keys, &[args]));
            let reason = text(&refused.stderr);
            assert_eq!(refused.status.code(), Some(1), "{reason}");
            assert!(reason.contains(TWO_KEYS), "{reason}");
        }
    }
    let both = serving(folder.path(), &test, &BOTH);
    let other = Caller::new(&[&both], "demo-admin", "demo-admin-pass").await;
    let (status, body) = other.upload(0, &["NEW-00001".to_owned()]).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(codes_under(&test, NEW).await.len(), 1);
    assert_eq!(codes_under(&test, OLD).await.len(), 40);

    let ended = run(&mut rotate(folder.path(), &test, &[]));
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let (status, ready) = admin.get(0, "/readyz").await;
    let told = &ready["error"]["details"]["data_key"][0];
    assert_eq!(
        (status, told),
        (
            503,
            &json!("data_key is not the database's; set the key that it was sealed with.")
        )
    );
    let (status, _) = other.get(0, "/readyz").await;
    assert_eq!(status, 200);
    // It is no worse off than before: the win is kept, and shown by those who can.
    assert!(win().await.is_null());
    let player = Caller::new(&[&both], "demo-02", "demo-pass").await;
    let coupons = player.coupons(0).await;
    assert_eq!(coupons.len(), 2);
    assert!(
        coupons.iter().all(|(_, code)| code.is_some()),
        "{coupons:?}"
    );
}

#[track_caller]
fn assert_ended(output: &Output, code: i32, told: &str) {
    let reason = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{reason}");
    assert!(reason.contains(told), "{reason}");
    for key in [OLD, NEW] {
        assert!(!reason.contains(key), "{reason}");
    }
}

#[tokio::test]
async fn it_says_what_it_refuses_and_what_to_do() {
    let folder = TempDir::new().unwrap();
    let test = demo(folder.path()).await;
    let rotate_with = |keys: &[(&str, &str)]| {
        let args = ["rotate-data-key", "--admin", "demo-admin"];
        run(&mut verb(folder.path(), &test, keys, &args))
    };
    assert_ended(
        &rotate_with(&[("DATA_KEY", NEW)]),
        1,
        "DATA_KEY_PREVIOUS is not set: set it to the key that has sealed until now",
    );
    let same = [("DATA_KEY", OLD), ("DATA_KEY_PREVIOUS", OLD)];
    assert_ended(
        &rotate_with(&same),
        1,
        "DATA_KEY_PREVIOUS is the same as DATA_KEY",
    );
    let third = [
        ("DATA_KEY", NEW),
        ("DATA_KEY_PREVIOUS", "a third key of 32 bytes or more"),
    ];
    assert_ended(
        &rotate_with(&third),
        1,
        "neither DATA_KEY nor DATA_KEY_PREVIOUS is this database's key",
    );
    let nobody = verb(folder.path(), &test, &BOTH, &["rotate-data-key"]);
    assert_ended(&run(&mut { nobody }), 1, "--admin is missing");
    let mut shifted = rotate(folder.path(), &test, &[]);
    shifted
        .env("APP_ENV", "production")
        .env("XMAS_CLOCK", "2026-01-01T00:10:00+09:00");
    assert_ended(&run(&mut shifted), 1, "XMAS_CLOCK is set");
    for bad in [["--chunk", "0"], ["--chunk", "1001"], ["--chunk", "x"]] {
        let refused = run(&mut rotate(folder.path(), &test, &bad));
        assert_eq!(refused.status.code(), Some(2), "{bad:?}");
    }
    assert!(!is_rotating(&test).await && codes_under(&test, NEW).await.is_empty());

    let lease = Lease::take(&test.db, LEASE, "another", Duration::from_secs(600)).await;
    let busy = run(&mut rotate(folder.path(), &test, &[]));
    assert_ended(&busy, 1, "another process rotates DATA_KEY");
    lease.unwrap().unwrap().give_back(&test.db).await.unwrap();

    begin(&test).await;
    let swapped = [("DATA_KEY", OLD), ("DATA_KEY_PREVIOUS", NEW)];
    let told = "a rotation from DATA_KEY to DATA_KEY_PREVIOUS is under way";
    assert_ended(&rotate_with(&swapped), 1, told);
    assert_ended(&rotate_with(&[("DATA_KEY", NEW)]), 1, TWO_KEYS);
    test.execute("UPDATE coupon_code SET sealed_code = 'damaged' WHERE id = 7")
        .await;
    let damaged = rotate_with(&BOTH);
    assert_ended(&damaged, 1, "1 value(s) open with neither key");
    assert_ended(&damaged, 1, "\n  coupon_code 7\n");
    assert!(is_rotating(&test).await);
    test.execute("DELETE FROM coupon_code WHERE id = 7").await;
    let ended = rotate_with(&BOTH);
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    let printed = text(&ended.stdout);
    assert!(
        printed.starts_with("DATA_KEY is this database's key now."),
        "{printed}"
    );
    assert!(
        printed.contains("coupon_code     39 values, 0 of them"),
        "{printed}"
    );
    // Without the old one it says the same as with it.
    let had = rotate_with(&[("DATA_KEY", NEW)]);
    assert!(text(&had.stdout).starts_with("DATA_KEY is this database's key already."));

    let empty = TestDb::new().await;
    empty.operator("demo-admin").await;
    let nothing = run(&mut rotate(folder.path(), &empty, &[]));
    assert_ended(&nothing, 1, "nothing is sealed in this database");
}

#[tokio::test]
async fn sigterm_stops_it_between_two_transactions() {
    let folder = TempDir::new().unwrap();
    let test = demo(folder.path()).await;
    let mut rotation = rotate(folder.path(), &test, &["--chunk", "1"]);
    rotation.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut rotation = rotation.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while codes_under(&test, NEW).await.is_empty() {
        assert!(Instant::now() < deadline && rotation.try_wait().unwrap().is_none());
        tokio::task::yield_now().await;
    }
    let pid = rotation.id().to_string();
    assert!(
        run(Command::new("kill").args(["-TERM", &pid]))
            .status
            .success()
    );
    let stopped = rotation.wait_with_output().unwrap();
    assert_ended(&stopped, 3, "the rotation stopped: it was told to.");
    let left = codes_under(&test, OLD).await.len();
    assert!((1..40).contains(&left), "{left}");
    // Nobody has to wait for its lease.
    let ended = run(&mut rotate(folder.path(), &test, &[]));
    assert!(ended.status.success(), "{}", text(&ended.stderr));
    assert!(codes_under(&test, OLD).await.is_empty());
}
