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
    Dice, NewDice,
    entity::{ActiveModel, Column, Entity, Model},
    rules,
};
use crate::Table;

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

pub(crate) async fn insert_active(
    tx: &DatabaseTransaction,
    dice: &NewDice,
    now: DateTime<Utc>,
) -> Result<ConfigId, DbError> {
    let kind = |reward: Reward| Set(reward.kind().as_str().to_owned());
    let inserted = Entity::insert(ActiveModel {
        id: NotSet,
        name: Set(dice.name.clone()),
        is_active: Set(true),
        active_slot: Set(Some(1)),
        max_daily_plays: Set(dice.max_daily_plays),
        win_reward_type: kind(dice.win),
        win_reward_amount: Set(dice.win.amount()),
        win_reward_item: Set(dice.win.item()),
        draw_reward_type: kind(dice.draw),
        draw_reward_amount: Set(dice.draw.amount()),
        draw_reward_item: Set(dice.draw.item()),
        lose_reward_type: kind(dice.lose),
        lose_reward_amount: Set(dice.lose.amount()),
        lose_reward_item: Set(dice.lose.item()),
        created_at: Set(Timestamp(now)),
        updated_at: Set(Timestamp(now)),
    })
    .exec(tx)
    .await?;
    Ok(ConfigId(inserted.last_insert_id))
}
