//! What operators send and read under `/admin/api/dice-config/`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::{
    config::{Config, ConfigEdit, Saved},
    dice::{Dice, DiceEdit, DiceRewards},
};
use xmas_http::extract::{Echo, Echoes, Volatile};
use xmas_time::Kst;

use crate::{
    config::{GameConfig, Words},
    game_config::{SentReward, config_echoes},
};
use xmas_admin_common::params::sent;

/// A dice game. `…_reward_amount` is the same as `…_reward_value`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "크리스마스 주사위", "is_active": true, "max_daily_plays": 0,
    "win_reward_type": "POINT", "win_reward_value": 500, "win_reward_amount": 500, "win_reward_item": null,
    "draw_reward_type": "POINT", "draw_reward_value": 100, "draw_reward_amount": 100,
    "draw_reward_item": null, "lose_reward_type": "NONE", "lose_reward_value": 0,
    "lose_reward_amount": 0, "lose_reward_item": null,
    "created_at": "2025-12-24T09:00:00.000000+09:00",
    "updated_at": "2025-12-24T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct DiceConfigAnswer {
    id: i64,
    name: String,
    /// At most one is.
    is_active: bool,
    /// 0 means no limit.
    max_daily_plays: i64,
    win_reward_type: String,
    win_reward_value: i64,
    win_reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    win_reward_item: Option<i64>,
    draw_reward_type: String,
    draw_reward_value: i64,
    draw_reward_amount: i64,
    draw_reward_item: Option<i64>,
    lose_reward_type: String,
    lose_reward_value: i64,
    lose_reward_amount: i64,
    lose_reward_item: Option<i64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    version: String,
}

impl From<Saved<DiceRewards>> for DiceConfigAnswer {
    fn from(saved: Saved<DiceRewards>) -> Self {
        let version = saved.version().as_str().to_owned();
        let config = saved.config;
        let DiceRewards { win, draw, lose } = config.body;
        Self {
            id: saved.id.0,
            name: config.name,
            is_active: config.is_active,
            max_daily_plays: config.max_daily,
            win_reward_type: win.reward_type,
            win_reward_value: win.reward_amount,
            win_reward_amount: win.reward_amount,
            win_reward_item: win.reward_item,
            draw_reward_type: draw.reward_type,
            draw_reward_value: draw.reward_amount,
            draw_reward_amount: draw.reward_amount,
            draw_reward_item: draw.reward_item,
            lose_reward_type: lose.reward_type,
            lose_reward_value: lose.reward_amount,
            lose_reward_amount: lose.reward_amount,
            lose_reward_item: lose.reward_item,
            created_at: Kst(saved.created_at),
            updated_at: Kst(saved.updated_at),
            version,
        }
    }
}

/// What is left out stays. A new game has a name and the type of each reward. Values are 0 for `NONE`, and 1
/// for `BUNDLE` and `COUPON`, and may then be left out; they are 0 or more for every other type.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "크리스마스 주사위", "is_active": true, "max_daily_plays": 10,
    "win_reward_type": "POINT", "win_reward_value": 500, "draw_reward_type": "POINT",
    "draw_reward_value": 100, "lose_reward_type": "NONE", "lose_reward_value": 0}))]
pub(crate) struct DiceConfigRequest {
    name: Option<String>,
    /// Switching one on switches the other one off.
    is_active: Option<bool>,
    max_daily_plays: Option<i64>,
    win_reward_type: Option<String>,
    win_reward_value: Option<i64>,
    win_reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    win_reward_item: Option<Option<i64>>,
    draw_reward_type: Option<String>,
    draw_reward_value: Option<i64>,
    draw_reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    draw_reward_item: Option<Option<i64>>,
    lose_reward_type: Option<String>,
    lose_reward_value: Option<i64>,
    lose_reward_amount: Option<i64>,
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    lose_reward_item: Option<Option<i64>>,
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

impl GameConfig for Dice {
    type Answer = DiceConfigAnswer;
    type Request = DiceConfigRequest;
    const WORDS: Words = Words {
        name: "dice",
        noun: "dice game",
        played: "played",
        of_update: ".",
        of_restore: "",
    };

    fn echoes(request: &mut DiceConfigRequest) -> Echoes {
        config_echoes(request.id.take(), request.created_at.take())
    }

    fn version(request: &mut DiceConfigRequest) -> Option<String> {
        request.version.take()
    }

    fn edit(
        sent: &DiceConfigRequest,
        stored: Option<&Config<DiceRewards>>,
    ) -> ConfigEdit<DiceEdit> {
        let stored = stored.map(|stored| &stored.body);
        let win = SentReward {
            reward_type: sent.win_reward_type.as_deref(),
            amount: (sent.win_reward_value, sent.win_reward_amount),
            item: sent.win_reward_item,
        };
        let draw = SentReward {
            reward_type: sent.draw_reward_type.as_deref(),
            amount: (sent.draw_reward_value, sent.draw_reward_amount),
            item: sent.draw_reward_item,
        };
        let lose = SentReward {
            reward_type: sent.lose_reward_type.as_deref(),
            amount: (sent.lose_reward_value, sent.lose_reward_amount),
            item: sent.lose_reward_item,
        };
        ConfigEdit {
            name: sent.name.clone(),
            is_active: sent.is_active,
            max_daily: sent.max_daily_plays,
            body: DiceEdit {
                win: win.edit(stored.map(|stored| &stored.win), "win_"),
                draw: draw.edit(stored.map(|stored| &stored.draw), "draw_"),
                lose: lose.edit(stored.map(|stored| &stored.lose), "lose_"),
            },
            seen: None,
            problems: Vec::new(),
        }
    }
}
