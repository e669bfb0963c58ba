use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    NotSet, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use xmas_kernel::{
    BridgeId, Feature, SeasonId, UnknownName, UserId,
    db::{DbError, Timestamp},
};
use xmas_time::EventDay;

use crate::{
    Bridge, BridgeDay, BridgeError, BridgeState, NewBridge, constraints,
    entity::{bridge, day, progress},
};

/// Every bridge with its days, newest first.
pub(crate) async fn bridges(conn: &impl ConnectionTrait) -> Result<Vec<Bridge>, DbError> {
    let rows = bridge::Entity::find()
        .order_by_desc(bridge::Column::Id)
        .all(conn)
        .await?;
    let mut days = day::Entity::find()
        .order_by_asc(day::Column::DayNumber)
        .all(conn)
        .await?;
    let mut bridges = Vec::with_capacity(rows.len());
    for row in rows {
        let own = days.extract_if(.., |day| day.bridge_id == row.id);
        let own = own.map(bridge_day).collect::<Result<_, _>>()?;
        bridges.push(bridge_of(row, own)?);
    }
    Ok(bridges)
}

fn bridge_day(row: day::Model) -> Result<BridgeDay, DbError> {
    let corrupt = |problem: String| {
        let (day, bridge) = (row.day_number, row.bridge_id);
        DbError::Corrupt(format!("day {day} of bridge {bridge}: {problem}"))
    };
    let mission = row.mission.parse();
    Ok(BridgeDay {
        number: row.day_number,
        day: EventDay::from(row.event_day),
        mission: mission.map_err(|error: UnknownName| corrupt(error.to_string()))?,
        event_type: row.event_type,
        points: row.points,
    })
}

fn bridge_of(row: bridge::Model, days: Vec<BridgeDay>) -> Result<Bridge, DbError> {
    let corrupt = |error: UnknownName| DbError::Corrupt(format!("bridge {}: {error}", row.id));
    let state = row.state.parse().map_err(corrupt)?;
    Ok(Bridge {
        id: BridgeId(row.id),
        rules: NewBridge {
            season_id: SeasonId(row.season_id),
            days,
            keys_required: row.keys_required,
            settle_on: EventDay::from(row.settle_on),
            auto_settle: row.auto_settle,
        },
        state,
        prechecked_at: row.prechecked_at.map(|at| at.0),
        settled_at: row.settled_at.map(|at| at.0),
        closed_at: row.closed_at.map(|at| at.0),
    })
}

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    new: &NewBridge,
    now: DateTime<Utc>,
) -> Result<BridgeId, BridgeError> {
    let inserted = bridge::Entity::insert(bridge::ActiveModel {
        id: NotSet,
        season_id: Set(new.season_id.0),
        keys_required: Set(new.keys_required),
        settle_on: Set(new.settle_on.date()),
        auto_settle: Set(new.auto_settle),
        state: Set(BridgeState::Open.as_str().to_owned()),
        open_slot: Set(Some(1)),
        prechecked_at: Set(None),
        settled_at: Set(None),
        closing_at: Set(None),
        closed_at: Set(None),
        created_at: Set(Timestamp(now)),
        updated_at: Set(Timestamp(now)),
        turn: NotSet,
    })
    .exec(tx)
    .await
    .map_err(DbError::from);
    let id = match inserted {
        Ok(inserted) => inserted.last_insert_id,
        Err(error)
            if error.violates(&constraints::ONE_OPEN)
                || error.violates(&constraints::ONE_PER_SEASON) =>
        {
            return Err(BridgeError::Conflict);
        }
        Err(error) => return Err(error.into()),
    };
    insert_days(tx, BridgeId(id), new).await?;
    Ok(BridgeId(id))
}

async fn insert_days(
    tx: &DatabaseTransaction,
    id: BridgeId,
    new: &NewBridge,
) -> Result<(), DbError> {
    let days = new.days.iter().map(|day| day::ActiveModel {
        bridge_id: Set(id.0),
        day_number: Set(day.number),
        event_day: Set(day.day.date()),
        event_type: Set(day.event_type.clone()),
        mission: Set(day.mission.as_str().to_owned()),
        points: Set(day.points),
    });
    day::Entity::insert_many(days)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Saves everything that an operator can edit of a bridge.
pub(crate) async fn update(
    tx: &DatabaseTransaction,
    id: BridgeId,
    rules: &NewBridge,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    // Another day has an evening before of its own.
    bridge::Entity::update_many()
        .col_expr(bridge::Column::PrecheckedAt, Expr::cust("NULL"))
        .filter(bridge::Column::Id.eq(id.0))
        .filter(bridge::Column::SettleOn.ne(rules.settle_on.date()))
        .exec(tx)
        .await?;
    bridge::Entity::update_many()
        .set(bridge::ActiveModel {
            keys_required: Set(rules.keys_required),
            settle_on: Set(rules.settle_on.date()),
            auto_settle: Set(rules.auto_settle),
            updated_at: Set(Timestamp(now)),
            ..Default::default()
        })
        .filter(bridge::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    day::Entity::delete_many()
        .filter(day::Column::BridgeId.eq(id.0))
        .exec(tx)
        .await?;
    insert_days(tx, id, rules).await
}

/// How far a bridge is, while nobody else takes it further.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stage {
    is_closing: bool,
    is_closed: bool,
}

impl Stage {
    /// Whether nothing of it is left to pay or to take.
    pub(crate) fn is_closed(self) -> bool {
        self.is_closed
    }

    /// Whether keys of it may still be given. Asked under the player's lock: a closing takes what is
    /// left of every player after it has begun, and waits for that lock.
    pub(crate) fn takes_keys(self) -> bool {
        !self.is_closing
    }
}

/// Keeps a bridge as it is until the transaction ends: whoever edits it, gives a key of it by hand,
/// settles or closes it goes one after the other. Whoever locks players too does that first.
pub(crate) async fn lock(tx: &DatabaseTransaction, id: BridgeId) -> Result<Stage, DbError> {
    let row = bridge::Entity::find_by_id(id.0).lock_exclusive();
    stage_of(row.one(tx).await?, id)
}

/// As [`lock`], for whoever writes nothing that a closing writes too: over another node of a cluster, where a lock
/// is not seen, a closing would pass by what is given meanwhile.
pub(crate) async fn take_turn(tx: &DatabaseTransaction, id: BridgeId) -> Result<Stage, DbError> {
    use bridge::Column;
    bridge::Entity::update_many()
        .col_expr(Column::Turn, Expr::col(Column::Turn).add(1))
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    stage(tx, id).await
}

/// How far a bridge is, for whoever only looks.
pub(crate) async fn stage(conn: &impl ConnectionTrait, id: BridgeId) -> Result<Stage, DbError> {
    stage_of(bridge::Entity::find_by_id(id.0).one(conn).await?, id)
}

fn stage_of(row: Option<bridge::Model>, id: BridgeId) -> Result<Stage, DbError> {
    let row = row.ok_or_else(|| DbError::Corrupt(format!("bridge {id} is gone")))?;
    Ok(Stage {
        is_closing: row.closing_at.is_some(),
        is_closed: row.closed_at.is_some(),
    })
}

/// Notes that a settlement has begun, if it is due: an edit may just have moved its day.
pub(crate) async fn begin_settling(
    tx: &DatabaseTransaction,
    id: BridgeId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    bridge::Entity::update_many()
        .col_expr(bridge::Column::State, BridgeState::Settling.as_str().into())
        .col_expr(bridge::Column::UpdatedAt, Expr::value(Timestamp(now)))
        .filter(bridge::Column::Id.eq(id.0))
        .filter(bridge::Column::State.eq(BridgeState::Open.as_str()))
        .filter(bridge::Column::SettleOn.lte(EventDay::of(now).date()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Notes that a settlement has come to its end.
pub(crate) async fn note_settled(
    tx: &DatabaseTransaction,
    id: BridgeId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    bridge::Entity::update_many()
        .col_expr(bridge::Column::SettledAt, Expr::value(Timestamp(now)))
        .filter(bridge::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Notes that the pre-check was made; `false` if it had been.
pub(crate) async fn note_precheck(
    tx: &DatabaseTransaction,
    id: BridgeId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let noted = bridge::Entity::update_many()
        .col_expr(bridge::Column::PrecheckedAt, Expr::value(Timestamp(now)))
        .filter(bridge::Column::Id.eq(id.0))
        .filter(bridge::Column::PrecheckedAt.is_null())
        .exec(tx)
        .await?;
    Ok(noted.rows_affected == 1)
}

/// Notes that the closing has begun.
pub(crate) async fn begin_closing(
    tx: &DatabaseTransaction,
    id: BridgeId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    bridge::Entity::update_many()
        .col_expr(bridge::Column::ClosingAt, Expr::value(Timestamp(now)))
        .filter(bridge::Column::Id.eq(id.0))
        .filter(bridge::Column::ClosingAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// Closes a bridge, so that another may open.
pub(crate) async fn close(
    tx: &DatabaseTransaction,
    id: BridgeId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    bridge::Entity::update_many()
        .set(bridge::ActiveModel {
            state: Set(BridgeState::Closed.as_str().to_owned()),
            open_slot: Set(None),
            closed_at: Set(Some(Timestamp(now))),
            updated_at: Set(Timestamp(now)),
            ..Default::default()
        })
        .filter(bridge::Column::Id.eq(id.0))
        .filter(bridge::Column::State.ne(BridgeState::Closed.as_str()))
        .exec(tx)
        .await?;
    Ok(())
}

/// The parts of a day's mission that a player has done.
pub(crate) async fn parts(
    tx: &DatabaseTransaction,
    user_id: UserId,
    bridge: BridgeId,
    day_number: i64,
) -> Result<Vec<String>, DbError> {
    let parts = progress::Entity::find()
        .select_only()
        .column(progress::Column::Part)
        .filter(progress::Column::UserId.eq(user_id.0))
        .filter(progress::Column::BridgeId.eq(bridge.0))
        .filter(progress::Column::DayNumber.eq(day_number))
        .into_tuple()
        .all(tx)
        .await?;
    Ok(parts)
}

/// Writes the next part that a player has done. Two at once have the same number, and one of them is
/// [`DbError::Violated`].
pub(crate) async fn insert_part(
    tx: &DatabaseTransaction,
    user_id: UserId,
    (bridge, day_number): (BridgeId, i64),
    (part, part_number): (Feature, i64),
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    progress::Entity::insert(progress::ActiveModel {
        user_id: Set(user_id.0),
        bridge_id: Set(bridge.0),
        day_number: Set(day_number),
        part: Set(part.as_str().to_owned()),
        created_at: Set(Timestamp(now)),
        part_number: Set(Some(part_number)),
    })
    .exec_without_returning(tx)
    .await?;
    Ok(())
}
