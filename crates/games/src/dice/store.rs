use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, NotSet,
    QueryFilter,
};
use xmas_kernel::{
    ConfigId,
    db::{DbError, Timestamp},
};
use xmas_rewards::Reward;

use super::{
    Dice, DiceRewards, NewDice,
    entity::{ActiveModel, Column, Entity, Model},
    rules,
};
use crate::{
    Table,
    config::{Config, RewardConfig, Saved, Which},
};

/// The active dice game; `None` if there is none that can be played.
pub(crate) async fn active_table(
    conn: &impl ConnectionTrait,
) -> Result<Option<Table<Dice>>, DbError> {
    let row = Entity::find()
        .filter(Column::ActiveSlot.eq(1))
        .filter(Column::IsActive.eq(true))
        .filter(Column::MaxDailyPlays.gte(0))
        .one(conn)
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    let config_id = ConfigId(row.id);
    let dice = known(row);
    let odds = dice.and_then(|dice| Some((rules::odds(config_id, &dice).ok()?, dice)));
    Ok(odds.map(|(odds, dice)| Table {
        config_id,
        name: dice.name,
        max_daily: dice.max_daily_plays,
        menu: (),
        odds,
        stock: BTreeMap::new(),
        sold_out: Vec::new(),
    }))
}

/// `None` for a reward that no code of ours saves.
fn known(row: Model) -> Option<NewDice> {
    let reward = |kind: &str, amount, item| {
        let kind = kind.parse().ok()?;
        Reward::from_parts(kind, amount, item).ok()
    };
    Some(NewDice {
        win: reward(
            &row.win_reward_type,
            row.win_reward_amount,
            row.win_reward_item,
        )?,
        draw: reward(
            &row.draw_reward_type,
            row.draw_reward_amount,
            row.draw_reward_item,
        )?,
        lose: reward(
            &row.lose_reward_type,
            row.lose_reward_amount,
            row.lose_reward_item,
        )?,
        name: row.name,
        max_daily_plays: row.max_daily_plays,
    })
}

/// Configurations, newest first.
pub(crate) async fn configs(
    conn: &impl ConnectionTrait,
    which: Which,
) -> Result<Vec<Saved<DiceRewards>>, DbError> {
    let select = which.select::<Entity>(Column::Id, Column::IsActive);
    let reward = |reward_type, reward_amount, reward_item| RewardConfig {
        reward_type,
        reward_amount,
        reward_item,
    };
    let saved = select.all(conn).await?.into_iter().map(|row| Saved {
        id: ConfigId(row.id),
        config: Config {
            name: row.name,
            is_active: row.is_active,
            max_daily: row.max_daily_plays,
            body: DiceRewards {
                win: reward(
                    row.win_reward_type,
                    row.win_reward_amount,
                    row.win_reward_item,
                ),
                draw: reward(
                    row.draw_reward_type,
                    row.draw_reward_amount,
                    row.draw_reward_item,
                ),
                lose: reward(
                    row.lose_reward_type,
                    row.lose_reward_amount,
                    row.lose_reward_item,
                ),
            },
        },
        created_at: row.created_at.0,
        updated_at: row.updated_at.0,
    });
    Ok(saved.collect())
}

pub(crate) async fn insert(
    tx: &DatabaseTransaction,
    dice: &Config<DiceRewards>,
    now: DateTime<Utc>,
) -> Result<ConfigId, DbError> {
    let inserted = Entity::insert(ActiveModel {
        created_at: Set(Timestamp(now)),
        ..contents(dice, now)
    })
    .exec(tx)
    .await?;
    Ok(ConfigId(inserted.last_insert_id))
}

pub(crate) async fn update(
    tx: &DatabaseTransaction,
    id: ConfigId,
    after: &Config<DiceRewards>,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .set(contents(after, now))
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

fn contents(dice: &Config<DiceRewards>, now: DateTime<Utc>) -> ActiveModel {
    let DiceRewards { win, draw, lose } = &dice.body;
    ActiveModel {
        id: NotSet,
        name: Set(dice.name.clone()),
        is_active: Set(dice.is_active),
        active_slot: Set(dice.is_active.then_some(1)),
        max_daily_plays: Set(dice.max_daily),
        win_reward_type: Set(win.reward_type.clone()),
        win_reward_amount: Set(win.reward_amount),
        win_reward_item: Set(win.reward_item),
        draw_reward_type: Set(draw.reward_type.clone()),
        draw_reward_amount: Set(draw.reward_amount),
        draw_reward_item: Set(draw.reward_item),
        lose_reward_type: Set(lose.reward_type.clone()),
        lose_reward_amount: Set(lose.reward_amount),
        lose_reward_item: Set(lose.reward_item),
        created_at: NotSet,
        updated_at: Set(Timestamp(now)),
    }
}

pub(crate) async fn switch_off(
    tx: &DatabaseTransaction,
    id: ConfigId,
    now: DateTime<Utc>,
) -> Result<(), DbError> {
    Entity::update_many()
        .set(ActiveModel {
            is_active: Set(false),
            active_slot: Set(None),
            updated_at: Set(Timestamp(now)),
            ..Default::default()
        })
        .filter(Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

pub(crate) async fn delete(tx: &DatabaseTransaction, id: ConfigId) -> Result<(), DbError> {
    Entity::delete_by_id(id.0).exec(tx).await?;
    Ok(())
}
