//! Every query of this crate. Tables are named here and belong to other crates.

use std::{cmp::Ordering, collections::HashMap};

use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult,
    sea_query::{Condition, Expr, Order, Query, SelectStatement},
};
use xmas_kernel::{
    UserId,
    db::{DbError, Timestamp},
};
use xmas_rewards::{GrantSource, RewardState, RewardType};
use xmas_time::{EventDay, Kst};

use crate::{
    GrantReceipt, PlayReceipt, StampReceipt,
    place::{Edge, Part},
};

/// A grant's receipt, and the key of the grant if its coupon code belongs into it.
pub(crate) struct FoundGrant {
    pub(crate) receipt: GrantReceipt,
    pub(crate) coupon: Option<String>,
}

#[derive(FromQueryResult)]
struct PlayRow {
    id: i64,
    feature_type: String,
    odds_id: Option<i64>,
    nonce: i64,
    attempt: i64,
    outcome: String,
    is_win: bool,
    reward_type: String,
    reward_amount: i64,
    event_day: NaiveDate,
    created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct StampRow {
    id: i64,
    event_type: Option<String>,
    source_feature_type: String,
    xp_earned: i64,
    event_day: NaiveDate,
    created_at: Timestamp,
}

#[derive(FromQueryResult)]
struct RewardRow {
    id: i64,
    grant_key: String,
    source: String,
    reward_type: String,
    amount: i64,
    label: Option<String>,
    state: String,
    reason: Option<String>,
    event_day: NaiveDate,
    created_at: Timestamp,
    delivered_at: Option<Timestamp>,
}

/// A player's plays from behind the part's edge on, newest first: one more than fit on the page, if
/// there are so many.
pub(crate) async fn plays(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    part: &Part,
) -> Result<Vec<PlayReceipt>, DbError> {
    let columns = [
        "id",
        "feature_type",
        "odds_id",
        "nonce",
        "attempt",
        "outcome",
        "is_win",
        "reward_type",
        "reward_amount",
        "event_day",
        "created_at",
    ];
    let mut select = newest_first("created_at", user_id, part);
    select.columns(columns).from("feature_log");
    let rows: Vec<PlayRow> = rows(conn, select).await?;
    rows.into_iter().map(play).collect()
}

fn play(row: PlayRow) -> Result<PlayReceipt, DbError> {
    let outcome = serde_json::from_str(&row.outcome)
        .map_err(|error| DbError::Corrupt(format!("the outcome of play {}: {error}", row.id)))?;
    Ok(PlayReceipt {
        id: row.id,
        at: Kst(row.created_at.0),
        day: EventDay::from(row.event_day),
        feature: row.feature_type,
        outcome,
        is_win: row.is_win,
        reward_type: row.reward_type,
        reward_amount: row.reward_amount,
        reward_state: None,
        odds_id: row.odds_id,
        nonce: row.nonce,
        attempt: row.attempt,
    })
}

/// A player's stamps, as [`plays`] gives plays.
pub(crate) async fn stamps(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    part: &Part,
) -> Result<Vec<StampReceipt>, DbError> {
    let columns = [
        "id",
        "event_type",
        "source_feature_type",
        "xp_earned",
        "event_day",
        "created_at",
    ];
    let mut select = newest_first("created_at", user_id, part);
    select.columns(columns).from("season_pass_stamp_log");
    let rows: Vec<StampRow> = rows(conn, select).await?;
    Ok(rows.into_iter().map(stamp).collect())
}

fn stamp(row: StampRow) -> StampReceipt {
    StampReceipt {
        id: row.id,
        at: Kst(row.created_at.0),
        day: EventDay::from(row.event_day),
        source_feature_type: row.source_feature_type,
        event_type: row.event_type,
        xp: row.xp_earned,
    }
}

/// A player's rewards, as [`plays`] gives plays. Of a play that brought nothing its own receipt
/// tells.
pub(crate) async fn rewards(
    conn: &impl ConnectionTrait,
    user_id: UserId,
    part: &Part,
) -> Result<Vec<FoundGrant>, DbError> {
    let columns = [
        "id",
        "grant_key",
        "source",
        "reward_type",
        "amount",
        "label",
        "state",
        "reason",
        "event_day",
        "created_at",
        "delivered_at",
    ];
    let mut select = newest_first("created_at", user_id, part);
    select
        .columns(columns)
        .from("reward_log")
        .cond_where(brought_something());
    let rows: Vec<RewardRow> = rows(conn, select).await?;
    Ok(rows.into_iter().map(reward).collect())
}

/// Which receipts in `reward_log` tell of something. A settlement does even if it paid 0 points: nothing else
/// tells of it. Of a play or level that brought nothing, its own entry tells.
pub(crate) fn brought_something() -> Condition {
    let of_reward = |column: &'static str| Expr::col(("reward_log", column));
    Condition::any()
        .add(of_reward("amount").ne(0))
        .add(of_reward("source").eq(GrantSource::Bridge.as_str()))
}

fn reward(row: RewardRow) -> FoundGrant {
    let has_code = row.reward_type == RewardType::Coupon.as_str()
        && row.state == RewardState::Delivered.as_str();
    let receipt = GrantReceipt {
        id: row.id,
        at: Kst(row.created_at.0),
        day: EventDay::from(row.event_day),
        source: row.source,
        play_id: play_id(&row.grant_key),
        label: row.label,
        reward_type: row.reward_type,
        reward_amount: row.amount,
        state: row.state,
        reason: row.reason,
        delivered_at: row.delivered_at.map(|delivered_at| Kst(delivered_at.0)),
        coupon_code: None,
    };
    FoundGrant {
        receipt,
        coupon: has_code.then_some(row.grant_key),
    }
}

/// The play that a grant key names: `play:17`, and `play:17:xp` for what the play itself gives.
pub(crate) fn play_id(grant_key: &str) -> Option<i64> {
    let play = grant_key.strip_prefix("play:")?;
    play.strip_suffix(":xp").unwrap_or(play).parse().ok()
}

#[derive(FromQueryResult)]
struct PrizeRow {
    grant_key: String,
    state: String,
}

/// Adds how far their prizes have come to these plays.
pub(crate) async fn add_prize_states<'a>(
    conn: &impl ConnectionTrait,
    plays: impl Iterator<Item = &'a mut PlayReceipt>,
) -> Result<(), DbError> {
    let mut plays: Vec<&mut PlayReceipt> = plays.collect();
    if plays.is_empty() {
        return Ok(());
    }
    let keys = plays.iter().map(|play| format!("play:{}", play.id));
    let mut select = Query::select();
    select
        .columns(["grant_key", "state"])
        .from("reward_log")
        .and_where(Expr::col("grant_key").is_in(keys));
    let rows: Vec<PrizeRow> = rows(conn, select).await?;
    let state = |row: PrizeRow| Some((play_id(&row.grant_key)?, row.state));
    let mut states: HashMap<i64, String> = rows.into_iter().filter_map(state).collect();
    for play in &mut plays {
        play.reward_state = states.remove(&play.id);
    }
    Ok(())
}

/// What the tables of a history have in common: whose rows, from where on, how many, and in which
/// order. Each has an index on the player and the time, or only a few rows of each player.
pub(crate) fn newest_first(time: &'static str, user_id: UserId, part: &Part) -> SelectStatement {
    let mut select = Query::select();
    select
        .and_where(Expr::col("user_id").eq(user_id.0))
        .order_by(time, Order::Desc)
        .order_by("id", Order::Desc)
        .limit(part.rows);
    if let Some(edge) = part.edge {
        select.and_where(behind(&Expr::col(time), &Expr::col("id"), edge));
    }
    select
}

/// Whether a row with this time and id stands behind its part's edge.
pub(crate) fn behind(time: &Expr, id: &Expr, edge: Edge) -> Expr {
    let at = Timestamp(edge.at);
    let earlier = time.clone().lt(at);
    let not_later = time.clone().lte(at);
    match edge.kind {
        // This kind's rows of the edge's instant stand before it.
        Ordering::Less => earlier,
        Ordering::Equal => not_later.and(earlier.or(id.clone().lt(edge.id))),
        Ordering::Greater => not_later,
    }
}

#[derive(FromQueryResult)]
struct ReviewRow {
    n: i64,
    oldest: Option<Timestamp>,
}

/// Rewards that wait for an admin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PendingReviews {
    pub number: i64,
    /// Since when the oldest of them waits.
    pub oldest: Option<DateTime<Utc>>,
}

pub(crate) async fn pending_reviews(
    conn: &impl ConnectionTrait,
) -> Result<PendingReviews, DbError> {
    let mut select = Query::select();
    select
        .expr_as(Expr::col("id").count(), "n")
        .expr_as(Expr::col("created_at").min(), "oldest")
        .from("reward_log")
        .and_where(Expr::col("state").eq(RewardState::PendingReview.as_str()));
    let found: Vec<ReviewRow> = rows(conn, select).await?;
    let found = found.into_iter().next();
    Ok(
        found.map_or_else(PendingReviews::default, |row| PendingReviews {
            number: row.n,
            oldest: row.oldest.map(|oldest| oldest.0),
        }),
    )
}

pub(crate) async fn rows<T: FromQueryResult>(
    conn: &impl ConnectionTrait,
    select: SelectStatement,
) -> Result<Vec<T>, DbError> {
    let statement = conn.get_database_backend().build(&select);
    Ok(T::find_by_statement(statement).all(conn).await?)
}
