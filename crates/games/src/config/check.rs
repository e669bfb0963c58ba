//! Whether a configuration may be saved.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use xmas_kernel::{ConfigId, Problem, Problems, db::DbError, text::Kept};
use xmas_rewards::{Reward, are_deliverable};
use xmas_texts::reward;

use super::{Config, ConfigEdit, noted::note_in_tx, store};
use crate::{Game, SaveError};

/// Checks a new configuration as a whole and saves it.
pub(crate) async fn insert_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    config: &Config<G::Body>,
    now: DateTime<Utc>,
) -> Result<ConfigId, SaveError> {
    let problems = problems_in_tx::<G>(tx, config, None, Problems::default()).await?;
    if !problems.is_empty() {
        return Err(SaveError::Invalid(problems));
    }
    let id = store::insert_in_tx::<G>(tx, config, now).await?;
    note_in_tx::<G>(tx, None, now).await?;
    Ok(id)
}

/// What is wrong with a new configuration, but for rewards that name nothing: whether what they name is there is for the
/// database to say.
pub fn check_new<G: Game>(edit: &ConfigEdit<G::BodyEdit>) -> Vec<Problem> {
    let mut problems = Problems::default();
    let body = G::edited(None, edit, &BTreeSet::new(), &mut problems);
    let config = edit.applied(None, body, &mut problems);
    check_texts::<G>(&config, None, &mut problems);
    G::check(&config, &mut problems);
    problems.into_vec()
}

/// What is wrong with a configuration: what was found already, its texts, the game's own rules, and
/// rewards that name nothing. What stands in the one before is not refused for its text.
pub(super) async fn problems_in_tx<G: Game>(
    tx: &DatabaseTransaction,
    config: &Config<G::Body>,
    before: Option<&Config<G::Body>>,
    mut problems: Problems,
) -> Result<Vec<Problem>, DbError> {
    check_texts::<G>(config, before, &mut problems);
    let rewards = G::check(config, &mut problems);
    check_rewards_in_tx(tx, &rewards, &mut problems).await?;
    Ok(problems.into_vec())
}

/// Notes what is wrong with the name and the labels of a configuration. What stands in the one before is
/// not refused.
fn check_texts<G: Game>(
    config: &Config<G::Body>,
    before: Option<&Config<G::Body>>,
    problems: &mut Problems,
) {
    let kept: Kept = before
        .into_iter()
        .flat_map(texts::<G>)
        .map(|(_, text)| text)
        .collect();
    for (field, text) in texts::<G>(config) {
        if let Some(item) = field.strip_suffix(".label") {
            problems.label(item.to_owned(), text);
        }
        kept.expect_label(text, field, problems);
    }
}

fn texts<G: Game>(config: &Config<G::Body>) -> Vec<(String, &str)> {
    let mut texts = G::labels(&config.body);
    texts.insert(0, ("name".to_owned(), &config.name));
    texts
}

/// Notes which rewards name a bundle or a kind of coupon that does not exist.
async fn check_rewards_in_tx(
    tx: &DatabaseTransaction,
    rewards: &[(String, Reward)],
    problems: &mut Problems,
) -> Result<(), DbError> {
    let all: Vec<Reward> = rewards.iter().map(|(_, reward)| *reward).collect();
    if are_deliverable(tx, &all).await? {
        return Ok(());
    }
    for (field, reward) in rewards {
        let is_known = are_deliverable(tx, std::slice::from_ref(reward)).await?;
        let field = format!("{field}reward_item");
        let item = reward.item().unwrap_or_default();
        problems.expect(is_known, field, reward::unknown_item(item.to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lottery::{Lottery, PrizeConfig, PrizeList};

    fn config(name: &str, labels: &[&str]) -> Config<PrizeList> {
        let prize = |label: &&str| PrizeConfig {
            id: None,
            label: (*label).to_owned(),
            weight: 1,
            stock: None,
            stock_at_edit: None,
            stock_supplied: None,
            reward: Reward::NONE.into(),
            is_active: true,
        };
        Config {
            name: name.to_owned(),
            is_active: true,
            max_daily: 0,
            body: PrizeList {
                prizes: labels.iter().map(prize).collect(),
            },
        }
    }

    fn fields(after: &Config<PrizeList>, before: Option<&Config<PrizeList>>) -> Vec<String> {
        let mut problems = Problems::default();
        check_texts::<Lottery>(after, before, &mut problems);
        let problems = problems.into_vec().into_iter();
        problems.map(|problem| problem.field).collect()
    }

    #[test]
    fn new_texts_keep_the_rules_and_those_that_stand_may_stay() {
        assert_eq!(fields(&config("복권", &["꽝", "1등 🎁"]), None), [""; 0]);
        let bad = config(" ", &["꽝", "\u{3164}", "e\u{301}", " x", ""]);
        let all = [
            "name",
            "prizes.1.label",
            "prizes.2.label",
            "prizes.3.label",
            "prizes.4.label",
        ];
        assert_eq!(fields(&bad, None), all);
        assert_eq!(fields(&bad, Some(&bad)), [""; 0]);
        let old = config("복권", &["\u{3164}"]);
        assert_eq!(fields(&bad, Some(&old)), ["name", all[2], all[3], all[4]]);
    }
}
