//! Rewards in configurations.

use serde::{Deserialize, Serialize};
use xmas_kernel::{Problem, Problems};
use xmas_rewards::{Reward, RewardType};
use xmas_texts::{Text, field, reward as texts};

/// A reward as configurations keep it, whether or not it can be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardConfig {
    pub reward_type: String,
    pub reward_amount: i64,
    /// The id of the bundle or kind of coupon.
    pub reward_item: Option<i64>,
}

impl From<Reward> for RewardConfig {
    fn from(reward: Reward) -> Self {
        Self {
            reward_type: reward.kind().as_str().to_owned(),
            reward_amount: reward.amount(),
            reward_item: reward.item(),
        }
    }
}

impl RewardConfig {
    /// The reward, or what is wrong with it. `prefix` goes before the names of its fields.
    pub(crate) fn reward(&self, prefix: &str) -> Result<Reward, Problem> {
        let problem = |name: &str, text: Text| Problem::new(format!("{prefix}{name}"), text);
        let kind = self.reward_type.parse::<RewardType>();
        let kind = kind.map_err(|unknown| problem("reward_type", unknown.into()))?;
        let (name, amount) = (kind.as_str(), self.reward_amount);
        let reward = Reward::from_parts(kind, amount, self.reward_item);
        reward.map_err(|_| match usual_amount(kind) {
            Some(usual) if amount != usual => {
                problem("reward_value", texts::fixed_amount(usual, name, amount))
            }
            None if !(0..=Reward::MAX_AMOUNT).contains(&amount) => {
                let text = texts::amount(Reward::MAX_AMOUNT, name, amount);
                problem("reward_value", text)
            }
            _ if self.reward_item.is_some() => problem("reward_item", texts::item_not_taken(name)),
            _ => problem("reward_item", texts::item_missing(name)),
        })
    }

    /// As [`RewardConfig::reward`]; a reward that cannot be given is noted and taken for nothing.
    pub(crate) fn checked(&self, prefix: &str, problems: &mut Problems) -> Reward {
        self.reward(prefix).unwrap_or_else(|problem| {
            problems.push(problem);
            Reward::NONE
        })
    }
}

/// The amount of a type that has only one.
fn usual_amount(kind: RewardType) -> Option<i64> {
    match kind {
        RewardType::None => Some(0),
        RewardType::Bundle | RewardType::Coupon => Some(1),
        RewardType::Point
        | RewardType::TicketRoulette
        | RewardType::TicketDice
        | RewardType::TicketLottery
        | RewardType::CcCoin
        | RewardType::Xp => None,
    }
}

/// What an operator changes about a reward. `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RewardEdit {
    pub reward_type: Option<String>,
    pub reward_amount: Option<i64>,
    /// `Some(None)` names none.
    pub reward_item: Option<Option<i64>>,
    /// What could not be read as an edit. It is refused with whatever else is wrong.
    pub problems: Vec<Problem>,
}

impl From<&RewardConfig> for RewardEdit {
    /// The edit that makes any reward this one.
    fn from(reward: &RewardConfig) -> Self {
        Self {
            reward_type: Some(reward.reward_type.clone()),
            reward_amount: Some(reward.reward_amount),
            reward_item: Some(reward.reward_item),
            problems: Vec::new(),
        }
    }
}

impl RewardEdit {
    /// The reward after the edit. What it names belongs to its type, and is left behind with it; so is the
    /// amount of a type that has only one: what was nothing does not become 0 points by itself.
    pub(crate) fn applied(
        &self,
        before: Option<&RewardConfig>,
        prefix: &str,
        problems: &mut Problems,
    ) -> RewardConfig {
        let kept_type = before.map(|before| &before.reward_type);
        let Some(reward_type) = self.reward_type.as_ref().or(kept_type) else {
            problems.push(Problem::new(
                format!("{prefix}reward_type"),
                field::required(),
            ));
            return Reward::NONE.into();
        };
        let kind: Option<RewardType> = reward_type.parse().ok();
        let kept = before.map(|before| before.reward_amount);
        problems.extend(self.problems.clone());
        let stays = kept_type == Some(reward_type);
        let kept_kind = before.and_then(|before| before.reward_type.parse().ok());
        let kept = kept.filter(|_| stays || kept_kind.and_then(usual_amount).is_none());
        let amount = self.reward_amount.or(kind.and_then(usual_amount)).or(kept);
        if amount.is_none() {
            problems.push(Problem::new(
                format!("{prefix}reward_value"),
                field::required(),
            ));
        }
        let kept_item = before.and_then(|before| before.reward_item);
        let names_an_item = matches!(kind, Some(RewardType::Bundle | RewardType::Coupon));
        let item = match self.reward_item {
            Some(sent) if stays || names_an_item || sent != kept_item => sent,
            None if stays => kept_item,
            // Of the type that it was before.
            _ => None,
        };
        RewardConfig {
            reward_type: reward_type.clone(),
            // What is missing has been noted, and need not be noted again.
            reward_amount: amount.unwrap_or(1),
            reward_item: item,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(
        reward_type: Option<&str>,
        amount: Option<i64>,
        item: Option<Option<i64>>,
    ) -> RewardEdit {
        RewardEdit {
            reward_type: reward_type.map(str::to_owned),
            reward_amount: amount,
            reward_item: item,
            problems: Vec::new(),
        }
    }

    fn kept(reward_type: &str, reward_amount: i64, reward_item: Option<i64>) -> RewardConfig {
        RewardConfig {
            reward_type: reward_type.to_owned(),
            reward_amount,
            reward_item,
        }
    }

    /// The reward, or the fields that are wrong with it.
    fn after(
        edit: &RewardEdit,
        before: Option<&RewardConfig>,
    ) -> Result<RewardConfig, Vec<String>> {
        let mut problems = Problems::default();
        let after = edit.applied(before, "win_", &mut problems);
        after.checked("win_", &mut problems);
        let fields: Vec<String> = problems.into_vec().into_iter().map(|it| it.field).collect();
        if fields.is_empty() {
            Ok(after)
        } else {
            Err(fields)
        }
    }

    #[test]
    fn a_reward_keeps_what_is_left_out_and_fits_its_type() {
        let (points, bundle) = (kept("POINT", 500, None), kept("BUNDLE", 1, Some(7)));
        let wrong = |fields: &[&str]| Err(fields.iter().map(|it| (*it).to_owned()).collect());
        for (edit, before, expected) in [
            (edit(None, None, None), Some(&bundle), Ok(bundle.clone())),
            (
                edit(None, Some(9), None),
                Some(&points),
                Ok(kept("POINT", 9, None)),
            ),
            (
                edit(Some("CC_COIN"), None, None),
                Some(&points),
                Ok(kept("CC_COIN", 500, None)),
            ),
            (
                edit(Some("NONE"), None, None),
                Some(&points),
                Ok(kept("NONE", 0, None)),
            ),
            (
                edit(Some("NONE"), Some(0), None),
                Some(&bundle),
                Ok(kept("NONE", 0, None)),
            ),
            (
                edit(Some("NONE"), Some(5), None),
                Some(&points),
                wrong(&["win_reward_value"]),
            ),
            // The old client sends back what it has loaded and does not know.
            (
                edit(Some("POINT"), Some(5), Some(Some(7))),
                Some(&bundle),
                Ok(kept("POINT", 5, None)),
            ),
            (
                edit(Some("POINT"), Some(5), Some(Some(8))),
                Some(&bundle),
                wrong(&["win_reward_item"]),
            ),
            (
                edit(Some("COUPON"), None, None),
                Some(&bundle),
                wrong(&["win_reward_item"]),
            ),
            (
                edit(Some("COUPON"), None, Some(Some(7))),
                Some(&bundle),
                Ok(kept("COUPON", 1, Some(7))),
            ),
            (
                edit(None, None, Some(None)),
                Some(&bundle),
                wrong(&["win_reward_item"]),
            ),
            (
                edit(None, Some(2), None),
                Some(&bundle),
                wrong(&["win_reward_value"]),
            ),
            (
                edit(Some("POINT"), Some(5), None),
                None,
                Ok(kept("POINT", 5, None)),
            ),
            (
                edit(Some("NONE"), None, None),
                None,
                Ok(kept("NONE", 0, None)),
            ),
            (
                edit(Some("POINT"), None, None),
                None,
                wrong(&["win_reward_value"]),
            ),
            (edit(None, Some(5), None), None, wrong(&["win_reward_type"])),
            (
                edit(Some("GOLD"), Some(5), None),
                Some(&points),
                wrong(&["win_reward_type"]),
            ),
            // What was nothing says how much it is from now on; the one bundle, too.
            (
                edit(Some("POINT"), None, None),
                Some(&kept("NONE", 0, None)),
                wrong(&["win_reward_value"]),
            ),
            (
                edit(Some("POINT"), None, None),
                Some(&bundle),
                wrong(&["win_reward_value"]),
            ),
            (
                edit(Some("COUPON"), Some(0), Some(Some(7))),
                None,
                wrong(&["win_reward_value"]),
            ),
            (
                edit(None, Some(0), None),
                Some(&bundle),
                wrong(&["win_reward_value"]),
            ),
            (
                edit(None, Some(0), None),
                Some(&points),
                Ok(kept("POINT", 0, None)),
            ),
            (
                edit(Some("XP"), Some(0), None),
                None,
                Ok(kept("XP", 0, None)),
            ),
            (
                edit(Some("POINT"), Some(i64::MAX), None),
                None,
                wrong(&["win_reward_value"]),
            ),
            (
                edit(Some("XP"), Some(-1), None),
                None,
                wrong(&["win_reward_value"]),
            ),
        ] {
            assert_eq!(after(&edit, before), expected, "{edit:?}");
        }
    }
}
