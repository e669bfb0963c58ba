use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, ExprTrait,
    NotSet, QueryFilter, sea_query::Expr,
};
use xmas_kernel::{
    ConfigId,
    db::{DbError, Timestamp},
};
use xmas_rewards::Reward;

use super::{
    Lottery, NewLottery, NewPrize,
    entity::{config, prize},
    rules,
};
use crate::Table;

/// The active lottery; `None` if there is none that can be played.
pub(crate) async fn active_table(
    conn: &impl ConnectionTrait,
) -> Result<Option<Table<Lottery>>, DbError> {
    let config = config::Entity::find()
        .filter(config::Column::ActiveSlot.eq(1))
        .filter(config::Column::IsActive.eq(true))
        .filter(config::Column::MaxDailyPlays.gte(0))
        .one(conn)
        .await?;
    let Some(config) = config else {
        return Ok(None);
    };
    let rows = prize::Entity::find()
        .filter(prize::Column::ConfigId.eq(config.id))
        .all(conn)
        .await?;
    let config_id = ConfigId(config.id);
    let prizes: Option<Vec<_>> = rows.into_iter().map(known).collect();
    let prizes = prizes.and_then(|prizes| rules::prizes(config_id, prizes).ok());
    Ok(prizes.map(|prizes| Table {
        config_id,
        name: config.name,
        max_daily: config.max_daily_plays,
        menu: prizes.shown,
        odds: prizes.odds,
        stock: prizes.stock,
        sold_out: prizes.sold_out,
    }))
}

/// `None` for a reward that no code of ours saves; the whole lottery is refused then.
fn known(row: prize::Model) -> Option<(i64, NewPrize)> {
    let kind = row.reward_type.parse().ok()?;
    let prize = NewPrize {
        label: row.label,
        weight: row.weight,
        stock: row.stock,
        reward: Reward::from_parts(kind, row.reward_amount, row.reward_item).ok()?,
        is_active: row.is_active,
    };
    Some((row.id, prize))
}

/// Takes one of a limited prize; `false` if none is left.
pub(crate) async fn take_one(tx: &DatabaseTransaction, id: i64) -> Result<bool, DbError> {
    use prize::Column;
    let taken = prize::Entity::update_many()
        .col_expr(Column::Stock, Expr::col(Column::Stock).sub(1))
        .filter(Column::Id.eq(id))
        .filter(Column::Stock.gt(0))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

pub(crate) async fn insert_active(
    tx: &DatabaseTransaction,
    lottery: &NewLottery,
    now: DateTime<Utc>,
) -> Result<ConfigId, DbError> {
    let inserted = config::Entity::insert(config::ActiveModel {
        id: NotSet,
        name: Set(lottery.name.clone()),
        is_active: Set(true),
        active_slot: Set(Some(1)),
        max_daily_plays: Set(lottery.max_daily_plays),
        created_at: Set(Timestamp(now)),
        updated_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    let config_id = inserted.last_insert_id;
    let prizes = lottery.prizes.iter().map(|prize| prize::ActiveModel {
        id: NotSet,
        config_id: Set(config_id),
        label: Set(prize.label.clone()),
        weight: Set(prize.weight),
        stock: Set(prize.stock),
        stock_at_edit: Set(prize.stock),
        stock_supplied: Set(prize.stock),
        reward_type: Set(prize.reward.kind().as_str().to_owned()),
        reward_amount: Set(prize.reward.amount()),
        reward_item: Set(prize.reward.item()),
        is_active: Set(prize.is_active),
    });
    prize::Entity::insert_many(prizes)
        .exec_without_returning(tx)
        .await?;
    Ok(ConfigId(config_id))
}
