//! The event as it stands in the database.

use std::collections::{BTreeSet, HashMap};

use sea_orm::ConnectionTrait;
use serde_json::Value;
use xmas_event_bridge::{BridgeDay, Bridges, NewBridge};
use xmas_features::{FeatureConfig, Features, UiConfigs};
use xmas_games::{
    config::{Config, RewardConfig, named},
    dice::{Dice, DiceRewards},
    lottery::{Lottery, PrizeConfig, PrizeList},
    roulette::{Roulette, SegmentConfig, Segments},
};
use xmas_kernel::{Problem, db::DbError};
use xmas_rewards::{Bundle, BundleItem, CouponKind, RewardDesk, RewardType};
use xmas_season_pass::{Level, NewSeason, SeasonPass};
use xmas_texts::event_file as texts;

use crate::{
    Date, EventFile,
    file::{
        BridgeSection, BundleSection, CouponSection, DaySection, DiceSection, FeatureSection,
        ItemSection, LevelSection, LotterySection, OutcomeSection, PrizeSection, RewardFields,
        RouletteSection, SeasonSection, SegmentSection, feature_key,
    },
    tree,
};

/// Which season is meant.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted<'a> {
    Named(&'a str),
    /// The active one that ends last.
    Last,
}

/// The event in the database, and what of it no file can say.
pub(crate) struct State {
    pub(crate) file: EventFile,
    pub(crate) unsaid: Vec<Problem>,
}

/// Everything of the event: besides what its season and its games promise, also the bundles and kinds of coupons of the
/// names in `also`.
pub(crate) async fn load(
    conn: &impl ConnectionTrait,
    wanted: Wanted<'_>,
    also: &EventFile,
) -> Result<State, DbError> {
    let season = match wanted {
        Wanted::Named(name) => SeasonPass::named(conn, name).await?,
        Wanted::Last => SeasonPass::last_active(conn).await?,
    };
    let bridge = match &season {
        Some(season) => Bridges::of_season(conn, season.season.id).await?,
        None => None,
    };
    let season = season.map(|saved| saved.season.rules);
    let wheel = named::switched_on::<Roulette>(conn).await?;
    let dice = named::switched_on::<Dice>(conn).await?;
    let lottery = named::switched_on::<Lottery>(conn).await?;
    let (wheel, dice) = (wheel.map(|it| it.config), dice.map(|it| it.config));
    let lottery = lottery.map(|it| it.config);
    let promised = promised(
        season.as_ref(),
        wheel.as_ref(),
        dice.as_ref(),
        lottery.as_ref(),
    );
    let items = Items::load(conn, &promised, also).await?;
    let mut unsaid = Vec::new();
    let mut file = EventFile {
        season: season.as_ref().map(|season| season_section(season, &items)),
        bridge: bridge.map(|bridge| bridge_section(&bridge.rules)),
        roulette: wheel.as_ref().map(|wheel| roulette_section(wheel, &items)),
        dice: dice.as_ref().map(|dice| dice_section(dice, &items)),
        lottery: lottery
            .as_ref()
            .map(|lottery| lottery_section(lottery, &items)),
        bundles: items.bundles.values().map(bundle_section).collect(),
        coupons: items.coupons.values().map(coupon_section).collect(),
        ..EventFile::default()
    };
    file.bundles.sort_by(|one, other| one.name.cmp(&other.name));
    file.coupons.sort_by(|one, other| one.name.cmp(&other.name));
    for config in Features::all(conn).await? {
        match feature_section(&config) {
            Some(section) => file.features.put(config.feature, section),
            None => {
                let field = format!("features.{}", feature_key(config.feature));
                unsaid.push(Problem::new(field, texts::unsayable()));
            }
        }
    }
    for (key, value) in UiConfigs::all(conn).await? {
        match tree::toml(&value) {
            Some(toml::Value::Table(table)) => {
                file.texts.insert(key, table);
            }
            _ => unsaid.push(Problem::new(format!("texts.{key}"), texts::unsayable())),
        }
    }
    Ok(State { file, unsaid })
}

/// What of an event another file says something about.
pub(crate) fn restricted(event: &EventFile, to: &EventFile) -> EventFile {
    let mut event = event.clone();
    let bundles: BTreeSet<&str> = to.bundles.iter().map(|it| it.name.as_str()).collect();
    let coupons: BTreeSet<&str> = to.coupons.iter().map(|it| it.name.as_str()).collect();
    event
        .bundles
        .retain(|it| bundles.contains(it.name.as_str()));
    event
        .coupons
        .retain(|it| coupons.contains(it.name.as_str()));
    event.texts.retain(|key, _| to.texts.contains_key(key));
    let said = to.features.all().map(|(feature, _)| feature);
    event.features.keep(&said.collect::<Vec<_>>());
    EventFile {
        season: event.season.filter(|_| to.season.is_some()),
        bridge: event.bridge.filter(|_| to.bridge.is_some()),
        roulette: event.roulette.filter(|_| to.roulette.is_some()),
        dice: event.dice.filter(|_| to.dice.is_some()),
        lottery: event.lottery.filter(|_| to.lottery.is_some()),
        ..event
    }
}

/// Bundles and kinds of coupons by their ids.
struct Items {
    bundles: HashMap<i64, Bundle>,
    coupons: HashMap<i64, CouponKind>,
}

impl Items {
    async fn load(
        conn: &impl ConnectionTrait,
        promised: &[(RewardType, i64)],
        also: &EventFile,
    ) -> Result<Self, DbError> {
        let of = |kind| -> Vec<i64> {
            let those = promised.iter().filter(|(other, _)| *other == kind);
            those.map(|(_, id)| *id).collect()
        };
        let names: Vec<&str> = also.bundles.iter().map(|it| it.name.as_str()).collect();
        let mut bundles = RewardDesk::bundles_of(conn, &of(RewardType::Bundle)).await?;
        bundles.extend(RewardDesk::bundles_named(conn, &names).await?);
        let names: Vec<&str> = also.coupons.iter().map(|it| it.name.as_str()).collect();
        let mut coupons = RewardDesk::coupon_kinds_of(conn, &of(RewardType::Coupon)).await?;
        coupons.extend(RewardDesk::coupon_kinds_named(conn, &names).await?);
        Ok(Self {
            bundles: bundles.into_iter().map(|it| (it.id.0, it)).collect(),
            coupons: coupons.into_iter().map(|it| (it.id.0, it)).collect(),
        })
    }

    fn fields(&self, reward: &RewardConfig) -> RewardFields {
        let kind = reward.reward_type.parse().ok();
        let (usual, name) = match (kind, reward.reward_item) {
            (Some(RewardType::None), _) => (Some(0), None),
            (Some(RewardType::Bundle), Some(id)) => {
                let bundle = self.bundles.get(&id);
                (Some(1), bundle.map(|bundle| bundle.name.clone()))
            }
            (Some(RewardType::Coupon), Some(id)) => {
                let coupon = self.coupons.get(&id);
                (Some(1), coupon.map(|coupon| coupon.name.clone()))
            }
            _ => (None, None),
        };
        let amount = reward.reward_amount;
        RewardFields {
            reward_type: reward.reward_type.clone(),
            reward_amount: (usual != Some(amount)).then_some(amount),
            reward_item: name,
        }
    }
}

/// Which bundles and kinds of coupons are promised.
fn promised(
    season: Option<&NewSeason>,
    wheel: Option<&Config<Segments>>,
    dice: Option<&Config<DiceRewards>>,
    lottery: Option<&Config<PrizeList>>,
) -> Vec<(RewardType, i64)> {
    let levels = season.into_iter().flat_map(|season| &season.levels);
    let levels = levels.map(|level| RewardConfig::from(level.reward));
    let segments = wheel.into_iter().flat_map(|wheel| &wheel.body.segments);
    let segments = segments.map(|segment| segment.reward.clone());
    let prizes = lottery.into_iter().flat_map(|it| &it.body.prizes);
    let prizes = prizes.map(|prize| prize.reward.clone());
    let outcomes = dice.into_iter().flat_map(|dice| {
        let DiceRewards { win, draw, lose } = dice.body.clone();
        [win, draw, lose]
    });
    let rewards = levels.chain(segments).chain(prizes).chain(outcomes);
    let item = |reward: RewardConfig| Some((reward.reward_type.parse().ok()?, reward.reward_item?));
    rewards.filter_map(item).collect()
}

fn season_section(season: &NewSeason, items: &Items) -> SeasonSection {
    let level = |level: &Level| LevelSection {
        level: level.level,
        required_xp: level.required_xp,
        reward: items.fields(&level.reward.into()),
        reward_label: level.reward_label.clone(),
        auto_claim: level.auto_claim,
        is_manual: level.manual,
    };
    SeasonSection {
        season_name: season.name.clone(),
        start_date: Date(season.start),
        end_date: Date(season.end),
        base_xp_per_stamp: season.base_xp_per_stamp,
        max_xp_bonus: season.max_xp_bonus,
        grace_days: season.grace_days.into(),
        internal_win_threshold: season.internal_win_threshold,
        is_active: season.is_active,
        levels: season.levels.iter().map(level).collect(),
    }
}

fn bridge_section(bridge: &NewBridge) -> BridgeSection {
    let day = |day: &BridgeDay| DaySection {
        day: day.number,
        date: Date(day.day),
        event_type: day.event_type.clone(),
        mission: day.mission.as_str().to_owned(),
        points: day.points,
    };
    BridgeSection {
        keys_required: bridge.keys_required,
        settle_on: Date(bridge.settle_on),
        auto_settle: bridge.auto_settle,
        days: bridge.days.iter().map(day).collect(),
    }
}

fn roulette_section(wheel: &Config<Segments>, items: &Items) -> RouletteSection {
    let segment = |segment: &SegmentConfig| SegmentSection {
        label: segment.label.clone(),
        weight: segment.weight,
        reward: items.fields(&segment.reward),
        is_jackpot: segment.is_jackpot,
    };
    RouletteSection {
        name: wheel.name.clone(),
        max_daily_spins: wheel.max_daily,
        segments: wheel.body.segments.iter().map(segment).collect(),
    }
}

fn dice_section(dice: &Config<DiceRewards>, items: &Items) -> DiceSection {
    let outcome = |reward| OutcomeSection {
        reward: items.fields(reward),
    };
    DiceSection {
        name: dice.name.clone(),
        max_daily_plays: dice.max_daily,
        win: outcome(&dice.body.win),
        draw: outcome(&dice.body.draw),
        lose: outcome(&dice.body.lose),
    }
}

fn lottery_section(lottery: &Config<PrizeList>, items: &Items) -> LotterySection {
    let prize = |prize: &PrizeConfig| PrizeSection {
        label: prize.label.clone(),
        weight: prize.weight,
        // Of a limit that is older than the count of all, what is left is all that is known.
        stock_total: prize.stock.map(|left| prize.stock_supplied.unwrap_or(left)),
        reward: items.fields(&prize.reward),
        is_active: prize.is_active,
    };
    LotterySection {
        name: lottery.name.clone(),
        max_daily_plays: lottery.max_daily,
        prizes: lottery.body.prizes.iter().map(prize).collect(),
    }
}

fn bundle_section(bundle: &Bundle) -> BundleSection {
    let item = |item: &BundleItem| ItemSection {
        reward_type: item.reward_type.clone(),
        reward_amount: item.amount,
    };
    BundleSection {
        name: bundle.name.clone(),
        items: bundle.items.iter().map(item).collect(),
    }
}

fn coupon_section(coupon: &CouponKind) -> CouponSection {
    CouponSection {
        name: coupon.name.clone(),
        is_manual: coupon.manual,
        ignores_case: coupon.ignores_case,
    }
}

/// `None` if its settings are not what this release knows.
fn feature_section(config: &FeatureConfig) -> Option<FeatureSection> {
    let Value::Object(mut settings) = config.config_json.clone() else {
        return None;
    };
    let xp_per_play = match settings.remove("xp_per_play") {
        Some(value) => value.as_i64()?,
        None => 0,
    };
    let stamp_on_play = match settings.remove("stamp_on_play") {
        Some(value) => value.as_bool()?,
        None => false,
    };
    let toml::Value::Table(client) = tree::toml(&Value::Object(settings))? else {
        return None;
    };
    Some(FeatureSection {
        title: config.title.clone(),
        page_path: config.page_path.clone(),
        is_enabled: config.is_enabled,
        xp_per_play,
        stamp_on_play,
        client,
    })
}
