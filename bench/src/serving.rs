use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use reqwest::{Client, Method};
use sea_orm::{ConnectionTrait, Database};
use tokio::task::{JoinHandle, JoinSet};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The program; if it is not named, `xmas-api` beside this one.
    #[arg(long)]
    program: Option<PathBuf>,
    /// Another build of it, which is compared in place of the watched one.
    #[arg(long)]
    against: Option<PathBuf>,
    /// How often either process has its turn at each path.
    #[arg(long, default_value_t = 30)]
    rounds: usize,
    /// Of a turn.
    #[arg(long, default_value_t = 1_600)]
    requests: usize,
    #[arg(long, default_value_t = 16)]
    connections: usize,
}

const PATHS: [(Method, &str); 2] = [
    (Method::GET, "/api/season-pass/status"),
    (Method::POST, "/api/roulette/play"),
];
/// Fifteen times as often as the Prometheus of `monitoring/` asks.
const SCRAPE_EVERY: Duration = Duration::from_secs(1);

/// What a turn took.
#[derive(Clone, Copy)]
struct Turn {
    elapsed: f64,
    /// Of the process, in clock ticks.
    cpu: u64,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let program = match &args.program {
        Some(program) => program.clone(),
        None => std::env::current_exe()?.with_file_name("xmas-api"),
    };
    // Two of them unwatched: what they differ by is what this benchmark cannot see.
    let unwatched = Server::start(&program, false).await?;
    let other = Server::start(&program, false).await?;
    let (name, compared) = match &args.against {
        Some(program) => ("another build", Server::start(program, false).await?),
        None => ("watched", Server::start(&program, true).await?),
    };
    let scraping = compared.scrape();
    let servers = [&unwatched, &other, &compared];
    println!(
        "{} rounds of {} requests, {} connections",
        args.rounds, args.requests, args.connections
    );
    for (method, path) in PATHS {
        let mut turns: [Vec<Turn>; 3] = Default::default();
        for round in 0..args.rounds {
            // Whoever comes first has no advantage for long.
            for place in 0..servers.len() {
                let which = (round + place) % servers.len();
                let turn = servers[which].turn(&method, path, args).await?;
                turns[which].push(turn);
            }
        }
        println!("{method} {path}");
        let [unwatched, other, compared] = turns;
        show("unwatched again", &unwatched, &other);
        show(name, &unwatched, &compared);
    }
    if let Some(scraping) = scraping {
        scraping.abort();
    }
    for (name, server) in ["unwatched", "unwatched again", name].iter().zip(servers) {
        println!(
            "memory {name}: {} MiB idle, {} MiB after the load",
            server.idle_mib,
            server.rss_mib()?
        );
    }
    Ok(())
}

fn show(name: &str, floor: &[Turn], turns: &[Turn]) {
    let cpu = |turns: &[Turn]| turns.iter().map(|turn| turn.cpu).sum::<u64>() as f64;
    let times = floor
        .iter()
        .zip(turns)
        .map(|(a, b)| b.elapsed / a.elapsed)
        .collect();
    println!(
        "  {name:<16} processor time {:.3}, time {:.3} of the unwatched (median of rounds)",
        cpu(turns) / cpu(floor),
        median(times)
    );
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// A process of its own, on an embedded database with the demo.
struct Server {
    child: Child,
    _folder: tempfile::TempDir,
    base: String,
    metrics: Option<String>,
    token: String,
    client: Client,
    idle_mib: u64,
}

impl Server {
    async fn start(program: &Path, is_watched: bool) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut command = Command::new(program);
        command
            .arg("serve")
            .current_dir(folder.path())
            .env("DATA_DIR", folder.path())
            .env("BIND_ADDR", "127.0.0.1:0")
            .env("PLAYER_READS_PER_MINUTE", "0")
            .env("PLAYER_WRITES_PER_MINUTE", "0")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        if is_watched {
            command.env("METRICS_ADDR", "127.0.0.1:0");
        }
        let mut child = command
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let lines = child.stderr.take().context("stderr")?;
        let mut lines = BufReader::new(lines).lines();
        let mut metrics = None;
        let base = loop {
            let line = lines.next().context("the program has ended")??;
            let after = |what: &str| {
                let rest = line.split_once(what)?.1;
                rest.split(' ').next().map(str::to_owned)
            };
            metrics = metrics.or(after("metrics at "));
            if let Some(address) = after("ready on ") {
                break format!("http://{address}");
            }
        };
        // What is logged later must find a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let client = Client::new();
        let session = client
            .post(format!("{base}/api/auth/token"))
            .json(&serde_json::json!({ "external_id": "demo-02", "password": "demo-pass" }))
            .send()
            .await?;
        let session: serde_json::Value = session.json().await?;
        let token = session["access_token"].as_str().context("a token")?;
        let file = folder.path().join("xmas.db");
        let db = Database::connect(format!("sqlite://{}", file.display())).await?;
        db.execute_unprepared("UPDATE user_game_wallet SET balance = 100000000")
            .await?;
        db.close().await?;
        let mut server = Self {
            child,
            _folder: folder,
            base,
            metrics,
            token: token.to_owned(),
            client,
            idle_mib: 0,
        };
        server.idle_mib = server.rss_mib()?;
        Ok(server)
    }

    /// Asks for metrics until it is stopped, if it has them.
    fn scrape(&self) -> Option<JoinHandle<()>> {
        let url = self.metrics.clone()?;
        let client = self.client.clone();
        Some(tokio::spawn(async move {
            let mut interval = tokio::time::interval(SCRAPE_EVERY);
            loop {
                interval.tick().await;
                let shown = client.get(&url).send().await;
                // A benchmark of a watch that sees nothing is worth nothing.
                let shown = shown.and_then(reqwest::Response::error_for_status);
                let text = shown.expect("metrics are shown").text().await;
                assert!(text.expect("text").contains("xmas_plays_total"));
            }
        }))
    }

    async fn turn(&self, method: &Method, path: &str, args: &Args) -> anyhow::Result<Turn> {
        let (cpu, started) = (self.cpu()?, Instant::now());
        let mut clients = JoinSet::new();
        for _ in 0..args.connections {
            let request = self
                .client
                .request(method.clone(), format!("{}{path}", self.base));
            let request = request.bearer_auth(&self.token).build()?;
            let (client, requests) = (self.client.clone(), args.requests / args.connections);
            clients.spawn(async move {
                for _ in 0..requests {
                    let request = request.try_clone().context("a request without a body")?;
                    let answer = client.execute(request).await?;
                    ensure!(answer.status() == 200, "{}", answer.status());
                    answer.bytes().await?;
                }
                Ok(())
            });
        }
        while let Some(done) = clients.join_next().await {
            done??;
        }
        Ok(Turn {
            elapsed: started.elapsed().as_secs_f64(),
            cpu: self.cpu()? - cpu,
        })
    }

    fn of_proc(&self, file: &str) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(format!(
            "/proc/{}/{file}",
            self.child.id()
        ))?)
    }

    /// Processor time so far, in clock ticks.
    fn cpu(&self) -> anyhow::Result<u64> {
        let stat = self.of_proc("stat")?;
        // The second field is the name in brackets; user and system time are the 14th and the 15th.
        let fields = stat.rsplit_once(") ").context("stat")?.1.split(' ');
        fields
            .skip(11)
            .take(2)
            .map(|ticks| Ok(ticks.parse::<u64>()?))
            .sum()
    }

    fn rss_mib(&self) -> anyhow::Result<u64> {
        let status = self.of_proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib = line.context("VmRSS")?.trim().trim_end_matches(" kB");
        Ok(kib.parse::<u64>()? / 1_024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
