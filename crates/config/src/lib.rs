//! Configuration from the environment: one struct per subsystem, whose doc comments are the
//! reference (`docs/configuration.md` is generated from them).
//!
//! Each setting is declared as an argument whose long name is the variable's name, so that one
//! parser checks types, bounds and defaults, and can be asked for all of them. To add a setting:
//! a field with a doc comment in one of the structs below.

mod arguments;
mod data_dir;
mod docs;
mod dot_env;
mod effective;
mod listen_addr;
mod receivers;
mod safety;
mod secrets;
mod source;

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use clap::{Args, FromArgMatches, Parser, ValueEnum};
use ipnet::{IpNet, Ipv4Net};
use xmas_cache::RedisUrl;
use xmas_kernel::db::DbUrl;
use xmas_texts::{Text, field, quoted, setting};
use xmas_time::{DateTime, Utc};

use receivers::ratio;

pub use data_dir::prepare as prepare_data_dir;
pub use docs::reference;
pub use effective::{Setting, effective};
pub use listen_addr::ListenAddr;
pub use receivers::{OtlpEndpoint, SentryDsn};
pub use safety::problems;
pub use secrets::Secrets;
pub use source::{ConfigError, SecretFile, Variables};

/// Everything that can be set.
#[derive(Clone, Debug, Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
pub struct Config {
    #[command(flatten)]
    pub app: AppConfig,
    #[command(flatten)]
    pub server: ServerConfig,
    #[command(flatten)]
    pub database: DatabaseConfig,
    #[command(flatten)]
    pub cache: CacheConfig,
    #[command(flatten)]
    pub auth: AuthConfig,
    #[command(flatten)]
    pub limits: LimitsConfig,
    #[command(flatten)]
    pub event: EventConfig,
    #[command(flatten)]
    pub log: LogConfig,
    #[command(flatten)]
    pub watch: WatchConfig,
    #[command(flatten)]
    pub telemetry: TelemetryConfig,
    #[command(flatten)]
    pub housekeeping: HousekeepingConfig,
    /// The files that secrets were read from.
    #[arg(skip)]
    pub secret_files: Vec<SecretFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AppEnv {
    Development,
    Production,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Application")]
pub struct AppConfig {
    /// Where this runs. `production` refuses every setting that is safe only on a developer's
    /// machine; see `xmas-api check`.
    #[arg(long = "APP_ENV", default_value = "development")]
    pub env: AppEnv,
    /// The folder of what the program keeps by itself in development: the embedded database and the
    /// generated secrets. It is for its owner only.
    #[arg(long = "DATA_DIR", default_value = "./data", value_name = "FOLDER")]
    pub data_dir: PathBuf,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Server")]
pub struct ServerConfig {
    /// The address or name, and the port, to listen on. In development the default is `127.0.0.1:8000`, which only
    /// this machine reaches, since the demo's passwords are published; in production it is
    /// `0.0.0.0:8000`.
    #[arg(
        long = "BIND_ADDR",
        default_value = "127.0.0.1:8000",
        default_value_if("env", "production", "0.0.0.0:8000"),
        value_parser = parsed::<ListenAddr>,
        value_name = "ADDRESS:PORT"
    )]
    pub bind_addr: ListenAddr,
    /// Origins that browsers may call from, separated by commas: scheme, host and perhaps a port. `https://cc-jm.com` and
    /// `https://www.cc-jm.com` are always allowed; outside production also the localhost ports
    /// 3000, 4173 and 5173. `*` allows every origin and is refused in production.
    #[arg(long = "CORS_ORIGINS", value_delimiter = ',', value_parser = parsed::<Origin>, value_name = "ORIGIN,…")]
    pub cors_origins: Vec<Origin>,
    /// Addresses or networks of reverse proxies whose `X-Forwarded-For` is believed, separated by
    /// commas. Networks that are wider than proxies stand in are refused in production.
    #[arg(long = "TRUSTED_PROXIES", value_delimiter = ',', value_parser = network, value_name = "NETWORK,…")]
    pub trusted_proxies: Vec<IpNet>,
    /// How long requests are still served after SIGTERM, while readiness already answers 503, so
    /// that a load balancer can look away. Less than the 5 seconds for which a connection is kept idle may hang up on
    /// a client that sends just then.
    #[arg(long = "DRAIN_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(0..=600), value_name = "SECONDS")]
    pub drain_seconds: u64,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Database")]
pub struct DatabaseConfig {
    /// `mysql://user:password@host:port/database` for MySQL or MariaDB, or `sqlite://file?mode=rwc`.
    /// Percent-encode `/ # @ ? %` in user and password as `%2F %23 %40 %3F %25`. Unset: an embedded SQLite database in `DATA_DIR`, which is migrated and filled with the demo
    /// season by itself. Must be set in production.
    #[arg(long = "DATABASE_URL", value_parser = parsed::<DbUrl>, value_name = "URL")]
    pub url: Option<DbUrl>,
    /// The key that coupon codes and the seeds of draws are sealed with in the database: at least 32
    /// bytes, the same on every replica. Without it they cannot be read any more, so keep a copy
    /// where the database is not. Unset: one is generated and kept in `DATA_DIR`. Must be set in
    /// production.
    #[arg(long = "DATA_KEY", value_parser = parsed::<Secret>, value_name = "SECRET")]
    pub data_key: Option<Secret>,
    /// The key that sealed before, while `xmas-api rotate-data-key` brings the database from it to `DATA_KEY`, and for a
    /// day after: what either sealed is opened.
    #[arg(long = "DATA_KEY_PREVIOUS", value_parser = parsed::<Secret>, value_name = "SECRET")]
    pub data_key_previous: Option<Secret>,
    /// How many connections each of the two pools (transactions, reads) may open to a server. Each core and the jobs have
    /// an equal part, at least four: with more cores there are more. SQLite always writes through one.
    #[arg(long = "DATABASE_MAX_CONNECTIONS", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000), value_name = "NUMBER")]
    pub max_connections: u32,
    /// How long a request waits for a free connection before it is answered with `OVERLOADED`.
    #[arg(long = "DATABASE_ACQUIRE_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60), value_name = "SECONDS")]
    pub acquire_seconds: u64,
    /// For a cluster of which more than one node is used: what is read waits until the node that is asked has all that
    /// others have committed before (`wsrep_sync_wait` of Galera, `group_replication_consistency` of Group
    /// Replication). Without it, whoever asks over another node may not see their own last step yet.
    #[arg(long = "DATABASE_CAUSAL_READS", default_value_t = false, action = clap::ArgAction::Set, value_name = "BOOLEAN")]
    pub causal_reads: bool,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheConfig {
    /// `redis://user:password@host:port/number`, or `rediss://…` for TLS: the server on which replicas share
    /// throttles and short-lived copies. Nothing that matters is there, and while it does not answer the
    /// service goes on without it. Leave the user out (`redis://:password@…`) where there is only a
    /// password, and percent-encode `/ # @ ? %` in both as `%2F %23 %40 %3F %25`. Unset: each process
    /// keeps its own.
    #[arg(long = "REDIS_URL", value_parser = parsed::<RedisUrl>, value_name = "URL")]
    pub redis_url: Option<RedisUrl>,
    /// The longest that a request waits for Redis, in milliseconds, before it goes on without it.
    #[arg(long = "REDIS_TIMEOUT_MILLIS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(20..=50), value_name = "MILLISECONDS")]
    pub redis_timeout_millis: u64,
    /// What the keys on the Redis server begin with, so that two events may share one: up to 32 of
    /// `a-z 0-9 - _`.
    #[arg(long = "REDIS_NAMESPACE", default_value = "xmas", value_parser = namespace, value_name = "NAME")]
    pub redis_namespace: String,
    /// A file of certificates (PEM): the authorities that `rediss://` believes in place of the public
    /// ones.
    #[arg(long = "REDIS_CA_FILE", value_name = "FILE")]
    pub redis_ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Authentication")]
pub struct AuthConfig {
    /// The secret that signs access tokens: at least 32 bytes. Unset: one is generated and kept in
    /// `DATA_DIR`. Must be set in production.
    #[arg(long = "JWT_SECRET", value_parser = parsed::<Secret>, value_name = "SECRET")]
    pub jwt_secret: Option<Secret>,
    /// The secret that signed before; its tokens are accepted until they expire.
    #[arg(long = "JWT_PREVIOUS_SECRET", value_parser = parsed::<Secret>, value_name = "SECRET")]
    pub jwt_previous_secret: Option<Secret>,
    /// How long a player's access token lives.
    #[arg(long = "JWT_EXPIRE_MINUTES", default_value_t = 720, value_parser = clap::value_parser!(u64).range(1..=43_200), value_name = "MINUTES")]
    pub jwt_expire_minutes: u64,
    /// How long an admin's access token lives.
    #[arg(long = "JWT_ADMIN_EXPIRE_MINUTES", default_value_t = 480, value_parser = clap::value_parser!(u64).range(1..=43_200), value_name = "MINUTES")]
    pub jwt_admin_expire_minutes: u64,
    /// How long a refresh token lives after it was issued.
    #[arg(long = "REFRESH_EXPIRE_DAYS", default_value_t = 14, value_parser = clap::value_parser!(i64).range(1..=365), value_name = "DAYS")]
    pub refresh_expire_days: i64,
    /// How many passwords are checked at once; each takes a core and 19 MiB. 0 means one per core.
    #[arg(long = "PASSWORD_CONCURRENCY", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=1024), value_name = "NUMBER")]
    pub password_concurrency: u64,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitsConfig {
    /// Attempts to log in to one account from one address in a minute.
    #[arg(long = "LOGINS_PER_MINUTE", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub logins_per_minute: u64,
    /// Attempts to log in to one account from all addresses together in a minute. Whoever reaches it locks the
    /// account's owner out for the rest of the minute.
    #[arg(long = "LOGINS_PER_ACCOUNT_PER_MINUTE", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub logins_per_account_per_minute: u64,
    /// Attempts to log in to any account from one address in a minute. Many players may share one
    /// address behind their carrier.
    #[arg(long = "LOGINS_PER_ADDRESS_PER_MINUTE", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub logins_per_address_per_minute: u64,
    /// Requests of one player that change something, in a minute. 0 means no limit.
    #[arg(long = "PLAYER_WRITES_PER_MINUTE", default_value_t = 300, value_parser = clap::value_parser!(u64), value_name = "NUMBER")]
    pub player_writes_per_minute: u64,
    /// Requests of one player that only read, in a minute. 0 means no limit.
    #[arg(long = "PLAYER_READS_PER_MINUTE", default_value_t = 1200, value_parser = clap::value_parser!(u64), value_name = "NUMBER")]
    pub player_reads_per_minute: u64,
    /// Requests in progress at once, whose bodies have arrived; one more is answered with `OVERLOADED`. More than
    /// the server does in half a second only makes everybody wait.
    #[arg(long = "MAX_REQUESTS", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub max_requests: u64,
    /// Requests in progress of one client address, and bodies on their way from it; one more is answered with
    /// `TOO_MANY_REQUESTS`. Behind a reverse proxy this needs `TRUSTED_PROXIES`. 0 means no limit.
    #[arg(long = "MAX_REQUESTS_PER_ADDRESS", default_value_t = 128, value_parser = clap::value_parser!(u64), value_name = "NUMBER")]
    pub requests_per_address: u64,
    /// Logins and changes of passwords in progress at once; one more is answered with `OVERLOADED`, so that they
    /// leave places to those who play.
    #[arg(long = "MAX_LOGINS", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub max_logins: u64,
    /// An admin's work on many players in progress at once; one more is answered with `OVERLOADED`.
    #[arg(long = "MAX_BULK_REQUESTS", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub max_bulk: u64,
    /// Bodies on their way at once that did not come right behind their headers; one more is answered with
    /// `OVERLOADED`.
    #[arg(long = "MAX_SLOW_BODIES", default_value_t = 4096, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub max_slow_bodies: u64,
    /// Bodies of more than 64 KiB on their way or in progress at once; one more is answered with `OVERLOADED`.
    #[arg(long = "MAX_UPLOADS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub max_uploads: u64,
    /// How long a body of up to 64 KiB may take to arrive before it is answered with `BODY_TOO_SLOW`.
    #[arg(long = "BODY_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60), value_name = "SECONDS")]
    pub body_seconds: u64,
    /// The same for a larger one.
    #[arg(long = "UPLOAD_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600), value_name = "SECONDS")]
    pub upload_seconds: u64,
    /// Connections open at once for each core; further ones wait to be accepted.
    #[arg(long = "MAX_CLIENT_CONNECTIONS", default_value_t = 8192, value_parser = clap::value_parser!(u64).range(1..), value_name = "NUMBER")]
    pub client_connections: u64,
    /// Connections open at once of one client address; further ones are closed. Those of `TRUSTED_PROXIES` are not
    /// counted. 0 means no limit.
    #[arg(long = "MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 1024, value_parser = clap::value_parser!(u64), value_name = "NUMBER")]
    pub connections_per_address: u64,
    /// How long the headers of a request may take to arrive before the connection is closed.
    #[arg(long = "HEAD_SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60), value_name = "SECONDS")]
    pub head_seconds: u64,
    /// How long a client may leave an answer unread before the connection is closed.
    #[arg(long = "ANSWER_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600), value_name = "SECONDS")]
    pub answer_seconds: u64,
    /// How long a request may take before it is answered with `OVERLOADED`.
    #[arg(long = "REQUEST_SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=300), value_name = "SECONDS")]
    pub request_seconds: u64,
    /// The same for an admin's work on many players at once: imports, batches, settlements.
    #[arg(long = "BULK_SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=3600), value_name = "SECONDS")]
    pub bulk_seconds: u64,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Event")]
pub struct EventConfig {
    /// Whether QA's daily schedule (`feature_schedule`) decides which features run. Refused in
    /// production.
    #[arg(long = "FEATURE_GATE_ENABLED", default_value_t = false, action = clap::ArgAction::Set, value_name = "BOOLEAN")]
    pub feature_gate_enabled: bool,
    /// Points from this many on wait for an admin before they are delivered.
    #[arg(long = "REWARD_REVIEW_POINTS", default_value_t = 10_000, value_parser = clap::value_parser!(i64).range(1..), value_name = "POINTS")]
    pub reward_review_points: i64,
    /// An RFC 3339 instant at which the clock starts and then runs on, such as
    /// `2025-12-26T09:00:00+09:00`. Refused in production.
    #[arg(long = "XMAS_CLOCK", value_parser = instant, value_name = "INSTANT")]
    pub clock: Option<DateTime<Utc>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    Pretty,
    Json,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Logging")]
pub struct LogConfig {
    /// How log lines are written. Unset: `json` in production, else `pretty`.
    #[arg(long = "LOG_FORMAT")]
    pub format: Option<LogFormat>,
    /// What is logged, as `target=level,…`.
    #[arg(
        long = "RUST_LOG",
        default_value = "info,sqlx=warn,sea_orm_migration=warn,actix_server=warn,actix_http=off",
        value_name = "FILTER"
    )]
    pub filter: String,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchConfig {
    /// The address and port that metrics are served on, at `/metrics`. It is for the inside only: who reaches it needs no
    /// token. Unset: they are not served.
    #[arg(long = "METRICS_ADDR", value_parser = parsed::<ListenAddr>, value_name = "ADDRESS:PORT")]
    pub metrics_addr: Option<ListenAddr>,
    /// From when on a statement counts as slow and is logged, without its values, in milliseconds.
    #[arg(long = "SLOW_STATEMENT_MILLIS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(1..=60_000), value_name = "MILLISECONDS")]
    pub slow_statement_millis: u64,
    /// How often one of the replicas checks every invariant of the database, as `xmas-api audit` does. 0 means never.
    #[arg(long = "AUDIT_HOURS", default_value_t = 6, value_parser = clap::value_parser!(u64).range(0..=168), value_name = "HOURS")]
    pub audit_hours: u64,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Tracing and crash reports")]
pub struct TelemetryConfig {
    /// The base URL of a receiver that takes traces as OTLP over HTTP, such as `http://collector:4318`; `/v1/traces` is
    /// added. With https, a public authority must have signed its certificate. Unset: nothing is traced.
    #[arg(long = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = parsed::<OtlpEndpoint>, value_name = "URL")]
    pub otlp_endpoint: Option<OtlpEndpoint>,
    /// What part of all requests is traced, from 0 to 1. A request whose `traceparent` says whether it is traced is left
    /// to that.
    #[arg(long = "TRACE_RATIO", default_value = "1", value_parser = ratio, value_name = "NUMBER")]
    pub trace_ratio: f64,
    /// The DSN of a project in Sentry, which hears of panics and of answers with status 500. Unset: nobody does.
    #[arg(long = "SENTRY_DSN", value_parser = parsed::<SentryDsn>, value_name = "SECRET")]
    pub sentry_dsn: Option<SentryDsn>,
}

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Housekeeping")]
pub struct HousekeepingConfig {
    /// How long it is kept where players and operators logged in from. Then the address goes, and the login stays. Laws
    /// may ask for a least or a longest time.
    #[arg(long = "LOGIN_IP_RETENTION_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3_650), value_name = "DAYS")]
    pub login_ip_retention_days: u32,
}

/// Text that is shown to nobody, and not blank.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Text> {
        if text.trim().is_empty() {
            return Err(setting::blank_secret());
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A browser origin (`scheme://host[:port]`), or `*` for every one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_wildcard(&self) -> bool {
        self.0 == "*"
    }
}

impl FromStr for Origin {
    type Err = Text;

    /// In the one spelling that browsers send: in lower case, and without the port that the scheme has anyway.
    fn from_str(text: &str) -> Result<Self, Text> {
        let text = text.trim();
        if text == "*" {
            return Ok(Self(text.to_owned()));
        }
        let is_origin = |url: &url::Url| {
            matches!(url.scheme(), "http" | "https")
                && url.username().is_empty()
                && url.password().is_none()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
        };
        let url = url::Url::parse(text).ok().filter(is_origin);
        // There may be a password before the @.
        let shown = if text.contains('@') { "…" } else { text };
        let url = url.ok_or_else(|| setting::origin(quoted(shown)))?;
        Ok(Self(url.origin().ascii_serialization()))
    }
}

/// A value that reads itself, with its own words for one that cannot be read.
fn parsed<T: FromStr<Err: Into<Text>>>(text: &str) -> Result<T, Text> {
    text.parse().map_err(Into::into)
}

fn network(text: &str) -> Result<IpNet, Text> {
    let text = text.trim();
    let single = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| single())
        .map(|network| as_ipv4(&network).unwrap_or(network))
        .map_err(|_| setting::network(quoted(text)))
}

/// A network of IPv4 that is written as one of IPv6 (`::ffff:10.0.0.0/104`), as itself: so are the addresses that
/// are looked for in it.
fn as_ipv4(network: &IpNet) -> Option<IpNet> {
    const PREFIX: u8 = 96;
    let IpNet::V6(network) = network else {
        return None;
    };
    let length = network.prefix_len().checked_sub(PREFIX)?;
    let network = Ipv4Net::new(network.addr().to_ipv4_mapped()?, length);
    Some(IpNet::V4(network.ok()?))
}

fn namespace(text: &str) -> Result<String, Text> {
    let is_plain = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '-' | '_');
    if (1..=32).contains(&text.len()) && text.chars().all(is_plain) {
        Ok(text.to_owned())
    } else {
        Err(setting::namespace(quoted(text)))
    }
}

fn instant(text: &str) -> Result<DateTime<Utc>, Text> {
    DateTime::parse_from_rfc3339(text)
        .map(|instant| instant.to_utc())
        .map_err(|_| field::instant(quoted(text)))
}

impl Config {
    /// Reads the process's environment and, outside production, the file `.env`.
    pub fn load() -> Result<Self, ConfigError> {
        Self::from_variables(&Variables::of_process()?)
    }

    pub fn from_variables(variables: &Variables) -> Result<Self, ConfigError> {
        let config = Self::from_arg_matches(&variables.parsed()?)?;
        Ok(Self {
            secret_files: variables.secret_files().to_vec(),
            ..config
        })
    }

    pub fn is_production(&self) -> bool {
        self.app.env == AppEnv::Production
    }

    /// Whether the database is the embedded one, which looks after itself.
    pub fn is_embedded(&self) -> bool {
        self.database.url.is_none()
    }

    /// Where the database is.
    pub fn database_url(&self) -> DbUrl {
        let embedded = || DbUrl::sqlite_file(&self.app.data_dir.join("xmas.db"));
        self.database.url.clone().unwrap_or_else(embedded)
    }

    pub fn log_format(&self) -> LogFormat {
        let default = if self.is_production() {
            LogFormat::Json
        } else {
            LogFormat::Pretty
        };
        self.log.format.unwrap_or(default)
    }
}

impl CacheConfig {
    pub fn redis_timeout(&self) -> Duration {
        Duration::from_millis(self.redis_timeout_millis)
    }
}

impl LimitsConfig {
    pub fn bulk_time(&self) -> Duration {
        Duration::from_secs(self.bulk_seconds)
    }

    pub fn request_time(&self) -> Duration {
        Duration::from_secs(self.request_seconds)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use proptest::prelude::*;

    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_variables(&Variables::from_pairs(variables)?)
    }

    #[test]
    fn with_nothing_set_the_defaults_run_the_demo() {
        let config = config(&[]).unwrap();
        assert!(!config.is_production());
        assert!(config.is_embedded());
        assert_eq!(
            config.database_url().to_string(),
            "sqlite://./data/xmas.db?mode=rwc"
        );
        assert_eq!(config.server.bind_addr.to_string(), "127.0.0.1:8000");
        assert_eq!(config.auth.jwt_expire_minutes, 720);
        assert_eq!(config.event.reward_review_points, 10_000);
    }

    #[test]
    fn only_production_listens_to_other_machines_by_itself() {
        let address = |variables: &[(&str, &str)]| {
            let address = config(variables).unwrap().server.bind_addr;
            address.to_string()
        };
        assert_eq!(address(&[]), "127.0.0.1:8000");
        assert_eq!(address(&[("APP_ENV", "development")]), "127.0.0.1:8000");
        assert_eq!(address(&[("APP_ENV", "production")]), "0.0.0.0:8000");
        let own = ("BIND_ADDR", "[::1]:9000");
        assert_eq!(address(&[own, ("APP_ENV", "production")]), "[::1]:9000");
        assert_eq!(address(&[own]), "[::1]:9000");
    }

    #[test]
    fn every_kind_of_value_is_read() {
        let config = config(&[
            ("APP_ENV", "production"),
            ("CORS_ORIGINS", "https://a.example, http://localhost:8080/"),
            ("TRUSTED_PROXIES", "10.0.0.0/8,192.0.2.7"),
            ("FEATURE_GATE_ENABLED", "true"),
            ("XMAS_CLOCK", "2025-12-26T09:00:00+09:00"),
            ("LOG_FORMAT", "pretty"),
            ("DATABASE_URL", "mysql://u:p@127.0.0.1/xmas"),
        ])
        .unwrap();
        let origins: Vec<_> = config
            .server
            .cors_origins
            .iter()
            .map(Origin::as_str)
            .collect();
        assert_eq!(origins, ["https://a.example", "http://localhost:8080"]);
        assert_eq!(config.server.trusted_proxies.len(), 2);
        assert!(config.event.feature_gate_enabled && !config.is_embedded());
        assert_eq!(
            config.event.clock.unwrap().to_rfc3339(),
            "2025-12-26T00:00:00+00:00"
        );
    }

    #[test]
    fn an_origin_is_the_same_however_it_is_written() {
        for (written, origin) in [
            (" https://a.example ", "https://a.example"),
            ("HTTPS://A.Example/", "https://a.example"),
            ("https://a.example:443", "https://a.example"),
            ("http://a.example:80/", "http://a.example"),
            ("http://a.example:8080", "http://a.example:8080"),
            ("https://예.example", "https://xn--2j5b.example"),
            ("*", "*"),
        ] {
            assert_eq!(written.parse::<Origin>().unwrap().as_str(), origin);
        }
        for bad in [
            "",
            "a.example",
            "ftp://a.example",
            "https://a.example/x",
            "https://u@a.example",
            "https://a.example?x",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_network_of_ipv4_is_one_however_it_is_written() {
        let networks = "::ffff:10.0.0.0/104,::ffff:192.0.2.7,2001:db8::/32";
        let config = config(&[("TRUSTED_PROXIES", networks)]).unwrap();
        let networks: Vec<_> = config
            .server
            .trusted_proxies
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(networks, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32"]);
    }

    #[test]
    fn an_empty_variable_is_an_unset_one() {
        assert!(
            config(&[("DATABASE_URL", ""), ("BIND_ADDR", "")])
                .unwrap()
                .is_embedded()
        );
    }

    #[test]
    fn a_bad_value_is_told_with_its_variable() {
        for (name, value) in [
            ("BIND_ADDR", "8000"),
            ("APP_ENV", "staging"),
            ("JWT_EXPIRE_MINUTES", "0"),
            ("DRAIN_SECONDS", "-1"),
            ("CORS_ORIGINS", "example.com"),
            ("CORS_ORIGINS", "https://a.example/path"),
            ("TRUSTED_PROXIES", "proxy"),
            ("XMAS_CLOCK", "2025-12-26"),
            ("FEATURE_GATE_ENABLED", "yes"),
            ("REDIS_URL", "http://h"),
            ("REDIS_URL", "redis://h/?protocol=resp3"),
            ("REDIS_TIMEOUT_MILLIS", "19"),
            ("REDIS_TIMEOUT_MILLIS", "51"),
            ("REDIS_NAMESPACE", "two words"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://u:pw@collector"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector/?a=b"),
            ("TRACE_RATIO", "1.1"),
            ("TRACE_RATIO", "-0.1"),
            ("TRACE_RATIO", "NaN"),
            ("SENTRY_DSN", "https://sentry.example/42"),
            ("SENTRY_DSN", "https://key@sentry.example/"),
        ] {
            let error = config(&[(name, value)]).unwrap_err().to_string();
            assert!(error.contains(name), "{name}={value}: {error}");
        }
    }

    #[test]
    fn a_secret_is_not_in_the_debug_form_of_anything() {
        let config = config(&[
            ("JWT_SECRET", "do-not-print-me"),
            ("DATABASE_URL", "mysql://u:do-not-print-me@h/d"),
            ("REDIS_URL", "redis://:do-not-print-me@h"),
            ("SENTRY_DSN", "https://do-not-print-me@h/1"),
        ])
        .unwrap();
        assert!(!format!("{config:?}").contains("do-not-print-me"));
    }

    proptest! {
        #[test]
        fn an_origin_is_what_browsers_send(text in prop_oneof![
            any::<String>(),
            "(https?|ftp|file)://[a-zA-Z0-9.-]{1,20}(:[0-9]{1,6})?[/?#@]{0,2}",
        ]) {
            if let Ok(origin) = text.parse::<Origin>() {
                prop_assert_eq!(origin.as_str().parse::<Origin>(), Ok(origin.clone()));
                let url = url::Url::parse(origin.as_str());
                prop_assert!(origin.is_wildcard() || url.unwrap().origin().ascii_serialization() == origin.as_str());
            }
        }

        #[test]
        fn a_network_reads_back(text in prop_oneof![
            any::<String>(),
            "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}(/[0-9]{1,3})?",
            "(::ffff:)?[0-9a-f:.]{2,20}(/[0-9]{1,3})?",
        ]) {
            if let Ok(network) = network(&text) {
                prop_assert_eq!(super::network(&network.to_string()), Ok(network));
            }
        }

        #[test]
        fn no_value_of_a_setting_is_too_odd_to_be_refused(
            name in prop::sample::select(Config::command().get_arguments().filter_map(|it| it.get_long().map(str::to_owned)).collect::<Vec<_>>()),
            value in prop_oneof![any::<String>(), "-?[0-9]{1,20}", "[a-z]{1,4}://[a-z:@/]{0,9}"],
        ) {
            // Whatever comes of it, nothing panics, and no secret is quoted.
            let told = config(&[(&name, &format!("S3cret {value}"))]).err();
            let told = told.map(|error| format!("{error} {error:?}")).unwrap_or_default();
            let is_secret = source::FROM_FILES.contains(&name.as_str());
            prop_assert!(!is_secret || !told.contains("S3cret"), "{}: {}", name, told);
            let _ = config(&[(&name, &value)]);
        }
    }
}
