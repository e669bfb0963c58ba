//! What operators send and read under `/admin/api/roulette-config/`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;
use xmas_games::{
    config::{Config, ConfigEdit, Saved},
    roulette::{Roulette, SegmentConfig, SegmentEdit, Segments},
};
use xmas_http::extract::{Echo, Echoes, Volatile};
use xmas_kernel::Problem;
use xmas_time::Kst;

use crate::{
    config::{GameConfig, Words},
    game_config::{SentReward, config_echoes, settled},
};
use xmas_admin_common::params::sent;

/// A wheel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "name": "크리스마스 룰렛", "is_active": true, "max_daily_spins": 0,
    "segments": [{"id": 1, "index": 0, "slot_index": 0, "label": "다음 기회에", "weight": 120,
        "reward_type": "NONE", "reward_value": 0, "reward_amount": 0, "reward_item": null,
        "is_jackpot": false}],
    "created_at": "2025-12-24T09:00:00.000000+09:00",
    "updated_at": "2025-12-24T09:00:00.000000+09:00", "version": "0c1d2e3f4a5b6c7d"}))]
pub(crate) struct RouletteConfigAnswer {
    id: i64,
    name: String,
    /// At most one is.
    is_active: bool,
    /// 0 means no limit.
    max_daily_spins: i64,
    /// Six, by slot.
    segments: Vec<SegmentConfigAnswer>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Kst,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Kst,
    version: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": 1, "index": 0, "slot_index": 0, "label": "다음 기회에",
    "weight": 120, "reward_type": "NONE", "reward_value": 0, "reward_amount": 0,
    "reward_item": null, "is_jackpot": false}))]
pub(crate) struct SegmentConfigAnswer {
    id: Option<i64>,
    /// Its slot, 0 to 5.
    index: i64,
    /// As `index`.
    slot_index: i64,
    label: String,
    /// How likely it is, relative to the others.
    weight: i64,
    reward_type: String,
    reward_value: i64,
    /// As `reward_value`.
    reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    reward_item: Option<i64>,
    is_jackpot: bool,
}

impl From<Saved<Segments>> for RouletteConfigAnswer {
    fn from(saved: Saved<Segments>) -> Self {
        let version = saved.version().as_str().to_owned();
        let config = saved.config;
        let segments = config.body.segments.into_iter();
        Self {
            id: saved.id.0,
            name: config.name,
            is_active: config.is_active,
            max_daily_spins: config.max_daily,
            segments: segments.map(Into::into).collect(),
            created_at: Kst(saved.created_at),
            updated_at: Kst(saved.updated_at),
            version,
        }
    }
}

impl From<SegmentConfig> for SegmentConfigAnswer {
    fn from(segment: SegmentConfig) -> Self {
        Self {
            id: segment.id,
            index: segment.slot_index,
            slot_index: segment.slot_index,
            label: segment.label,
            weight: segment.weight,
            reward_type: segment.reward.reward_type,
            reward_value: segment.reward.reward_amount,
            reward_amount: segment.reward.reward_amount,
            reward_item: segment.reward.reward_item,
            is_jackpot: segment.is_jackpot,
        }
    }
}

/// What is left out stays. A new wheel has a name and six segments.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "크리스마스 룰렛", "is_active": true, "max_daily_spins": 10,
    "segments": [{"index": 0, "label": "다음 기회에", "weight": 120, "reward_type": "NONE"}]}))]
pub(crate) struct RouletteConfigRequest {
    name: Option<String>,
    /// Switching one on switches the other one off.
    is_active: Option<bool>,
    max_daily_spins: Option<i64>,
    /// All six, or none of them to keep them.
    segments: Option<Vec<SegmentConfigRequest>>,
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

/// What is left out stays as it was in this slot.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"index": 0, "label": "다음 기회에", "weight": 120,
    "reward_type": "NONE", "reward_value": 0, "is_jackpot": false}))]
pub(crate) struct SegmentConfigRequest {
    /// Its slot, 0 to 5; without it, its place in the list.
    index: Option<i64>,
    slot_index: Option<i64>,
    label: Option<String>,
    weight: Option<i64>,
    reward_type: Option<String>,
    /// 0 for `NONE`, 1 for `BUNDLE` and `COUPON`, which may be left out; 0 or more for every other type.
    reward_value: Option<i64>,
    reward_amount: Option<i64>,
    /// The id of the bundle or kind of coupon.
    #[serde(default, deserialize_with = "sent")]
    #[schema(value_type = Option<i64>)]
    reward_item: Option<Option<i64>>,
    is_jackpot: Option<bool>,
    /// Read-only: left out, or that of the slot.
    id: Option<i64>,
}

impl GameConfig for Roulette {
    type Answer = RouletteConfigAnswer;
    type Request = RouletteConfigRequest;
    const WORDS: Words = Words {
        name: "roulette",
        noun: "wheel",
        played: "spun",
        of_update: "; a spin that is under way ends with the table that it\nwas drawn from.",
        of_restore: "",
    };

    fn echoes(request: &mut RouletteConfigRequest) -> Echoes {
        config_echoes(request.id.take(), request.created_at.take())
    }

    fn version(request: &mut RouletteConfigRequest) -> Option<String> {
        request.version.take()
    }

    fn edit(
        sent: &RouletteConfigRequest,
        stored: Option<&Config<Segments>>,
    ) -> ConfigEdit<Option<Vec<SegmentEdit>>> {
        let mut problems = Vec::new();
        let stored = stored.map(|stored| &stored.body);
        let body = sent.segments.as_ref().map(|segments| {
            let places = (0..).zip(segments);
            let edits = places.map(|(place, segment)| segment.edit(place, stored, &mut problems));
            edits.collect()
        });
        ConfigEdit {
            name: sent.name.clone(),
            is_active: sent.is_active,
            max_daily: sent.max_daily_spins,
            body,
            seen: None,
            problems,
        }
    }
}

impl SegmentConfigRequest {
    /// The edit that stands at this place of the list. Its reward is compared with that of its slot.
    fn edit(
        &self,
        place: i64,
        stored: Option<&Segments>,
        problems: &mut Vec<Problem>,
    ) -> SegmentEdit {
        let prefix = format!("segments.{place}.");
        let slots = (self.index, self.slot_index);
        let slot_index = settled(slots, None, &format!("{prefix}index"), problems);
        let stored = stored.and_then(|stored| stored.at(slot_index.unwrap_or(place)));
        let reward = SentReward {
            reward_type: self.reward_type.as_deref(),
            amount: (self.reward_value, self.reward_amount),
            item: self.reward_item,
        };
        SegmentEdit {
            id: self.id,
            slot_index,
            label: self.label.clone(),
            weight: self.weight,
            reward: reward.edit(stored.map(|stored| &stored.reward), &prefix),
            is_jackpot: self.is_jackpot,
        }
    }
}
