//! Sections of a file as the areas that they belong to know them, and the areas' problems as those of the file.

use serde_json::{Map, Value};
use xmas_event_bridge::{BridgeDay, Mission, NewBridge};
use xmas_features::FeatureConfig;
use xmas_games::{
    config::{Config, ConfigEdit, RewardEdit},
    dice::DiceEdit,
    lottery::{PrizeEdit, PrizeList},
    roulette::SegmentEdit,
};
use xmas_kernel::{Feature, Problem, SeasonId};
use xmas_rewards::{BundleDraft, BundleItem, NewCouponKind, Reward, RewardType};
use xmas_season_pass::{Level, NewSeason, rules::MAX_GRACE_DAYS};
use xmas_texts::{event_file as texts, field, season as season_texts};

use crate::{
    file::{
        BridgeSection, BundleSection, CouponSection, DiceSection, FeatureSection, LotterySection,
        RewardFields, RouletteSection, SeasonSection,
    },
    names::Names,
    tree::json,
};

/// Problems of an area as those of a section of the file.
pub(crate) fn placed(section: &str, problems: Vec<Problem>) -> Vec<Problem> {
    let placed = |problem: Problem| {
        let field = own_name(section, &problem.field);
        let field = match field.as_str() {
            "" => section.to_owned(),
            field => format!("{section}.{field}"),
        };
        Problem { field, ..problem }
    };
    problems.into_iter().map(placed).collect()
}

/// What a field of the admin API is called in a file.
fn own_name(section: &str, field: &str) -> String {
    if section.starts_with("texts.") {
        // Problems of the key itself are those of all that stands under it.
        let field = field.strip_prefix("value").unwrap_or_default();
        return field.trim_start_matches('.').to_owned();
    }
    if section.starts_with("features.") {
        return match field.strip_prefix("config_json") {
            Some("") => "client".to_owned(),
            Some(".xp_per_play") => "xp_per_play".to_owned(),
            Some(".stamp_on_play") => "stamp_on_play".to_owned(),
            Some(other) => format!("client{other}"),
            None => field.to_owned(),
        };
    }
    let field = match field {
        "max_level" => "levels",
        field => field,
    };
    let mut parts: Vec<String> = field.split('.').map(str::to_owned).collect();
    if let Some(last) = parts.last_mut() {
        if section == "dice" {
            for outcome in ["win", "draw", "lose"] {
                if let Some(inner) = last.strip_prefix(&format!("{outcome}_")) {
                    *last = format!("{outcome}.{inner}");
                    break;
                }
            }
        }
        *last = last.replace("reward_value", "reward_amount");
        if section == "lottery" && last == "stock" {
            *last = "stock_total".to_owned();
        }
    }
    parts.join(".")
}

/// A season, and what of its rewards cannot be.
pub(crate) fn season(section: &SeasonSection, names: &Names) -> (NewSeason, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut levels = Vec::with_capacity(section.levels.len());
    for (index, level) in section.levels.iter().enumerate() {
        let prefix = format!("levels.{index}.");
        let named = names.reward(&level.reward, &prefix, &mut problems);
        let kind = named.reward_type.parse().unwrap_or(RewardType::None);
        let reward = Reward::from_parts(kind, named.amount.unwrap_or_default(), named.item);
        if reward.is_err() && named.amount.is_some() {
            let path = format!("{prefix}reward_amount");
            problems.push(Problem::new(path, season_texts::level_reward()));
        }
        levels.push(Level {
            level: level.level,
            required_xp: level.required_xp,
            reward: reward.unwrap_or(Reward::NONE),
            reward_label: level.reward_label.clone(),
            auto_claim: level.auto_claim,
            manual: level.is_manual,
        });
    }
    // What no rule can be asked of is told by the number that the file has.
    let grace_days = u32::try_from(section.grace_days).unwrap_or_else(|_| {
        let text = field::between(0, MAX_GRACE_DAYS, section.grace_days);
        problems.push(Problem::new("grace_days", text));
        0
    });
    let season = NewSeason {
        name: section.season_name.clone(),
        start: section.start_date.0,
        end: section.end_date.0,
        max_level: i64::try_from(levels.len()).unwrap_or(i64::MAX),
        base_xp_per_stamp: section.base_xp_per_stamp,
        max_xp_bonus: section.max_xp_bonus,
        grace_days,
        internal_win_threshold: section.internal_win_threshold,
        is_active: section.is_active,
        levels,
    };
    (season, problems)
}

pub(crate) fn bridge(section: &BridgeSection, season_id: SeasonId) -> NewBridge {
    let day = |day: &crate::file::DaySection| BridgeDay {
        number: day.day,
        day: day.date.0,
        event_type: day.event_type.clone(),
        // One that there is: the schema has them.
        mission: day.mission.parse().unwrap_or(Mission::Login),
        points: day.points,
    };
    NewBridge {
        season_id,
        days: section.days.iter().map(day).collect(),
        keys_required: section.keys_required,
        settle_on: section.settle_on.0,
        auto_settle: section.auto_settle,
    }
}

fn reward(
    fields: &RewardFields,
    names: &Names,
    prefix: &str,
    problems: &mut Vec<Problem>,
) -> RewardEdit {
    let named = names.reward(fields, prefix, problems);
    RewardEdit {
        reward_type: Some(named.reward_type),
        // What is missing has been told of.
        reward_amount: Some(named.amount.unwrap_or(1)),
        reward_item: Some(named.item),
        problems: Vec::new(),
    }
}

/// What is played from the file on.
fn played<E>(name: &str, max_daily: i64, body: E, problems: Vec<Problem>) -> ConfigEdit<E> {
    ConfigEdit {
        name: Some(name.to_owned()),
        is_active: Some(true),
        max_daily: Some(max_daily),
        body,
        seen: None,
        problems,
    }
}

pub(crate) fn roulette(
    section: &RouletteSection,
    names: &Names,
) -> ConfigEdit<Option<Vec<SegmentEdit>>> {
    let mut problems = Vec::new();
    let mut segments = Vec::with_capacity(section.segments.len());
    for (index, segment) in section.segments.iter().enumerate() {
        let prefix = format!("segments.{index}.");
        segments.push(SegmentEdit {
            id: None,
            slot_index: i64::try_from(index).ok(),
            label: Some(segment.label.clone()),
            weight: Some(segment.weight),
            reward: reward(&segment.reward, names, &prefix, &mut problems),
            is_jackpot: Some(segment.is_jackpot),
        });
    }
    played(
        &section.name,
        section.max_daily_spins,
        Some(segments),
        problems,
    )
}

pub(crate) fn dice(section: &DiceSection, names: &Names) -> ConfigEdit<DiceEdit> {
    let mut problems = Vec::new();
    let mut outcome = |fields, prefix: &str| reward(fields, names, prefix, &mut problems);
    let body = DiceEdit {
        win: outcome(&section.win.reward, "win_"),
        draw: outcome(&section.draw.reward, "draw_"),
        lose: outcome(&section.lose.reward, "lose_"),
    };
    played(&section.name, section.max_daily_plays, body, problems)
}

/// The edit that makes a lottery what the file says, from what it is now.
pub(crate) fn lottery(
    section: &LotterySection,
    names: &Names,
    before: Option<&Config<PrizeList>>,
) -> ConfigEdit<Option<Vec<PrizeEdit>>> {
    let mut problems = Vec::new();
    let mut prizes = Vec::with_capacity(section.prizes.len());
    let kept = |label: &str| {
        let mut prizes = before.into_iter().flat_map(|before| &before.body.prizes);
        prizes.find(|prize| prize.label == label)
    };
    for (index, prize) in section.prizes.iter().enumerate() {
        let prefix = format!("prizes.{index}.");
        let kept = kept(&prize.label);
        // What was won stays won: the file counts it as well.
        let won = kept.and_then(|kept| Some(kept.stock_supplied? - kept.stock?));
        let won = won.unwrap_or(0);
        let stock = match prize.stock_total {
            // Told of by the number that the file has, and not by what would be left.
            Some(total) if (0..won).contains(&total) => {
                let text = texts::fewer_than_won(won, total);
                problems.push(Problem::new(format!("{prefix}stock"), text));
                Some(0)
            }
            total => total.map(|total| total - won),
        };
        prizes.push(PrizeEdit {
            id: kept.and_then(|kept| kept.id),
            label: Some(prize.label.clone()),
            weight: Some(prize.weight),
            stock: Some(stock),
            reward: reward(&prize.reward, names, &prefix, &mut problems),
            is_active: Some(prize.is_active),
        });
    }
    played(
        &section.name,
        section.max_daily_plays,
        Some(prizes),
        problems,
    )
}

pub(crate) fn feature(feature: Feature, section: &FeatureSection) -> FeatureConfig {
    let client = json(&toml::Value::Table(section.client.clone()));
    let mut settings = match client {
        Value::Object(client) => client,
        _ => Map::new(),
    };
    settings.insert("xp_per_play".to_owned(), section.xp_per_play.into());
    settings.insert("stamp_on_play".to_owned(), section.stamp_on_play.into());
    FeatureConfig {
        feature,
        title: section.title.clone(),
        page_path: section.page_path.clone(),
        is_enabled: section.is_enabled,
        config_json: Value::Object(settings),
    }
}

pub(crate) fn bundle(section: &BundleSection) -> BundleDraft {
    let item = |item: &crate::file::ItemSection| BundleItem {
        reward_type: item.reward_type.clone(),
        amount: item.reward_amount,
    };
    BundleDraft {
        name: section.name.clone(),
        items: section.items.iter().map(item).collect(),
    }
}

pub(crate) fn coupon(section: &CouponSection) -> NewCouponKind {
    NewCouponKind {
        name: section.name.clone(),
        manual: section.is_manual,
        ignores_case: section.ignores_case,
    }
}

/// What clients show, as the database keeps it.
pub(crate) fn text(value: &toml::Table) -> Value {
    json(&toml::Value::Table(value.clone()))
}
