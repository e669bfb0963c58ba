//! The only place where concrete services meet `dyn` traits.

use std::{io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::web::{Data, PayloadConfig, ServiceConfig};
use anyhow::bail;
use chrono::TimeDelta;
use xmas_activity::{Activities, ActivityLog, ActivityObserver, ActivityService, EventWriter};
use xmas_cache::{Cache, MemoryCache, RedisCache, RedisOptions, RedisSetupError, Throttle};
use xmas_config::{CacheConfig, Config, LimitsConfig, Origin, Secret, Secrets};
use xmas_core_auth::{
    AccessTokens, Auth, AuthOptions, LoginThrottle, Passwords, Sessions, SigningKeys,
};
use xmas_event_bridge::{BridgeWarden, Bridges, KeyAwarder, Settlement, SettlementOptions};
use xmas_event_file::EventDesk;
use xmas_features::{FeatureService, Features, UiConfigs};
use xmas_games::{
    DrawRegistry, Fairness, GameError, PlayContext, Ranking, SealedSeeds, catalog::Engines,
};
use xmas_housekeeping::Housekeeping;
use xmas_http::{
    error::Refusal,
    finished::FinishedAnswers,
    metrics::HttpMetrics,
    middleware::{
        contract::Contract,
        cors::CorsPolicy,
        limits::{Limits, MAX_BODY_BYTES},
        places::{PerClient, Places},
    },
    server::{self, Running, ServerOptions},
    settings::HttpSettings,
};
use xmas_kernel::{
    Problem,
    db::{Db, DbError},
    entropy::{Entropy, OsEntropy},
    seal::{DataKey, SealKey},
    with_causes,
};
use xmas_players::{Players, PlayersOptions};
use xmas_reporting::{
    ActivePlayers, Audit, Dashboard, History, Payouts, Records, RewardQueue, Timelines, Users,
};
use xmas_rewards::{
    Batches, RewardDesk, RewardService, Rewards, StockedCodes, Wallets, WithheldCodes,
};
use xmas_season_pass::{
    SeasonMover, SeasonPass, SeasonPassOptions, SeasonPassService, SeasonStamps, XpCorrections,
};
use xmas_texts::setting;
use xmas_time::{Clock, DateTime, SystemClock, Utc};
use xmas_watch::{
    DatabaseServer, Watch, audit_if_due,
    metrics::{Build, Metrics, Sources, StatementMetrics},
};

use crate::{
    admin, health, home,
    openapi::{self, Docs},
    readiness::Readiness,
    version,
};

/// What a test replaces.
pub struct Ports {
    pub clock: Arc<dyn Clock>,
    /// What this machine's clock shows, whatever the event's does: it is compared with the database's.
    pub machine: Arc<dyn Clock>,
    pub entropy: Arc<dyn Entropy>,
    pub cache: Arc<dyn Cache>,
    pub observers: Vec<Arc<dyn ActivityObserver>>,
}

impl Ports {
    /// The real ones, around a clock.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            machine: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            cache: Arc::new(MemoryCache::default()),
            observers: Vec::new(),
        }
    }

    /// The same, with the cache that the configuration names (`REDIS_URL`), if it names one.
    ///
    /// A Redis that does not answer is no error; a file or a form that cannot be used is.
    pub async fn with_cache_of(self, config: &Config, secrets: &Secrets) -> anyhow::Result<Self> {
        let cache: Arc<dyn Cache> = match redis(config, cache_secret(&secrets.data_key)).await? {
            Some(redis) => Arc::new(redis),
            None => return Ok(self),
        };
        Ok(Self { cache, ..self })
    }
}

/// The Redis that a configuration names, asked once whether it is there; `secret` tells what lies there from what
/// others have put there.
pub(crate) async fn redis(config: &Config, secret: Vec<u8>) -> anyhow::Result<Option<RedisCache>> {
    let CacheConfig { redis_ca_file, .. } = &config.cache;
    let Some(url) = config.cache.redis_url.clone() else {
        return Ok(None);
    };
    if redis_ca_file.is_some() && !url.is_tls() {
        bail!(Problem::new(
            "REDIS_CA_FILE",
            setting::authorities_without_tls()
        ));
    }
    let authorities = redis_ca_file.as_ref().map(std::fs::read).transpose();
    let options = RedisOptions {
        url,
        authorities: authorities.map_err(|error| {
            Problem::new("REDIS_CA_FILE", setting::authorities(error.to_string()))
        })?,
        namespace: config.cache.redis_namespace.clone(),
        secret,
        response_time: config.cache.redis_timeout(),
    };
    let redis = RedisCache::connect(options).await;
    Ok(Some(redis.map_err(|error| match error {
        RedisSetupError::Authorities => {
            Problem::new("REDIS_CA_FILE", setting::authorities(error.to_string()))
        }
        error => Problem::new("REDIS_URL", setting::redis_unusable(with_causes(&error))),
    })?))
}

/// Everything that handlers ask for, wired up once and shared by all workers.
#[derive(Clone)]
pub struct App {
    clock: Arc<dyn Clock>,
    pub(crate) player: xmas_player_api::Services,
    pub(crate) admin: admin::Services,
    /// Names this process among all that work on the database.
    process: Arc<str>,
    draws: Arc<DrawRegistry>,
    readiness: Readiness,
    http: HttpSettings,
    cache: Arc<dyn Cache>,
    finished: FinishedAnswers,
    contract: Arc<Contract>,
    docs: Docs,
    limits: Limits,
    cors: CorsPolicy,
    http_metrics: HttpMetrics,
    housekeeping: Housekeeping,
}

const MINUTE: Duration = Duration::from_secs(60);

impl App {
    /// Wires the application onto a database.
    pub fn new(db: &Db, config: &Config, secrets: &Secrets, ports: Ports) -> Self {
        // The bridge hears of everything first, since a test's own observer may want to fail last.
        let awarder = KeyAwarder::new(db.clone(), Arc::new(SeasonStamps));
        let mut observers: Vec<Arc<dyn ActivityObserver>> = vec![Arc::new(awarder.clone())];
        observers.extend(ports.observers);
        let log = ActivityLog::with_observers(observers);
        let switches = Arc::new(Features::new(db.clone(), config.event.feature_gate_enabled));
        let features: Arc<dyn FeatureService> = switches.clone();
        let activity: Arc<dyn ActivityService> = Arc::new(Activities::new(db.clone(), log.clone()));
        let key = data_key(&secrets.data_key, secrets.data_key_previous.as_ref());
        let ledger = Rewards::new(EventWriter, config.event.reward_review_points);
        let desk = Arc::new(RewardDesk::new(
            db.clone(),
            key.clone(),
            ports.entropy.clone(),
            ledger.clone(),
        ));
        let rewards: Arc<dyn RewardService> = desk.clone();
        let ledger = Arc::new(ledger);
        let wallets = Arc::new(Wallets::new(db.clone()));
        let recipients = Arc::new(ActivePlayers::new(db.clone()));
        let mover = SeasonMover::new(ledger.clone(), log.clone());
        let seasons = Arc::new(
            SeasonPass::new(SeasonPassOptions {
                db: db.clone(),
                features: features.clone(),
                rewards: rewards.clone(),
                pages: activity.clone(),
                activity: log.clone(),
                mover: mover.clone(),
            })
            .with_warden(Arc::new(BridgeWarden::new(awarder.clone()))),
        );
        let season_pass: Arc<dyn SeasonPassService> = seasons.clone();
        let passwords = passwords(config, ports.entropy.clone());
        let ranking = Arc::new(Ranking::new(
            db.clone(),
            features.clone(),
            activity.clone(),
            ports.cache.clone(),
        ));
        let players = Players::new(PlayersOptions {
            db: db.clone(),
            key: key.clone(),
            passwords: Arc::new(passwords.clone()),
            seasons: Arc::new(XpCorrections {
                seasons: season_pass.clone(),
                rewards: ledger.clone(),
                mover: mover.clone(),
                entropy: ports.entropy.clone(),
            }),
            forgetful: vec![
                Arc::new(EventWriter),
                Arc::new(Sessions),
                ranking.clone(),
                ledger.clone(),
            ],
        });
        let users = Users::new(db.clone(), season_pass.clone());
        let draws = Arc::new(DrawRegistry::new(
            db.clone(),
            key.clone(),
            ports.entropy.clone(),
        ));
        let context = PlayContext {
            db: db.clone(),
            features: features.clone(),
            ledger: ledger.clone(),
            rewards: rewards.clone(),
            seasons: season_pass.clone(),
            progress: Arc::new(mover),
            pages: activity.clone(),
            activity: log.clone(),
            draws: draws.clone(),
        };
        let engines = Engines::new(&context);
        let fairness = Arc::new(Fairness::new(db.clone(), draws.clone(), engines.odds()));
        let texts = Arc::new(UiConfigs::new(db.clone()));
        let bridges = Bridges::new(db.clone(), &awarder);
        let settlement = Settlement::new(SettlementOptions {
            db: db.clone(),
            ledger: ledger.clone(),
            seasons: season_pass.clone(),
            awarder,
        });
        let finished = FinishedAnswers::new(ports.cache.clone());
        let document = openapi::document();
        let limits = &config.limits;
        let throttle = |name, limit| Throttle::new(ports.cache.clone(), name, limit, MINUTE);
        let if_limited = |name, limit| (limit > 0).then(|| throttle(name, limit));
        let auth = Auth::new(AuthOptions {
            db: db.clone(),
            tokens: access_tokens(config, &secrets.jwt),
            passwords,
            activity: log,
            entropy: ports.entropy,
            refresh_lifetime: TimeDelta::days(config.auth.refresh_expire_days),
            throttle: LoginThrottle {
                by_account: throttle("login-account", limits.logins_per_minute),
                by_account_from_anywhere: throttle(
                    "login-anywhere",
                    limits.logins_per_account_per_minute,
                ),
                by_address: throttle("login-address", limits.logins_per_address_per_minute),
            },
        });
        let event = EventDesk::new(
            db.clone(),
            seasons.clone(),
            engines.clone(),
            desk.clone(),
            (switches.clone(), texts.clone()),
        );
        Self {
            clock: ports.clock,
            player: xmas_player_api::Services {
                auth: Arc::new(auth),
                season_pass,
                bridge: Arc::new(bridges),
                games: engines.services(),
                ranking: ranking.clone(),
                fairness: fairness.clone(),
                wallets: wallets.clone(),
                history: Arc::new(History::new(db.clone(), rewards.clone())),
                activity,
                texts: texts.clone(),
            },
            admin: admin::Services {
                players: xmas_admin_players::Services {
                    players: Arc::new(players),
                    users: Arc::new(users),
                    timelines: Arc::new(Timelines::new(db.clone())),
                },
                wallets: xmas_admin_wallets::Services {
                    wallets,
                    batches: Arc::new(Batches::new(db.clone(), recipients)),
                    payouts: Arc::new(Payouts::new(db.clone())),
                },
                rewards: xmas_admin_rewards::Services {
                    rewards: desk,
                    queue: Arc::new(RewardQueue::new(db.clone())),
                },
                seasons: xmas_admin_seasons::Services { seasons },
                games: xmas_admin_games::Services {
                    engines,
                    fairness,
                    ranking,
                },
                bridge: xmas_admin_bridge::Services {
                    settlement: Arc::new(settlement),
                },
                event: xmas_admin_event::Services {
                    event: Arc::new(event),
                },
                features: xmas_admin_features::Services {
                    features: switches,
                    texts,
                },
                insight: xmas_admin_insight::Services {
                    dashboard: Arc::new(Dashboard::new(db.clone(), ports.cache.clone())),
                    records: Arc::new(Records::new(db.clone())),
                },
            },
            process: uuid::Uuid::new_v4().to_string().into(),
            draws,
            housekeeping: Housekeeping::new(
                db.clone(),
                TimeDelta::days(config.housekeeping.login_ip_retention_days.into()),
            ),
            readiness: Readiness::new(
                DatabaseServer::new(db.clone(), ports.machine, version::VERSION),
                key,
            ),
            http_metrics: HttpMetrics::default(),
            cache: ports.cache.clone(),
            finished,
            http: HttpSettings {
                trusted_proxies: config.server.trusted_proxies.clone(),
                player_writes: if_limited("player-writes", limits.player_writes_per_minute),
                player_reads: if_limited("player-reads", limits.player_reads_per_minute),
            },
            contract: Arc::new(Contract::of(&document)),
            docs: Docs::of(&document),
            limits: Limits {
                requests: Places::new(limits.max_requests, Refusal::Requests),
                by_client: PerClient::new(limits.requests_per_address),
                arriving: Places::new(limits.max_slow_bodies, Refusal::SlowBodies),
                arriving_by_client: PerClient::new(limits.requests_per_address),
                uploads: Places::new(limits.max_uploads, Refusal::Uploads),
                logins: Places::new(limits.max_logins, Refusal::Logins),
                bulk: Places::new(limits.max_bulk, Refusal::Bulk),
                request_time: limits.request_time(),
                bulk_time: limits.bulk_time(),
                body_time: Duration::from_secs(limits.body_seconds),
                upload_time: Duration::from_secs(limits.upload_seconds),
            },
            cors: CorsPolicy::new(
                config.server.cors_origins.iter().map(Origin::as_str),
                config.is_production(),
            ),
        }
    }

    /// Serves it on a listener until the returned server is stopped.
    pub fn serve(&self, listener: TcpListener, config: &LimitsConfig) -> io::Result<Running> {
        let options = ServerOptions {
            connections: usize::try_from(config.client_connections).unwrap_or(usize::MAX),
            finish_within: config.request_time() + Duration::from_secs(1),
            draining: self.readiness.draining.clone(),
            connections_by_client: PerClient::new(config.connections_per_address),
            trusted_proxies: self.http.trusted_proxies.clone(),
            metrics: self.http_metrics.clone(),
            head_time: Duration::from_secs(config.head_seconds),
            answer_time: Duration::from_secs(config.answer_seconds),
        };
        let app = self.clone();
        let configure = Arc::new(move |cfg: &mut ServiceConfig| app.configure(cfg));
        server::start(configure, self.cors.clone(), listener, options)
    }

    /// Registers the services and every route with a worker.
    fn configure(&self, cfg: &mut ServiceConfig) {
        cfg.app_data(Data::from(self.clock.clone()))
            .app_data(Data::new(self.readiness.clone()))
            .app_data(Data::new(self.http.clone()))
            .app_data(Data::new(self.finished.clone()))
            .app_data(Data::new(self.limits.clone()))
            .app_data(Data::from(self.contract.clone()))
            .app_data(PayloadConfig::new(MAX_BODY_BYTES));
        home::configure(cfg);
        health::operations().serve(cfg);
        xmas_player_api::configure(cfg, &self.player);
        admin::configure(cfg, &self.admin);
        self.docs.serve(cfg);
    }

    /// The bridge for operators.
    pub fn settlement(&self) -> &Settlement {
        &self.admin.bridge.settlement
    }

    /// The event as one file.
    pub fn event(&self) -> &EventDesk {
        &self.admin.event.event
    }

    /// The event at a glance.
    pub fn dashboard(&self) -> &Dashboard {
        &self.admin.insight.dashboard
    }

    /// Every invariant of the database.
    pub fn audit(&self) -> Audit {
        Audit::new(self.db().clone())
    }

    /// Checks every invariant if nobody has for `every`; whoever does has `lease` for it.
    pub async fn audit_if_due(&self, every: Duration, lease: Duration) -> Result<(), DbError> {
        audit_if_due(self.db(), self.process(), every, lease).await
    }

    /// Removes what nobody needs any more, unless another replica has done so within the hour.
    pub async fn keep_house(&self, now: DateTime<Utc>) -> Result<(), DbError> {
        self.housekeeping.run_if_due(self.process(), now).await
    }

    /// Keeps what is published of odds up to date, should nobody play: what has taken over or run out, and, unless another
    /// replica has done so within the hour, how often each result came up.
    pub async fn keep_odds(&self, now: DateTime<Utc>) -> Result<(), GameError> {
        let fairness = &self.player.fairness;
        let caught_up = fairness.catch_up(now).await;
        fairness.observe_if_due(self.process(), now).await?;
        caught_up
    }

    /// What replicas share, if there is anything like it.
    pub(crate) fn cache(&self) -> &dyn Cache {
        &*self.cache
    }

    /// A new watch, which has seen nothing yet and looks at the database when it is told to.
    pub fn new_watch(&self) -> Watch {
        Watch::new(
            self.readiness.server.clone(),
            self.admin.bridge.settlement.clone(),
        )
    }

    /// What the process shows to those who watch it.
    pub fn metrics(&self, statements: StatementMetrics, watch: Arc<Watch>) -> Metrics {
        Metrics::new(Sources {
            build: Build {
                version: version::VERSION,
                commit: version::COMMIT,
            },
            http: self.http_metrics.clone(),
            statements,
            db: self.db().clone(),
            cache: self.cache.clone(),
            draining: self.readiness.draining.clone(),
            watch,
        })
    }

    pub(crate) fn db(&self) -> &Db {
        self.readiness.server.db()
    }

    pub(crate) fn process(&self) -> &str {
        &self.process
    }

    /// Makes the fingerprints of coupon codes that a migration has left open; returns how many codes are
    /// withheld because several kinds have them.
    pub async fn complete_codes(&self) -> Result<u64, DbError> {
        self.admin.rewards.rewards.complete_codes().await
    }

    /// Makes the seeds of today's draws and of the days ahead, where there are none yet.
    ///
    /// The first ones make `DATA_KEY` the database's.
    pub async fn prepare_draws(&self, now: DateTime<Utc>) -> Result<(), GameError> {
        self.draws.prepare(now).await
    }

    pub fn readiness(&self) -> &Readiness {
        &self.readiness
    }
}

/// What the values in a shared cache are known by: a database has one `DATA_KEY`, and so has its cache. No coupon
/// code has a NUL in it. Replicas that have another one find nothing of each other's, and count for themselves.
fn cache_secret(data_key: &Secret) -> Vec<u8> {
    let key = SealKey::new(data_key.expose());
    key.fingerprint(b"\0shared cache v1").into_bytes()
}

/// The keys of these secrets (`DATA_KEY`, `DATA_KEY_PREVIOUS`), and every table with values that they seal.
pub fn data_key(secret: &Secret, previous: Option<&Secret>) -> DataKey {
    let mut key = DataKey::new(secret.expose());
    if let Some(previous) = previous {
        key = key.with_previous(previous.expose());
    }
    key.of_tables(vec![
        Arc::new(StockedCodes::default()),
        Arc::new(WithheldCodes::default()),
        Arc::new(SealedSeeds),
    ])
}

fn access_tokens(config: &Config, jwt_secret: &Secret) -> AccessTokens {
    let previous = config.auth.jwt_previous_secret.as_ref().map(Secret::expose);
    let minutes = |minutes: u64| MINUTE * u32::try_from(minutes).unwrap_or(u32::MAX);
    AccessTokens::new(
        SigningKeys::new(jwt_secret.expose(), previous),
        minutes(config.auth.jwt_expire_minutes),
        minutes(config.auth.jwt_admin_expire_minutes),
    )
}

/// The password hasher of a configuration.
pub fn passwords(config: &Config, entropy: Arc<dyn Entropy>) -> Passwords {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let concurrency = match config.auth.password_concurrency {
        0 => cores,
        number => usize::try_from(number).unwrap_or(cores),
    };
    Passwords::new(concurrency, entropy)
}
