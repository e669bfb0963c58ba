use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, Utc};
use sea_orm::{
    ConnectionTrait, ExprTrait, FromQueryResult,
    sea_query::{Alias, Expr, Func, Query, SelectStatement},
};
use xmas_kernel::{
    Asset,
    db::{DbError, Timestamp},
};
use xmas_rewards::{GrantSource, RewardState};

use super::{Counts, slots::slot_of};
use crate::store::rows;

/// What a player does besides playing, as the activity log calls it.
const OWN_DOING: [&str; 4] = [
    "AUTH_LOGIN",
    "ENTER_PAGE",
    "SEASON_PASS_STAMP",
    "SEASON_PASS_CLAIM",
];
/// What a client reports of how long somebody has played.
const DURATION: &str = "CLIENT_PLAY_DURATION";
/// A longer one is not believed.
const LONGEST_SECONDS: i64 = 86_400;

#[derive(FromQueryResult)]
struct PlayRow {
    created_at: Timestamp,
    user_id: i64,
    is_win: bool,
}

#[derive(FromQueryResult)]
struct VisitRow {
    created_at: Timestamp,
    user_id: i64,
}

#[derive(FromQueryResult)]
struct DurationRow {
    created_at: Timestamp,
    seconds: Option<String>,
}

#[derive(FromQueryResult)]
struct PointsRow {
    created_at: Timestamp,
    delta: i64,
}

#[derive(FromQueryResult)]
struct UserRow {
    created_at: Timestamp,
}

/// What happened in a stretch of time, by the slots in which it happened. Slots in which nothing
/// happened are left out.
pub(super) async fn counts(
    conn: &impl ConnectionTrait,
    stretch: &Range<DateTime<Utc>>,
) -> Result<BTreeMap<i64, Counts>, DbError> {
    let mut slots: BTreeMap<i64, Counts> = BTreeMap::new();

    let plays = of("feature_log", &["created_at", "user_id", "is_win"], stretch);
    let plays: Vec<PlayRow> = rows(conn, plays).await?;
    for row in plays {
        let counts = slots.entry(slot_of(row.created_at.0)).or_default();
        counts.plays += 1;
        counts.wins += i64::from(row.is_win);
        counts.players.insert(row.user_id.unsigned_abs());
    }

    let mut visits = of("user_event_log", &["created_at", "user_id"], stretch);
    visits.and_where(Expr::col("event_type").is_in(OWN_DOING));
    let visits: Vec<VisitRow> = rows(conn, visits).await?;
    for row in visits {
        let counts = slots.entry(slot_of(row.created_at.0)).or_default();
        counts.others.insert(row.user_id.unsigned_abs());
    }

    // As text, since the servers do not agree on what a JSON number is.
    let value = Func::cust("JSON_EXTRACT").args([Expr::col("meta_json"), Expr::val("$.value")]);
    let value = Func::cast_as(Expr::from(value), Alias::new("CHAR"));
    let mut durations = of("user_event_log", &["created_at"], stretch);
    durations
        .expr_as(value, "seconds")
        .and_where(Expr::col("event_type").eq(DURATION));
    let durations: Vec<DurationRow> = rows(conn, durations).await?;
    for row in durations {
        let seconds = row.seconds.and_then(|text| text.parse().ok());
        if let Some(seconds) = seconds.filter(|seconds| (0..=LONGEST_SECONDS).contains(seconds)) {
            let counts = slots.entry(slot_of(row.created_at.0)).or_default();
            counts.seconds += seconds;
            counts.durations += 1;
        }
    }

    let reasons = [
        GrantSource::Play,
        GrantSource::SeasonLevel,
        GrantSource::Bridge,
    ];
    let mut points = of("wallet_ledger", &["created_at", "delta"], stretch);
    points
        .and_where(Expr::col("asset").eq(Asset::Point.as_str()))
        .and_where(Expr::col("delta").gt(0))
        .and_where(Expr::col("reason").is_in(reasons.map(GrantSource::ledger_reason)));
    let points: Vec<PointsRow> = rows(conn, points).await?;
    for row in points {
        let counts = slots.entry(slot_of(row.created_at.0)).or_default();
        counts.points = counts.points.saturating_add(row.delta);
    }

    let mut users = of("user", &["created_at"], stretch);
    users.and_where(Expr::col("role").eq("PLAYER"));
    let users: Vec<UserRow> = rows(conn, users).await?;
    for row in users {
        let counts = slots.entry(slot_of(row.created_at.0)).or_default();
        counts.new_users += 1;
    }
    Ok(slots)
}

/// The rows of a stretch of time; each of these tables has an index on it.
fn of(
    table: &'static str,
    columns: &[&'static str],
    stretch: &Range<DateTime<Utc>>,
) -> SelectStatement {
    let mut select = Query::select();
    select
        .columns(columns.iter().copied())
        .from(table)
        .and_where(Expr::col("created_at").gte(Timestamp(stretch.start)))
        .and_where(Expr::col("created_at").lt(Timestamp(stretch.end)));
    select
}

#[derive(FromQueryResult)]
struct CountRow {
    n: i64,
}

/// How many rewards wait for an admin.
pub(super) async fn pending_reviews(conn: &impl ConnectionTrait) -> Result<i64, DbError> {
    let mut select = Query::select();
    select
        .expr_as(Expr::col("id").count(), "n")
        .from("reward_log")
        .and_where(Expr::col("state").eq(RewardState::PendingReview.as_str()));
    let found: Vec<CountRow> = rows(conn, select).await?;
    Ok(found.first().map_or(0, |row| row.n))
}
