use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::{
    Client, Cmd, ErrorKind, FromRedisValue, RedisError, Script, TlsCertificates, Value,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use sha2::{Digest, Sha256};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::timeout,
};

use crate::{
    Cache, Count, MAX_VALUE_BYTES, MemoryCache, RedisUrl, Stats,
    breaker::{Breaker, BreakerOptions, Pass, Probe},
    envelope::Envelope,
    port::{Tally, whole_seconds},
};

/// What a [`RedisCache`] is made with.
#[derive(Clone, Debug)]
pub struct RedisOptions {
    pub url: RedisUrl,
    /// The authorities that `rediss://` believes, as PEM, in place of the public ones.
    pub authorities: Option<Vec<u8>>,
    /// Keeps the keys of two events on one server apart.
    pub namespace: String,
    /// What all who share these copies know, and nobody else: what others have put there is none of ours.
    /// Those who work on another database must have another one.
    pub secret: Vec<u8>,
    /// The longest that a request waits for an answer.
    pub response_time: Duration,
}

/// Why there can be no [`RedisCache`]. A server that does not answer is no reason.
#[derive(Debug, thiserror::Error)]
pub enum RedisSetupError {
    #[error("the authorities for rediss:// must be certificates in PEM form")]
    Authorities,
    #[error("the client for Redis cannot be made")]
    Client(#[source] RedisError),
    #[error("the thread that talks to Redis cannot be started")]
    Thread(#[source] std::io::Error),
}

/// A cache that replicas share.
///
/// A request waits for it no longer than [`RedisOptions::response_time`]. After some failures in a
/// row nobody waits at all, until a probe in the background has found the server well again. Until
/// then reads are misses, writes are dropped, and counters are those of this process.
///
/// Every attempt is also counted in this process, and the higher count counts: a client that has used
/// its attempts up here does not get new ones because Redis went away, lost its counters or had them
/// changed. Each replica then lets the whole limit through by itself; a limit is never lifted.
///
/// The connection and its timers live on a thread of their own, so that a busy worker delays nobody
/// and a frozen server holds no more than 256 requests.
pub struct RedisCache {
    server: Arc<Server>,
    /// How every key begins.
    beginning: String,
    envelope: Envelope,
    /// Counts what Redis cannot.
    counters: MemoryCache,
    tally: Tally,
    /// Where everything runs that waits for Redis.
    runtime: Handle,
    /// Dropped with the cache, which ends the thread of `runtime`.
    _alive: oneshot::Sender<()>,
}

/// The server and what is known of it.
struct Server {
    client: Client,
    response_time: Duration,
    script: Script,
    breaker: Arc<Breaker>,
    /// None until a probe has found the server, and again when the breaker has opened: a manager may
    /// hold on to a connection that will never work, and to what was sent through it.
    manager: Mutex<Option<ConnectionManager>>,
    places: Arc<Semaphore>,
}

/// Why there is no answer that can be used.
enum Trouble {
    Failed(RedisError),
    /// An answer that Redis does not give: something else has its place, or the connection is out of
    /// step.
    Nonsense,
}

impl From<RedisError> for Trouble {
    fn from(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Parse | ErrorKind::UnexpectedReturnType => Self::Nonsense,
            _ => Self::Failed(error),
        }
    }
}

/// How many requests may wait for Redis at once; one more does without it.
const IN_FLIGHT: usize = 256;
const CONNECT_TIME: Duration = Duration::from_millis(50);
const BREAKER: BreakerOptions = BreakerOptions {
    opens_after: 5,
    first_pause: Duration::from_millis(250),
    longest_pause: Duration::from_secs(5),
};
const LATE: &str = "it did not answer in time";
const NONSENSE: &str = "it answered nonsense";
/// The form of the keys.
const VERSION: u8 = 1;
/// Longer keys are replaced by their hash.
const KEY_BYTES: usize = 200;

/// Counts one more, and answers the count and how many milliseconds it has left. What is no number
/// starts again, and a counter without an end, or with one that is too far away, gets one.
const COUNT: &str = "
local hits = redis.pcall('INCR', KEYS[1])
if type(hits) ~= 'number' or hits < 1 then
    redis.call('SET', KEYS[1], 1)
    hits = 1
end
local window = tonumber(ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left < 0 or left > window then
    redis.call('PEXPIRE', KEYS[1], window)
    left = window
end
return {hits, left}
";

impl RedisCache {
    /// Starts to talk to the server, and waits for its first answer no longer than it takes to
    /// know that there is none (about 0.1 s). A server that does not answer is tried again later.
    pub async fn connect(options: RedisOptions) -> Result<Self, RedisSetupError> {
        let info = options
            .url
            .connection_info()
            .map_err(RedisSetupError::Client)?;
        let client = if options.url.is_tls() {
            // Which otherwise is a question of what else is compiled in. Another part of the program
            // may have chosen already, the same one.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let certificates = TlsCertificates {
                client_tls: None,
                root_cert: options.authorities,
            };
            Client::build_with_tls(info, certificates).map_err(|_| RedisSetupError::Authorities)?
        } else {
            Client::open(info).map_err(RedisSetupError::Client)?
        };
        let envelope = Envelope::new(&options.secret);
        let (runtime, alive) = thread().map_err(RedisSetupError::Thread)?;
        let cache = Self {
            server: Arc::new(Server {
                client,
                response_time: options.response_time,
                script: Script::new(COUNT),
                breaker: Breaker::new(BREAKER),
                manager: Mutex::new(None),
                places: Arc::new(Semaphore::new(IN_FLIGHT)),
            }),
            beginning: format!("{}:{VERSION}:{}", options.namespace, envelope.mark()),
            envelope,
            counters: MemoryCache::default(),
            tally: Tally::default(),
            runtime,
            _alive: alive,
        };
        cache.is_well().await;
        Ok(cache)
    }

    /// Whether the server answers, as far as is known; looks if it is time to look again.
    pub async fn is_well(&self) -> bool {
        match self.server.breaker.ask() {
            Pass::Through => true,
            Pass::Refused => false,
            Pass::Probe(probe) => {
                let probing = self.runtime.spawn(self.server.clone().probe(probe));
                // The thread ends with this cache only.
                probing.await.is_ok() && self.server.breaker.is_closed()
            }
        }
    }

    /// Where it lies on the server.
    pub fn key(&self, key: &str) -> String {
        let beginning = &self.beginning;
        if key.len() <= KEY_BYTES {
            return format!("{beginning}:{key}");
        }
        let area = key.split(':').next().unwrap_or_default();
        let area: String = area.chars().take(20).collect();
        let hash = hex::encode(Sha256::digest(key));
        format!("{beginning}:{area}:#{hash}")
    }

    /// Has the server asked, unless it is known not to answer. `None` if there is no usable answer.
    async fn ask<T, F>(
        &self,
        question: impl FnOnce(ConnectionManager, Arc<Server>) -> F + Send + 'static,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Trouble>> + Send + 'static,
    {
        let answer = self.answer(question).await;
        if answer.is_none() {
            self.tally.failed();
        }
        answer
    }

    async fn answer<T, F>(
        &self,
        question: impl FnOnce(ConnectionManager, Arc<Server>) -> F + Send + 'static,
    ) -> Option<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Trouble>> + Send + 'static,
    {
        let server = &self.server;
        match server.breaker.ask() {
            Pass::Through => {}
            Pass::Refused => return None,
            Pass::Probe(probe) => {
                self.runtime.spawn(server.clone().probe(probe));
                return None;
            }
        }
        let manager = server.manager()?;
        // Who finds no place does not wait for one either.
        let place = server.places.clone().try_acquire_owned().ok()?;
        let asked = server.clone().asked(question, manager, place);
        // The thread ends with this cache only.
        self.runtime.spawn(asked).await.ok()?
    }
}

/// A runtime on a thread of its own, and what keeps it alive.
fn thread() -> std::io::Result<(Handle, oneshot::Sender<()>)> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()?;
    let handle = runtime.handle().clone();
    let (alive, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("redis".to_owned())
        .spawn(move || {
            // An error is the end, which is what this waits for.
            let _: Result<(), _> = runtime.block_on(ended);
        })?;
    Ok((handle, alive))
}

impl Server {
    async fn asked<T, F>(
        self: Arc<Self>,
        question: impl FnOnce(ConnectionManager, Arc<Self>) -> F,
        manager: ConnectionManager,
        _place: OwnedSemaphorePermit,
    ) -> Option<T>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        match timeout(self.response_time, question(manager, self.clone())).await {
            Ok(Ok(answer)) => {
                self.breaker.succeeded();
                Some(answer)
            }
            Ok(Err(Trouble::Failed(error))) => {
                self.failed(self.breaker.failed(), &describe(&error));
                None
            }
            Ok(Err(Trouble::Nonsense)) => {
                // Such a connection gets no better by itself.
                self.failed(self.breaker.open(), NONSENSE);
                None
            }
            Err(_) => {
                self.failed(self.breaker.failed(), LATE);
                None
            }
        }
    }

    fn failed(&self, opened: bool, why: &str) {
        if opened {
            self.keep(None);
            tracing::warn!(why, "Redis is left out for now: {why}");
        }
    }

    /// Connects anew and asks for a sign of life.
    async fn probe(self: Arc<Self>, probe: Probe) {
        let manager = match self.connection() {
            Ok(manager) => manager,
            Err(error) => return self.is_away(&describe(&error)),
        };
        let mut asked = manager.clone();
        let ping = async move {
            Cmd::new()
                .arg("PING")
                .query_async::<Value>(&mut asked)
                .await
        };
        match timeout(CONNECT_TIME + self.response_time, ping).await {
            Ok(Ok(answer)) if is_pong(&answer) => {
                self.keep(Some(manager));
                probe.succeeded();
                tracing::info!("Redis answers");
            }
            Ok(Ok(_)) => self.is_away(NONSENSE),
            Ok(Err(error)) => self.is_away(&describe(&error)),
            Err(_) => self.is_away(LATE),
        }
    }

    fn is_away(&self, why: &str) {
        tracing::debug!(why, "Redis is still away: {why}");
    }

    fn connection(&self) -> Result<ConnectionManager, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIME))
            .set_response_timeout(Some(self.response_time))
            // The breaker decides when to try again.
            .set_number_of_retries(0)
            .set_concurrency_limit(IN_FLIGHT)
            .set_pipeline_buffer_size(IN_FLIGHT);
        ConnectionManager::new_lazy_with_config(self.client.clone(), config)
    }

    fn manager(&self) -> Option<ConnectionManager> {
        let manager = self.manager.lock().unwrap_or_else(PoisonError::into_inner);
        manager.clone()
    }

    fn keep(&self, manager: Option<ConnectionManager>) {
        *self.manager.lock().unwrap_or_else(PoisonError::into_inner) = manager;
    }
}

fn is_pong(answer: &Value) -> bool {
    matches!(answer, Value::SimpleString(text) if text == "PONG")
}

/// What went wrong, without anything that came from the server, which may be anything.
fn describe(error: &RedisError) -> String {
    format!("{:?}", error.kind())
}

#[async_trait::async_trait]
impl Cache for RedisCache {
    async fn count(&self, key: &str, window: Duration) -> Count {
        let key = self.key(key);
        let before = self.counters.counted(&key).await;
        let millis = u64::try_from(window.as_millis()).unwrap_or(u64::MAX).max(1);
        let place = key.clone();
        let shared = self.ask(move |mut manager, server| async move {
            let mut counted = server.script.key(place);
            let counted = counted.arg(millis);
            let answer: Value = counted.invoke_async(&mut manager).await?;
            let (hits, left) = <(u64, u64)>::from_redis_value(answer).map_err(RedisError::from)?;
            if hits == 0 || left > millis {
                return Err(Trouble::Nonsense);
            }
            Ok(Count {
                hits,
                resets_in: Duration::from_millis(left),
            })
        });
        let shared = shared.await;
        let own = self.counters.count(&key, window).await;
        // A server that was flushed or tampered with knows of less than this process does.
        shared.filter(|shared| shared.hits > before).unwrap_or(own)
    }

    async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let key = self.key(key);
        let named = key.clone();
        let found = self.ask(move |mut manager, _| async move {
            match Cmd::get(&named).query_async(&mut manager).await {
                Ok(Value::BulkString(sealed)) => Ok(Some(sealed)),
                Ok(Value::Nil) => Ok(None),
                Ok(_) => Err(Trouble::Nonsense),
                // Something else has this name there: no value of ours, but a sound answer.
                Err(error) if error.code() == Some("WRONGTYPE") => Ok(None),
                Err(error) => Err(error.into()),
            }
        });
        let found = found.await.flatten();
        let found = found.and_then(|sealed| self.envelope.open(&key, &sealed));
        self.tally.read(found)
    }

    async fn put(&self, key: &str, value: Vec<u8>, ttl: Duration) {
        if value.len() > MAX_VALUE_BYTES {
            return;
        }
        let key = self.key(key);
        let sealed = self.envelope.seal(&key, &value);
        let seconds = whole_seconds(ttl);
        let put = self.ask(move |mut manager, _| async move {
            let set = Cmd::set_ex(key, sealed, seconds);
            match set.query_async(&mut manager).await? {
                Value::Okay => Ok(()),
                _ => Err(Trouble::Nonsense),
            }
        });
        put.await;
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn is_available(&self) -> bool {
        self.server.breaker.is_closed()
    }

    fn stats(&self) -> Stats {
        self.tally.stats()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_are_named_versioned_and_short() {
        let options = RedisOptions {
            url: "redis://127.0.0.1:1".parse().unwrap(),
            authorities: None,
            namespace: "xmas".to_owned(),
            secret: b"secret".to_vec(),
            response_time: Duration::from_millis(20),
        };
        let cache = RedisCache::connect(options).await.unwrap();
        let mark = Envelope::new(b"secret").mark();
        let beginning = format!("xmas:1:{mark}:throttle:");
        assert_eq!(cache.key("throttle:login:a"), format!("{beginning}login:a"));
        let long = |last: &str| cache.key(&format!("throttle:{}{last}", "k".repeat(300)));
        assert!(long("a").starts_with(&format!("{beginning}#")) && long("a").len() < 100);
        assert_ne!(long("a"), long("b"));
    }

    #[tokio::test]
    async fn without_a_server_this_process_counts() {
        let options = RedisOptions {
            url: "redis://127.0.0.1:1".parse().unwrap(),
            authorities: None,
            namespace: "xmas".to_owned(),
            secret: b"secret".to_vec(),
            response_time: Duration::from_millis(20),
        };
        let cache = RedisCache::connect(options).await.unwrap();
        assert!(!cache.is_well().await);
        assert!(!cache.is_available());
        let minute = Duration::from_secs(60);
        for hits in 1..=3 {
            assert_eq!(cache.count("a", minute).await.hits, hits);
        }
        cache.put("a", b"value".to_vec(), minute).await;
        assert_eq!(cache.get("a").await, None);
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.failures), (0, 1, 5));
    }
}
