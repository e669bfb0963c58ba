//! The application with a Redis server, and with one that is gone, frozen or something else.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::json;
use tempfile::TempDir;
use xmas_cache::{Cache, RedisCache, RedisOptions};
use xmas_test_support::{AppBuilder, Client, RedisServer, TestApp};

use super::command_line::{run, text, xmas_api};

/// Long enough that a busy machine does not count as a server that is away.
const PATIENT: Duration = Duration::from_secs(10);

async fn redis(url: &str, response_time: Duration) -> Arc<RedisCache> {
    let options = RedisOptions {
        url: url.parse().unwrap(),
        authorities: None,
        namespace: "xmas".to_owned(),
        secret: b"secret".to_vec(),
        response_time,
    };
    Arc::new(RedisCache::connect(options).await.unwrap())
}

async fn becomes_well(redis: &RedisCache) {
    for _ in 0..500 {
        if redis.is_well().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the server is not found");
}

/// Asks until the application knows that the server is away.
async fn becomes_unwell(redis: &RedisCache, player: &Client) {
    for _ in 0..100 {
        if !redis.is_well().await {
            return;
        }
        assert_right_once(player).await;
    }
    panic!("the server is not given up");
}

/// The application on a Redis server that answers.
async fn replica(server: &RedisServer, of: Option<&TestApp>, wait: Duration) -> TestApp {
    let redis = redis(&server.url(), wait).await;
    becomes_well(&redis).await;
    let builder = AppBuilder::default()
        .set("LOGINS_PER_MINUTE", "5")
        .set("PLAYER_WRITES_PER_MINUTE", "1000000")
        .cache(redis);
    match of {
        Some(other) => builder.start_on(other.test.reconnected().await).await,
        None => builder.start().await,
    }
}

async fn wrong_password(app: &TestApp) -> u16 {
    let credentials = json!({ "external_id": "santa", "password": "wrong" });
    let answer = app.anonymous().post("/api/auth/token", &credentials).await;
    answer.status
}

#[tokio::test]
async fn replicas_share_a_throttle_and_the_answers_to_what_is_sent_again() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = replica(&server, None, PATIENT).await;
    let player = one.player("rudolf", 2).await;
    let other = replica(&server, Some(&one), PATIENT).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(wrong_password(&one).await);
        statuses.push(wrong_password(&other).await);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429, 429]);

    let path = "/api/roulette/play";
    let first = player.play_keyed(path, "k").await.expect_status(200);
    let there = other.with_token(Some(player.token()));
    let statements = other.statements();
    let again = there.play_keyed(path, "k").await.expect_status(200);
    assert!(again.is_replayed());
    assert_eq!(again.text, first.text);
    assert_eq!(other.statements(), statements);
    // The database has it, whatever Redis forgets.
    server.flush();
    let again = there.play_keyed(path, "k").await.expect_status(200);
    assert!(again.is_replayed() && other.statements() > statements);
    assert_eq!(again.text, first.text);
    let plays = one.test.count("SELECT COUNT(*) FROM feature_log").await;
    assert_eq!(plays, 1);
}

/// Plays, repeats it, looks and logs in; asserts that all of it is right.
async fn assert_right(app: &TestApp, player: &Client, key: &str) {
    let path = "/api/roulette/play";
    let played = player.play_keyed(path, key).await.expect_status(200);
    assert!(!played.is_replayed(), "{key}");
    let again = player.play_keyed(path, key).await.expect_status(200);
    assert!(again.is_replayed(), "{key}");
    assert_eq!(again.text, played.text, "{key}");
    let status = player.get("/api/roulette/status").await.expect_status(200);
    let balance = "token_balance";
    assert_eq!(status.body[balance], played.body[balance], "{key}");
    player
        .get("/api/season-pass/status")
        .await
        .expect_status(200);
    player.get("/api/ranking/today").await.expect_status(200);
    app.anonymous()
        .get("/api/odds/ROULETTE")
        .await
        .expect_status(200);
}

#[tokio::test]
async fn requests_go_on_whatever_becomes_of_redis() {
    let Some(mut server) = RedisServer::start() else {
        return;
    };
    let wait = Duration::from_millis(500);
    let cache = redis(&server.url(), wait).await;
    becomes_well(&cache).await;
    let app = AppBuilder::default()
        .set("LOGINS_PER_MINUTE", "5")
        .set("PLAYER_WRITES_PER_MINUTE", "1000000")
        .cache(cache.clone());
    let app = app.start().await;
    let player = app.player("rudolf", 20).await;
    assert_right(&app, &player, "well").await;
    server.freeze();
    assert_right(&app, &player, "frozen").await;
    // Once it is known to be away, nobody waits for it. A probe may begin meanwhile.
    becomes_unwell(&cache, &player).await;
    let started = Instant::now();
    for _ in 0..10 {
        assert_right_once(&player).await;
    }
    let each = started.elapsed() / 10;
    assert!(each < wait / 2, "each took {each:?}");
    // Attempts are bounded by each process then.
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(wrong_password(&app).await);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    server.thaw();
    becomes_well(&cache).await;
    assert_right(&app, &player, "thawed").await;
    server.flush();
    assert_right(&app, &player, "flushed").await;
    server.restart();
    assert_right(&app, &player, "restarted").await;
    server.kill();
    assert_right(&app, &player, "killed").await;
    let nonsense = TcpListener::bind(("127.0.0.1", server.port())).unwrap();
    let talks = std::thread::spawn(move || {
        for client in nonsense.incoming() {
            let mut client = client.unwrap();
            let mut read = [0; 1024];
            match client.read(&mut read) {
                Ok(bytes) if read[..bytes] == *b"the end" => return,
                _ => drop(client.write_all(b"+what\r\n:7\r\n$3\r\nabc\r\n\xff\xfe")),
            }
        }
    });
    for key in ["nonsense", "more", "and more"] {
        assert_right(&app, &player, &key.replace(' ', "-")).await;
    }
    let mut end = std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    end.write_all(b"the end").unwrap();
    talks.join().unwrap();
    server.restart();
    becomes_well(&cache).await;
    assert_right(&app, &player, "back").await;
    let before = cache.stats().hits;
    assert_right(&app, &player, "used").await;
    assert!(cache.stats().hits > before, "{:?}", cache.stats());
}

/// A write, since these are throttled.
async fn assert_right_once(player: &Client) {
    let id = "6f1c0b7e-3c0b-4f7e-9d55-0a4d1f9b8c11";
    let report = json!({ "event_id": id, "event_type": "ENTER_PAGE" });
    let reported = player.post("/api/activity/record", &report).await;
    reported.expect_status(200);
}

#[tokio::test]
async fn a_start_does_not_wait_for_redis_and_check_warns() {
    let folder = TempDir::new().unwrap();
    let check = |name: &str, value: &str, more: (&str, &str)| {
        let mut command = xmas_api(folder.path());
        command.env(name, value).env(more.0, more.1).arg("check");
        let output = run(&mut command);
        let printed = text(&output.stdout) + &text(&output.stderr);
        assert!(!printed.contains("S3cret"), "{printed}");
        (output.status.code(), printed)
    };
    let none = ("RUST_LOG", "trace");
    let (code, told) = check("REDIS_URL", "redis://:S3cret@127.0.0.1:1", none);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("warning: REDIS_URL: the server does not answer"));
    assert!(told.contains("REDIS_URL=redis://:redacted@127.0.0.1:1/0"));
    let (code, told) = check("REDIS_URL", "redis://:S3cret@h:S3cret", none);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("REDIS_URL must be redis://"), "{told}");
    let ca = ("REDIS_CA_FILE", "missing.pem");
    let (code, told) = check("REDIS_URL", "rediss://127.0.0.1:1", ca);
    assert_eq!(code, Some(1), "{told}");
    assert!(
        told.contains("REDIS_CA_FILE must name a file of certificates"),
        "{told}"
    );
    let (code, told) = check("REDIS_URL", "redis://127.0.0.1:1", ca);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("must begin with rediss://"), "{told}");

    let Some(server) = RedisServer::start_with_password("S3cret") else {
        return;
    };
    let file = folder.path().join("redis-url");
    std::fs::write(&file, format!("{}\n", server.url())).unwrap();
    let file = file.to_str().unwrap();
    // A stall of the machine may look like a server that does not answer.
    let warned = |_| {
        check("REDIS_URL_FILE", file, none)
            .1
            .contains("warning: REDIS_URL")
    };
    assert!(!(0..10).all(warned));
}

/// Whoever waited for it would wait far longer than is allowed.
#[tokio::test]
async fn with_redis_frozen_a_look_at_the_season_pass_takes_hardly_longer() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let cache = redis(&server.url(), Duration::from_millis(200)).await;
    becomes_well(&cache).await;
    let app = AppBuilder::default()
        // Each look is counted, by Redis as long as it answers.
        .set("PLAYER_READS_PER_MINUTE", "1000000")
        .set("PLAYER_WRITES_PER_MINUTE", "1000000")
        .cache(cache.clone());
    let app = app.start().await;
    let player = app.player("rudolf", 0).await;
    let p95 = async || {
        let mut times = Vec::new();
        for _ in 0..100 {
            let started = Instant::now();
            player
                .get("/api/season-pass/status")
                .await
                .expect_status(200);
            times.push(started.elapsed());
        }
        times.sort_unstable();
        times[95]
    };
    // The best of some rounds, since other tests run beside this one.
    let (mut well, mut frozen) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        becomes_well(&cache).await;
        well = well.min(p95().await);
        server.freeze();
        becomes_unwell(&cache, &player).await;
        frozen = frozen.min(p95().await);
        server.thaw();
    }
    assert!(
        frozen < well + Duration::from_millis(50),
        "p95 is {frozen:?} while Redis is frozen, else {well:?}"
    );
}
