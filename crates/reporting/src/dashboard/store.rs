use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

use chrono::{DateTime, Utc};
use roaring::RoaringTreemap;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, ExprTrait, FromQueryResult,
    sea_query::{Expr, Func, Query, SelectStatement},
};
use xmas_kernel::{
    Asset,
    db::{DbError, Timestamp, sum},
};
use xmas_players::Role;
use xmas_rewards::GrantSource;

use super::{
    model::Counts,
    slots::{slot_of, start_of},
};
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
    slot: String,
    user_id: i64,
    is_win: bool,
}

#[derive(FromQueryResult)]
struct VisitRow {
    slot: String,
    user_id: i64,
}

#[derive(FromQueryResult)]
struct DurationRow {
    slot: String,
    seconds: Option<String>,
}

#[derive(FromQueryResult)]
struct SumRow {
    slot: String,
    total: i64,
}

/// What happened in a stretch of time, by the slots in which it happened. Slots in which nothing
/// happened are left out.
pub(super) async fn counts(
    conn: &DatabaseConnection,
    stretch: &Range<DateTime<Utc>>,
) -> Result<BTreeMap<i64, Counts>, DbError> {
    let plays = of("feature_log", stretch, &["user_id", "is_win"]);
    let mut visits = of("user_event_log", stretch, &["user_id"]);
    visits.and_where(Expr::col("event_type").is_in(OWN_DOING));
    // There is nothing to wait for between these.
    let (plays, visits, durations, points, users): (Vec<PlayRow>, Vec<VisitRow>, _, _, _) = tokio::try_join!(
        rows(conn, plays),
        rows(conn, visits),
        durations(conn, stretch),
        points(conn, stretch),
        new_users(conn, stretch),
    )?;

    let mut slots = Slots::of(stretch);
    for row in plays {
        let counts = slots.at(&row.slot)?;
        counts.plays += 1;
        counts.wins += i64::from(row.is_win);
        counts.players.insert(row.user_id.unsigned_abs());
    }
    for row in visits {
        let counts = slots.at(&row.slot)?;
        counts.others.insert(row.user_id.unsigned_abs());
    }
    for row in durations {
        let seconds = row.seconds.and_then(|text| text.parse().ok());
        if let Some(seconds) = seconds.filter(|seconds| (0..=LONGEST_SECONDS).contains(seconds)) {
            let counts = slots.at(&row.slot)?;
            counts.seconds += seconds;
            counts.durations += 1;
        }
    }
    for row in points {
        slots.at(&row.slot)?.points = row.total;
    }
    for row in users {
        slots.at(&row.slot)?.new_users = row.total;
    }
    Ok(slots.found)
}

/// What clients reported, as text: the servers do not agree on what a JSON number is.
async fn durations(
    conn: &DatabaseConnection,
    stretch: &Range<DateTime<Utc>>,
) -> Result<Vec<DurationRow>, DbError> {
    let value = Func::cust("JSON_EXTRACT").args([Expr::col("meta_json"), Expr::val("$.value")]);
    let mut select = of("user_event_log", stretch, &[]);
    select
        .expr_as(Func::cast_as(Expr::from(value), "CHAR"), "seconds")
        .and_where(Expr::col("event_type").eq(DURATION));
    rows(conn, select).await
}

/// The points that rewards have brought into wallets, by slot.
async fn points(
    conn: &DatabaseConnection,
    stretch: &Range<DateTime<Utc>>,
) -> Result<Vec<SumRow>, DbError> {
    let reasons = [
        GrantSource::Play,
        GrantSource::SeasonLevel,
        GrantSource::Bridge,
    ];
    let mut select = of("wallet_ledger", stretch, &[]);
    select
        .expr_as(sum(conn, "delta"), "total")
        .and_where(Expr::col("asset").eq(Asset::Point.as_str()))
        .and_where(Expr::col("delta").gt(0))
        .and_where(Expr::col("reason").is_in(reasons.map(GrantSource::ledger_reason)))
        .group_by_col("slot");
    rows(conn, select).await
}

/// How many players were created, by slot.
async fn new_users(
    conn: &DatabaseConnection,
    stretch: &Range<DateTime<Utc>>,
) -> Result<Vec<SumRow>, DbError> {
    let mut select = of("user", stretch, &[]);
    select
        .expr_as(Expr::col("id").count(), "total")
        .and_where(Expr::col("role").eq(Role::Player.as_str()))
        .group_by_col("slot");
    rows(conn, select).await
}

/// The rows of a stretch of time, each with the name of its slot; each of these tables has an index on
/// the time.
fn of(
    table: &'static str,
    stretch: &Range<DateTime<Utc>>,
    columns: &[&'static str],
) -> SelectStatement {
    let time = [
        Expr::col("created_at"),
        Expr::val(1),
        Expr::val(SLOT_LETTERS),
    ];
    let mut select = Query::select();
    select
        .expr_as(Func::cust("SUBSTR").args(time), "slot")
        .columns(columns.iter().copied())
        .from(table)
        .and_where(Expr::col("created_at").gte(Timestamp(stretch.start)))
        .and_where(Expr::col("created_at").lt(Timestamp(stretch.end)));
    select
}

/// As many letters of an instant name its slot, for a slot of ten minutes: `2025-12-26 09:1`.
const SLOT_LETTERS: i32 = 15;

/// The slots of a stretch, by their names: to read the time of each row would take longer than to read
/// the row.
struct Slots {
    names: HashMap<String, i64>,
    found: BTreeMap<i64, Counts>,
}

impl Slots {
    fn of(stretch: &Range<DateTime<Utc>>) -> Self {
        let slots = slot_of(stretch.start)..=slot_of(stretch.end);
        let name = |slot| (slot_name(slot), slot);
        Self {
            names: slots.map(name).collect(),
            found: BTreeMap::new(),
        }
    }

    fn at(&mut self, name: &str) -> Result<&mut Counts, DbError> {
        match self.names.get(name) {
            Some(slot) => Ok(self.found.entry(*slot).or_default()),
            None => Err(DbError::Corrupt(format!(
                "{name} is no slot that was asked for"
            ))),
        }
    }
}

/// What the times of a slot's rows begin with.
fn slot_name(slot: i64) -> String {
    let mut name = start_of(slot).format("%Y-%m-%d %H:%M").to_string();
    name.pop();
    name
}

#[derive(FromQueryResult)]
struct IdRow {
    id: i64,
}

/// The accounts that are not players'.
pub(super) async fn admins(conn: &impl ConnectionTrait) -> Result<RoaringTreemap, DbError> {
    let mut select = Query::select();
    select
        .column("id")
        .from("user")
        .and_where(Expr::col("role").eq(Role::Admin.as_str()));
    let found: Vec<IdRow> = rows(conn, select).await?;
    Ok(found.into_iter().map(|row| row.id.unsigned_abs()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_s_name_is_how_its_times_begin() {
        for text in ["2025-12-26T09:10:00Z", "2025-12-31T23:59:59.999999Z"] {
            let at: DateTime<Utc> = text.parse().unwrap();
            let stored = text.replace('T', " ");
            assert_eq!(slot_name(slot_of(at)), stored[..SLOT_LETTERS as usize]);
        }
    }
}
