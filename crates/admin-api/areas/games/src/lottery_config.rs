//! What operators send and read under `/admin/api/lottery-config/`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::{
    config::{Config, ConfigEdit, RewardConfig, RewardEdit, Saved},
    lottery::{Lottery, PrizeConfig, PrizeEdit, PrizeList},
};
use xmas_http::extract::{Echo, Echoes, Volatile};
use xmas_time::Kst;

use crate::{
    config::{GameConfig, Words},
    game_config::{SentReward, config_echoes, settled},
};
use xmas_admin_common::params::sent;

/// A lottery.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "크리스마스 복권", "is_active": true, "max_daily_plays": 0,
    "max_daily_tickets": 0, "prizes": [{"id": 5, "label": "배민 2만", "weight": 20, "stock": 20,
        "reward_type": "COUPON", "reward_value": 1, "reward_amount": 1, "reward_item": 2,
        "is_active": true}],
    "created_at": "2025-12-24T09:00:00.000000+09:00",
    "updated_at": "2025-12-24T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct LotteryConfigAnswer {
    id: i64,
    name: String,
    /// At most one is.
    is_active: bool,
    /// 0 means no limit.
    max_daily_plays: i64,
    /// As `max_daily_plays`.
    max_daily_tickets: i64,
    /// In the order of their ids.
    prizes: Vec<PrizeConfigAnswer>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    /// Changes also when a limited prize is won.
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 5, "label": "배민 2만", "weight": 20, "stock": 20,
    "reward_type": "COUPON", "reward_value": 1, "reward_amount": 1, "reward_item": 2,
    "is_active": true}))]
pub(crate) struct PrizeConfigAnswer {
    id: Option<i64>,
    label: String,
    /// How likely it is, relative to the others.
    weight: i64,
    /// How many are left; null means no limit.
    stock: Option<i64>,
    reward_type: String,
    reward_value: i64,
    /// As `reward_value`.
    reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    reward_item: Option<i64>,
    /// Whether it takes part.
    is_active: bool,
}

impl From<Saved<PrizeList>> for LotteryConfigAnswer {
    fn from(saved: Saved<PrizeList>) -> Self {
        let version = saved.version().as_str().to_owned();
        let config = saved.config;
        let prizes = config.body.prizes.into_iter();
        Self {
            id: saved.id.0,
            name: config.name,
            is_active: config.is_active,
            max_daily_plays: config.max_daily,
            max_daily_tickets: config.max_daily,
            prizes: prizes.map(Into::into).collect(),
            created_at: Kst(saved.created_at),
            updated_at: Kst(saved.updated_at),
            version,
        }
    }
}

impl From<PrizeConfig> for PrizeConfigAnswer {
    fn from(prize: PrizeConfig) -> Self {
        Self {
            id: prize.id,
            label: prize.label,
            weight: prize.weight,
            stock: prize.stock,
            reward_type: prize.reward.reward_type,
            reward_value: prize.reward.reward_amount,
            reward_amount: prize.reward.reward_amount,
            reward_item: prize.reward.reward_item,
            is_active: prize.is_active,
        }
    }
}

/// What is left out stays. A new lottery has a name and prizes.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "크리스마스 복권", "is_active": true, "max_daily_plays": 10,
    "prizes": [{"label": "다음 기회에", "weight": 400, "stock": null, "reward_type": "NONE"},
        {"label": "배민 2만", "weight": 20, "stock": 20, "reward_type": "COUPON",
            "reward_item": 2}]}))]
pub(crate) struct LotteryConfigRequest {
    name: Option<String>,
    /// Switching one on switches the other one off.
    is_active: Option<bool>,
    max_daily_plays: Option<i64>,
    max_daily_tickets: Option<i64>,
    /// All of them. One that is left out is removed, or switched off if it was ever drawn. Without the
    /// list all stay.
    prizes: Option<Vec<PrizeConfigRequest>>,
    version: Option<String>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    id: Option<Echo>,
    /// Read-only: left out, or as it is stored.
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    created_at: Option<Echo>,
    /// Read-only, and not looked at.
    #[serde(rename = "updated_at")]
    #[schema(value_type = Option<serde_json::Value>, read_only)]
    _updated_at: Option<Volatile>,
}

/// What is left out stays as it was.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"id": 5, "label": "배민 2만", "weight": 20, "stock": 30,
    "reward_type": "COUPON", "reward_value": 1, "is_active": true}))]
pub(crate) struct PrizeConfigRequest {
    /// Which prize is meant; without it, the one with this label.
    id: Option<i64>,
    label: Option<String>,
    weight: Option<i64>,
    /// How many are left from now on; null for no limit. Without `version`, a number between what is left
    /// and what was left by the last edit was loaded before somebody won, and changes nothing.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    stock: Option<Option<i64>>,
    reward_type: Option<String>,
    /// 0 for `NONE`, 1 for `BUNDLE` and `COUPON`, which may be left out; 0 or more for every other type.
    reward_value: Option<i64>,
    reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    reward_item: Option<Option<i64>>,
    is_active: Option<bool>,
}

impl GameConfig for Lottery {
    type Answer = LotteryConfigAnswer;
    type Request = LotteryConfigRequest;
    const WORDS: Words = Words {
        name: "lottery",
        noun: "lottery",
        played: "played",
        of_update: "; a play that is under way ends with the table that it\nwas drawn from. The answer shows what is left in truth.",
        of_restore: " A prize that was limited is limited again: to what the\nversion had without what was won since, and to no more than is left now. One that had no limit keeps the\none that it has now.",
    };

    fn echoes(request: &mut LotteryConfigRequest) -> Echoes {
        config_echoes(request.id.take(), request.created_at.take())
    }

    fn version(request: &mut LotteryConfigRequest) -> Option<String> {
        request.version.take()
    }

    fn edit(
        sent: &LotteryConfigRequest,
        stored: Option<&Config<PrizeList>>,
    ) -> ConfigEdit<Option<Vec<PrizeEdit>>> {
        let mut problems = Vec::new();
        let daily = (sent.max_daily_plays, sent.max_daily_tickets);
        let stored_daily = stored.map(|stored| stored.max_daily);
        let max_daily = settled(daily, stored_daily, "max_daily_plays", &mut problems);
        let prizes = sent.prizes.as_deref();
        ConfigEdit {
            name: sent.name.clone(),
            is_active: sent.is_active,
            max_daily,
            body: prizes.map(|prizes| edits(prizes, stored.map(|stored| &stored.body))),
            seen: None,
            problems,
        }
    }
}

/// The edits of prizes: each reward is compared with that of the prize that is meant.
fn edits(sent: &[PrizeConfigRequest], stored: Option<&PrizeList>) -> Vec<PrizeEdit> {
    let mut edits: Vec<PrizeEdit> = sent.iter().map(PrizeConfigRequest::edit).collect();
    let matched = match stored {
        Some(stored) => stored.matched(&edits),
        None => vec![None; sent.len()],
    };
    for (index, (sent, stored)) in sent.iter().zip(matched).enumerate() {
        let stored = stored.map(|stored| &stored.reward);
        edits[index].reward = sent.reward(stored, &format!("prizes.{index}."));
    }
    edits
}

impl PrizeConfigRequest {
    /// The edit, but for the reward.
    fn edit(&self) -> PrizeEdit {
        PrizeEdit {
            id: self.id,
            label: self.label.clone(),
            weight: self.weight,
            stock: self.stock,
            reward: RewardEdit::default(),
            is_active: self.is_active,
        }
    }

    fn reward(&self, stored: Option<&RewardConfig>, prefix: &str) -> RewardEdit {
        let sent = SentReward {
            reward_type: self.reward_type.as_deref(),
            amount: (self.reward_value, self.reward_amount),
            item: self.reward_item,
        };
        sent.edit(stored, prefix)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_amount_that_differs_from_that_of_the_prize_counts() {
        let prize = |id: i64, amount: i64| PrizeConfig {
            id: Some(id),
            label: format!("상품 {id}"),
            weight: 1,
            stock: None,
            stock_at_edit: None,
            stock_supplied: None,
            reward: RewardConfig {
                reward_type: "POINT".to_owned(),
                reward_amount: amount,
                reward_item: None,
            },
            is_active: true,
        };
        let stored = PrizeList {
            prizes: vec![prize(1, 10), prize(2, 20)],
        };
        let sent: Vec<PrizeConfigRequest> = serde_json::from_value(json!([
            { "id": 2, "reward_value": 20, "reward_amount": 5 },
            { "label": "상품 1", "reward_value": 6, "reward_amount": 10 },
        ]))
        .unwrap();
        let rewards = |stored: Option<&PrizeList>| -> Vec<(Option<i64>, usize)> {
            let edits = edits(&sent, stored).into_iter();
            let rewards = edits.map(|edit| edit.reward);
            rewards
                .map(|reward| (reward.reward_amount, reward.problems.len()))
                .collect()
        };
        assert_eq!(rewards(Some(&stored)), [(Some(5), 0), (Some(6), 0)]);
        assert_eq!(rewards(None), [(Some(20), 1), (Some(6), 1)]);
    }
}
