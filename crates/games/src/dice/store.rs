use sea_orm::ActiveValue::Set;

use super::{
    DiceRewards,
    entity::{ActiveModel, Model},
};
use crate::config::RewardConfig;

pub(super) fn rewards(row: Model) -> DiceRewards {
    let reward = |reward_type, reward_amount, reward_item| RewardConfig {
        reward_type,
        reward_amount,
        reward_item,
    };
    DiceRewards {
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
    }
}

pub(super) fn own_columns(rewards: &DiceRewards) -> ActiveModel {
    let DiceRewards { win, draw, lose } = rewards;
    ActiveModel {
        win_reward_type: Set(win.reward_type.clone()),
        win_reward_amount: Set(win.reward_amount),
        win_reward_item: Set(win.reward_item),
        draw_reward_type: Set(draw.reward_type.clone()),
        draw_reward_amount: Set(draw.reward_amount),
        draw_reward_item: Set(draw.reward_item),
        lose_reward_type: Set(lose.reward_type.clone()),
        lose_reward_amount: Set(lose.reward_amount),
        lose_reward_item: Set(lose.reward_item),
        ..Default::default()
    }
}
