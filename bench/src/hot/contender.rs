//! A build of the program, with a database of its own and requests that wait to be sent.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use clap::ValueEnum;
use hyper::{Method, Request, header};
use serde_json::{Value, json};
use xmas_core_auth::{AccessTokens, Scope, SigningKeys};
use xmas_kernel::{UserId, entropy::OsEntropy};
use xmas_players::Identity;
use xmas_time::{DateTime, Utc};

use crate::{
    hot::{
        database::{Database, JWT_SECRET, Place},
        load::{self, Outcome, Script},
        seed::{self, CLOCK, Crowd, POINTS},
    },
    process::Process,
};

/// What is asked for in a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(super) enum Kind {
    /// A spin of the roulette.
    Play,
    /// The status of the season pass.
    Status,
    /// The stamp of the day, each time of another player.
    Stamp,
    /// 70 % status, 20 % roulette, 5 % dice, 5 % lottery.
    Mix,
    /// A login with a password.
    Login,
}

impl Kind {
    pub(super) const ALL: [Self; 5] = [
        Self::Play,
        Self::Status,
        Self::Stamp,
        Self::Mix,
        Self::Login,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Kind::Play => "play",
            Kind::Status => "status",
            Kind::Stamp => "stamp",
            Kind::Mix => "mix",
            Kind::Login => "login",
        };
        f.write_str(name)
    }
}

pub(super) const PASSWORD: &str = "a password of the benchmark";

/// As long as it takes.
const LONG: Duration = Duration::from_secs(600);

/// The requests that are kept for each player, in this order.
const STATUS: usize = 0;
const ROULETTE: usize = 1;
const DICE: usize = 2;
const LOTTERY: usize = 3;
const LOGIN: usize = 4;
const EACH: usize = 5;

/// Twenty requests of a player, in an order in which no kind comes at once.
const MIX: [usize; 20] = [
    STATUS, ROULETTE, STATUS, STATUS, STATUS, DICE, STATUS, ROULETTE, STATUS, STATUS, //
    STATUS, ROULETTE, STATUS, STATUS, LOTTERY, STATUS, STATUS, ROULETTE, STATUS, STATUS,
];

pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) database: Database,
    pub(super) process: Process,
    pub(super) server: String,
    /// How long it took from its start until it was ready.
    pub(super) ready_after: Duration,
    tokens: Tokens,
    players: u64,
    requests: Arc<Vec<Request<String>>>,
    /// The next player without a stamp, and the last.
    stampers: (u64, u64),
}

impl Contender {
    pub(super) async fn start(
        place: &Place,
        name: &'static str,
        program: &Path,
        crowd: &Crowd,
        password_hash: &str,
    ) -> anyhow::Result<Self> {
        let database = Database::make(place, name, program).await?;
        seed::simplify(&database.db).await?;
        seed::add(&database.db, crowd, password_hash).await?;
        let mut command = database.command(program);
        let begun = Instant::now();
        let (process, addresses) = Process::serve(without_limits(&mut command)).await?;
        let ready_after = begun.elapsed();
        let server = addresses.server;
        let tokens = Tokens::new(&server)?;
        let mut requests = Vec::new();
        for player in 1..=crowd.players {
            requests.extend(tokens.requests_of(player)?);
        }
        Ok(Self {
            name,
            program: program.to_owned(),
            database,
            process,
            server,
            ready_after,
            tokens,
            players: crowd.players,
            requests: Arc::new(requests),
            stampers: match crowd.stampers {
                // Players who come later stamp, too.
                0 => (1, u64::MAX),
                stampers => (crowd.players + 1, crowd.players + stampers),
            },
        })
    }

    /// Looks at an answer of each kind, and has every player look at the page once, which is written down once a day.
    pub(super) async fn check(&mut self) -> anyhow::Result<()> {
        let stamp = self.next_stamp()?;
        let answer = async |request: Request<String>| load::once(&self.server, request).await;
        let status = answer(self.requests[STATUS].clone()).await?;
        expect(&status, "/progress/current_level", &json!(10))?;
        expect(&status, "/event_bridge/total_key_count", &json!(1))?;
        let play = answer(self.requests[ROULETTE].clone()).await?;
        expect(&play, "/segment/reward_type", &json!("POINT"))?;
        expect(&play, "/segment/reward_amount", &json!(POINTS))?;
        expect(&play, "/receipt/reward_state", &json!("DELIVERED"))?;
        let stamp = answer(stamp).await?;
        expect(&stamp, "/added_stamp", &json!(1))?;
        expect(&stamp, "/leveled_up", &json!(false))?;
        let login = answer(self.requests[LOGIN].clone()).await?;
        ensure!(login["access_token"].is_string(), "{login}");
        let everybody = self.scripts(8, |player| player * EACH + STATUS, false);
        let seen = load::run(&self.server, &self.requests, everybody, LONG).await?;
        ensure!(seen.errors + seen.shed == 0, "{:?}", seen.error);
        Ok(())
    }

    /// Asks so many times over so many connections, as players who are spread evenly among `players`; stamps are those of
    /// the next who have none.
    pub(super) async fn some(
        &mut self,
        kind: Kind,
        (count, connections): (u64, usize),
        players: u64,
    ) -> anyhow::Result<Outcome> {
        let mut requests = Vec::new();
        for number in 0..count {
            let player = 1 + number * players / count;
            let [status, play, ..] = self.tokens.requests_of(player)?;
            requests.push(match kind {
                Kind::Play => play,
                Kind::Status => status,
                Kind::Stamp | Kind::Mix | Kind::Login => self.next_stamp()?,
            });
        }
        let scripts = dealt(requests.len(), connections, false);
        load::run(&self.server, &Arc::new(requests), scripts, LONG).await
    }

    /// Plays once, as one player.
    pub(super) async fn play_once(&self, player: u64) -> anyhow::Result<()> {
        let place = (player - 1) as usize * EACH + ROULETTE;
        load::once(&self.server, self.requests[place].clone()).await?;
        Ok(())
    }

    /// Asks over so many connections, for `time`.
    pub(super) async fn turn(
        &mut self,
        kind: Kind,
        connections: usize,
        time: Duration,
        stamps: u64,
    ) -> anyhow::Result<Outcome> {
        let of = |which| move |player: usize| player * EACH + which;
        let mut requests = self.requests.clone();
        let scripts = match kind {
            Kind::Play => self.scripts(connections, of(ROULETTE), true),
            Kind::Status => self.scripts(connections, of(STATUS), true),
            Kind::Login => self.scripts(connections, of(LOGIN), true),
            Kind::Mix => {
                let which = |player: usize, round: usize| {
                    player * EACH + MIX[(7 * player + round) % MIX.len()]
                };
                let mut scripts = self.scripts(connections, |player| player, true);
                for script in &mut scripts {
                    let players = std::mem::take(&mut script.requests);
                    for round in 0..MIX.len() {
                        let round = players.iter().map(|player| which(*player, round));
                        script.requests.extend(round);
                    }
                }
                scripts
            }
            Kind::Stamp => {
                let stamps = (0..stamps).map(|_| self.next_stamp());
                requests = Arc::new(stamps.collect::<Result<_, _>>()?);
                dealt(requests.len(), connections, false)
            }
        };
        load::run(&self.server, &requests, scripts, time).await
    }

    fn next_stamp(&mut self) -> anyhow::Result<Request<String>> {
        let (next, last) = self.stampers;
        ensure!(next <= last, "everybody has a stamp");
        self.stampers.0 += 1;
        self.tokens.stamp_of(next)
    }

    /// Deals the players out to connections, so that nobody waits for themselves.
    fn scripts(
        &self,
        connections: usize,
        request: impl Fn(usize) -> usize,
        again: bool,
    ) -> Vec<Script> {
        let mut scripts = dealt(self.players as usize, connections, again);
        for script in &mut scripts {
            for place in &mut script.requests {
                *place = request(*place);
            }
        }
        scripts
    }
}

/// Deals the numbers from 0 on out to connections, in turns.
fn dealt(numbers: usize, connections: usize, again: bool) -> Vec<Script> {
    let of = |connection| Script {
        requests: (connection..numbers).step_by(connections).collect(),
        again,
    };
    (0..connections).map(of).collect()
}

fn expect(answer: &Value, pointer: &str, expected: &Value) -> anyhow::Result<()> {
    let found = answer.pointer(pointer);
    ensure!(
        found == Some(expected),
        "{pointer} is {found:?}, not {expected}, in {answer}"
    );
    Ok(())
}

/// One client address sends more than all players of an event would, and the log is that of production.
fn without_limits(command: &mut Command) -> &mut Command {
    command
        .arg("serve")
        .env("BIND_ADDR", "127.0.0.1:0")
        .env("XMAS_CLOCK", CLOCK)
        .env("LOG_FORMAT", "json")
        // What players were given by hand has no ledger, which an audit would find.
        .env("AUDIT_HOURS", "0")
        .env("LOGINS_PER_MINUTE", "1000000")
        .env("LOGINS_PER_ACCOUNT_PER_MINUTE", "1000000")
        .env("LOGINS_PER_ADDRESS_PER_MINUTE", "1000000")
        .env("PLAYER_READS_PER_MINUTE", "0")
        .env("PLAYER_WRITES_PER_MINUTE", "0")
        .env("MAX_REQUESTS_PER_ADDRESS", "0")
}

/// Access tokens and the requests that carry them.
struct Tokens {
    host: String,
    tokens: AccessTokens,
    issued: DateTime<Utc>,
}

impl Tokens {
    fn new(host: &str) -> anyhow::Result<Self> {
        let lifetime = Duration::from_secs(24 * 3_600);
        let keys = SigningKeys::new(JWT_SECRET, None);
        Ok(Self {
            host: host.to_owned(),
            tokens: AccessTokens::new(keys, lifetime, lifetime),
            issued: CLOCK.parse()?,
        })
    }

    fn bearer(&self, player: u64) -> anyhow::Result<String> {
        let identity = Identity {
            user_id: UserId(i64::try_from(player)?),
            token_epoch: 0,
        };
        let (token, _) =
            self.tokens
                .mint(&identity, Scope::Player, "bench", &OsEntropy, self.issued);
        Ok(format!("Bearer {token}"))
    }

    fn requests_of(&self, player: u64) -> anyhow::Result<[Request<String>; EACH]> {
        let bearer = self.bearer(player)?;
        let login = json!({"external_id": format!("p{player}"), "password": PASSWORD});
        let own = |method, path| self.request(method, path, Some(&bearer), None);
        Ok([
            own(Method::GET, "/api/season-pass/status")?,
            own(Method::POST, "/api/roulette/play")?,
            own(Method::POST, "/api/dice/play")?,
            own(Method::POST, "/api/lottery/play")?,
            self.request(Method::POST, "/api/auth/token", None, Some(&login))?,
        ])
    }

    fn stamp_of(&self, player: u64) -> anyhow::Result<Request<String>> {
        let body = json!({"source_feature_type": "SEASON_PASS"});
        let (bearer, path) = (self.bearer(player)?, "/api/season-pass/stamp");
        self.request(Method::POST, path, Some(&bearer), Some(&body))
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
    ) -> anyhow::Result<Request<String>> {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header(header::HOST, &self.host);
        if let Some(bearer) = bearer {
            request = request.header(header::AUTHORIZATION, bearer);
        }
        let mut text = String::new();
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json");
            text = body.to_string();
        }
        request.body(text).context("a request")
    }
}
