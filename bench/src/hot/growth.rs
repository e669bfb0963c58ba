//! How many rows a request examines while players and logs grow: from the server's own counters.

use anyhow::{Context, ensure};
use sea_orm::ConnectionTrait;
use serde_json::json;
use xmas_kernel::db::Db;

use crate::{
    hot::{
        args::Args,
        contender::{Contender, Kind},
        report::{Meter, Role, Series},
        seed::{self, Crowd},
    },
    process::program,
    sql::numbers,
};

/// What is asked for, and by how many clients at once: several share statements.
const KINDS: [(Kind, usize); 5] = [
    (Kind::Play, 1),
    (Kind::Play, 16),
    (Kind::Status, 1),
    (Kind::Status, 16),
    (Kind::Stamp, 1),
];
/// Some more than are looked at in one turn, so that a job of the program's own spoils one of them at most.
const TURNS: usize = 5;
/// How often each client asks in a turn.
const REQUESTS: u64 = 60;
const FEWEST_PLAYERS: u64 = 1_000;
const FEWEST_LOG_ROWS: u64 = 10_000;
/// A play is one row of plays, and two, two and four of ledger, receipts and activity.
const ROWS_OF_A_PLAY: u64 = 9;
/// How many more rows may be examined at the end than at the beginning, of each that was.
const GROWTH: f64 = 0.1;

pub(super) async fn run(args: &Args, password_hash: &str) -> anyhow::Result<()> {
    ensure!(
        !args.server.is_sqlite(),
        "SQLite counts no rows: --growth needs a server"
    );
    let mut crowd = Crowd {
        after: 0,
        players: FEWEST_PLAYERS,
        stampers: 0,
    };
    let program = program(args.program.as_deref())?;
    let place = &args.server;
    let mut contender = Contender::start(place, "growth", &program, &crowd, password_hash).await?;
    contender.check().await?;
    let mut steps = Vec::new();
    println!("players  log rows  rows examined (and statements), by so many clients at once");
    let (mut players, mut plays) = (FEWEST_PLAYERS, 0);
    steps.push(step(&mut contender, players, 0).await?);
    while players < args.growth_players {
        crowd.after = players;
        players = (10 * players).min(args.growth_players);
        crowd.players = players - crowd.after;
        seed::add(&contender.database.db, &crowd, password_hash).await?;
        steps.push(step(&mut contender, players, 0).await?);
    }
    let mut rows = FEWEST_LOG_ROWS;
    while plays < args.growth_log_rows / ROWS_OF_A_PLAY {
        let until = rows.min(args.growth_log_rows) / ROWS_OF_A_PLAY;
        add_plays(&contender.database.db, players, plays, until).await?;
        plays = until;
        rows *= 10;
        steps.push(step(&mut contender, players, plays * ROWS_OF_A_PLAY).await?);
    }
    let (first, last) = (&steps[0], steps.last().context("a step")?);
    let name = format!("{}-growth.json", args.name);
    std::fs::create_dir_all(&args.results)?;
    let saved = json!({
        "database": contender.database.version().await?,
        "steps": steps.iter().map(|step| &step.saved).collect::<Vec<_>>(),
    });
    std::fs::write(
        args.results.join(name),
        serde_json::to_string_pretty(&saved)? + "\n",
    )?;
    for (((kind, clients), first), last) in KINDS.iter().zip(&first.rows).zip(&last.rows) {
        ensure!(
            *last <= first * (1.0 + GROWTH) + 1.0,
            "a {kind} of {clients} clients examines {last:.1} rows at the end, and examined {first:.1} at the beginning"
        );
    }
    drop(contender.process);
    contender.database.remove().await
}

/// What was found at one size.
struct Step {
    /// Rows examined by each of [`KINDS`].
    rows: Vec<f64>,
    saved: serde_json::Value,
}

async fn step(contender: &mut Contender, players: u64, log_rows: u64) -> anyhow::Result<Step> {
    let db = &contender.database.db;
    for table in [
        "user",
        "user_profiles",
        "user_game_wallet",
        "user_event_log",
        "feature_log",
        "reward_log",
        "wallet_ledger",
        "season_pass_progress",
        "season_pass_stamp_log",
        "season_pass_reward_log",
    ] {
        // Plans follow from statistics, which the server renews when it likes.
        db.write()
            .query_all_raw(sea_orm::Statement::from_string(
                db.backend(),
                format!("ANALYZE TABLE `{table}`"),
            ))
            .await?;
    }
    let mut step = Step {
        rows: Vec::new(),
        saved: json!({ "players": players, "log_rows": log_rows }),
    };
    let mut shown = format!("{players:>7}  {log_rows:>8}");
    for kind in [Kind::Play, Kind::Status] {
        // The first of a day writes more.
        contender.some(kind, (REQUESTS, 1), players).await?;
    }
    for (kind, connections) in KINDS {
        let mut series = Series {
            what: kind.to_string(),
            who: contender.name.to_owned(),
            role: Role::Build,
            connections,
            turns: Vec::new(),
        };
        for _ in 0..TURNS {
            let meter = Meter::start(&contender.database, Some(contender.process.id())).await?;
            let count = REQUESTS * connections as u64;
            let outcome = contender.some(kind, (count, connections), players).await?;
            ensure!(outcome.errors + outcome.shed == 0, "{:?}", outcome.error);
            series
                .turns
                .push(meter.stop(&contender.database, &outcome).await?);
        }
        let rows = series.spread(|turn| turn.rows.unwrap_or(f64::NAN)).median;
        let statements = series.spread(|turn| turn.statements.unwrap_or(f64::NAN));
        shown += &format!(
            "  {connections} {kind} {rows:.1} ({:.1})",
            statements.median
        );
        step.saved[format!("{kind} by {connections}")] =
            json!({ "rows": rows, "statements": statements.median });
        step.rows.push(rows);
    }
    println!("{shown}");
    Ok(step)
}

/// Writes plays of the day before, from one number up to another, spread evenly among the players.
async fn add_plays(db: &Db, players: u64, after: u64, until: u64) -> anyhow::Result<()> {
    let day = "'2025-12-25'";
    let at = "'2025-12-25 03:00:00.000000'";
    let player = format!("1 + n % {players}");
    let numbers = numbers(db, until);
    let from = format!("FROM numbers WHERE n > {after}");
    for sql in [
        format!(
            "INSERT INTO feature_log (user_id, feature_type, config_id, odds_id, nonce, attempt, \
             entry_id, took_stock, outcome, is_win, reward_type, reward_amount, event_day, \
             created_at) {numbers} SELECT {player}, 'ROULETTE', 1, 1, n DIV {players}, 0, 5, 0, \
             '{{}}', 1, 'POINT', 1000, {day}, {at} {from}"
        ),
        format!(
            "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, reference, \
             actor, created_at) {numbers} SELECT {player}, asset, delta, 1000, reason, \
             CONCAT('earlier:', n), 'player', {at} FROM numbers CROSS JOIN \
             (SELECT 'ROULETTE_COIN' AS asset, -1 AS delta, 'PLAY' AS reason \
             UNION ALL SELECT 'POINT', 1000, 'PRIZE') AS changes WHERE n > {after}"
        ),
        format!(
            "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, state, \
             season_id, event_day, created_at, delivered_at) {numbers} SELECT {player}, \
             CONCAT('earlier:', n, ending), 'PLAY', kind, 5, 'DELIVERED', 1, {day}, {at}, {at} \
             FROM numbers CROSS JOIN (SELECT '' AS ending, 'POINT' AS kind \
             UNION ALL SELECT ':xp', 'XP') AS kinds WHERE n > {after}"
        ),
        format!(
            "INSERT INTO user_event_log (user_id, feature_type, event_type, event_day, meta_json, \
             created_at) {numbers} SELECT {player}, 'ROULETTE', kind, {day}, '{{}}', {at} \
             FROM numbers CROSS JOIN (SELECT 'PLAY' AS kind UNION ALL SELECT 'RESULT' \
             UNION ALL SELECT 'REWARD_GRANTED' UNION ALL SELECT 'REWARD_GRANTED') AS kinds \
             WHERE n > {after}"
        ),
    ] {
        db.write().execute_unprepared(&sql).await?;
    }
    Ok(())
}
