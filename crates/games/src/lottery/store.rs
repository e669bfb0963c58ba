use std::collections::BTreeMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, NotSet, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use xmas_kernel::{
    ConfigId,
    db::{DbError, portions},
};
use xmas_rewards::RewardType;

use super::{PrizeConfig, PrizeList};
use crate::config::{ConfigColumns, ConfigHead, ConfigTable, RewardConfig, Saved};

/// Takes one of a limited prize; `false` if none is left, or if the prize has been removed. One whose
/// limit has just been lifted is there to be had.
pub(super) async fn take_one(tx: &DatabaseTransaction, id: i64) -> Result<bool, DbError> {
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

/// The prizes of these lotteries, by id.
pub(super) async fn bodies(
    conn: &impl ConnectionTrait,
    lotteries: &[config::Model],
) -> Result<Vec<PrizeList>, DbError> {
    let prizes = prize::Entity::find()
        .filter(prize::Column::ConfigId.is_in(lotteries.iter().map(|lottery| lottery.id)))
        .order_by_asc(prize::Column::Id)
        .all(conn)
        .await?;
    let mut of_lottery: BTreeMap<i64, Vec<PrizeConfig>> = BTreeMap::new();
    for row in prizes {
        let prize = PrizeConfig {
            id: Some(row.id),
            label: row.label,
            weight: row.weight,
            stock: row.stock,
            stock_at_edit: row.stock_at_edit,
            stock_supplied: row.stock_supplied,
            reward: RewardConfig {
                reward_type: row.reward_type,
                reward_amount: row.reward_amount,
                reward_item: row.reward_item,
            },
            is_active: row.is_active,
        };
        of_lottery.entry(row.config_id).or_default().push(prize);
    }
    let bodies = lotteries.iter().map(|lottery| PrizeList {
        prizes: of_lottery.remove(&lottery.id).unwrap_or_default(),
    });
    Ok(bodies.collect())
}

pub(super) async fn lock_prizes(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
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

pub(super) async fn insert(
    tx: &DatabaseTransaction,
    lottery: ConfigId,
    prizes: impl IntoIterator<Item = &PrizeConfig> + Send,
) -> Result<(), DbError> {
    let rows = prizes.into_iter().map(|prize| prize::ActiveModel {
        config_id: Set(lottery.0),
        stock: Set(prize.stock),
        stock_at_edit: Set(prize.stock),
        stock_supplied: Set(prize.stock),
        id: prize.id.map_or(NotSet, Set),
        ..prize_contents(prize)
    });
    // Rows of one statement have the same columns.
    let (named, new): (Vec<_>, Vec<_>) = rows.partition(|row| row.id.is_set());
    for rows in [named, new] {
        if !rows.is_empty() {
            prize::Entity::insert_many(rows)
                .exec_without_returning(tx)
                .await?;
        }
    }
    Ok(())
}

/// Ids that no other prize will have, for prizes that are to be added later: those of rows that are there for a
/// moment only. No server gives an id twice.
pub(super) async fn reserve(
    tx: &DatabaseTransaction,
    lottery: ConfigId,
    count: usize,
) -> Result<Vec<i64>, DbError> {
    if count == 0 {
        return Ok(Vec::new());
    }
    let place = |number: usize| prize::ActiveModel {
        config_id: Set(lottery.0),
        label: Set(format!("{PLACE}{number}")),
        weight: Set(0),
        reward_type: Set(RewardType::None.as_str().to_owned()),
        reward_amount: Set(0),
        is_active: Set(false),
        ..Default::default()
    };
    for some in portions((0..count).map(place).collect()) {
        prize::Entity::insert_many(some)
            .exec_without_returning(tx)
            .await?;
    }
    let is_place = prize::Column::ConfigId
        .eq(lottery.0)
        .and(prize::Column::Label.starts_with(PLACE));
    let ids = prize::Entity::find()
        .select_only()
        .column(prize::Column::Id)
        .filter(is_place.clone())
        .order_by_asc(prize::Column::Id)
        .into_tuple()
        .all(tx)
        .await?;
    prize::Entity::delete_many()
        .filter(is_place)
        .exec(tx)
        .await?;
    Ok(ids)
}

/// How labels begin that are there for a moment only; no operator can enter it.
const PLACE: &str = "\u{1}";

/// The prizes that had no limit before and have one now.
pub(super) fn newly_limited(before: &Saved<PrizeList>, after: &PrizeList) -> Vec<i64> {
    let had_none = |prize: &&PrizeConfig| {
        let kept = kept(before, prize);
        prize.stock.is_some() && kept.is_some_and(|kept| kept.stock.is_none())
    };
    let gained = after.prizes.iter().filter(had_none);
    gained.filter_map(|prize| prize.id).collect()
}

fn kept<'a>(before: &'a Saved<PrizeList>, prize: &PrizeConfig) -> Option<&'a PrizeConfig> {
    let mut all = before.config.body.prizes.iter();
    all.find(|kept| kept.id.is_some() && kept.id == prize.id)
}

/// Writes an edit of a lottery whose prizes are locked. `taken` says how many were won of the prizes
/// that gain a limit and had one once.
pub(super) async fn update(
    tx: &DatabaseTransaction,
    before: &Saved<PrizeList>,
    after: &PrizeList,
    taken: &BTreeMap<i64, i64>,
) -> Result<(), DbError> {
    use prize::Column;
    let stay: Vec<i64> = after.prizes.iter().filter_map(|it| it.id).collect();
    prize::Entity::delete_many()
        .filter(Column::ConfigId.eq(before.id.0))
        .filter(Column::Id.is_not_in(stay))
        .exec(tx)
        .await?;
    let changes = after.prizes.iter();
    let changes = changes.filter_map(|prize| Some((kept(before, prize)?, prize)));
    let changes: Vec<_> = changes.filter(|(kept, prize)| kept != prize).collect();
    // Two prizes may have swapped their labels, which are there once at any time.
    for (kept, _) in changes
        .iter()
        .filter(|(kept, prize)| kept.label != prize.label)
    {
        let id = kept.id.unwrap_or_default();
        prize::Entity::update_many()
            .col_expr(Column::Label, Expr::value(format!("{PLACE}{id}")))
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
    let added = after.prizes.iter();
    let added = added.filter(|prize| kept(before, prize).is_none());
    insert(tx, before.id, added).await
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

pub(super) async fn delete(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
    prize::Entity::delete_many()
        .filter(prize::Column::ConfigId.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) mod config {
    use sea_orm::entity::prelude::*;
    use xmas_kernel::db::Timestamp;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "lottery_config")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub name: String,
        pub is_active: bool,
        pub active_slot: Option<i64>,
        pub max_daily_plays: i64,
        pub created_at: Timestamp,
        pub updated_at: Timestamp,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod prize {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "lottery_prize")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub config_id: i64,
        pub label: String,
        pub weight: i64,
        pub stock: Option<i64>,
        pub stock_at_edit: Option<i64>,
        pub stock_supplied: Option<i64>,
        pub reward_type: String,
        pub reward_amount: i64,
        pub reward_item: Option<i64>,
        pub is_active: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

impl ConfigTable for config::Entity {
    const COLUMNS: ConfigColumns<config::Column> = ConfigColumns {
        id: config::Column::Id,
        name: config::Column::Name,
        is_active: config::Column::IsActive,
        active_slot: config::Column::ActiveSlot,
        max_daily: config::Column::MaxDailyPlays,
        created_at: config::Column::CreatedAt,
        updated_at: config::Column::UpdatedAt,
    };

    fn head(row: &config::Model) -> ConfigHead {
        ConfigHead {
            id: ConfigId(row.id),
            name: row.name.clone(),
            is_active: row.is_active,
            max_daily: row.max_daily_plays,
            created_at: row.created_at.0,
            updated_at: row.updated_at.0,
        }
    }
}
