//! What a lottery is.

use std::collections::{BTreeMap, HashSet};

use xmas_kernel::{ConfigId, ErrorCode, Feature, Problem, Problems};
use xmas_rewards::Reward;
use xmas_texts::{field, game as texts};

use super::{NewLottery, NewPrize, Prize};
use crate::{
    config::expect_daily,
    odds::{Entry, InvalidOdds, MAX_ENTRIES, MAX_WEIGHT, Odds},
};

/// What there is to win: what players see, what is drawn while everything is there, and what is left of the
/// limited prizes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prizes {
    pub shown: Vec<Prize>,
    pub table: Odds,
    pub stock: BTreeMap<i64, i64>,
}

/// Prizes, each with its id, drawn in the order of their ids. Those take part that are active; at least one of
/// them can come up while something is left of it.
pub fn prizes(
    config_id: ConfigId,
    mut prizes: Vec<(i64, NewPrize)>,
) -> Result<Prizes, InvalidOdds> {
    prizes.retain(|(_, prize)| prize.is_active);
    prizes.sort_by_key(|(id, _)| *id);
    // A negative weight is a mistake even where nothing is left to win.
    let is_fair = |(_, prize): &(i64, NewPrize)| {
        (0..=MAX_WEIGHT).contains(&prize.weight) && prize.stock.is_none_or(|stock| stock >= 0)
    };
    if !prizes.iter().all(is_fair) {
        return Err(InvalidOdds);
    }
    let entry =
        |(id, prize): &(i64, NewPrize)| Entry::new(*id, &prize.label, prize.weight, prize.reward);
    let entries = prizes.iter().map(entry).collect::<Result<_, _>>()?;
    let table = Odds::new(Feature::Lottery, config_id, entries)?;
    let stock = prizes
        .iter()
        .filter_map(|(id, prize)| Some((*id, prize.stock?)));
    Ok(Prizes {
        table,
        stock: stock.collect(),
        shown: prizes.into_iter().map(shown).collect(),
    })
}

fn shown((id, prize): (i64, NewPrize)) -> Prize {
    Prize {
        id,
        label: prize.label,
        reward_type: prize.reward.kind(),
        reward_amount: prize.reward.amount(),
        stock: prize.stock,
        is_active: prize.is_active,
    }
}

/// What is wrong with a lottery that is to be saved, but for its texts.
pub fn check(new: &NewLottery) -> Vec<Problem> {
    use ErrorCode::{
        DuplicatePrizeLabel, InvalidLotteryStock, InvalidLotteryWeight, NoActivePrize,
        ZeroTotalWeight,
    };
    let mut problems = Problems::default();
    expect_daily(new.max_daily_plays, "max_daily_plays", &mut problems);
    // Prizes that were drawn are kept for ever, so those that are switched off do not count.
    let active = new.prizes.iter().filter(|prize| prize.is_active).count();
    problems.expect(
        active <= MAX_ENTRIES,
        "prizes",
        texts::active_prizes(MAX_ENTRIES, active),
    );
    let mut labels = HashSet::new();
    for (index, prize) in new.prizes.iter().enumerate() {
        let path = |name: &str| format!("prizes.{index}.{name}");
        problems.expect_or(
            DuplicatePrizeLabel,
            prize.label.is_empty() || labels.insert(prize.label.as_str()),
            path("label"),
            texts::label_twice(),
        );
        problems.expect_or(
            InvalidLotteryWeight,
            (0..=MAX_WEIGHT).contains(&prize.weight),
            path("weight"),
            field::between(0, MAX_WEIGHT, prize.weight),
        );
        let stock = prize.stock.unwrap_or(0);
        problems.expect_or(
            InvalidLotteryStock,
            (0..=Reward::MAX_AMOUNT).contains(&stock),
            path("stock"),
            texts::stock(Reward::MAX_AMOUNT, stock),
        );
    }
    let mut active = new.prizes.iter().filter(|prize| prize.is_active).peekable();
    if active.peek().is_none() {
        problems.expect_or(NoActivePrize, false, "prizes", texts::no_active_prize());
    } else {
        problems.expect_or(
            ZeroTotalWeight,
            active.any(|prize| prize.weight > 0),
            "prizes",
            texts::weights_all_zero(),
        );
    }
    problems.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MAX_DAILY;

    fn prize(weight: i64, stock: Option<i64>) -> NewPrize {
        NewPrize {
            label: format!("상품 {weight}"),
            weight,
            stock,
            reward: Reward::NONE,
            is_active: true,
        }
    }

    fn drawn(prizes: &[NewPrize]) -> Result<Vec<i64>, InvalidOdds> {
        let numbered = (1..).zip(prizes.iter().cloned()).collect();
        let prizes = super::prizes(ConfigId(1), numbered)?;
        let entries = prizes.table.entries().iter();
        Ok(entries.map(|entry| entry.id).collect())
    }

    #[test]
    fn active_prizes_take_part_whatever_is_left_of_them() {
        let off = NewPrize {
            is_active: false,
            ..prize(4, None)
        };
        let prizes = [
            prize(1, None),
            prize(2, Some(0)),
            prize(3, Some(1)),
            off.clone(),
        ];
        assert_eq!(drawn(&prizes), Ok(vec![1, 2, 3]));
        assert_eq!(drawn(&[prize(1, Some(0))]), Ok(vec![1]));
        let numbered = (1..).zip(prizes).collect();
        let all = super::prizes(ConfigId(1), numbered).unwrap();
        let shown: Vec<_> = all
            .shown
            .iter()
            .map(|prize| (prize.id, prize.stock))
            .collect();
        assert_eq!(shown, [(1, None), (2, Some(0)), (3, Some(1))]);
        assert_eq!(all.stock, BTreeMap::from([(2, 0), (3, 1)]));
        for bad in [
            &[off][..],
            &[prize(0, None)],
            &[prize(1, None), prize(-1, None)],
            // Also where nothing is left of it.
            &[prize(1, None), prize(-1, Some(0))],
            &[prize(1, None), prize(1, Some(-1))],
            &[],
        ] {
            assert_eq!(drawn(bad), Err(InvalidOdds), "{bad:?}");
        }
    }

    #[test]
    fn a_bad_lottery_is_told_field_by_field() {
        let lottery = |prizes: &[NewPrize]| NewLottery {
            name: "복권".to_owned(),
            max_daily_plays: 0,
            prizes: prizes.to_vec(),
        };
        let fields = |lottery: &NewLottery| -> Vec<String> {
            let problems = check(lottery).into_iter();
            problems.map(|problem| problem.field).collect()
        };
        assert_eq!(check(&lottery(&[prize(1, Some(0)), prize(2, None)])), []);
        assert_eq!(fields(&lottery(&[])), ["prizes"]);
        let code = |lottery: &NewLottery| check(lottery)[0].code;
        assert_eq!(
            code(&lottery(&[prize(0, None)])),
            ErrorCode::ZeroTotalWeight
        );
        let off = NewPrize {
            is_active: false,
            ..prize(1, None)
        };
        assert_eq!(code(&lottery(&[off])), ErrorCode::NoActivePrize);
        assert_eq!(
            fields(&lottery(&[prize(1, None), prize(1, None)])),
            ["prizes.1.label"]
        );
        assert_eq!(
            fields(&lottery(&[prize(1, None), prize(-1, None)])),
            ["prizes.1.weight"]
        );
        assert_eq!(fields(&lottery(&[prize(1, Some(-1))])), ["prizes.0.stock"]);
        let wrong = NewLottery {
            max_daily_plays: -1,
            ..lottery(&[prize(1, None)])
        };
        assert_eq!(fields(&wrong), ["max_daily_plays"]);
    }

    #[test]
    fn at_most_100_prizes_take_part_and_those_switched_off_do_not_count() {
        let numbered = |count: usize| -> Vec<NewPrize> {
            let prize = |number: usize| NewPrize {
                label: format!("상품 {number}"),
                ..prize(1, None)
            };
            (0..count).map(prize).collect()
        };
        let lottery = |prizes: Vec<NewPrize>| NewLottery {
            name: "복권".to_owned(),
            max_daily_plays: MAX_DAILY,
            prizes,
        };
        assert_eq!(check(&lottery(numbered(100))), []);
        let mut many = lottery(numbered(101));
        assert_eq!(check(&many)[0].field, "prizes");
        many.prizes[0].is_active = false;
        assert_eq!(check(&many), []);
        many.max_daily_plays += 1;
        assert_eq!(check(&many)[0].field, "max_daily_plays");
    }

    #[test]
    fn weights_and_stocks_have_their_bounds() {
        let lottery = |prize: NewPrize| NewLottery {
            name: "복권".to_owned(),
            max_daily_plays: 0,
            prizes: vec![prize],
        };
        assert_eq!(check(&lottery(prize(MAX_WEIGHT, None))), []);
        let heavy = check(&lottery(prize(MAX_WEIGHT + 1, None)));
        assert_eq!(heavy[0].field, "prizes.0.weight");
        assert_eq!(check(&lottery(prize(1, Some(1_000_000_000)))), []);
        let many = check(&lottery(prize(1, Some(1_000_000_001))));
        assert_eq!(many[0].field, "prizes.0.stock");
    }
}
