//! Requests to equal processes in turns: one of them is scraped, or is another build.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use reqwest::{Client, Method, Request};
use sea_orm::{ConnectionTrait, Database};
use tempfile::TempDir;
use tokio::task::{JoinHandle, JoinSet};

use crate::process::{self, Process, START_WITHIN, cpu_ticks, memory_mib};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The program; if it is not named, `xmas-api` beside this one.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Another build of it, which is compared in place of a scraped process.
    #[arg(long)]
    against: Option<PathBuf>,
    /// How often each process has its turn at each path.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,
    /// How many requests each of 16 players sends in a turn, one after the other.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    requests: u32,
}

const PATHS: [(Method, &str); 2] = [
    (Method::GET, "/api/season-pass/status"),
    (Method::POST, "/api/roulette/play"),
];
/// Of the twenty that the demo has.
const PLAYERS: u32 = 16;
/// Fifteen times as often as the Prometheus of `monitoring/` asks.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);
/// What being scraped may cost in processor time.
const LIMIT: f64 = 1.02;

/// What a turn took.
#[derive(Clone, Copy)]
struct Turn {
    elapsed: f64,
    /// Of the process, in clock ticks.
    cpu: u64,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let program = process::program(args.program.as_deref())?;
    // Two that differ by nothing say how much the machine makes them differ.
    let floor = Server::start(&program, false).await?;
    let equal = Server::start(&program, false).await?;
    let compared = match &args.against {
        Some(other) => Server::start(&process::program(Some(other))?, false).await?,
        None => Server::start(&program, true).await?,
    };
    let name = if args.against.is_some() {
        "the other build"
    } else {
        "scraped"
    };
    let scraping = match args.against {
        Some(_) => None,
        None => Some(compared.scrape().await?),
    };
    let servers = [&floor, &equal, &compared];
    println!(
        "{} rounds of {} requests of each of {PLAYERS} players",
        args.rounds, args.requests
    );
    let mut costs = Vec::new();
    for (method, path) in PATHS {
        let mut turns: [Vec<Turn>; 3] = Default::default();
        for round in 0..args.rounds as usize {
            // Whoever comes first has no advantage for long.
            for place in 0..servers.len() {
                let which = (round + place) % servers.len();
                turns[which].push(servers[which].turn(&method, path, args.requests).await?);
            }
        }
        println!("{method} {path}, as shares of the first process");
        let [floor, equal, compared] = turns;
        show("an equal process", &floor, &equal);
        show(name, &floor, &compared);
        costs.push(cpu(&compared) / ((cpu(&floor) + cpu(&equal)) / 2.0));
    }
    for (name, server) in ["first", "equal", name].iter().zip(servers) {
        println!(
            "memory, {name}: {} MiB after all have logged in, {} MiB after the load",
            server.mib_before,
            server.mib()?
        );
    }
    if let Some(scraping) = scraping {
        ensure!(!scraping.is_finished(), "{:?}", scraping.await);
        scraping.abort();
        for cost in costs {
            ensure!(
                cost <= LIMIT,
                "being scraped takes {cost:.3} of the processor time"
            );
        }
    }
    Ok(())
}

fn cpu(turns: &[Turn]) -> f64 {
    turns.iter().map(|turn| turn.cpu).sum::<u64>() as f64
}

fn show(name: &str, floor: &[Turn], turns: &[Turn]) {
    let mut times: Vec<f64> = floor
        .iter()
        .zip(turns)
        .map(|(floor, turn)| turn.elapsed / floor.elapsed)
        .collect();
    times.sort_by(f64::total_cmp);
    println!(
        "  {name:<17} processor time {:.3}, time {:.3} (median)",
        cpu(turns) / cpu(floor),
        times[times.len() / 2]
    );
}

/// A process of the program, on an embedded database with the demo.
struct Server {
    process: Process,
    _folder: TempDir,
    base: String,
    metrics: Option<String>,
    client: Client,
    tokens: Vec<String>,
    mib_before: u64,
}

impl Server {
    async fn start(program: &Path, is_scraped: bool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .current_dir(folder.path())
            .env_clear()
            .env("DATA_DIR", folder.path())
            .env("BIND_ADDR", "127.0.0.1:0")
            .env("RUST_LOG", "info")
            .env("LOG_FORMAT", "pretty")
            // Wallets are filled by hand below, which an audit would find.
            .env("AUDIT_HOURS", "0")
            .env("LOGINS_PER_ADDRESS_PER_MINUTE", "1000")
            .env("PLAYER_READS_PER_MINUTE", "0")
            .env("PLAYER_WRITES_PER_MINUTE", "0");
        if is_scraped {
            command.env("METRICS_ADDR", "127.0.0.1:0");
        }
        let (process, addresses) = Process::serve(&mut command).await?;
        let base = format!("http://{}", addresses.server);
        let client = Client::new();
        let mut tokens = Vec::new();
        for number in 1..=PLAYERS {
            let credentials = serde_json::json!({
                "external_id": format!("demo-{number:02}"),
                "password": "demo-pass",
            });
            let login = client.post(format!("{base}/api/auth/token"));
            let session = login.json(&credentials).send().await?;
            let session: serde_json::Value = session.error_for_status()?.json().await?;
            let token = session["access_token"].as_str().context("a token")?;
            tokens.push(token.to_owned());
        }
        let file = folder.path().join("xmas.db");
        let db = Database::connect(format!("sqlite://{}", file.display())).await?;
        db.execute_unprepared("UPDATE user_game_wallet SET balance = 100000000")
            .await?;
        db.close().await?;
        let mut server = Self {
            process,
            _folder: folder,
            base,
            metrics: addresses.metrics,
            client,
            tokens,
            mib_before: 0,
        };
        server.mib_before = server.mib()?;
        Ok(server)
    }

    /// Asks for metrics until it is stopped, or until there are none; returns when there are.
    async fn scrape(&self) -> anyhow::Result<JoinHandle<anyhow::Error>> {
        let url = self.metrics.clone().context("an address of metrics")?;
        let client = self.client.clone();
        let scrape = async move || -> anyhow::Result<bool> {
            let shown = client.get(&url).send().await?.error_for_status()?;
            Ok(shown.text().await?.contains("xmas_plays_total"))
        };
        // The database is looked at for the first time soon after the start.
        let started = Instant::now();
        while !scrape().await? {
            ensure!(
                started.elapsed() < START_WITHIN,
                "metrics say nothing of plays"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(tokio::spawn(async move {
            let mut interval = tokio::time::interval(SCRAPE_EVERY);
            loop {
                interval.tick().await;
                match scrape().await {
                    Ok(true) => {}
                    Ok(false) => break anyhow::anyhow!("metrics say nothing of plays any more"),
                    Err(error) => break error,
                }
            }
        }))
    }

    async fn turn(&self, method: &Method, path: &str, requests: u32) -> anyhow::Result<Turn> {
        let (cpu, started) = (self.cpu()?, Instant::now());
        let mut players = JoinSet::new();
        for token in &self.tokens {
            let url = format!("{}{path}", self.base);
            let request = self.client.request(method.clone(), url);
            let request = request.bearer_auth(token).build()?;
            players.spawn(ask(self.client.clone(), request, requests));
        }
        while let Some(done) = players.join_next().await {
            done??;
        }
        Ok(Turn {
            elapsed: started.elapsed().as_secs_f64(),
            cpu: self.cpu()? - cpu,
        })
    }

    /// Processor time so far, in clock ticks.
    fn cpu(&self) -> anyhow::Result<u64> {
        cpu_ticks(self.process.id())
    }

    /// Memory in whole MiB.
    fn mib(&self) -> anyhow::Result<u64> {
        Ok(memory_mib(self.process.id(), "VmRSS")? as u64)
    }
}

async fn ask(client: Client, request: Request, times: u32) -> anyhow::Result<()> {
    for _ in 0..times {
        let request = request.try_clone().context("a request without a body")?;
        let answer = client.execute(request).await?.error_for_status()?;
        answer.bytes().await?;
    }
    Ok(())
}
