use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, ExprTrait, NotSet,
    QueryFilter, QueryOrder, QuerySelect,
    sea_query::{CaseStatement, Expr},
};
use xmas_kernel::{
    Asset, BatchId, UserId,
    audit::Actor,
    db::{DbError, Timestamp},
    idempotency::RequestKey,
    paging::{Cursor, Limit, Page},
};

use super::model::{Batch, BatchState, BatchTally, Tally};
use crate::{
    OrderKind,
    bulk::ROWS_AT_ONCE,
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

const PLANNED: &str = "PLANNED";
const DONE: &str = "DONE";
const SHORT: &str = "SHORT";

/// What an item has become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Done,
    Short,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => DONE,
            Outcome::Short => SHORT,
        }
    }
}

fn batch(row: wallet_batch::Model) -> Result<Batch, DbError> {
    let corrupt = || DbError::Corrupt(format!("wallet_batch {} is of no known kind", row.id));
    let mut kinds = OrderKind::ALL.into_iter();
    let mut states = [BatchState::Open, BatchState::Done].into_iter();
    let kind = kinds.find(|kind| kind.as_str() == row.kind);
    let state = states.find(|state| state.as_str() == row.state);
    Ok(Batch {
        id: BatchId(row.id),
        kind: kind.ok_or_else(corrupt)?,
        state: state.ok_or_else(corrupt)?,
        key: row.batch_key,
        reason: row.reason,
        actor: row.actor,
        created_at: row.created_at.0,
        finished_at: row.finished_at.map(|at| at.0),
    })
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
    Ok(Some((batch(row)?, fingerprint)))
}

pub(super) async fn find(
    conn: &impl ConnectionTrait,
    id: BatchId,
) -> Result<Option<Batch>, DbError> {
    let row = wallet_batch::Entity::find_by_id(id.0).one(conn).await?;
    row.map(batch).transpose()
}

/// Batches, newest first.
pub(super) async fn page(
    conn: &impl ConnectionTrait,
    limit: Limit,
    before: Option<Cursor>,
) -> Result<Page<Batch>, DbError> {
    use wallet_batch::Column;
    let mut query = wallet_batch::Entity::find();
    if let Some(Cursor(id)) = before {
        query = query.filter(Column::Id.lt(id));
    }
    let rows = query
        .order_by_desc(Column::Id)
        .limit(limit.get() + 1)
        .all(conn)
        .await?;
    let rows: Vec<Batch> = rows.into_iter().map(batch).collect::<Result<_, _>>()?;
    Ok(Page::from_overfetched(rows, limit, |batch| batch.id.0))
}

/// Registers a batch with everything that it plans.
pub(super) async fn insert(
    tx: &DatabaseTransaction,
    request: &RequestKey,
    kind: OrderKind,
    actor: &Actor,
    items: &[Item],
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
    })
    .exec(tx)
    .await?;
    let id = inserted.last_insert_id;
    for items in items.chunks(ROWS_AT_ONCE) {
        let rows = items.iter().map(|item| wallet_batch_item::ActiveModel {
            batch_id: Set(id),
            user_id: Set(item.user_id.0),
            asset: Set(item.asset.as_str().to_owned()),
            amount: Set(item.amount),
            state: Set(PLANNED.to_owned()),
        });
        wallet_batch_item::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(Batch {
        id: BatchId(id),
        key: request.as_str().to_owned(),
        kind,
        state: BatchState::Open,
        reason: actor.reason.clone(),
        actor: actor.name.clone(),
        created_at: now,
        finished_at: None,
    })
}

/// The players of the next planned items, in ascending id. They are not locked yet, so the items may
/// be done by the time they are.
pub(super) async fn next_players(
    tx: &DatabaseTransaction,
    batch: BatchId,
    limit: u64,
) -> Result<Vec<UserId>, DbError> {
    use wallet_batch_item::Column;
    let mut players: Vec<i64> = wallet_batch_item::Entity::find()
        .select_only()
        .column(Column::UserId)
        .filter(Column::BatchId.eq(batch.0))
        .filter(Column::State.eq(PLANNED))
        .order_by_asc(Column::UserId)
        .limit(limit)
        .into_tuple()
        .all(tx)
        .await?;
    players.dedup();
    Ok(players.into_iter().map(UserId).collect())
}

/// What is planned for these players, whom the caller has locked.
pub(super) async fn planned_of(
    tx: &DatabaseTransaction,
    batch: BatchId,
    players: &[UserId],
) -> Result<Vec<Item>, DbError> {
    use wallet_batch_item::Column;
    let rows = wallet_batch_item::Entity::find()
        .filter(Column::BatchId.eq(batch.0))
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
        .filter(Column::State.eq(PLANNED))
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

/// Notes what has become of planned items of one asset.
pub(super) async fn end_items(
    tx: &DatabaseTransaction,
    batch: BatchId,
    asset: Asset,
    players: &[UserId],
    outcome: Outcome,
) -> Result<(), DbError> {
    use wallet_batch_item::Column;
    if players.is_empty() {
        return Ok(());
    }
    let updated = wallet_batch_item::Entity::update_many()
        .col_expr(Column::State, outcome.as_str().into())
        .filter(Column::BatchId.eq(batch.0))
        .filter(Column::Asset.eq(asset.as_str()))
        .filter(Column::UserId.is_in(players.iter().map(|player| player.0)))
        .filter(Column::State.eq(PLANNED))
        .exec(tx)
        .await?;
    if updated.rows_affected != players.len() as u64 {
        let problem = format!("items of batch {batch} were done under the locks of their players");
        return Err(DbError::Corrupt(problem));
    }
    Ok(())
}

/// Notes that a batch is done; `false` if somebody else has noted it.
pub(super) async fn finish(
    tx: &DatabaseTransaction,
    batch: BatchId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    use wallet_batch::Column;
    let updated = wallet_batch::Entity::update_many()
        .col_expr(Column::State, BatchState::Done.as_str().into())
        .col_expr(Column::FinishedAt, Timestamp(now).into())
        .filter(Column::Id.eq(batch.0))
        .filter(Column::State.eq(BatchState::Open.as_str()))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// The first items that were not done because their wallets held too little.
pub(super) async fn short_items(
    conn: &impl ConnectionTrait,
    batch: BatchId,
    limit: u64,
) -> Result<Vec<Item>, DbError> {
    use wallet_batch_item::Column;
    let rows = wallet_batch_item::Entity::find()
        .filter(Column::BatchId.eq(batch.0))
        .filter(Column::State.eq(SHORT))
        .order_by_asc(Column::UserId)
        .order_by_asc(Column::Asset)
        .limit(limit)
        .all(conn)
        .await?;
    rows.into_iter().map(item).collect()
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
    let in_state = |state: &str| {
        let case = CaseStatement::new().case(Column::State.eq(state), Expr::col(Column::UserId));
        Expr::expr(case).count_distinct()
    };
    let players: Vec<(i64, i64, i64, i64)> = wallet_batch_item::Entity::find()
        .select_only()
        .column(Column::BatchId)
        .column_as(Expr::col(Column::UserId).count_distinct(), "players")
        .column_as(in_state(DONE), "done")
        .column_as(in_state(SHORT), "short")
        .filter(Column::BatchId.is_in(ids.iter().copied()))
        .group_by(Column::BatchId)
        .into_tuple()
        .all(conn)
        .await?;
    for (batch, all, done, short) in players {
        let tally = tallies.entry(BatchId(batch)).or_default();
        tally.all.players = all.unsigned_abs();
        tally.done.players = done.unsigned_abs();
        tally.short.players = short.unsigned_abs();
    }
    // A sum is a decimal on MySQL.
    let integer = match conn.get_database_backend() {
        DbBackend::Sqlite => "INTEGER",
        _ => "SIGNED",
    };
    let sums: Vec<(i64, String, String, i64)> = wallet_batch_item::Entity::find()
        .select_only()
        .column(Column::BatchId)
        .column(Column::State)
        .column(Column::Asset)
        .column_as(Expr::col(Column::Amount).sum().cast_as(integer), "total")
        .filter(Column::BatchId.is_in(ids))
        .group_by(Column::BatchId)
        .group_by(Column::State)
        .group_by(Column::Asset)
        .into_tuple()
        .all(conn)
        .await?;
    for (batch, state, name, total) in sums {
        let (asset, tally) = (asset(&name)?, tallies.entry(BatchId(batch)).or_default());
        let add = |to: &mut Tally| *to.totals.entry(asset).or_default() += total;
        add(&mut tally.all);
        match state.as_str() {
            DONE => add(&mut tally.done),
            SHORT => add(&mut tally.short),
            _ => {}
        }
    }
    Ok(tallies)
}
