//! Floors: what the database does at best for a play and for a status, by hand-written SQL in prepared statements and without
//! HTTP. A play of the floor writes the rows of a play and reads nothing: it remembers what players have.

use std::{
    fmt,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::task::JoinSet;
use xmas_kernel::db::Db;
use xmas_time::{DateTime, Utc};

use crate::hot::{contender::Kind, link::Link, load::Outcome, seed::CLOCK, spin::Spin};

/// How a floor does its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A statement for each row.
    PerRow,
    /// A statement for each table.
    PerTable,
    /// The same, and 32 plays in one transaction.
    Together,
    /// The reads of a status in one statement.
    Status,
}

/// How many plays [`Shape::Together`] commits at once.
const AT_ONCE: usize = 32;

impl Shape {
    pub(super) fn of_plays(is_sqlite: bool) -> &'static [Shape] {
        match is_sqlite {
            true => &[Shape::PerRow, Shape::PerTable, Shape::Together],
            false => &[Shape::PerRow, Shape::PerTable],
        }
    }

    /// What it is the floor of.
    pub(super) fn kind(self) -> Kind {
        match self {
            Shape::PerRow | Shape::PerTable | Shape::Together => Kind::Play,
            Shape::Status => Kind::Status,
        }
    }

    fn plays_at_once(self) -> usize {
        match self {
            Shape::Together => AT_ONCE,
            Shape::PerRow | Shape::PerTable | Shape::Status => 1,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Shape::PerRow => "floor, a statement per row",
            Shape::PerTable => "floor, a statement per table",
            Shape::Together => "floor, 32 plays a commit",
            Shape::Status => "floor, one statement",
        };
        f.write_str(name)
    }
}

/// What the floor remembers of a player.
#[derive(Clone, Copy, Debug)]
struct Player {
    id: i64,
    nonce: i64,
}

/// The floor's players.
pub(super) struct Floor {
    players: Vec<Player>,
    clock: Clock,
}

impl Floor {
    pub(super) fn new(players: u64) -> anyhow::Result<Self> {
        let player = |id| Player { id, nonce: 0 };
        Ok(Self {
            players: (1..=i64::try_from(players)?).map(player).collect(),
            clock: Clock {
                begun: Instant::now(),
                showed: CLOCK.parse()?,
            },
        })
    }

    /// Plays once, as one player.
    pub(super) async fn play_once(&mut self, db: &Db, id: i64, shape: Shape) -> anyhow::Result<()> {
        let clock = self.clock;
        let player = self.players.iter_mut().find(|player| player.id == id);
        let mut link = Link::to_write(db).await?;
        link.text("BEGIN").await?;
        play(&mut link, player.context("a player")?, shape, clock).await?;
        link.text("COMMIT").await
    }

    /// Works over so many connections, for `time`.
    pub(super) async fn turn(
        &mut self,
        db: &Db,
        shape: Shape,
        connections: usize,
        time: Duration,
    ) -> anyhow::Result<Outcome> {
        let (clock, mut own) = (self.clock, vec![Vec::new(); connections]);
        for (place, player) in self.players.drain(..).enumerate() {
            own[place % connections].push(player);
        }
        let mut links = Vec::new();
        for players in own {
            let link = match shape {
                Shape::Status => Link::to_read(db).await?,
                Shape::PerRow | Shape::PerTable | Shape::Together => Link::to_write(db).await?,
            };
            links.push((link, players));
        }
        let until = Instant::now() + time;
        let mut workers = JoinSet::new();
        for (link, players) in links {
            workers.spawn(work(link, players, shape, clock, until));
        }
        let mut all = Outcome {
            elapsed: time,
            ..Outcome::default()
        };
        while let Some(worker) = workers.join_next().await {
            let (players, outcome) = worker??;
            self.players.extend(players);
            all.join(outcome);
        }
        all.latencies.sort_unstable();
        Ok(all)
    }
}

/// The players' clock.
#[derive(Clone, Copy)]
struct Clock {
    begun: Instant,
    /// What it showed then.
    showed: DateTime<Utc>,
}

impl Clock {
    fn text(&self) -> String {
        (self.showed + self.begun.elapsed())
            .format("%Y-%m-%d %H:%M:%S%.6f")
            .to_string()
    }
}

async fn work(
    mut link: Link,
    mut players: Vec<Player>,
    shape: Shape,
    clock: Clock,
    until: Instant,
) -> anyhow::Result<(Vec<Player>, Outcome)> {
    let mut outcome = Outcome::default();
    let mut next = 0;
    while !players.is_empty() {
        let asked = Instant::now();
        if asked >= until {
            break;
        }
        if shape == Shape::Status {
            let player = &players[next % players.len()];
            next += 1;
            let columns = link.read(STATUS, player.id).await?;
            ensure!(columns == STATUS_COLUMNS, "a status of {columns} columns");
            outcome.count(asked, until);
            continue;
        }
        link.text("BEGIN").await?;
        for _ in 0..shape.plays_at_once() {
            let place = next % players.len();
            next += 1;
            play(&mut link, &mut players[place], shape, clock).await?;
        }
        link.text("COMMIT").await?;
        for _ in 0..shape.plays_at_once() {
            outcome.count(asked, until);
        }
    }
    Ok((players, outcome))
}

async fn play(
    link: &mut Link,
    player: &mut Player,
    shape: Shape,
    clock: Clock,
) -> anyhow::Result<()> {
    let spin = Spin::new(player.id, player.nonce, clock.text());
    player.nonce += 1;
    match shape {
        Shape::PerRow => spin.write_per_row(link).await,
        Shape::PerTable | Shape::Together | Shape::Status => spin.write_per_table(link).await,
    }
}

const STATUS: &str = "SELECT p.level, p.is_blocked, p.token_epoch, p.event_key_count, \
    p.event_pending_points, p.anonymised_at, g.current_xp, g.current_level, g.level_high_water, \
    g.total_stamps, g.last_stamp_date, g.internal_wins, \
    (SELECT GROUP_CONCAT(r.level) FROM season_pass_reward_log r \
    WHERE r.user_id = p.user_id AND r.season_id = 1), \
    (SELECT GROUP_CONCAT(s.period_key) FROM season_pass_stamp_log s \
    WHERE s.user_id = p.user_id AND s.season_id = 1 AND s.event_type IS NOT NULL) \
    FROM user_profiles p LEFT JOIN season_pass_progress g \
    ON g.user_id = p.user_id AND g.season_id = 1 WHERE p.user_id = ?";
/// How many columns [`STATUS`] reads.
const STATUS_COLUMNS: usize = 14;
