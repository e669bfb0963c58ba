use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use sea_orm::{ConnectionTrait, Database, Statement};
use xmas_api::{
    seed,
    wiring::{App, Ports},
};
use xmas_config::{Config, Secrets, Variables};
use xmas_kernel::db::{Db, DbOptions};
use xmas_migration::{Migrator, MigratorTrait};
use xmas_time::{DateTime, EventDay, ManualClock, Utc};

use crate::{
    process::memory_mib,
    sql::{count, is_sqlite, numbers},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A MySQL or MariaDB server without a database (`mysql://root@127.0.0.1:3306`), where two are
    /// made and dropped; or `sqlite:FOLDER`.
    #[arg(long)]
    server: String,
    #[arg(long, default_value_t = 1_000_000)]
    players: u64,
    /// Who has all keys; every second of them has a wallet already.
    #[arg(long, default_value_t = 300_000)]
    eligible: u64,
    #[arg(long, default_value_t = 1_000)]
    chunk: u64,
    /// Prepare and run the settlement before the plain SQL, so that whatever the order favours, it
    /// favours the other one.
    #[arg(long)]
    product_first: bool,
}

const FLOOR: &str = "xmas_bench_floor";
const PRODUCT: &str = "xmas_bench_product";
const POINTS: u64 = 35_000;

pub(crate) async fn run(args: &Args) -> anyhow::Result<()> {
    let (first, second) = if args.product_first {
        (PRODUCT, FLOOR)
    } else {
        (FLOOR, PRODUCT)
    };
    let (first, second) = (prepared(args, first).await?, prepared(args, second).await?);
    let (floor, product) = if args.product_first {
        (&second, &first)
    } else {
        (&first, &second)
    };
    let before = peak_rss_mib()?;
    let (plain, ours);
    if args.product_first {
        ours = time_settlement(product, args).await?;
        plain = time_plain(floor, args).await?;
    } else {
        plain = time_plain(floor, args).await?;
        ours = time_settlement(product, args).await?;
    }
    for table in [
        "reward_log",
        "wallet_ledger",
        "user_game_wallet",
        "user_event_log",
    ] {
        let sql = format!("SELECT COUNT(*) FROM {table}");
        let (a, b) = (count(floor, &sql).await?, count(product, &sql).await?);
        ensure!(a == b, "{table}: the floor has {a} rows, the product {b}");
    }
    println!(
        "{} players, {} eligible, chunks of {}\n\
         plain SQL   {:.1} s\n\
         settlement  {:.1} s\n\
         ratio       {:.2}\n\
         peak RSS    {} MiB ({before} MiB before the settlement)",
        args.players,
        args.eligible,
        args.chunk,
        plain.as_secs_f64(),
        ours.as_secs_f64(),
        ours.as_secs_f64() / plain.as_secs_f64(),
        peak_rss_mib()?,
    );
    first.close().await?;
    second.close().await?;
    for name in [FLOOR, PRODUCT] {
        drop_database(args, name).await?;
    }
    Ok(())
}

async fn time_plain(db: &Db, args: &Args) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let paid = settle_plainly(db, args.chunk).await?;
    ensure!(paid == args.eligible, "the floor paid {paid}");
    Ok(started.elapsed())
}

fn app(db: &Db, now: DateTime<Utc>) -> anyhow::Result<App> {
    let config = Config::from_variables(&Variables::default())?;
    let secret = "a secret of the benchmark, 32 bytes or more";
    let secrets = Secrets {
        jwt: secret.parse()?,
        data_key: secret.parse()?,
        data_key_previous: None,
    };
    let ports = Ports::with_clock(Arc::new(ManualClock::at(now)));
    Ok(App::new(db, &config, &secrets, ports))
}

async fn time_settlement(db: &Db, args: &Args) -> anyhow::Result<Duration> {
    let now = EventDay::from_ymd(2026, 1, 1).context("a day")?.start();
    let app = app(db, now)?;
    let settlement = app.settlement();
    let bridge = settlement.find(None).await?.id;
    let started = Instant::now();
    let run = settlement.settle(bridge, args.chunk, now, &|_| ()).await?;
    let elapsed = started.elapsed();
    ensure!(
        run.paid == args.eligible,
        "the settlement paid {}",
        run.paid
    );
    let certificate = settlement.certificate(bridge).await?;
    ensure!(certificate.points == i64::try_from(args.eligible * POINTS)?);
    Ok(elapsed)
}

/// A database with the event, and players of whom some have all keys.
async fn prepared(args: &Args, name: &str) -> anyhow::Result<Db> {
    drop_database(args, name).await?;
    let url = match args.server.strip_prefix("sqlite:") {
        Some(folder) => format!("sqlite://{folder}/{name}.db?mode=rwc"),
        None => {
            let server = Database::connect(&args.server).await?;
            // What makes a commit last: the setting of production, whatever the test server has.
            server
                .execute_unprepared("SET GLOBAL innodb_flush_log_at_trx_commit = 1")
                .await?;
            server
                .execute_unprepared(&format!("CREATE DATABASE {name}"))
                .await?;
            server.close().await?;
            format!("{}/{name}", args.server)
        }
    };
    let db = Db::connect(&DbOptions::new(url.parse()?)).await?;
    Migrator::up(db.write(), None).await?;
    seed::event(&app(&db, noon())?, noon()).await?;
    let numbers = numbers(&db, args.players);
    let (at, eligible) = ("'2025-12-25 00:00:00.000000'", args.eligible);
    let label = if is_sqlite(&db) {
        "'p' || n"
    } else {
        "CONCAT('p', n)"
    };
    // Eligible players are spread evenly among the others.
    let has_keys = format!("n * {eligible} % {} < {eligible}", args.players);
    for sql in [
        format!(
            "INSERT INTO `user` (external_id, password_hash, role, status, created_at, updated_at) \
             {numbers} SELECT {label}, '!', 'PLAYER', 'ACTIVE', {at}, {at} FROM numbers"
        ),
        format!(
            "INSERT INTO user_profiles (user_id, level, event_key_count, event_pending_points, \
             is_blocked, token_epoch, updated_at) {numbers} SELECT n, 1, \
             CASE WHEN {has_keys} THEN 7 ELSE n % 7 END, \
             CASE WHEN {has_keys} THEN {POINTS} ELSE n % 7 * 5000 END, 0, 0, {at} FROM numbers"
        ),
        format!(
            "INSERT INTO user_game_wallet (user_id, asset, balance, updated_at) \
             SELECT user_id, 'POINT', 500, {at} FROM user_profiles \
             WHERE event_key_count = 7 AND user_id % 2 = 0"
        ),
    ] {
        db.write().execute_unprepared(&sql).await?;
    }
    let found = count(
        &db,
        "SELECT COUNT(*) FROM user_profiles WHERE event_key_count = 7",
    )
    .await?;
    ensure!(found == i64::try_from(eligible)?, "{found} are eligible");
    Ok(db)
}

fn noon() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH
}

/// The same effects as a settlement's, as an operator would write them in SQL: statements over sets,
/// a transaction for each chunk.
async fn settle_plainly(db: &Db, chunk: u64) -> anyhow::Result<u64> {
    let sqlite = is_sqlite(db);
    let joined = |parts: &str| {
        if sqlite {
            parts.replace(", ", " || ")
        } else {
            format!("CONCAT({parts})")
        }
    };
    let key = joined("'bridge:1:user:', p.user_id");
    let meta = joined(
        "'{\"bridge_id\":1,\"keys\":', p.event_key_count, ',\"points\":', p.event_pending_points, '}'",
    );
    let (at, day) = ("'2025-12-31 15:00:00.000000'", "'2026-01-01'");
    let mut after = 0;
    let mut paid = 0;
    loop {
        let tx = db.begin().await?;
        let lock = if sqlite { "" } else { "FOR UPDATE" };
        let next = format!(
            "SELECT p.user_id FROM user_profiles p JOIN `user` u ON u.id = p.user_id \
             WHERE p.user_id > {after} AND p.event_key_count >= 7 AND u.status = 'ACTIVE' \
             ORDER BY p.user_id LIMIT {chunk} {lock}"
        );
        let rows = tx
            .query_all_raw(Statement::from_string(db.backend(), next))
            .await?;
        let Some(last) = rows.last() else {
            return Ok(paid);
        };
        let last: i64 = last.try_get_by(0)?;
        let chosen = format!(
            "user_profiles p JOIN `user` u ON u.id = p.user_id AND u.status = 'ACTIVE' \
             WHERE p.user_id > {after} AND p.user_id <= {last} AND p.event_key_count >= 7"
        );
        let raise = if sqlite {
            format!(
                "UPDATE user_game_wallet SET balance = balance + p.event_pending_points, \
                 updated_at = {at} FROM user_profiles p WHERE p.user_id = user_game_wallet.user_id \
                 AND asset = 'POINT' AND p.user_id > {after} AND p.user_id <= {last} \
                 AND p.event_key_count >= 7"
            )
        } else {
            format!(
                "UPDATE user_game_wallet w JOIN user_profiles p ON p.user_id = w.user_id \
                 SET w.balance = w.balance + p.event_pending_points, w.updated_at = {at} \
                 WHERE w.asset = 'POINT' AND p.user_id > {after} AND p.user_id <= {last} \
                 AND p.event_key_count >= 7"
            )
        };
        for sql in [
            format!(
                "INSERT INTO reward_log (user_id, grant_key, source, reward_type, amount, label, \
                 state, season_id, event_day, created_at, delivered_at) SELECT p.user_id, {key}, \
                 'BRIDGE', 'POINT', p.event_pending_points, '2026-01-01 포인트', 'DELIVERED', 1, \
                 {day}, {at}, {at} FROM {chosen}"
            ),
            raise,
            format!(
                "INSERT INTO user_game_wallet (user_id, asset, balance, updated_at) \
                 SELECT p.user_id, 'POINT', p.event_pending_points, {at} FROM {chosen} \
                 AND NOT EXISTS (SELECT 1 FROM user_game_wallet w WHERE w.user_id = p.user_id \
                 AND w.asset = 'POINT')"
            ),
            format!(
                "INSERT INTO wallet_ledger (user_id, asset, delta, balance_after, reason, \
                 reference, actor, created_at) SELECT p.user_id, 'POINT', p.event_pending_points, \
                 (SELECT w.balance FROM user_game_wallet w WHERE w.user_id = p.user_id \
                 AND w.asset = 'POINT'), 'BRIDGE', {key}, 'system', {at} FROM {chosen}"
            ),
            format!(
                "INSERT INTO user_event_log (user_id, event_type, event_day, meta_json, created_at) \
                 SELECT p.user_id, 'BRIDGE_SETTLED', {day}, {meta}, {at} FROM {chosen}"
            ),
            format!(
                "UPDATE user_profiles SET level = level + 1, event_key_count = 0, \
                 event_pending_points = 0, updated_at = {at} WHERE user_id > {after} \
                 AND user_id <= {last} AND event_key_count >= 7 AND user_id IN \
                 (SELECT id FROM `user` WHERE status = 'ACTIVE' AND id > {after} AND id <= {last})"
            ),
        ] {
            tx.execute_unprepared(&sql).await?;
        }
        tx.commit().await?;
        paid += rows.len() as u64;
        after = last;
    }
}

async fn drop_database(args: &Args, name: &str) -> anyhow::Result<()> {
    if let Some(folder) = args.server.strip_prefix("sqlite:") {
        for end in ["db", "db-wal", "db-shm"] {
            // It may not be there.
            let _ = std::fs::remove_file(format!("{folder}/{name}.{end}"));
        }
        return Ok(());
    }
    let server = Database::connect(&args.server).await?;
    server
        .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name}"))
        .await?;
    server.close().await?;
    Ok(())
}

/// The most memory that this process has ever held.
fn peak_rss_mib() -> anyhow::Result<u64> {
    Ok(memory_mib(std::process::id(), "VmHWM")? as u64)
}
