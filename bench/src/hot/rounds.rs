//! A run: builds and floors in turns, round by round.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context, ensure};
use xmas_time::{Clock, SystemClock};

use crate::{
    hot::{
        args::Args,
        contender::{Contender, Kind},
        database::Database,
        floor::{Floor, Shape},
        load::Outcome,
        plot,
        proof::{self, Written},
        report::{Build, Meter, Report, Role, Series},
        seed::{self, Crowd},
    },
    process::{memory_mib, program},
};

/// More stamps in a second than are likely; whoever is faster has a shorter turn.
const STAMPS_PER_SECOND: u64 = 1_500;
/// Among how many connections the floors' best number is looked for.
const FLOOR_CONNECTIONS: [usize; 6] = [1, 4, 8, 16, 32, 64];
const LOGIN_CONNECTIONS: usize = 16;
/// How many plays are looked at, row by row.
const PROOFS: usize = 3;

pub(super) async fn run(args: &Args, password_hash: &str) -> anyhow::Result<()> {
    let kinds = match args.only.as_slice() {
        [] => &Kind::ALL,
        only => only,
    };
    let crowd = crowd(args, kinds);
    let mut contenders = contenders(args, &crowd, password_hash).await?;
    let program = contenders[0].0.program.clone();
    let database = Database::make(&args.server, "floor", &program).await?;
    seed::simplify(&database.db).await?;
    let players = Crowd {
        stampers: 0,
        ..crowd
    };
    seed::add(&database.db, &players, password_hash).await?;
    let mut bench = Bench {
        time: Duration::from_secs(args.seconds),
        floor: Floor::new(args.players)?,
        database,
        series: Vec::new(),
    };
    let mut written = Vec::new();
    for (contender, _) in &contenders {
        written.push(written_by_a_play(contender).await?);
    }
    bench.prove(&written[0]).await?;
    println!("a play of the program writes as many rows as one of the floor, in each table");
    let floors = bench.find_floors(kinds).await?;
    for round in 0..args.rounds as usize {
        println!("round {} of {}", round + 1, args.rounds);
        for kind in kinds {
            for (shape, connections) in floors.iter().filter(|(shape, _)| shape.kind() == *kind) {
                bench.floor_turn(*shape, *connections).await?;
            }
            let counts = match kind {
                Kind::Login => &[LOGIN_CONNECTIONS],
                _ => args.connections.as_slice(),
            };
            for connections in counts {
                // Whoever comes first has no advantage for long.
                for place in 0..contenders.len() {
                    let which = (round + place) % contenders.len();
                    let contender = &mut contenders[which].0;
                    bench.turn(contender, *kind, *connections).await?;
                }
            }
        }
    }
    let builds = contenders
        .iter()
        .zip(written)
        .map(|((contender, ready_mib), written)| bench.build(contender, *ready_mib, written));
    let report = Report {
        database: bench.database.version().await?,
        at: SystemClock.now().to_rfc3339(),
        cores: std::thread::available_parallelism()?.get(),
        rounds: args.rounds,
        seconds: args.seconds,
        players: args.players,
        builds: builds.collect::<Result<_, _>>()?,
        series: bench.series,
    };
    print!("{}", report.text());
    save(&report, &args.results, &args.name)?;
    bench.database.remove().await?;
    for (contender, _) in contenders {
        drop(contender.process);
        contender.database.remove().await?;
    }
    let errors = report.errors();
    ensure!(errors == 0, "{errors} requests failed");
    Ok(())
}

fn crowd(args: &Args, kinds: &[Kind]) -> Crowd {
    let turns = u64::from(args.rounds) * args.connections.len() as u64;
    let stamps = match kinds.contains(&Kind::Stamp) {
        true => turns * args.seconds * STAMPS_PER_SECOND,
        false => 0,
    };
    Crowd {
        after: 0,
        players: args.players,
        // One for a first look.
        stampers: 1 + stamps,
    }
}

/// Starts the builds, and looks at their answers; each with what it holds in memory when it is ready, in MiB.
async fn contenders(
    args: &Args,
    crowd: &Crowd,
    password_hash: &str,
) -> anyhow::Result<Vec<(Contender, f64)>> {
    let mut builds = vec![("program", program(args.program.as_deref())?)];
    if let Some(other) = &args.against {
        builds.push(("against", program(Some(other))?));
    }
    let mut contenders = Vec::new();
    for (name, program) in builds {
        println!("filling the database of {name}");
        let place = &args.server;
        let mut contender = Contender::start(place, name, &program, crowd, password_hash).await?;
        let ready_mib = memory_mib(contender.process.id(), "VmRSS")?;
        contender.check().await?;
        contenders.push((contender, ready_mib));
    }
    Ok(contenders)
}

/// Writes `NAME.json` and `NAME.svg`.
fn save(report: &Report, folder: &Path, name: &str) -> anyhow::Result<()> {
    fs::create_dir_all(folder)?;
    let json = serde_json::to_string_pretty(report)? + "\n";
    for (end, text) in [("json", json), ("svg", plot::svg(report))] {
        let file = folder.join(format!("{name}.{end}"));
        fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        println!("{}", file.display());
    }
    Ok(())
}

/// What is written by a play that is the player's second, so that nothing is there for the first time.
async fn written_by_a_play(contender: &Contender) -> anyhow::Result<Written> {
    let db = &contender.database.db;
    let mut found = None;
    contender.play_once(1).await?;
    for _ in 0..PROOFS {
        let before = proof::rows(db, 1).await?;
        contender.play_once(1).await?;
        let written = proof::written(before, proof::rows(db, 1).await?);
        if let Some(found) = &found {
            proof::compare(found, &written, "the same program")?;
        }
        found = Some(written);
    }
    Ok(found.unwrap_or_default())
}

/// A run under way.
struct Bench {
    time: Duration,
    floor: Floor,
    /// Of the floor.
    database: Database,
    series: Vec<Series>,
}

impl Bench {
    /// Fails unless each shape of the floor writes what the program writes.
    async fn prove(&mut self, program: &Written) -> anyhow::Result<()> {
        let db = &self.database.db;
        for shape in Shape::of_plays(self.database.is_sqlite()) {
            self.floor.play_once(db, 1, *shape).await?;
            let before = proof::rows(db, 1).await?;
            self.floor.play_once(db, 1, *shape).await?;
            let written = proof::written(before, proof::rows(db, 1).await?);
            proof::compare(program, &written, &shape.to_string())?;
        }
        Ok(())
    }

    /// Each floor of what is asked for, with the number of connections that does it most good.
    async fn find_floors(&mut self, kinds: &[Kind]) -> anyhow::Result<Vec<(Shape, usize)>> {
        let is_sqlite = self.database.is_sqlite();
        let mut shapes = Vec::new();
        if kinds.contains(&Kind::Play) {
            shapes.extend(Shape::of_plays(is_sqlite));
        }
        if kinds.contains(&Kind::Status) {
            shapes.push(Shape::Status);
        }
        let mut floors = Vec::new();
        for shape in shapes {
            let mut best = (0, 1);
            for connections in FLOOR_CONNECTIONS {
                // SQLite has one writer.
                if connections > 1 && is_sqlite && shape != Shape::Status {
                    break;
                }
                let db = &self.database.db;
                let outcome = self.floor.turn(db, shape, connections, self.time / 2);
                best = best.max((outcome.await?.in_time, connections));
            }
            println!("{} {shape}: best with {} connections", shape.kind(), best.1);
            floors.push((shape, best.1));
        }
        Ok(floors)
    }

    async fn floor_turn(&mut self, shape: Shape, connections: usize) -> anyhow::Result<()> {
        let meter = Meter::start(&self.database, None).await?;
        let db = &self.database.db;
        let outcome = self.floor.turn(db, shape, connections, self.time).await?;
        let turn = meter.stop(&self.database, &outcome).await?;
        let series = self.of(&shape.kind().to_string(), &shape.to_string(), connections);
        series.role = match shape {
            Shape::Together => Role::FloorOfMany,
            Shape::PerRow | Shape::PerTable | Shape::Status => Role::Floor,
        };
        series.turns.push(turn);
        Ok(())
    }

    async fn turn(
        &mut self,
        contender: &mut Contender,
        kind: Kind,
        connections: usize,
    ) -> anyhow::Result<()> {
        let stamps = self.time.as_secs() * STAMPS_PER_SECOND;
        let meter = Meter::start(&contender.database, Some(contender.process.id())).await?;
        let outcome = contender.turn(kind, connections, self.time, stamps).await?;
        let turn = meter.stop(&contender.database, &outcome).await?;
        show_errors(contender, kind, connections, &outcome);
        let series = self.of(&kind.to_string(), contender.name, connections);
        series.turns.push(turn);
        Ok(())
    }

    fn of(&mut self, what: &str, who: &str, connections: usize) -> &mut Series {
        let is_it = |series: &Series| {
            (
                series.what.as_str(),
                series.who.as_str(),
                series.connections,
            ) == (what, who, connections)
        };
        let place = self.series.iter().position(is_it).unwrap_or_else(|| {
            self.series.push(Series {
                what: what.to_owned(),
                who: who.to_owned(),
                role: Role::Build,
                connections,
                turns: Vec::new(),
            });
            self.series.len() - 1
        });
        &mut self.series[place]
    }

    fn build(
        &self,
        contender: &Contender,
        ready_mib: f64,
        written: Written,
    ) -> anyhow::Result<Build> {
        let id = contender.process.id();
        let logins = self.series.iter().filter(|series| {
            series.what == Kind::Login.to_string() && series.who == contender.name
        });
        let logins = logins.flat_map(|series| &series.turns);
        Ok(Build {
            name: contender.name.to_owned(),
            program: contender.program.display().to_string(),
            ready_after_ms: contender.ready_after.as_secs_f64() * 1_000.0,
            memory_when_ready_mib: ready_mib,
            memory_at_the_end_mib: memory_mib(id, "VmRSS")?,
            peak_mib: memory_mib(id, "VmHWM")?,
            logins: logins.map(|turn| turn.requests - turn.shed).sum(),
            written_by_a_play: written,
        })
    }
}

fn show_errors(contender: &Contender, kind: Kind, connections: usize, outcome: &Outcome) {
    if let Some(error) = &outcome.error {
        eprintln!(
            "{}, {kind}, {connections} connections: {} errors and {} times 503, such as {error}",
            contender.name, outcome.errors, outcome.shed
        );
    }
}
