use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait, NotSet, QueryFilter,
    QueryOrder, QuerySelect,
    sea_query::{CaseStatement, Expr, Query, SimpleExpr},
};
use xmas_kernel::{
    Asset, BatchId, UnknownName, UserId,
    audit::Actor,
    db::{DbError, Timestamp, sum},
    idempotency::RequestKey,
    paging::{Cursor, Limit, Page},
};

use super::model::{Batch, BatchState, BatchTally, Tally};
use crate::{
    OrderKind,
    bulk::{ROWS_AT_ONCE, by_value},
    entity::{wallet_batch, wallet_batch_item},
    store::asset,
};

/// One wallet of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) user_id: UserId,
    pub(super) asset: Asset,
    pub(super) amount: i64,
}

/// What has become of one wallet of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString, strum::IntoStaticStr)]
#[strum(serialize_all = "UPPERCASE")]
enum ItemState {
    Planned,
    Done,
    /// The wallet held too little.
    Short,
}

impl ItemState {
    fn as_str(self) -> &'static str {
        self.into()
    }
}

fn batch(row: wallet_batch::Model) -> Result<Batch, DbError> {
    let corrupt =
        |error: UnknownName| DbError::Corrupt(format!("wallet_batch {}: {error}", row.id));
    Ok(Batch {
        id: BatchId(row.id),
        kind: row.kind.parse().map_err(corrupt)?,
        state: row.state.parse().map_err(corrupt)?,
        key: row.batch_key,
        reason: row.reason,
        actor: row.actor,
        created_at: row.created_at.0,
        finished_at: row.finished_at.map(|at| at.0),
        reverts: row.reverts.map(BatchId),
        reverted_by: None,
    })
}

/// Notes of each batch which one takes it back.
async fn with_reverts(
    conn: &impl ConnectionTrait,
    mut batches: Vec<Batch>,
) -> Result<Vec<Batch>, DbError> {
    use wallet_batch::Column;
    let reverts: Vec<(i64, i64)> = wallet_batch::Entity::find()
        .select_only()
        .columns([Column::Reverts, Column::Id])
        .filter(Column::Reverts.is_in(batches.iter().map(|batch| batch.id.0)))
        .into_tuple()
        .all(conn)
        .await?;
    let reverts: HashMap<i64, i64> = reverts.into_iter().collect();
    for batch in &mut batches {
        batch.reverted_by = reverts.get(&batch.id.0).copied().map(BatchId);
    }
    Ok(batches)
}

/// The batches of these rows, in their order.
async fn batches(
    conn: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = wallet_batch::Model>,
) -> Result<Vec<Batch>, DbError> {
    let batches: Vec<Batch> = rows.into_iter().map(batch).collect::<Result<_, _>>()?;
    match batches.is_empty() {
        true => Ok(batches),
        false => with_reverts(conn, batches).await,
    }
}

/// The batch of this name, and the fingerprint of what was asked for.
pub(super) async fn find_by_key(
    conn: &impl ConnectionTrait,
    key: &str,
) -> Result<Option<(Batch, String)>, DbError> {
    let row = wallet_batch::Entity::find()
        .filter(wallet_batch::Column::BatchKey.eq(key))
        .one(conn)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let fingerprint = row.fingerprint.clone();
    let batch = batches(conn, [row]).await?.pop();
    Ok(batch.map(|batch| (batch, fingerprint)))
}

pub(super) async fn find(
    conn: &impl ConnectionTrait,
    id: BatchId,
) -> Result<Option<Batch>, DbError> {
    let row = wallet_batch::Entity::find_by_id(id.0).one(conn).await?;
    Ok(batches(conn, row).await?.pop())
}

/// The batch that takes this one back, if there is one.
pub(super) async fn find_revert_of(
    conn: &impl ConnectionTrait,
    id: BatchId,
) -> Result<Option<Batch>, DbError> {
    let row = wallet_batch::Entity::find()
        .filter(wallet_batch::Column::Reverts.eq(id.0))
        .one(conn)
        .await?;
    row.map(batch).transpose()
}

/// Batches, newest first; only the one of this name, if one is given.
pub(super) async fn page(
    conn: &impl ConnectionTrait,
    key: Option<&str>,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<Batch>, DbError> {
    use wallet_batch::Column;
    let mut query = wallet_batch::Entity::find();
    if let Some(key) = key {
        query = query.filter(Column::BatchKey.eq(key));
    }
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows = batches(conn, rows).await?;
    Ok(Page::from_overfetched(rows, limit, |batch| batch.id.0))
}

/// Registers a batch; what it plans comes next.
pub(super) async fn insert(
    tx: &DatabaseTransaction,
    request: &RequestKey,
    (kind, reverts): (OrderKind, Option<BatchId>),
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<Batch, DbError> {
    let inserted = wallet_batch::Entity::insert(wallet_batch::ActiveModel {
        id: NotSet,
        batch_key: Set(request.as_str().to_owned()),
        kind: Set(kind.as_str().to_owned()),
        fingerprint: Set(request.fingerprint().to_owned()),
        state: Set(BatchState::Open.as_str().to_owned()),
        reason: Set(actor.reason.clone()),
        actor: Set(actor.name.clone()),
        created_at: Set(Timestamp(now)),
        finished_at: Set(None),
        reverts: Set(reverts.map(|batch| batch.0)),
        turn: NotSet,
    })
    .exec(tx)
    .await?;
    Ok(Batch {
        id: BatchId(inserted.last_insert_id),
        key: request.as_str().to_owned(),
        kind,
        state: BatchState::Open,
        reason: actor.reason.clone(),
        actor: actor.name.clone(),
        created_at: now,
        finished_at: None,
        reverts,
        reverted_by: None,
    })
}

/// Plans the items of a batch that has just been registered.
pub(super) async fn plan(
    tx: &DatabaseTransaction,
    batch: BatchId,
    items: &[Item],
) -> Result<(), DbError> {
    for items in items.chunks(ROWS_AT_ONCE) {
        let rows = items.iter().map(|item| wallet_batch_item::ActiveModel {
            batch_id: Set(batch.0),
            user_id: Set(item.user_id.0),
            asset: Set(item.asset.as_str().to_owned()),
            amount: Set(item.amount),
            state: Set(ItemState::Planned.as_str().to_owned()),
            part_moved: Set(0),
        });
        wallet_batch_item::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// Plans to take back whatever another batch has done, in one statement. The other one does nothing any
/// more.
pub(super) async fn plan_back(
    tx: &DatabaseTransaction,
    batch: BatchId,
    of: BatchId,
) -> Result<(), DbError> {
    use wallet_batch_item::Column;
    let mut done = Query::select();
    done.expr(Expr::value(batch.0))
        .columns([Column::UserId, Column::Asset, Column::Amount])
        .expr(Expr::value(ItemState::Planned.as_str()))
        .expr(Expr::value(0))
        .from(wallet_batch_item::Entity)
        .and_where(Column::BatchId.eq(of.0))
        .and_where(Column::State.eq(ItemState::Done.as_str()));
    let mut insert = Query::insert();
    insert.into_table(wallet_batch_item::Entity).columns([
        Column::BatchId,
        Column::UserId,
        Column::Asset,
        Column::Amount,
        Column::State,
        Column::PartMoved,
    ]);
    insert
        .select_from(done)
        .map_err(|error| DbError::Corrupt(error.to_string()))?;
    let statement = tx.get_database_backend().build(&insert);
    tx.execute_raw(statement).await?;
    Ok(())
}

/// What a batch has done so far.
pub(super) async fn done_items(
    conn: &impl ConnectionTrait,
    batch: BatchId,
) -> Result<Vec<Item>, DbError> {
    use wallet_batch_item::Column;
    let rows = wallet_batch_item::Entity::find()
        .filter(Column::BatchId.eq(batch.0))
        .filter(Column::State.eq(ItemState::Done.as_str()))
        .order_by_asc(Column::UserId)
        .order_by_asc(Column::Asset)
        .all(conn)
        .await?;
    rows.into_iter().map(item).collect()
}

/// Keeps a batch until the transaction ends: nobody else does items of it, or stops it; `false` if it is not
/// open any more. Players are locked after it.
pub(super) async fn hold_open(tx: &DatabaseTransaction, batch: BatchId) -> Result<bool, DbError> {
    use wallet_batch::Column;
    // A lock would hold on one node of a cluster only.
    let held = wallet_batch::Entity::update_many()
        .col_expr(Column::Turn, Expr::col(Column::Turn).add(1))
        .filter(Column::Id.eq(batch.0))
        .filter(Column::State.eq(BatchState::Open.as_str()))
        .exec(tx)
        .await?;
    Ok(held.rows_affected == 1)
}

/// The next planned items of a batch that the caller holds, in ascending id of their players.
pub(super) async fn next_items(
    tx: &DatabaseTransaction,
    batch: BatchId,
    limit: u64,
) -> Result<Vec<Item>, DbError> {
    use wallet_batch_item::Column;
    let rows = wallet_batch_item::Entity::find()
        .filter(Column::BatchId.eq(batch.0))
        .filter(Column::State.eq(ItemState::Planned.as_str()))
        .order_by_asc(Column::UserId)
        .limit(limit)
        .all(tx)
        .await?;
    rows.into_iter().map(item).collect()
}

fn item(row: wallet_batch_item::Model) -> Result<Item, DbError> {
    Ok(Item {
        user_id: UserId(row.user_id),
        asset: asset(&row.asset)?,
        amount: row.amount,
    })
}

/// Notes what has become of planned items of one asset: of each, how much was moved.
pub(super) async fn end_items(
    tx: &DatabaseTransaction,
    batch: BatchId,
    asset: Asset,
    moved: &[(Item, i64)],
) -> Result<(), DbError> {
    use wallet_batch_item::Column;
    let (done, short): (Vec<_>, Vec<_>) = moved
        .iter()
        .partition(|(item, moved)| *moved == item.amount);
    for (items, state) in [(done, ItemState::Done), (short, ItemState::Short)] {
        if items.is_empty() {
            continue;
        }
        let mut update = wallet_batch_item::Entity::update_many()
            .col_expr(Column::State, Expr::value(state.as_str()))
            .filter(Column::BatchId.eq(batch.0))
            .filter(Column::Asset.eq(asset.as_str()))
            .filter(Column::UserId.is_in(items.iter().map(|(item, _)| item.user_id.0)))
            .filter(Column::State.eq(ItemState::Planned.as_str()));
        if state == ItemState::Short {
            let parts = items.iter().map(|(item, part)| (item.user_id, *part));
            update = update.col_expr(Column::PartMoved, by_value(Column::UserId, parts));
        }
        if update.exec(tx).await?.rows_affected != items.len() as u64 {
            let problem = format!("items of batch {batch} were done meanwhile");
            return Err(DbError::Overtaken(problem));
        }
    }
    Ok(())
}

/// Ends a batch as done or stopped; `false` if it has ended already.
pub(super) async fn end(
    tx: &DatabaseTransaction,
    batch: BatchId,
    state: BatchState,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    use wallet_batch::Column;
    let updated = wallet_batch::Entity::update_many()
        .col_expr(Column::State, state.as_str().into())
        .col_expr(Column::FinishedAt, Timestamp(now).into())
        .filter(Column::Id.eq(batch.0))
        .filter(Column::State.eq(BatchState::Open.as_str()))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// The first items that were not done, or not whole, because their wallets held too little; of each, how
/// much was moved.
pub(super) async fn short_items(
    conn: &impl ConnectionTrait,
    batch: BatchId,
    limit: u64,
) -> Result<Vec<(Item, i64)>, DbError> {
    use wallet_batch_item::Column;
    let rows = wallet_batch_item::Entity::find()
        .filter(Column::BatchId.eq(batch.0))
        .filter(Column::State.eq(ItemState::Short.as_str()))
        .order_by_asc(Column::UserId)
        .order_by_asc(Column::Asset)
        .limit(limit)
        .all(conn)
        .await?;
    let part = |row: wallet_batch_item::Model| {
        let moved = row.part_moved;
        Ok((item(row)?, moved))
    };
    rows.into_iter().map(part).collect()
}

/// How far one batch has come.
pub(super) async fn tally(
    conn: &impl ConnectionTrait,
    batch: BatchId,
) -> Result<BatchTally, DbError> {
    let tally = tallies(conn, &[batch]).await?.remove(&batch);
    Ok(tally.unwrap_or_default())
}

/// How far batches have come: two statements, however many they are.
pub(super) async fn tallies(
    conn: &impl ConnectionTrait,
    batches: &[BatchId],
) -> Result<HashMap<BatchId, BatchTally>, DbError> {
    use wallet_batch_item::Column;
    let mut tallies: HashMap<BatchId, BatchTally> = HashMap::new();
    if batches.is_empty() {
        return Ok(tallies);
    }
    let ids: Vec<i64> = batches.iter().map(|batch| batch.0).collect();
    let players_of = |items: SimpleExpr| {
        let case = CaseStatement::new().case(items, Expr::col(Column::UserId));
        Expr::expr(case).count_distinct()
    };
    let is_moved = Column::State
        .eq(ItemState::Done.as_str())
        .or(Column::PartMoved.gt(0));
    let players: Vec<(i64, i64, i64, i64, i64)> = wallet_batch_item::Entity::find()
        .select_only()
        .column(Column::BatchId)
        .column_as(Expr::col(Column::UserId).count_distinct(), "players")
        .column_as(players_of(is_moved), "done")
        .column_as(
            players_of(Column::State.eq(ItemState::Short.as_str())),
            "short",
        )
        .column_as(
            players_of(Column::State.eq(ItemState::Planned.as_str())),
            "left",
        )
        .filter(Column::BatchId.is_in(ids.iter().copied()))
        .group_by(Column::BatchId)
        .into_tuple()
        .all(conn)
        .await?;
    for (batch, all, done, short, left) in players {
        let tally = tallies.entry(BatchId(batch)).or_default();
        tally.all.players = all.unsigned_abs();
        tally.done.players = done.unsigned_abs();
        tally.short.players = short.unsigned_abs();
        tally.left.players = left.unsigned_abs();
    }
    let sums: Vec<(i64, String, String, i64, i64)> = wallet_batch_item::Entity::find()
        .select_only()
        .column(Column::BatchId)
        .column(Column::State)
        .column(Column::Asset)
        .column_as(sum(conn, Column::Amount), "total")
        .column_as(sum(conn, Column::PartMoved), "moved")
        .filter(Column::BatchId.is_in(ids))
        .group_by(Column::BatchId)
        .group_by(Column::State)
        .group_by(Column::Asset)
        .into_tuple()
        .all(conn)
        .await?;
    for (batch, state, name, total, part) in sums {
        let (asset, tally) = (asset(&name)?, tallies.entry(BatchId(batch)).or_default());
        let add = |to: &mut Tally, amount: i64| {
            if amount > 0 {
                *to.totals.entry(asset).or_default() += amount;
            }
        };
        add(&mut tally.all, total);
        match state.parse() {
            Ok(ItemState::Done) => add(&mut tally.done, total),
            Ok(ItemState::Short) => {
                add(&mut tally.done, part);
                add(&mut tally.short, total - part);
            }
            _ => add(&mut tally.left, total),
        }
    }
    Ok(tallies)
}
