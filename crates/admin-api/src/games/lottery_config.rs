//! What operators send and read under `/admin/api/lottery-config/`.

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::{
    config::{ConfigEdit, Saved},
    lottery::{Lottery, PrizeConfig, PrizeEdit, PrizeList},
};
use xmas_http::{
    error::ApiResult,
    extract::{Echo, Echoes, Volatile, seen_version},
};
use xmas_time::Kst;

use crate::{
    games::{
        config::{GameConfig, Words},
        game_config::{config_echoes, reward, two_names},
    },
    params::sent,
};

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

    fn edit(
        sent: LotteryConfigRequest,
        request: &HttpRequest,
    ) -> ApiResult<ConfigEdit<Option<Vec<PrizeEdit>>>> {
        let prizes = sent.prizes;
        Ok(ConfigEdit {
            name: sent.name,
            is_active: sent.is_active,
            max_daily: two_names((sent.max_daily_plays, sent.max_daily_tickets)),
            body: prizes.map(|prizes| prizes.into_iter().map(Into::into).collect()),
            seen: seen_version(request, sent.version)?,
        })
    }
}

impl From<PrizeConfigRequest> for PrizeEdit {
    fn from(prize: PrizeConfigRequest) -> Self {
        let amount = (prize.reward_value, prize.reward_amount);
        Self {
            id: prize.id,
            label: prize.label,
            weight: prize.weight,
            stock: prize.stock,
            reward: reward(prize.reward_type, amount, prize.reward_item),
            is_active: prize.is_active,
        }
    }
}
