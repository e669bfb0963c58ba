//! What an edit makes of the prizes of a lottery.

use std::collections::{BTreeSet, HashSet};

use xmas_kernel::{ErrorCode, Problem, Problems, text};
use xmas_texts::{field, game as texts};

use super::{PrizeConfig, PrizeEdit, PrizeList};
use crate::config::StockKept;

impl PrizeList {
    /// For each prize that an edit says something about, the one that it was: by its id, or else by its label,
    /// to the byte or else in NFC. `None` for a new one.
    pub fn matched(&self, edit: &[PrizeEdit]) -> Vec<Option<&PrizeConfig>> {
        matched(&self.prizes, edit)
    }
}

/// For each prize that is sent, the one that it was: by its id, or else by its label, to the byte or else
/// in NFC.
pub(super) fn matched<'a>(
    before: &'a [PrizeConfig],
    edit: &[PrizeEdit],
) -> Vec<Option<&'a PrizeConfig>> {
    let by_id = |id| before.iter().find(|prize| prize.id == Some(id));
    let sent: HashSet<i64> = edit.iter().filter_map(|edit| edit.id).collect();
    let is_sent = |prize: &PrizeConfig| prize.id.is_some_and(|id| sent.contains(&id));
    let by_label = |label: &str| {
        let mut unsent = before.iter().filter(|prize| !is_sent(prize));
        let exact = unsent.clone().find(|prize| prize.label == label);
        exact.or_else(|| unsent.find(|prize| text::nfc(&prize.label) == text::nfc(label)))
    };
    let of = |edit: &PrizeEdit| match (edit.id, &edit.label) {
        (Some(id), _) => by_id(id),
        (None, Some(label)) => by_label(label),
        (None, None) => None,
    };
    edit.iter().map(of).collect()
}

/// The edit that makes the prizes those of an earlier version, but for what is left of those that are there.
/// One that is not there any more was never won, and is added as it was.
pub(super) fn back_to(before: &[PrizeConfig], version: &[PrizeConfig]) -> Vec<PrizeEdit> {
    let is_there = |id: &i64| before.iter().any(|prize| prize.id == Some(*id));
    let edit = |prize: &PrizeConfig| PrizeEdit {
        id: prize.id.filter(is_there),
        label: Some(prize.label.clone()),
        weight: Some(prize.weight),
        stock: None,
        reward: (&prize.reward).into(),
        is_active: Some(prize.is_active),
    };
    let mut edits: Vec<PrizeEdit> = version.iter().map(edit).collect();
    let is_new: Vec<bool> = matched(before, &edits)
        .iter()
        .map(Option::is_none)
        .collect();
    let added = edits.iter_mut().zip(version).zip(is_new);
    for ((edit, prize), _) in added.filter(|(_, is_new)| *is_new) {
        edit.stock = Some(prize.stock);
    }
    edits
}

/// A prize that a version had limited, and whose number somebody has set since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reset {
    /// Its place in the version.
    place: usize,
    /// Its id now.
    pub(super) id: i64,
    then: i64,
    now: Option<i64>,
}

/// The prizes whose number follows from the version's. `edits` are those of [`back_to`], and `since` is what
/// edits have made of the prizes since the version, `None` if that is not known. Where nobody has set the
/// number, what is left is what the version had without what was won: it stays as it is.
pub(super) fn resets<'a>(
    before: &[PrizeConfig],
    version: &[PrizeConfig],
    edits: &[PrizeEdit],
    since: impl Iterator<Item = Option<(&'a [PrizeConfig], &'a [PrizeConfig])>> + Clone,
) -> Vec<Reset> {
    let stock = |prizes: &[PrizeConfig], id| {
        let prize = prizes.iter().find(|prize| prize.id == Some(id));
        prize.map(|prize| prize.stock)
    };
    let is_set = |id| {
        let mut since = since.clone();
        since.any(|edit| edit.is_none_or(|(was, is)| stock(was, id) != stock(is, id)))
    };
    let reset = |(place, (kept, prize)): (usize, (Option<&PrizeConfig>, &PrizeConfig))| {
        let (kept, then) = (kept?, prize.stock?);
        let id = kept.id?;
        is_set(id).then_some(Reset {
            place,
            id,
            then,
            now: kept.stock,
        })
    };
    let matched = matched(before, edits).into_iter();
    let pairs = matched.zip(version).enumerate();
    pairs.filter_map(reset).collect()
}

impl Reset {
    /// Limits the prize again: to what the version had without what was `won` since, and to no more than is
    /// left now.
    pub(super) fn apply(self, edits: &mut [PrizeEdit], won: i64) {
        let left = (self.then - won).max(0);
        let left = self.now.map_or(left, |now| now.min(left));
        edits[self.place].stock = Some(Some(left));
    }
}

/// The prizes of which a version had another number than is left now.
pub(super) fn stock_kept(version: &[PrizeConfig], now: &[PrizeConfig]) -> Vec<StockKept> {
    let kept = |prize: &PrizeConfig| {
        let id = prize.id?;
        let by_id = version.iter().find(|then| then.id == Some(id));
        let then = by_id.or_else(|| version.iter().find(|then| then.label == prize.label))?;
        (then.stock != prize.stock).then(|| StockKept {
            prize_id: id,
            label: prize.label.clone(),
            stock: prize.stock,
            stock_then: then.stock,
        })
    };
    now.iter().filter_map(kept).collect()
}

/// The ids of the prizes that an edit leaves out.
pub(super) fn left_out(before: &[PrizeConfig], edit: &[PrizeEdit]) -> Vec<i64> {
    let matched = matched(before, edit);
    let kept: HashSet<Option<i64>> = matched.into_iter().flatten().map(|it| it.id).collect();
    let ids = before.iter().map(|prize| prize.id);
    ids.filter(|id| !kept.contains(id)).flatten().collect()
}

/// The prizes after an edit: those that are sent, each with what is kept of it, and then those that are
/// left out but were drawn, switched off. `is_exact` says that the operator has seen what is left now.
pub(super) fn edited(
    before: &[PrizeConfig],
    edit: &[PrizeEdit],
    is_exact: bool,
    drawn: &BTreeSet<i64>,
    problems: &mut Problems,
) -> Vec<PrizeConfig> {
    let mut prizes = Vec::with_capacity(edit.len());
    let mut ids = HashSet::new();
    for (index, (edit, kept)) in edit.iter().zip(matched(before, edit)).enumerate() {
        let prefix = format!("prizes.{index}.");
        if let Some(id) = edit.id {
            let path = format!("{prefix}id");
            let unknown = texts::prize_id(id.to_string());
            problems.expect(kept.is_some(), path.as_str(), unknown);
            problems.expect(ids.insert(id), path, texts::prize_id_twice(id.to_string()));
        }
        let weight = edit.weight.or(kept.map(|kept| kept.weight));
        if weight.is_none() {
            problems.push(Problem::new(format!("{prefix}weight"), field::required()));
        }
        let kept_label = kept.map(|kept| kept.label.as_str());
        let label = edit.label.as_deref().or(kept_label).unwrap_or_default();
        let kept_reward = kept.map(|kept| &kept.reward);
        prizes.push(PrizeConfig {
            id: kept.and_then(|kept| kept.id),
            label: text::edited(label, kept_label),
            weight: weight.unwrap_or(0),
            stock: stock(kept, edit.stock, is_exact),
            stock_at_edit: kept.and_then(|kept| kept.stock_at_edit),
            stock_supplied: kept.and_then(|kept| kept.stock_supplied),
            reward: edit.reward.applied(kept_reward, &prefix, problems),
            is_active: edit
                .is_active
                .unwrap_or(kept.is_none_or(|kept| kept.is_active)),
        });
    }
    // To the byte they differ, so that the look at the whole lottery does not find it.
    let looks_like = |index: usize| {
        let label = &prizes[index].label;
        let is_other = |other: &&PrizeConfig| &other.label != label;
        let mut others = prizes.iter().filter(is_other);
        !before.iter().any(|kept| &kept.label == label)
            && others.any(|other| text::nfc(&other.label) == text::nfc(label))
    };
    let alike = (0..prizes.len()).filter(|index| looks_like(*index));
    for index in alike {
        problems.push(Problem::coded(
            ErrorCode::DuplicatePrizeLabel,
            format!("prizes.{index}.label"),
            texts::label_alike(),
        ));
    }
    let mut kept = left_out(before, edit);
    kept.retain(|id| drawn.contains(id));
    keep_off(before, &kept, &mut prizes, problems);
    prizes
}

/// Adds these prizes, which are left out, switched off.
fn keep_off(
    before: &[PrizeConfig],
    left_out: &[i64],
    prizes: &mut Vec<PrizeConfig>,
    problems: &mut Problems,
) {
    for id in left_out {
        let kept = before.iter().find(|prize| prize.id == Some(*id));
        let Some(kept) = kept else {
            continue;
        };
        let label = text::nfc(&kept.label);
        let taken = prizes
            .iter()
            .position(|prize| text::nfc(&prize.label) == label);
        if let Some(index) = taken {
            problems.push(Problem::coded(
                ErrorCode::DuplicatePrizeLabel,
                format!("prizes.{index}.label"),
                texts::label_of_kept(),
            ));
            continue;
        }
        prizes.push(PrizeConfig {
            is_active: false,
            ..kept.clone()
        });
    }
}

/// Leaves the stock of prizes that stay as it is, and returns the fields by which it was to become another one.
pub(super) fn keep_stock(before: &[PrizeConfig], planned: &mut [PrizeConfig]) -> Vec<String> {
    let mut changed = Vec::new();
    for (index, prize) in planned.iter_mut().enumerate() {
        let Some(kept) = before.iter().find(|kept| is_same(kept, prize)) else {
            continue;
        };
        if prize.stock != kept.stock {
            changed.push(format!("prizes.{index}.stock"));
            prize.stock = kept.stock;
        }
    }
    changed
}

/// The ids of the prizes that a planned list leaves out.
fn replaced(before: &[PrizeConfig], planned: &[PrizeConfig]) -> Vec<i64> {
    let stays = |kept: &&PrizeConfig| planned.iter().any(|prize| is_same(kept, prize));
    let gone = before.iter().filter(|kept| !stays(kept));
    gone.filter_map(|kept| kept.id).collect()
}

/// The prizes once a planned list takes over: as they were announced, with what is left of those that stay, and
/// then those that are left out, switched off: whoever played before may still win them.
pub(super) fn taken_over(
    before: &[PrizeConfig],
    mut planned: Vec<PrizeConfig>,
    problems: &mut Problems,
) -> Vec<PrizeConfig> {
    let left_out = replaced(before, &planned);
    for prize in &mut planned {
        if let Some(kept) = before.iter().find(|kept| is_same(kept, prize)) {
            prize.stock = kept.stock;
            prize.stock_at_edit = kept.stock_at_edit;
            prize.stock_supplied = kept.stock_supplied;
        }
    }
    keep_off(before, &left_out, &mut planned, problems);
    planned
}

fn is_same(kept: &PrizeConfig, prize: &PrizeConfig) -> bool {
    kept.id.is_some() && kept.id == prize.id
}

/// What is left after an edit. Plays take from it while an operator looks at a form, so what the form
/// sends back, between what is left now and what the last edit left, is no edit.
fn stock(kept: Option<&PrizeConfig>, sent: Option<Option<i64>>, is_exact: bool) -> Option<i64> {
    let left = kept.and_then(|kept| kept.stock);
    let Some(sent) = sent else {
        return left;
    };
    let at_edit = kept.and_then(|kept| kept.stock_at_edit);
    match (sent, left, at_edit) {
        (Some(sent), Some(left), Some(at_edit)) if !is_exact && left < sent && sent <= at_edit => {
            Some(left)
        }
        _ => sent,
    }
}

#[cfg(test)]
mod tests {
    use xmas_rewards::Reward;

    use super::*;
    use crate::config::RewardEdit;

    fn prize(id: i64, label: &str, stock: Option<i64>) -> PrizeConfig {
        PrizeConfig {
            id: Some(id),
            label: label.to_owned(),
            weight: id,
            stock,
            stock_at_edit: stock.map(|stock| stock + 10),
            stock_supplied: stock.map(|stock| stock + 10),
            reward: Reward::NONE.into(),
            is_active: true,
        }
    }

    fn before() -> Vec<PrizeConfig> {
        vec![
            prize(1, "가", None),
            prize(2, "나", Some(5)),
            prize(3, "다", None),
        ]
    }

    fn id(id: i64) -> PrizeEdit {
        PrizeEdit {
            id: Some(id),
            ..PrizeEdit::default()
        }
    }

    fn label(label: &str) -> PrizeEdit {
        PrizeEdit {
            label: Some(label.to_owned()),
            ..PrizeEdit::default()
        }
    }

    fn after(edit: &[PrizeEdit], drawn: &[i64]) -> Result<Vec<PrizeConfig>, Vec<String>> {
        let mut problems = Problems::default();
        let drawn = drawn.iter().copied().collect();
        let prizes = edited(&before(), edit, false, &drawn, &mut problems);
        let problems = problems.into_vec();
        if problems.is_empty() {
            Ok(prizes)
        } else {
            Err(problems.into_iter().map(|problem| problem.field).collect())
        }
    }

    #[test]
    fn prizes_are_matched_by_id_and_else_by_label() {
        assert_eq!(after(&[id(1), label("나"), id(3)], &[]), Ok(before()));
        let renamed = PrizeEdit {
            label: Some("다".to_owned()),
            ..id(1)
        };
        let swapped = after(
            &[
                renamed.clone(),
                id(2),
                PrizeEdit {
                    label: Some("가".to_owned()),
                    ..id(3)
                },
            ],
            &[],
        );
        let swapped = swapped.unwrap();
        assert_eq!((swapped[0].id, swapped[0].label.as_str()), (Some(1), "다"));
        assert_eq!((swapped[2].id, swapped[2].label.as_str()), (Some(3), "가"));
        assert_eq!(
            after(&[id(9)], &[]),
            Err(vec![
                "prizes.0.id".into(),
                "prizes.0.weight".into(),
                "prizes.0.reward_type".into()
            ])
        );
        assert_eq!(after(&[id(1), id(1)], &[]), Err(vec!["prizes.1.id".into()]));
        // An id of another lottery's is not looked for by its label.
        let foreign = PrizeEdit {
            id: Some(9),
            weight: Some(1),
            reward: RewardEdit {
                reward_type: Some("NONE".into()),
                ..RewardEdit::default()
            },
            ..label("가")
        };
        assert_eq!(after(&[foreign], &[]), Err(vec!["prizes.0.id".into()]));
        // The label of a prize that is sent by its id belongs to a new prize.
        let fields = after(&[renamed, label("가")], &[]).unwrap_err();
        assert_eq!(fields, ["prizes.1.weight", "prizes.1.reward_type"]);
    }

    #[test]
    fn what_was_drawn_is_kept_and_switched_off() {
        assert_eq!(after(&[id(1)], &[]).unwrap().len(), 1);
        let kept = after(&[id(1)], &[1, 3]).unwrap();
        let seen: Vec<_> = kept
            .iter()
            .map(|prize| (prize.id, prize.is_active))
            .collect();
        assert_eq!(seen, [(Some(1), true), (Some(3), false)]);
        let renamed = PrizeEdit {
            label: Some("다".to_owned()),
            ..id(1)
        };
        assert_eq!(
            after(std::slice::from_ref(&renamed), &[3]),
            Err(vec!["prizes.0.label".into()])
        );
        assert_eq!(after(&[renamed], &[]).unwrap()[0].label, "다");
        assert_eq!(left_out(&before(), &[id(2)]), [1, 3]);
    }

    #[test]
    fn a_number_follows_from_the_version_where_somebody_has_set_it_since() {
        let version = vec![
            prize(1, "가", Some(20)),
            prize(2, "나", Some(9)),
            prize(3, "다", None),
            prize(4, "라", Some(7)),
        ];
        let edits = back_to(&before(), &version);
        let stocks: Vec<_> = edits.iter().map(|edit| edit.stock).collect();
        // Only what is not there any more is added as it was.
        assert_eq!(stocks, [None, None, None, Some(Some(7))]);
        let resets = |since: &[Option<(Vec<PrizeConfig>, Vec<PrizeConfig>)>]| {
            let since = since.iter().map(|edit| {
                let (was, is) = edit.as_ref()?;
                Some((was.as_slice(), is.as_slice()))
            });
            let resets = resets(&before(), &version, &edits, since);
            let ids: Vec<i64> = resets.iter().map(|reset| reset.id).collect();
            ids
        };
        let lift = |was: i64| {
            let was = vec![prize(1, "가", Some(was)), prize(2, "나", Some(9))];
            let is = vec![prize(1, "가", None), prize(2, "나", Some(9))];
            Some((was, is))
        };
        assert_eq!(resets(&[]), [0; 0]);
        assert_eq!(resets(&[lift(20)]), [1]);
        // Set, and then something else.
        let other = Some((before(), before()));
        assert_eq!(resets(&[lift(20), other.clone()]), [1]);
        assert_eq!(resets(std::slice::from_ref(&other)), [0; 0]);
        // Made since.
        let made = Some((vec![prize(1, "가", None)], before()));
        assert_eq!(resets(&[made]), [2]);
        // Nobody knows.
        assert_eq!(resets(&[other, None]), [1, 2]);
    }

    #[test]
    fn what_was_won_does_not_come_back_and_neither_does_more_than_there_is() {
        for (then, now, won, expected) in [
            (20, None, 0, 20),
            (20, None, 5, 15),
            (20, None, 21, 0),
            (20, Some(1_995), 5, 15),
            (20, Some(3), 5, 3),
            (20, Some(0), 0, 0),
        ] {
            let mut edits = vec![PrizeEdit::default()];
            let (place, id) = (0, 1);
            let reset = Reset {
                place,
                id,
                then,
                now,
            };
            reset.apply(&mut edits, won);
            assert_eq!(edits[0].stock, Some(Some(expected)), "{then} {now:?} {won}");
        }
    }

    #[test]
    fn an_old_stock_is_no_edit_and_nothing_else_is_old() {
        let limited = prize(2, "나", Some(5));
        let stock = |sent, is_exact| stock(Some(&limited), sent, is_exact);
        for (sent, is_exact, expected) in [
            (None, false, Some(5)),
            (Some(Some(5)), false, Some(5)),
            // Loaded since the last edit, which left 15.
            (Some(Some(6)), false, Some(5)),
            (Some(Some(15)), false, Some(5)),
            (Some(Some(16)), false, Some(16)),
            (Some(Some(4)), false, Some(4)),
            (Some(Some(0)), false, Some(0)),
            (Some(None), false, None),
            // The operator has seen that 5 are left.
            (Some(Some(6)), true, Some(6)),
            (Some(Some(5)), true, Some(5)),
        ] {
            assert_eq!(stock(sent, is_exact), expected, "{sent:?} {is_exact}");
        }
        let unlimited = prize(1, "가", None);
        assert_eq!(
            super::stock(Some(&unlimited), Some(Some(7)), false),
            Some(7)
        );
        assert_eq!(super::stock(Some(&unlimited), None, false), None);
        assert_eq!(super::stock(None, Some(Some(7)), false), Some(7));
    }
}
