//! What a change of the event means to players.

use std::collections::BTreeMap;

use serde::Serialize;
use xmas_games::{
    dice::{DiceOutcome, NewDice, rules},
    percent::Percent,
};
use xmas_kernel::ConfigId;
use xmas_rewards::{Reward, RewardType};

use crate::{
    EventFile,
    file::{BundleSection, RewardFields},
};

/// What becomes of the odds of a game, while everything is there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OddsEffect {
    /// The game's section.
    pub game: &'static str,
    pub entries: Vec<EntryEffect>,
    pub payout: Vec<PayoutEffect>,
}

/// What becomes of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EntryEffect {
    pub label: String,
    /// As a percentage; `None` if it was not there.
    pub before: Option<String>,
    pub after: Option<String>,
}

/// What a play brings on the average.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PayoutEffect {
    pub reward_type: &'static str,
    pub before: f64,
    pub after: f64,
}

/// Players who reach a level only by the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct NewlyReached {
    pub level: i64,
    pub players: u64,
}

/// Of the games whose odds or payout change, in the order of the file.
pub(crate) fn odds(before: &EventFile, after: &EventFile) -> Vec<OddsEffect> {
    let games = [
        ("roulette", wheel(before), wheel(after)),
        ("dice", dice(before), dice(after)),
        ("lottery", lottery(before), lottery(after)),
    ];
    let games = games
        .into_iter()
        .filter(|(_, before, after)| before != after);
    let effect = |(game, was, is): (&'static str, Vec<Entry<'_>>, Vec<Entry<'_>>)| OddsEffect {
        game,
        payout: payouts(&payout(&was, &before.bundles), &payout(&is, &after.bundles)),
        entries: entries(&was, &is),
    };
    games.map(effect).collect()
}

/// An entry of a table.
#[derive(Clone, Debug, PartialEq)]
struct Entry<'a> {
    label: &'a str,
    weight: u64,
    total: u64,
    reward: &'a RewardFields,
}

fn table<'a>(entries: Vec<(&'a str, i64, &'a RewardFields)>) -> Vec<Entry<'a>> {
    let weight = |weight: i64| u64::try_from(weight).unwrap_or(0);
    let total: u64 = entries.iter().map(|(_, it, _)| weight(*it)).sum();
    let entries = entries.into_iter().filter(|_| total > 0);
    let entry = |(label, it, reward)| Entry {
        label,
        weight: weight(it),
        total,
        reward,
    };
    entries.map(entry).collect()
}

fn wheel(file: &EventFile) -> Vec<Entry<'_>> {
    let segments = file.roulette.iter().flat_map(|wheel| &wheel.segments);
    table(
        segments
            .map(|it| (it.label.as_str(), it.weight, &it.reward))
            .collect(),
    )
}

fn lottery(file: &EventFile) -> Vec<Entry<'_>> {
    let prizes = file.lottery.iter().flat_map(|lottery| &lottery.prizes);
    let prizes = prizes.filter(|prize| prize.is_active);
    table(
        prizes
            .map(|it| (it.label.as_str(), it.weight, &it.reward))
            .collect(),
    )
}

fn dice(file: &EventFile) -> Vec<Entry<'_>> {
    let Some(section) = &file.dice else {
        return Vec::new();
    };
    // Throws are as likely as they are, whatever they bring.
    let any = NewDice {
        name: String::new(),
        max_daily_plays: 0,
        win: Reward::NONE,
        draw: Reward::NONE,
        lose: Reward::NONE,
    };
    let odds = rules::odds(ConfigId(0), &any).expect("throws have odds, whatever they bring");
    let weight = |outcome: DiceOutcome| {
        let weight = odds.entry(outcome.entry_id()).map(|it| it.weight);
        weight
            .and_then(|weight| i64::try_from(weight).ok())
            .unwrap_or(0)
    };
    table(vec![
        ("WIN", weight(DiceOutcome::Win), &section.win.reward),
        ("DRAW", weight(DiceOutcome::Draw), &section.draw.reward),
        ("LOSE", weight(DiceOutcome::Lose), &section.lose.reward),
    ])
}

fn entries(before: &[Entry<'_>], after: &[Entry<'_>]) -> Vec<EntryEffect> {
    let percent = |entries: &[Entry<'_>], label: &str, nth: usize| {
        // A wheel may have a label more than once.
        let mut same = entries.iter().filter(|entry| entry.label == label);
        let entry = same.nth(nth)?;
        Some(Percent::of(entry.weight, entry.total).to_string())
    };
    let mut all: Vec<(&str, usize)> = Vec::new();
    for entries in [after, before] {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in entries {
            let nth = seen.entry(entry.label).or_default();
            if !all.contains(&(entry.label, *nth)) {
                all.push((entry.label, *nth));
            }
            *nth += 1;
        }
    }
    let effect = |(label, nth): (&str, usize)| EntryEffect {
        label: label.to_owned(),
        before: percent(before, label, nth),
        after: percent(after, label, nth),
    };
    all.into_iter().map(effect).collect()
}

/// How much of what a play brings on the average.
fn payout(entries: &[Entry<'_>], bundles: &[BundleSection]) -> BTreeMap<&'static str, f64> {
    let mut payout = BTreeMap::new();
    for entry in entries {
        let share = entry.weight as f64 / entry.total as f64;
        for (kind, amount) in contents(entry.reward, bundles) {
            *payout.entry(kind.as_str()).or_default() += share * amount as f64;
        }
    }
    payout
}

/// What is given: of a bundle what lies in it.
fn contents(reward: &RewardFields, bundles: &[BundleSection]) -> Vec<(RewardType, i64)> {
    match reward.reward_type.parse() {
        Ok(RewardType::None) | Err(_) => Vec::new(),
        Ok(RewardType::Bundle) => {
            let named = |bundle: &&BundleSection| Some(&bundle.name) == reward.reward_item.as_ref();
            let items = bundles.iter().find(named).into_iter();
            let items = items.flat_map(|bundle| &bundle.items);
            let item = |item: &crate::file::ItemSection| {
                Some((item.reward_type.parse().ok()?, item.reward_amount))
            };
            items.filter_map(item).collect()
        }
        Ok(kind) => vec![(kind, reward.reward_amount.unwrap_or(1))],
    }
}

fn payouts(
    before: &BTreeMap<&'static str, f64>,
    after: &BTreeMap<&'static str, f64>,
) -> Vec<PayoutEffect> {
    let of = |payout: &BTreeMap<&'static str, f64>, kind| payout.get(kind).copied().unwrap_or(0.0);
    let kinds = RewardType::ALL.map(RewardType::as_str).into_iter();
    let kinds = kinds.filter(|kind| before.contains_key(kind) || after.contains_key(kind));
    let effect = |kind| PayoutEffect {
        reward_type: kind,
        before: of(before, kind),
        after: of(after, kind),
    };
    kinds.map(effect).collect()
}
