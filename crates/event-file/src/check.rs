//! Every rule that needs no database.

use std::collections::{BTreeMap, HashSet};

use xmas_event_bridge::rules as bridge_rules;
use xmas_features::{FeatureSettings, check_feature, ui_rules};
use xmas_games::{
    Game,
    config::{ConfigEdit, check_new},
    dice::Dice,
    lottery::Lottery,
    roulette::Roulette,
};
use xmas_kernel::{Problem, Problems, SeasonId, text::Kept};
use xmas_rewards::{RewardType, check_bundle, check_coupon_kind};
use xmas_season_pass::rules as season_rules;
use xmas_texts::event_file as texts;
use xmas_time::EventDay;

use crate::{
    EventFile,
    convert::{self, placed},
    file::{RewardFields, feature_key},
    names::Names,
};

/// Notes what is wrong with a file. A season that runs on `today` needs its ladder; and fields that are wrong already are
/// not what others are compared with.
pub(crate) fn check(
    file: &EventFile,
    today: EventDay,
    is_wrong: &dyn Fn(&str) -> bool,
    problems: &mut Problems,
) {
    label(file, problems);
    let names = Names::of_file(file);
    if let Some(section) = &file.season {
        let (season, mut found) = convert::season(section, &names);
        found.extend(season_rules::check_save(&season, None, today));
        problems.extend(placed("season", found));
    }
    if let Some(section) = &file.bridge {
        let days = file.season.as_ref();
        let known = |field, day, otherwise: (i32, u32, u32)| match is_wrong(field) {
            true => EventDay::from_ymd(otherwise.0, otherwise.1, otherwise.2).unwrap_or(day),
            false => day,
        };
        let days = days.map(|season| {
            let (first, last) = (season.start_date.0, season.end_date.0);
            (
                known("season.start_date", first, (1970, 1, 1)),
                known("season.end_date", last, (9999, 12, 31)),
            )
        });
        match days {
            Some(days) => {
                let bridge = convert::bridge(section, SeasonId(0));
                let found = bridge_rules::check(&bridge, days);
                problems.extend(placed("bridge", found));
            }
            None => problems.push(Problem::new("bridge", texts::without_season())),
        }
    }
    if let Some(section) = &file.roulette {
        check_game::<Roulette>("roulette", &convert::roulette(section, &names), problems);
    }
    if let Some(section) = &file.dice {
        check_game::<Dice>("dice", &convert::dice(section, &names), problems);
    }
    if let Some(section) = &file.lottery {
        check_game::<Lottery>(
            "lottery",
            &convert::lottery(section, &names, None),
            problems,
        );
    }
    check_items(file, problems);
    for (feature, section) in file.features.all() {
        let found = check_feature(&convert::feature(feature, section), &Kept::default());
        let place = format!("features.{}", feature_key(feature));
        problems.extend(placed(&place, found));
        // What the section has itself, clients cannot keep beside it.
        for name in FeatureSettings::NAMES {
            let is_elsewhere = !section.client.contains_key(name);
            let field = format!("{place}.client.{name}");
            problems.expect(
                is_elsewhere,
                field,
                texts::no_setting_of_clients(place.clone()),
            );
        }
    }
    for (key, value) in &file.texts {
        let found = ui_rules::check_ui(key, &convert::text(value));
        problems.extend(placed(&format!("texts.{key}"), found));
    }
}

fn check_game<G: Game>(section: &str, edit: &ConfigEdit<G::BodyEdit>, problems: &mut Problems) {
    problems.extend(placed(section, check_new::<G>(edit)));
}

/// Bundles and kinds of coupons, each there once and promised by something.
fn check_items(file: &EventFile, problems: &mut Problems) {
    let promised = promised(file);
    let mut expect = |section: &str, kind, name: &str, names: &mut HashSet<String>| {
        let field = || format!("{section}.name");
        problems.expect(names.insert(name.to_owned()), field(), texts::named_twice());
        let is_promised = promised.contains(&(kind, name.to_owned()));
        problems.expect(is_promised, field(), texts::promised_by_nobody());
    };
    let mut found = Vec::new();
    let mut names = HashSet::new();
    for (index, bundle) in file.bundles.iter().enumerate() {
        let section = format!("bundles.{index}");
        expect(&section, RewardType::Bundle, &bundle.name, &mut names);
        found.push((section, check_bundle(&convert::bundle(bundle))));
    }
    let mut names = HashSet::new();
    for (index, coupon) in file.coupons.iter().enumerate() {
        let section = format!("coupons.{index}");
        expect(&section, RewardType::Coupon, &coupon.name, &mut names);
        found.push((
            section,
            check_coupon_kind(&convert::coupon(coupon), &Kept::default()),
        ));
    }
    for (section, found) in found {
        problems.extend(placed(&section, found));
    }
}

/// What rewards of the file name.
fn promised(file: &EventFile) -> HashSet<(RewardType, String)> {
    let named = rewards(file).into_iter().filter_map(|reward| {
        let kind = reward.reward_type.parse().ok()?;
        Some((kind, reward.reward_item.clone()?))
    });
    named.collect()
}

/// Every reward that a level or a prize promises.
fn rewards(file: &EventFile) -> Vec<&RewardFields> {
    let mut rewards = Vec::new();
    let levels = file.season.iter().flat_map(|season| &season.levels);
    rewards.extend(levels.map(|level| &level.reward));
    let segments = file.roulette.iter().flat_map(|wheel| &wheel.segments);
    rewards.extend(segments.map(|segment| &segment.reward));
    let dice = file.dice.iter();
    rewards.extend(dice.flat_map(|dice| [&dice.win.reward, &dice.draw.reward, &dice.lose.reward]));
    let prizes = file.lottery.iter().flat_map(|lottery| &lottery.prizes);
    rewards.extend(prizes.map(|prize| &prize.reward));
    rewards
}

/// Problems of an item name it by what people call it.
fn label(file: &EventFile, problems: &mut Problems) {
    let mut lists: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let levels = file.season.iter().flat_map(|season| &season.levels);
    let labels = levels.map(|level| level.reward_label.as_str());
    lists.insert("season.levels", labels.collect());
    let segments = file.roulette.iter().flat_map(|wheel| &wheel.segments);
    let labels = segments.map(|segment| segment.label.as_str());
    lists.insert("roulette.segments", labels.collect());
    let prizes = file.lottery.iter().flat_map(|lottery| &lottery.prizes);
    let labels = prizes.map(|prize| prize.label.as_str());
    lists.insert("lottery.prizes", labels.collect());
    let names = file.bundles.iter().map(|bundle| bundle.name.as_str());
    lists.insert("bundles", names.collect());
    let names = file.coupons.iter().map(|coupon| coupon.name.as_str());
    lists.insert("coupons", names.collect());
    for (list, labels) in lists {
        for (index, label) in labels.into_iter().enumerate() {
            problems.label(format!("{list}.{index}"), label);
        }
    }
}
