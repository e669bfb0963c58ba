use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult,
    sea_query::{Expr, Order, Query, SelectStatement},
};
use xmas_kernel::db::{DbError, Timestamp, sum};

use super::model::{Direction, Flows, FreeCodes, PrizeStock};
use crate::store::rows;

/// Logs whose new rows are counted, in the order of [`Ends`].
const LOGS: [&str; 5] = [
    "feature_log",
    "season_pass_stamp_log",
    "season_pass_reward_log",
    "reward_log",
    "wallet_ledger",
];

/// The last id of each log.
pub(super) type Ends = [i64; LOGS.len()];

#[derive(FromQueryResult)]
struct IdRow {
    id: i64,
}

#[derive(FromQueryResult)]
struct CountRow {
    n: i64,
}

#[derive(FromQueryResult)]
struct PlayRow {
    feature_type: String,
    is_win: bool,
    n: i64,
}

#[derive(FromQueryResult)]
struct RewardRow {
    reward_type: String,
    state: String,
    n: i64,
}

#[derive(FromQueryResult)]
struct LedgerRow {
    asset: String,
    reason: String,
    total: Option<i64>,
}

#[derive(FromQueryResult)]
struct PrizeRow {
    id: i64,
    label: String,
    stock: i64,
    stock_supplied: i64,
}

#[derive(FromQueryResult)]
struct KindRow {
    name: String,
    n: i64,
}

#[derive(FromQueryResult)]
struct TimeRow {
    created_at: Timestamp,
}

/// The last id of each log; 0 of an empty one.
pub(super) async fn ends(conn: &impl ConnectionTrait) -> Result<Ends, DbError> {
    let mut ends = Ends::default();
    for (end, log) in ends.iter_mut().zip(LOGS) {
        let mut select = last_of(log);
        select.column("id");
        let last: Vec<IdRow> = rows(conn, select).await?;
        *end = last.first().map_or(0, |row| row.id);
    }
    Ok(ends)
}

/// What was written to the logs behind `from`, up to `to`.
pub(super) async fn flows(
    conn: &impl ConnectionTrait,
    from: Ends,
    to: Ends,
) -> Result<Flows, DbError> {
    let mut flows = Flows::default();
    let mut parts = LOGS.into_iter().zip(from.into_iter().zip(to));
    let mut next = |columns: &[&'static str]| {
        let (log, (from, to)) = parts.next().unwrap_or_default();
        new_in(log, from, to, columns)
    };

    let plays: Vec<PlayRow> = rows(conn, next(&["feature_type", "is_win"])).await?;
    for row in plays {
        let key = (row.feature_type, row.is_win);
        flows.plays.insert(key, row.n.unsigned_abs());
    }
    let stamps: Vec<CountRow> = rows(conn, next(&[])).await?;
    flows.stamps = number(&stamps);
    let claims: Vec<CountRow> = rows(conn, next(&[])).await?;
    flows.claims = number(&claims);
    let rewards: Vec<RewardRow> = rows(conn, next(&["reward_type", "state"])).await?;
    for row in rewards {
        let key = (row.reward_type, row.state);
        flows.rewards.insert(key, row.n.unsigned_abs());
    }
    let ledger = next(&["asset", "reason"]);
    for direction in [Direction::In, Direction::Out] {
        let mut select = ledger.clone();
        select.expr_as(sum(conn, "delta"), "total");
        select.and_where(match direction {
            Direction::In => Expr::col("delta").gt(0),
            Direction::Out => Expr::col("delta").lt(0),
        });
        let moved: Vec<LedgerRow> = rows(conn, select).await?;
        for row in moved {
            let amount = row.total.unwrap_or_default().unsigned_abs();
            flows
                .amounts
                .insert((row.asset, row.reason, direction), amount);
        }
    }
    Ok(flows)
}

/// Counts what was written to a log behind `from`, up to `to`, by the values of some columns.
fn new_in(log: &'static str, from: i64, to: i64, by: &[&'static str]) -> SelectStatement {
    let mut select = Query::select();
    select
        .columns(by.iter().copied())
        .expr_as(Expr::col("id").count(), "n")
        .from(log)
        .and_where(Expr::col("id").gt(from))
        .and_where(Expr::col("id").lte(to))
        .group_by_columns(by.iter().copied());
    select
}

fn number(counted: &[CountRow]) -> u64 {
    counted.first().map_or(0, |row| row.n.unsigned_abs())
}

/// What is left of the limited prizes of the lottery that is played.
pub(super) async fn prizes(conn: &impl ConnectionTrait) -> Result<Vec<PrizeStock>, DbError> {
    let mut active = Query::select();
    active
        .column("id")
        .from("lottery_config")
        .and_where(Expr::col("active_slot").eq(1));
    let mut select = Query::select();
    select
        .columns(["id", "label", "stock", "stock_supplied"])
        .from("lottery_prize")
        .and_where(Expr::col("config_id").in_subquery(active))
        .and_where(Expr::col("is_active").eq(true))
        .and_where(Expr::col("stock").is_not_null())
        .order_by("id", Order::Asc);
    let found: Vec<PrizeRow> = rows(conn, select).await?;
    let prize = |row: PrizeRow| PrizeStock {
        id: row.id,
        label: row.label,
        left: row.stock,
        supplied: row.stock_supplied,
    };
    Ok(found.into_iter().map(prize).collect())
}

/// Codes that belong to nobody yet, of every kind that has codes at all.
pub(super) async fn free_codes(conn: &impl ConnectionTrait) -> Result<Vec<FreeCodes>, DbError> {
    let mut codes = Query::select();
    codes
        .expr(Expr::col(("coupon_code", "id")).count())
        .from("coupon_code")
        .and_where(Expr::col(("coupon_code", "kind_id")).equals(("coupon_kind", "id")))
        .and_where(Expr::col(("coupon_code", "reward_id")).is_null());
    let mut select = Query::select();
    select
        .column("name")
        .expr_as(Expr::SubQuery(None, Box::new(codes.into())), "n")
        .from("coupon_kind")
        .and_where(Expr::col("is_manual").eq(false))
        .order_by("name", Order::Asc);
    let found: Vec<KindRow> = rows(conn, select).await?;
    let kind = |row: KindRow| FreeCodes {
        kind: row.name,
        codes: row.n.unsigned_abs(),
    };
    Ok(found.into_iter().map(kind).collect())
}

pub(super) async fn last_stamp(
    conn: &impl ConnectionTrait,
) -> Result<Option<DateTime<Utc>>, DbError> {
    let mut select = last_of("season_pass_stamp_log");
    select.column("created_at");
    let last: Vec<TimeRow> = rows(conn, select).await?;
    Ok(last.first().map(|row| row.created_at.0))
}

fn last_of(log: &'static str) -> SelectStatement {
    let mut select = Query::select();
    select.from(log).order_by("id", Order::Desc).limit(1);
    select
}
