//! [`RedisCache`] against a real server, and against things that are none.

#![cfg(feature = "redis")]
#![expect(clippy::unwrap_used, reason = "helpers of a test may fail it")]

use std::{
    collections::HashSet,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use xmas_cache::{Cache, RedisCache, RedisOptions, Throttle};
use xmas_test_support::{RedisServer, free_port};

const MINUTE: Duration = Duration::from_secs(60);
/// Far more than a healthy server takes, however busy the machine is.
const PATIENT: Duration = Duration::from_secs(10);
const HASTY: Duration = Duration::from_millis(50);

fn options(url: &str, response_time: Duration) -> RedisOptions {
    RedisOptions {
        url: url.parse().unwrap(),
        authorities: None,
        namespace: "test".to_owned(),
        secret: b"secret".to_vec(),
        response_time,
    }
}

/// A cache whose server is known to answer.
async fn connected(url: &str, response_time: Duration) -> RedisCache {
    let cache = RedisCache::connect(options(url, response_time)).await;
    let cache = cache.unwrap();
    assert!(becomes_well(&cache).await, "the server is not found");
    cache
}

/// Looks until the server is found, for some ten seconds.
async fn becomes_well(cache: &RedisCache) -> bool {
    for _ in 0..500 {
        if cache.is_well().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

/// Fails until nobody waits for the server any more.
async fn becomes_unwell(cache: &RedisCache) {
    for _ in 0..100 {
        cache.get("a").await;
        if !cache.is_well().await {
            return;
        }
    }
    panic!("the server is still asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_count_exactly() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = Arc::new(connected(&server.url(), PATIENT).await);
    let other = Arc::new(connected(&server.url(), PATIENT).await);
    let counts: Vec<_> = (0..200)
        .map(|number| {
            let cache = if number % 2 == 0 { &one } else { &other }.clone();
            tokio::spawn(async move { cache.count("throttle:race", MINUTE).await })
        })
        .collect();
    let mut hits = HashSet::new();
    for count in counts {
        let count = count.await.unwrap();
        assert!(count.resets_in <= MINUTE && count.resets_in > MINUTE / 2);
        hits.insert(count.hits);
    }
    assert_eq!(hits, (1..=200).collect());
    // And a throttle over both lets exactly its limit through.
    let throttle = |cache: &Arc<RedisCache>| Throttle::new(cache.clone(), "login", 10, MINUTE);
    let (one, other) = (throttle(&one), throttle(&other));
    let mut admitted = 0;
    for _ in 0..10 {
        admitted += u32::from(one.admit("a").await.is_ok());
        admitted += u32::from(other.admit("a").await.is_ok());
    }
    assert_eq!(admitted, 10);
}

#[tokio::test]
async fn a_damaged_counter_is_mended() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let cache = connected(&server.url(), PATIENT).await;
    for (number, (damage, hits)) in [
        ("SET KEY 7", 8),
        ("SET KEY nonsense", 1),
        ("SET KEY -100", 1),
        ("SET KEY 9223372036854775807", 1),
        ("LPUSH KEY x", 1),
        ("SET KEY 7 EX 100000", 8),
    ]
    .into_iter()
    .enumerate()
    {
        // Each of them is counted for the first time.
        let key = format!("c{number}");
        let place = cache.key(&key);
        server.tell(&damage.replace("KEY", &place));
        let count = cache.count(&key, MINUTE).await;
        assert_eq!((count.hits, count.resets_in), (hits, MINUTE), "{damage}");
        let left = server.tell(&format!("PTTL {place}"));
        let left: u64 = left.trim_start_matches(':').parse().unwrap();
        assert!((1..=60_000).contains(&left), "{damage}: {left}");
    }
    assert_eq!(cache.stats().failures, 0);
}

/// Whoever may write there, or empties it, lifts no limit.
#[tokio::test]
async fn what_this_process_has_counted_stays_counted() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let cache = Arc::new(connected(&server.url(), PATIENT).await);
    let place = cache.key("throttle:login:a");
    let throttle = Throttle::new(cache.clone(), "login", 10, MINUTE);
    for damage in [
        "FLUSHALL".to_owned(),
        format!("SET {place} 0 KEEPTTL"),
        format!("SET {place} 9223372036854775806 KEEPTTL"),
    ] {
        for _ in 0..10 {
            server.tell(&damage);
            let _ = throttle.admit("a").await;
        }
    }
    server.flush();
    assert!(throttle.admit("a").await.is_err());
    assert!(throttle.admit("b").await.is_ok());
    assert_eq!(cache.stats().failures, 0);
}

#[tokio::test]
async fn what_one_puts_another_finds_and_nothing_else_is_found() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let one = connected(&server.url(), PATIENT).await;
    let other = connected(&server.url(), PATIENT).await;
    let value = vec![0, 255, 10, 13];
    one.put("a", value.clone(), Duration::from_millis(10_900))
        .await;
    assert_eq!(other.get("a").await, Some(value.clone()));
    assert_eq!(server.tell(&format!("TTL {}", one.key("a"))), ":10");
    one.put("b", value.clone(), Duration::ZERO).await;
    assert_eq!(server.tell(&format!("TTL {}", one.key("b"))), ":1");
    one.put("large", vec![1; 256 * 1024], MINUTE).await;
    one.put("too-large", vec![1; 256 * 1024 + 1], MINUTE).await;
    assert_eq!(other.get("large").await.unwrap().len(), 256 * 1024);
    assert_eq!(other.get("too-large").await, None);

    // Another event on the same server has keys of its own.
    let mut elsewhere = options(&server.url(), PATIENT);
    elsewhere.namespace = "other".to_owned();
    let elsewhere = RedisCache::connect(elsewhere).await.unwrap();
    assert!(becomes_well(&elsewhere).await);
    assert_eq!(elsewhere.get("a").await, None);
    // So has one with another database.
    let mut elsewhere = options(&server.url(), PATIENT);
    elsewhere.secret = b"another".to_vec();
    let elsewhere = RedisCache::connect(elsewhere).await.unwrap();
    assert!(becomes_well(&elsewhere).await);
    assert_eq!(elsewhere.get("a").await, None);
    let moved = format!("COPY {} {}", one.key("a"), elsewhere.key("a"));
    assert_eq!(server.tell(&moved), ":1");
    assert_eq!(elsewhere.get("a").await, None);

    // What somebody else writes there is nothing.
    server.tell(&format!("SET {} nonsense", one.key("c")));
    server.tell(&format!("LPUSH {} x", one.key("d")));
    // A value of one player is not another's.
    server.tell(&format!("RENAME {} {}", one.key("a"), one.key("e")));
    for key in ["c", "d", "e", "a", "unknown"] {
        assert_eq!(other.get(key).await, None, "{key}");
    }
    assert!(other.is_well().await);
    let stats = other.stats();
    assert_eq!((stats.hits, stats.misses, stats.failures), (2, 6, 0));
    assert_eq!(stats.hit_ratio(), 0.25);
}

#[tokio::test]
async fn a_frozen_server_is_left_out_until_it_is_back() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let wait = Duration::from_millis(300);
    let cache = connected(&server.url(), wait).await;
    cache.put("a", b"value".to_vec(), MINUTE).await;
    assert_eq!(cache.get("a").await, Some(b"value".to_vec()));
    assert_eq!(cache.count("c", MINUTE).await.hits, 1);
    server.freeze();
    // Each waits as long as it may, and then goes on with what this process knows.
    let started = Instant::now();
    assert_eq!(cache.count("c", MINUTE).await.hits, 2);
    assert!(started.elapsed() >= wait && started.elapsed() < PATIENT);
    becomes_unwell(&cache).await;
    // From now on nobody waits, not even who starts a probe: a hundred of them would take 30 s.
    let started = Instant::now();
    for hits in 3..103 {
        assert_eq!(cache.count("c", MINUTE).await.hits, hits);
        assert_eq!(cache.get("a").await, None);
        cache.put("b", b"value".to_vec(), MINUTE).await;
    }
    assert!(started.elapsed() < wait, "{:?}", started.elapsed());
    server.thaw();
    assert!(becomes_well(&cache).await);
    assert_eq!(cache.get("a").await, Some(b"value".to_vec()));
}

#[tokio::test]
async fn a_frozen_server_holds_a_bounded_number_of_requests() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let cache = Arc::new(connected(&server.url(), Duration::from_secs(2)).await);
    server.freeze();
    let started = Instant::now();
    let asks: Vec<_> = (0..5000)
        .map(|_| {
            let cache = cache.clone();
            tokio::spawn(async move {
                cache.get("a").await;
                started.elapsed()
            })
        })
        .collect();
    let mut waited = 0;
    for ask in asks {
        waited += u32::from(ask.await.unwrap() >= Duration::from_secs(2));
    }
    assert!((5..=256).contains(&waited), "{waited} waited");
    assert!(!cache.is_well().await);
}

#[tokio::test]
async fn a_server_may_be_flushed_killed_and_restarted() {
    let Some(mut server) = RedisServer::start() else {
        return;
    };
    let cache = connected(&server.url(), PATIENT).await;
    let attempt = async || cache.count("c", MINUTE).await.hits;
    cache.put("a", b"value".to_vec(), MINUTE).await;
    assert_eq!((attempt().await, attempt().await), (1, 2));
    server.flush();
    assert_eq!(cache.get("a").await, None);
    // This process has counted all along.
    assert_eq!(attempt().await, 3);
    server.kill();
    assert_eq!(attempt().await, 4);
    assert_eq!(cache.get("a").await, None);
    becomes_unwell(&cache).await;
    assert_eq!(attempt().await, 5);
    server.restart();
    assert!(becomes_well(&cache).await);
    assert_eq!(attempt().await, 6);
    cache.put("a", b"value".to_vec(), MINUTE).await;
    assert_eq!(cache.get("a").await, Some(b"value".to_vec()));
}

#[tokio::test]
async fn a_quick_restart_is_survived_without_a_word() {
    let Some(mut server) = RedisServer::start() else {
        return;
    };
    let cache = connected(&server.url(), PATIENT).await;
    for _ in 0..3 {
        server.restart();
        // At most one of these finds the old connection.
        assert_eq!(cache.count("c", MINUTE).await.resets_in.as_secs() / 60, 0);
        for _ in 0..100 {
            cache.put("a", b"value".to_vec(), MINUTE).await;
            if cache.get("a").await.is_some() {
                break;
            }
        }
        assert_eq!(cache.get("a").await, Some(b"value".to_vec()));
    }
}

#[tokio::test]
async fn a_password_is_needed_and_enough() {
    let Some(server) = RedisServer::start_with_password("s3cret") else {
        return;
    };
    let cache = connected(&server.url(), PATIENT).await;
    cache.put("a", b"value".to_vec(), MINUTE).await;
    assert_eq!(cache.get("a").await, Some(b"value".to_vec()));
    assert_eq!(cache.stats().failures, 0);
    for wrong in ["", ":other@"] {
        let url = format!("redis://{wrong}127.0.0.1:{}", server.port());
        let cache = RedisCache::connect(options(&url, PATIENT)).await.unwrap();
        assert!(!cache.is_well().await, "{wrong}");
        assert_eq!(cache.get("a").await, None);
        assert_eq!(cache.count("c", MINUTE).await.hits, 1);
    }
}

#[tokio::test]
async fn tls_works_with_an_authority_of_one_s_own_and_not_without() {
    let Some(server) = RedisServer::start_with_tls("s3cret") else {
        return;
    };
    let authority = std::fs::read(server.authority()).unwrap();
    let mut trusting = options(&server.url(), PATIENT);
    trusting.authorities = Some(authority.clone());
    let cache = RedisCache::connect(trusting).await.unwrap();
    assert!(becomes_well(&cache).await);
    cache.put("a", b"value".to_vec(), MINUTE).await;
    assert_eq!(cache.get("a").await, Some(b"value".to_vec()));

    let by_number = server.url().replace("localhost", "127.0.0.1");
    let plain = server.url().replace("rediss", "redis");
    for (url, authorities) in [
        (server.url(), None),
        (by_number, Some(authority.clone())),
        (plain, None),
    ] {
        let mut options = options(&url, HASTY);
        options.authorities = authorities;
        let cache = RedisCache::connect(options).await.unwrap();
        assert!(!cache.is_well().await, "{url}");
        assert_eq!(cache.get("a").await, None);
    }
    let mut broken = options(&server.url(), HASTY);
    broken.authorities =
        Some(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----".into());
    assert!(RedisCache::connect(broken).await.is_err());
}

/// Something on a port that is no Redis.
struct Stranger {
    port: u16,
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[derive(Clone, Copy, Debug)]
enum Manners {
    /// Answers everything with this.
    Says(&'static [u8]),
    /// Reads, and answers nothing.
    IsSilent,
    /// Hangs up on everybody.
    HangsUp,
    /// Reads a little, and hangs up.
    HangsUpLater,
}

impl Stranger {
    fn start(port: u16, manners: Manners) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let ended = Arc::new(AtomicBool::new(false));
        let end = ended.clone();
        let thread = std::thread::spawn(move || {
            let mut silent = Vec::new();
            for client in listener.incoming() {
                if end.load(Ordering::SeqCst) {
                    return;
                }
                let client = client.unwrap();
                match manners {
                    Manners::Says(text) => {
                        std::thread::spawn(move || says(client, text));
                    }
                    Manners::IsSilent => silent.push(client),
                    Manners::HangsUp => drop(client),
                    Manners::HangsUpLater => {
                        let mut client = client;
                        // A connection that is being made anew is never closed when its cache is dropped.
                        let _ = client.set_read_timeout(Some(Duration::from_secs(1)));
                        let _ = client.read(&mut [0; 8]);
                    }
                }
            }
        });
        Self {
            port,
            ended,
            thread: Some(thread),
        }
    }
}

fn says(mut client: TcpStream, text: &[u8]) {
    let mut read = [0; 4096];
    while client.read(&mut read).is_ok_and(|bytes| bytes > 0) {
        if client.write_all(text).is_err() {
            return;
        }
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.thread.take().unwrap().join().unwrap();
    }
}

const STRANGERS: [Manners; 13] = [
    Manners::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    Manners::Says(b"\x00\xff\xfe garbage without an end"),
    Manners::Says(b"+OK\r\n"),
    Manners::Says(b"+PONG\r\n"),
    Manners::Says(b":1\r\n"),
    Manners::Says(b"$5\r\nhello\r\n"),
    Manners::Says(b"*2\r\n:-5\r\n$1\r\nx\r\n"),
    Manners::Says(b"*1000000000\r\n"),
    Manners::Says(b"$999999999999\r\n"),
    Manners::Says(b"-LOADING Redis is loading the dataset in memory\r\n"),
    Manners::IsSilent,
    Manners::HangsUp,
    Manners::HangsUpLater,
];

#[tokio::test]
async fn whatever_answers_in_place_of_redis_is_left_out() {
    for manners in STRANGERS {
        let stranger = Stranger::start(free_port(), manners);
        let url = format!("redis://127.0.0.1:{}", stranger.port);
        let cache = RedisCache::connect(options(&url, HASTY)).await.unwrap();
        for hits in 1..=20 {
            assert_eq!(cache.count("c", MINUTE).await.hits, hits, "{manners:?}");
            cache.put("a", b"value".to_vec(), MINUTE).await;
            assert_eq!(cache.get("a").await, None, "{manners:?}");
        }
    }
}

#[tokio::test]
async fn redis_is_found_again_after_something_else_had_its_place() {
    let Some(mut server) = RedisServer::start() else {
        return;
    };
    for manners in STRANGERS {
        let cache = connected(&server.url(), HASTY).await;
        server.kill();
        let stranger = Stranger::start(server.port(), manners);
        for _ in 0..20 {
            assert_eq!(cache.get("a").await, None, "{manners:?}");
            cache.count("c", MINUTE).await;
        }
        drop(stranger);
        server.restart();
        let mut found = false;
        for _ in 0..500 {
            cache.put("a", b"value".to_vec(), MINUTE).await;
            found = cache.get("a").await.is_some();
            if found {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(found, "{manners:?}");
    }
}
