//! What was measured: turns, their medians, and how they are shown.

use std::fmt::Write;

use serde::Serialize;

use crate::{
    hot::{
        contender::Kind,
        database::{Counters, Database},
        load::Outcome,
        proof::Written,
    },
    process::{cpu_ticks, memory_mib},
};

/// A clock tick of [`cpu_ticks`].
const TICK_MS: f64 = 10.0;

/// Looks at everything that is counted before and after a turn.
pub(super) struct Meter {
    counters: Counters,
    program: Option<(u32, u64)>,
    server: Option<(u32, u64)>,
    client: u64,
}

/// One turn; what is counted is for each request.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Turn {
    pub(super) requests: usize,
    pub(super) errors: usize,
    /// Answered with 503.
    pub(super) shed: usize,
    /// Answered in time, in a second.
    pub(super) throughput: f64,
    pub(super) p50_ms: f64,
    pub(super) p95_ms: f64,
    pub(super) p99_ms: f64,
    /// Processor time of the program; `None` for a floor, which has none.
    pub(super) program_cpu_ms: Option<f64>,
    /// Of the database's server; `None` if it is embedded, or elsewhere.
    pub(super) database_cpu_ms: Option<f64>,
    pub(super) client_cpu_ms: f64,
    /// `None` on SQLite, as all that the server counts.
    pub(super) statements: Option<f64>,
    /// BEGIN, COMMIT and ROLLBACK.
    pub(super) boundaries: Option<f64>,
    pub(super) prepared: Option<f64>,
    /// Rows examined.
    pub(super) rows: Option<f64>,
    /// What the program holds after the turn.
    pub(super) memory_mib: Option<f64>,
    /// The most that the program has ever held.
    pub(super) peak_mib: Option<f64>,
}

impl Meter {
    pub(super) async fn start(database: &Database, program: Option<u32>) -> anyhow::Result<Self> {
        let ticks = |id: Option<u32>| id.map(|id| Ok::<_, anyhow::Error>((id, cpu_ticks(id)?)));
        Ok(Self {
            counters: database.counters().await?,
            program: ticks(program).transpose()?,
            server: ticks(database.server_id).transpose()?,
            client: cpu_ticks(std::process::id())?,
        })
    }

    pub(super) async fn stop(self, database: &Database, outcome: &Outcome) -> anyhow::Result<Turn> {
        let asked = outcome.asked().max(1) as f64;
        let cpu = |(id, before): (u32, u64)| {
            Ok::<_, anyhow::Error>((cpu_ticks(id)? - before) as f64 * TICK_MS / asked)
        };
        let counters = database.counted(self.counters).await?;
        let each = |counter: u64| (!database.is_sqlite()).then_some(counter as f64 / asked);
        let of_program = |what| {
            let program = self.program.map(|(id, _)| memory_mib(id, what));
            program.transpose()
        };
        let percentile = |percent: usize| {
            let last = outcome.latencies.len().checked_sub(1);
            let micros = last.map_or(0, |last| outcome.latencies[last * percent / 100]);
            f64::from(micros) / 1_000.0
        };
        Ok(Turn {
            requests: outcome.asked(),
            errors: outcome.errors,
            shed: outcome.shed,
            throughput: outcome.in_time as f64 / outcome.elapsed.as_secs_f64(),
            p50_ms: percentile(50),
            p95_ms: percentile(95),
            p99_ms: percentile(99),
            program_cpu_ms: self.program.map(cpu).transpose()?,
            database_cpu_ms: self.server.map(cpu).transpose()?,
            client_cpu_ms: cpu((std::process::id(), self.client))?,
            statements: each(counters.statements),
            boundaries: each(counters.boundaries),
            prepared: each(counters.prepared),
            rows: each(counters.rows),
            memory_mib: of_program("VmRSS")?,
            peak_mib: of_program("VmHWM")?,
        })
    }
}

/// What a series is measured of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) enum Role {
    Build,
    /// What ratios are to.
    Floor,
    /// A floor that commits many plays at once.
    FloorOfMany,
}

/// All turns of one thing.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Series {
    /// `play`, `status`, …
    pub(super) what: String,
    /// The build, or the floor.
    pub(super) who: String,
    pub(super) role: Role,
    pub(super) connections: usize,
    pub(super) turns: Vec<Turn>,
}

impl Series {
    /// The median of a number, and its least and most.
    pub(super) fn spread(&self, number: impl Fn(&Turn) -> f64) -> Spread {
        let mut numbers: Vec<f64> = self.turns.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        let last = numbers.len() - 1;
        Spread {
            // Of an even number of turns, between the two in the middle.
            median: f64::midpoint(numbers[last / 2], numbers[last.div_ceil(2)]),
            least: numbers[0],
            most: numbers[last],
        }
    }

    pub(super) fn throughput(&self) -> f64 {
        self.spread(|turn| turn.throughput).median
    }

    fn median(&self, number: impl Fn(&Turn) -> f64) -> f64 {
        self.spread(number).median
    }

    fn each(&self, number: impl Fn(&Turn) -> Option<f64>, digits: usize) -> String {
        match self.turns.iter().all(|turn| number(turn).is_some()) {
            true => format!(
                "{:.digits$}",
                self.median(|turn| number(turn).unwrap_or(0.0))
            ),
            false => "–".to_owned(),
        }
    }
}

pub(super) struct Spread {
    pub(super) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

/// A build that was measured.
#[derive(Debug, Serialize)]
pub(super) struct Build {
    pub(super) name: String,
    pub(super) program: String,
    pub(super) ready_after_ms: f64,
    pub(super) memory_when_ready_mib: f64,
    pub(super) memory_at_the_end_mib: f64,
    pub(super) peak_mib: f64,
    pub(super) logins: usize,
    /// Of each table: rows that a play writes, and their characters.
    pub(super) written_by_a_play: Written,
}

/// A whole run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) database: String,
    pub(super) at: String,
    pub(super) cores: usize,
    pub(super) rounds: u32,
    pub(super) seconds: u64,
    pub(super) players: u64,
    pub(super) builds: Vec<Build>,
    pub(super) series: Vec<Series>,
}

impl Report {
    /// The best floor of what is asked for, one request at a time.
    fn floor(&self, what: &str) -> Option<&Series> {
        let floors = self.series.iter();
        let floors = floors.filter(|series| series.what == what && series.role == Role::Floor);
        floors.max_by(|a, b| a.throughput().total_cmp(&b.throughput()))
    }

    pub(super) fn errors(&self) -> usize {
        let turns = self.series.iter().flat_map(|series| {
            let may_shed = series.what == Kind::Login.to_string();
            let turns = series.turns.iter();
            turns.map(move |turn| turn.errors + if may_shed { 0 } else { turn.shed })
        });
        turns.sum()
    }

    /// Tables for a terminal.
    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "{}, {} cores, {} rounds of {} s, {} players; medians, least and most of throughput and p95\n",
            self.database, self.cores, self.rounds, self.seconds, self.players
        );
        for kind in Kind::ALL {
            self.write_kind(&mut text, &kind.to_string());
        }
        for build in &self.builds {
            let rows = build.written_by_a_play.iter();
            let rows: Vec<String> = rows
                .map(|(table, (rows, _))| format!("{rows} {table}"))
                .collect();
            text += &format!(
                "\n{}: ready after {:.0} ms; memory {:.0} MiB when ready, {:.0} MiB at the end, {:.0} MiB at \
                 most; {} logins; a play writes {}\n",
                build.name,
                build.ready_after_ms,
                build.memory_when_ready_mib,
                build.memory_at_the_end_mib,
                build.peak_mib,
                build.logins,
                rows.join(", ")
            );
        }
        text
    }

    fn write_kind(&self, text: &mut String, what: &str) {
        let all = || self.series.iter().filter(|series| series.what == what);
        if all().next().is_none() {
            return;
        }
        let head = [
            what,
            "connections",
            "requests/s",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "p95/mean",
            "program ms",
            "database ms",
            "client ms",
            "statements",
            "rows",
            "errors",
            "503",
            "of floor",
        ];
        let mut lines = vec![head.map(str::to_owned)];
        let floor = self.floor(what);
        for series in all() {
            let spread = |number: fn(&Turn) -> f64, digits: usize| {
                let Spread {
                    median,
                    least,
                    most,
                } = series.spread(number);
                format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
            };
            let sum = |number: fn(&Turn) -> usize| {
                series.turns.iter().map(number).sum::<usize>().to_string()
            };
            let mean_ms = series.connections as f64 / series.throughput() * 1_000.0;
            let p95 = series.median(|turn| turn.p95_ms);
            let ratio = floor.map(|floor| series.throughput() / floor.throughput());
            lines.push([
                series.who.clone(),
                series.connections.to_string(),
                spread(|turn| turn.throughput, 0),
                format!("{:.1}", series.median(|turn| turn.p50_ms)),
                spread(|turn| turn.p95_ms, 1),
                format!("{:.1}", series.median(|turn| turn.p99_ms)),
                match series.role {
                    Role::Build => format!("{:.2}", p95 / mean_ms),
                    Role::Floor | Role::FloorOfMany => "–".to_owned(),
                },
                series.each(|turn| turn.program_cpu_ms, 2),
                series.each(|turn| turn.database_cpu_ms, 2),
                format!("{:.2}", series.median(|turn| turn.client_cpu_ms)),
                series.each(|turn| turn.statements, 2),
                series.each(|turn| turn.rows, 1),
                sum(|turn| turn.errors),
                sum(|turn| turn.shed),
                ratio.map_or("–".to_owned(), |ratio| format!("{ratio:.2}")),
            ]);
        }
        let widths: Vec<usize> = (0..head.len())
            .map(|column| {
                let widths = lines.iter().map(|line| line[column].chars().count());
                widths.max().unwrap_or(0)
            })
            .collect();
        text.push('\n');
        for line in lines {
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                // Names stand to the left, numbers to the right.
                let _ = match column {
                    0 => write!(text, "{cell:<width$}"),
                    _ => write!(text, "  {cell:>width$}"),
                };
            }
            text.push('\n');
        }
    }
}
