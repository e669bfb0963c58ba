use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, NotSet, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use xmas_kernel::{
    ConfigId,
    db::{DbError, Timestamp},
};
use xmas_rewards::Reward;

use super::{
    Lottery, NewPrize, PrizeConfig, PrizeList,
    entity::{config, prize},
    rules,
};
use crate::{
    Table,
    config::{Config, RewardConfig, Saved, Which},
};

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

/// Takes one of a limited prize; `false` if none is left, or if the prize has been removed. One whose
/// limit has just been lifted is there to be had.
pub(crate) async fn take_one(tx: &DatabaseTransaction, id: i64) -> Result<bool, DbError> {
    use prize::Column;
    let is_left = Condition::any()
        .add(Column::Stock.gt(0))
        .add(Column::Stock.is_null());
    let taken = prize::Entity::update_many()
        .col_expr(Column::Stock, Expr::col(Column::Stock).sub(1))
        .filter(Column::Id.eq(id))
        .filter(is_left)
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Configurations with their prizes by id, newest first.
pub(crate) async fn configs(
    conn: &impl ConnectionTrait,
    which: Which,
) -> Result<Vec<Saved<PrizeList>>, DbError> {
    let select = which.select::<config::Entity>(config::Column::Id, config::Column::IsActive);
    let configs = select.all(conn).await?;
    let prizes = prize::Entity::find()
        .filter(prize::Column::ConfigId.is_in(configs.iter().map(|config| config.id)))
        .order_by_asc(prize::Column::Id)
        .all(conn)
        .await?;
    let mut of_config: BTreeMap<i64, Vec<PrizeConfig>> = BTreeMap::new();
    for row in prizes {
        let prize = PrizeConfig {
            id: Some(row.id),
            label: row.label,
            weight: row.weight,
            stock: row.stock,
            stock_at_edit: row.stock_at_edit,
            reward: RewardConfig {
                reward_type: row.reward_type,
                reward_amount: row.reward_amount,
                reward_item: row.reward_item,
            },
            is_active: row.is_active,
        };
        of_config.entry(row.config_id).or_default().push(prize);
    }
    let saved = configs.into_iter().map(|row| Saved {
        id: ConfigId(row.id),
        config: Config {
            name: row.name,
            is_active: row.is_active,
            max_daily: row.max_daily_plays,
            body: PrizeList {
                prizes: of_config.remove(&row.id).unwrap_or_default(),
            },
        },
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
    });
    Ok(saved.collect())
}

pub(crate) async fn lock_prizes(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
    prize::Entity::find()
        .select_only()
        .column(prize::Column::Id)
        .filter(prize::Column::ConfigId.eq(id.0))
        .order_by_asc(prize::Column::Id)
        .lock_exclusive()
        .into_tuple::<i64>()
        .all(tx)
        .await?;
    Ok(())
}

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    lottery: &Config<PrizeList>,
    now: DateTime<Utc>,
) -> Result<ConfigId, DbError> {
    let inserted = config::Entity::insert(config::ActiveModel {
        created_at: Set(Timestamp(now)),
        ..contents(lottery, now)
    })
    .exec(tx)
    .await?;
    let config_id = ConfigId(inserted.last_insert_id);
    insert_prizes(tx, config_id, lottery.body.prizes.iter()).await?;
    Ok(config_id)
}

async fn insert_prizes(
    tx: &DatabaseTransaction,
    config_id: ConfigId,
    prizes: impl Iterator<Item = &PrizeConfig> + Send,
) -> Result<(), DbError> {
    let rows = prizes.map(|prize| prize::ActiveModel {
        config_id: Set(config_id.0),
        stock: Set(prize.stock),
        stock_at_edit: Set(prize.stock),
        stock_supplied: Set(prize.stock),
        ..prize_contents(prize)
    });
    let rows: Vec<_> = rows.collect();
    if !rows.is_empty() {
        prize::Entity::insert_many(rows)
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}

/// The prizes that had no limit before and have one now.
pub(crate) fn newly_limited(before: &Saved<PrizeList>, after: &Config<PrizeList>) -> Vec<i64> {
    let had_none = |prize: &&PrizeConfig| {
        let kept = kept(before, prize);
        prize.stock.is_some() && kept.is_some_and(|kept| kept.stock.is_none())
    };
    let gained = after.body.prizes.iter().filter(had_none);
    gained.filter_map(|prize| prize.id).collect()
}

fn kept<'a>(before: &'a Saved<PrizeList>, prize: &PrizeConfig) -> Option<&'a PrizeConfig> {
    let mut all = before.config.body.prizes.iter();
    all.find(|kept| kept.id.is_some() && kept.id == prize.id)
}

/// Writes an edit of a lottery whose prizes are locked. `taken` says how many were won of the prizes
/// that gain a limit and had one once.
pub(crate) async fn update(
    tx: &DatabaseTransaction,
    before: &Saved<PrizeList>,
    after: &Config<PrizeList>,
    taken: &BTreeMap<i64, i64>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    use prize::Column;
    config::Entity::update_many()
        .set(contents(after, now))
        .filter(config::Column::Id.eq(before.id.0))
        .exec(tx)
        .await?;
    let stay: Vec<i64> = after.body.prizes.iter().filter_map(|it| it.id).collect();
    prize::Entity::delete_many()
        .filter(Column::ConfigId.eq(before.id.0))
        .filter(Column::Id.is_not_in(stay))
        .exec(tx)
        .await?;
    let changes = after.body.prizes.iter();
    let changes = changes.filter_map(|prize| Some((kept(before, prize)?, prize)));
    let changes: Vec<_> = changes.filter(|(kept, prize)| kept != prize).collect();
    // Two prizes may have swapped their labels, which are there once at any time.
    for (kept, _) in changes
        .iter()
        .filter(|(kept, prize)| kept.label != prize.label)
    {
        let id = kept.id.unwrap_or_default();
        prize::Entity::update_many()
            .col_expr(Column::Label, Expr::value(format!("\u{1}{id}")))
            .filter(Column::Id.eq(id))
            .exec(tx)
            .await?;
    }
    for (kept, prize) in changes {
        let mut update = prize::Entity::update_many()
            .set(prize_contents(prize))
            .filter(Column::Id.eq(kept.id));
        if kept.stock != prize.stock {
            let won = || prize.id.and_then(|id| taken.get(&id)).copied().unwrap_or(0);
            let supplied = match (kept.stock, prize.stock) {
                (Some(left), Some(stock)) => Expr::col(Column::StockSupplied).add(stock - left),
                (None, Some(stock)) => Expr::value(stock + won()),
                (_, None) => Expr::value(None::<i64>),
            };
            update = update
                .col_expr(Column::Stock, Expr::value(prize.stock))
                .col_expr(Column::StockAtEdit, Expr::value(prize.stock))
                .col_expr(Column::StockSupplied, supplied);
        }
        update.exec(tx).await?;
    }
    let added = after.body.prizes.iter().filter(|prize| prize.id.is_none());
    insert_prizes(tx, before.id, added).await
}

fn contents(lottery: &Config<PrizeList>, now: DateTime<Utc>) -> config::ActiveModel {
    config::ActiveModel {
        id: NotSet,
        name: Set(lottery.name.clone()),
        is_active: Set(lottery.is_active),
        active_slot: Set(lottery.is_active.then_some(1)),
        max_daily_plays: Set(lottery.max_daily),
        created_at: NotSet,
        updated_at: Set(Timestamp(now)),
    }
}

/// What a prize is, without its stock.
fn prize_contents(prize: &PrizeConfig) -> prize::ActiveModel {
    prize::ActiveModel {
        label: Set(prize.label.clone()),
        weight: Set(prize.weight),
        reward_type: Set(prize.reward.reward_type.clone()),
        reward_amount: Set(prize.reward.reward_amount),
        reward_item: Set(prize.reward.reward_item),
        is_active: Set(prize.is_active),
        ..Default::default()
    }
}

pub(crate) async fn switch_off(
    tx: &DatabaseTransaction,
    id: ConfigId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    config::Entity::update_many()
        .set(config::ActiveModel {
            is_active: Set(false),
            active_slot: Set(None),
            updated_at: Set(Timestamp(now)),
            ..Default::default()
        })
        .filter(config::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
    prize::Entity::delete_many()
        .filter(prize::Column::ConfigId.eq(id.0))
        .exec(tx)
        .await?;
    config::Entity::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}
