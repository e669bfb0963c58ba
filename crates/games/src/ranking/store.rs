use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{CaseStatement, Expr},
};
use xmas_kernel::{
    UserId,
    db::{DbError, Timestamp},
};
use xmas_players::{Leaving, PlayerNames};
use xmas_time::EventDay;

use super::{
    NewExternalEntry, NewRankingEntry,
    entity::{daily, external},
};

/// Rows per statement: servers bound the number of values in one.
pub(crate) const BATCH: usize = 1_000;
/// Rows of the external board per statement: each is named several times in an update.
pub(crate) const CHUNK: usize = 500;

/// The first places of a day's board.
pub(crate) async fn first_of_day(
    conn: &impl ConnectionTrait,
    day: EventDay,
    limit: u64,
) -> Result<Vec<daily::Model>, DbError> {
    use daily::{Column, Entity};
    let rows = Entity::find()
        .filter(Column::EventDay.eq(day.date()))
        .order_by_asc(Column::Place)
        .limit(limit)
        .all(conn)
        .await?;
    Ok(rows)
}

/// A player's place on a day's board.
pub(crate) async fn place_of(
    conn: &impl ConnectionTrait,
    day: EventDay,
    player: UserId,
) -> Result<Option<daily::Model>, DbError> {
    use daily::{Column, Entity};
    let row = Entity::find()
        .filter(Column::EventDay.eq(day.date()))
        .filter(Column::UserId.eq(player.0))
        .one(conn)
        .await?;
    Ok(row)
}

/// A player's rank on the external board, and their row.
pub(crate) async fn external_place_of(
    conn: &impl ConnectionTrait,
    player: UserId,
) -> Result<Option<(i64, external::Model)>, DbError> {
    let row = external::Entity::find()
        .filter(external::Column::UserId.eq(player.0))
        .one(conn)
        .await?;
    match row {
        Some(row) => Ok(Some((1 + better_than(conn, &row).await?, row))),
        None => Ok(None),
    }
}

/// How many rows come before this one.
async fn better_than(conn: &impl ConnectionTrait, row: &external::Model) -> Result<i64, DbError> {
    use external::{Column, Entity};
    let same_deposits = Column::DepositAmount.eq(row.deposit_amount);
    let more_plays = Condition::all()
        .add(same_deposits.clone())
        .add(Column::PlayCount.gt(row.play_count));
    let came_first = Condition::all()
        .add(same_deposits)
        .add(Column::PlayCount.eq(row.play_count))
        .add(Column::Id.lt(row.id));
    let better = Condition::any()
        .add(Column::DepositAmount.gt(row.deposit_amount))
        .add(more_plays)
        .add(came_first);
    let count: Option<i64> = Entity::find()
        .select_only()
        .column_as(Column::Id.count(), "better")
        .filter(better)
        .into_tuple()
        .one(conn)
        .await?;
    Ok(count.unwrap_or(0))
}

pub(crate) async fn replace_day(
    tx: &DatabaseTransaction,
    day: EventDay,
    rows: &[NewRankingEntry],
) -> Result<(), DbError> {
    use daily::{ActiveModel, Column, Entity};
    Entity::delete_many()
        .filter(Column::EventDay.eq(day.date()))
        .exec(tx)
        .await?;
    for batch in rows.chunks(BATCH) {
        let rows = batch.iter().map(|row| ActiveModel {
            id: NotSet,
            event_day: Set(day.date()),
            place: Set(row.place),
            user_id: Set(row.user_id.map(|user| user.0)),
            display_name: Set(row.display_name.clone()),
            score: Set(row.score),
        });
        Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// The whole board of a day.
pub(crate) async fn day(
    conn: &impl ConnectionTrait,
    day: EventDay,
) -> Result<Vec<daily::Model>, DbError> {
    let rows = daily::Entity::find()
        .filter(daily::Column::EventDay.eq(day.date()))
        .order_by_asc(daily::Column::Place)
        .all(conn)
        .await?;
    Ok(rows)
}

/// Every memo of the external board.
pub(crate) async fn memos(conn: &impl ConnectionTrait) -> Result<HashSet<String>, DbError> {
    let memos: Vec<String> = external::Entity::find()
        .select_only()
        .column(external::Column::Memo)
        .filter(external::Column::Memo.is_not_null())
        .into_tuple()
        .all(conn)
        .await?;
    Ok(memos.into_iter().collect())
}

/// The first places of the external board, in its order.
pub(crate) async fn external_rows(
    conn: &impl ConnectionTrait,
    limit: u64,
) -> Result<Vec<external::Model>, DbError> {
    use external::{Column, Entity};
    let rows = Entity::find()
        .order_by_desc(Column::DepositAmount)
        .order_by_desc(Column::PlayCount)
        .order_by_asc(Column::Id)
        .limit(limit)
        .all(conn)
        .await?;
    Ok(rows)
}

pub(crate) async fn count_external(conn: &impl ConnectionTrait) -> Result<i64, DbError> {
    let count: Option<i64> = external::Entity::find()
        .select_only()
        .column_as(external::Column::Id.count(), "total")
        .into_tuple()
        .one(conn)
        .await?;
    Ok(count.unwrap_or(0))
}

/// The rows of these players, of whom there are at most [`CHUNK`].
pub(crate) async fn external_of(
    conn: &impl ConnectionTrait,
    players: &[UserId],
) -> Result<Vec<external::Model>, DbError> {
    let rows = external::Entity::find()
        .filter(external::Column::UserId.is_in(players.iter().map(|player| player.0)))
        .order_by_asc(external::Column::Id)
        .all(conn)
        .await?;
    Ok(rows)
}

pub(crate) async fn upsert_external(
    tx: &DatabaseTransaction,
    rows: &[NewExternalEntry],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    for chunk in rows.chunks(CHUNK) {
        let players: Vec<UserId> = chunk.iter().map(|row| row.user_id).collect();
        let before = external_of(tx, &players).await?;
        upsert_chunk(tx, &before, chunk, now).await?;
    }
    Ok(())
}

/// Saves at most [`CHUNK`] rows, of which `before` are there, with two statements. Rows keep their ids,
/// which decide between equals.
pub(crate) async fn upsert_chunk(
    tx: &DatabaseTransaction,
    before: &[external::Model],
    rows: &[NewExternalEntry],
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use external::{ActiveModel, Column, Entity};
    let known: BTreeSet<i64> = before.iter().map(|row| row.user_id).collect();
    let (changed, added): (Vec<_>, Vec<_>) =
        rows.iter().partition(|row| known.contains(&row.user_id.0));
    if !changed.is_empty() {
        let of = |row: &NewExternalEntry| Column::UserId.eq(row.user_id.0);
        let mut deposits = CaseStatement::new();
        let mut plays = CaseStatement::new();
        let mut memos = CaseStatement::new();
        let mut keeps_memos = true;
        for row in &changed {
            deposits = deposits.case(of(row), row.deposit_amount);
            plays = plays.case(of(row), row.play_count);
            if let Some(memo) = &row.memo {
                memos = memos.case(of(row), Expr::value(memo.clone()));
                keeps_memos = false;
            }
        }
        let players = changed.iter().map(|row| row.user_id.0);
        let mut update = Entity::update_many()
            .col_expr(Column::DepositAmount, deposits.into())
            .col_expr(Column::PlayCount, plays.into())
            .col_expr(Column::UpdatedAt, Expr::value(Timestamp(now)))
            .filter(Column::UserId.is_in(players));
        if !keeps_memos {
            let memos = memos.finally(Expr::col(Column::Memo));
            update = update.col_expr(Column::Memo, memos.into());
        }
        update.exec(tx).await?;
    }
    if !added.is_empty() {
        let added = added.into_iter().map(|row| ActiveModel {
            id: NotSet,
            user_id: Set(row.user_id.0),
            deposit_amount: Set(row.deposit_amount),
            play_count: Set(row.play_count),
            memo: Set(row.memo.clone().flatten()),
            created_at: Set(Timestamp(now)),
            updated_at: Set(Timestamp(now)),
        });
        Entity::insert_many(added)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

pub(crate) async fn remove_external(
    tx: &DatabaseTransaction,
    player: UserId,
) -> Result<(), DbError> {
    external::Entity::delete_many()
        .filter(external::Column::UserId.eq(player.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// Takes away what operators have written about a player on both boards: the memo, and the name that
/// they chose. Where the id itself stands in the place of a name, and no player is named beside it, a name
/// that tells nothing takes its place.
pub(crate) async fn forget(
    tx: &DatabaseTransaction,
    leaving: &Leaving<'_>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    let user_id = leaving.player.user_id();
    external::Entity::update_many()
        .set(external::ActiveModel {
            memo: Set(None),
            updated_at: Set(Timestamp(now)),
            ..Default::default()
        })
        .filter(external::Column::UserId.eq(user_id.0))
        .filter(external::Column::Memo.is_not_null())
        .exec(tx)
        .await?;
    daily::Entity::update_many()
        .set(daily::ActiveModel {
            display_name: Set(String::new()),
            ..Default::default()
        })
        .filter(daily::Column::UserId.eq(user_id.0))
        .exec(tx)
        .await?;
    daily::Entity::update_many()
        .set(daily::ActiveModel {
            display_name: Set(PlayerNames::ANONYMOUS.to_owned()),
            ..Default::default()
        })
        .filter(daily::Column::UserId.is_null())
        .filter(daily::Column::DisplayName.eq(leaving.external_id))
        .exec(tx)
        .await?;
    Ok(())
}
