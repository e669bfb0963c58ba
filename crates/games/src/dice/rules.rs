//! What a throw is, and how it ends.

use std::cmp::Ordering;

use xmas_kernel::{ConfigId, Feature, Problem, Problems};

use super::{DiceOutcome, NewDice, Throw};
use crate::{
    config::expect_daily,
    odds::{Entry, InvalidOdds, Odds},
};

/// How many throws of four dice there are, all equally likely.
const THROWS: u64 = 6 * 6 * 6 * 6;

/// The throw that a number below 1296 stands for. Written in base 6, its four digits are the dice,
/// less one: the player's two, then the dealer's.
pub fn throw(number: u64) -> Throw {
    let die = |place: u64| {
        let digit = number / place % 6;
        u8::try_from(digit + 1).expect("a digit of base 6 is below 6")
    };
    let user_dice = [die(216), die(36)];
    let dealer_dice = [die(6), die(1)];
    let user_sum = user_dice[0] + user_dice[1];
    let dealer_sum = dealer_dice[0] + dealer_dice[1];
    Throw {
        user_dice,
        dealer_dice,
        user_sum,
        dealer_sum,
        outcome: match user_sum.cmp(&dealer_sum) {
            Ordering::Greater => DiceOutcome::Win,
            Ordering::Equal => DiceOutcome::Draw,
            Ordering::Less => DiceOutcome::Lose,
        },
    }
}

/// How many of the throws end like this.
fn weight(outcome: DiceOutcome) -> i64 {
    let alike = (0..THROWS).filter(|number| throw(*number).outcome == outcome);
    alike.map(|_| 1).sum()
}

/// The odds of a dice game: how many throws end how.
pub fn odds(config_id: ConfigId, dice: &NewDice) -> Result<Odds, InvalidOdds> {
    let entry = |outcome: DiceOutcome| {
        let reward = match outcome {
            DiceOutcome::Win => dice.win,
            DiceOutcome::Draw => dice.draw,
            DiceOutcome::Lose => dice.lose,
        };
        Entry::new(
            outcome.entry_id(),
            outcome.as_str(),
            weight(outcome),
            reward,
        )
    };
    let entries = DiceOutcome::ALL.into_iter().map(entry);
    Odds::new(Feature::Dice, config_id, entries.collect::<Result<_, _>>()?)
}

/// What is wrong with a dice game that is to be saved, but for its name.
pub fn check(dice: &NewDice) -> Vec<Problem> {
    let mut problems = Problems::default();
    expect_daily(dice.max_daily_plays, "max_daily_plays", &mut problems);
    problems.into_vec()
}

#[cfg(test)]
mod tests {
    use xmas_rewards::Reward;

    use super::*;
    use crate::config::MAX_DAILY;

    fn dice() -> NewDice {
        NewDice {
            name: "주사위".to_owned(),
            max_daily_plays: 0,
            win: Reward::NONE,
            draw: Reward::NONE,
            lose: Reward::NONE,
        }
    }

    #[test]
    fn every_throw_comes_up_for_one_number() {
        let mut throws: Vec<_> = (0..THROWS)
            .map(|number| {
                let throw = throw(number);
                (throw.user_dice, throw.dealer_dice)
            })
            .collect();
        throws.sort_unstable();
        throws.dedup();
        assert_eq!(throws.len(), 1296);
        let last = throw(THROWS - 1);
        assert_eq!((last.user_dice, last.dealer_dice), ([6, 6], [6, 6]));
        let one = throw(216 + 2 * 36 + 3 * 6 + 4);
        assert_eq!((one.user_dice, one.dealer_dice), ([2, 3], [4, 5]));
        assert_eq!((one.user_sum, one.dealer_sum), (5, 9));
        assert_eq!(one.outcome, DiceOutcome::Lose);
    }

    #[test]
    fn the_odds_are_those_of_four_dice() {
        let odds = odds(ConfigId(1), &dice()).unwrap();
        let weights: Vec<u64> = odds.entries().iter().map(|entry| entry.weight).collect();
        assert_eq!(weights, [575, 146, 575]);
        assert_eq!(odds.total(), THROWS);
    }

    #[test]
    fn a_bad_game_is_told_field_by_field() {
        assert_eq!(check(&dice()), []);
        let wrong = NewDice {
            max_daily_plays: -1,
            ..dice()
        };
        let problems = check(&wrong).into_iter();
        let fields: Vec<String> = problems.map(|problem| problem.field).collect();
        assert_eq!(fields, ["max_daily_plays"]);
    }

    #[test]
    fn as_many_throws_a_day_as_the_limit_says() {
        let with = |max_daily_plays| NewDice {
            max_daily_plays,
            ..dice()
        };
        assert_eq!(check(&with(MAX_DAILY)), []);
        assert_eq!(check(&with(MAX_DAILY + 1))[0].field, "max_daily_plays");
    }

    #[test]
    fn the_higher_sum_wins_and_equal_ones_draw() {
        let one = throw(5 * 216 + 5 * 36);
        assert_eq!((one.user_sum, one.dealer_sum), (12, 2));
        assert_eq!(one.outcome, DiceOutcome::Win);
        assert_eq!(throw(0).outcome, DiceOutcome::Draw);
        assert_eq!(throw(1).outcome, DiceOutcome::Lose);
    }
}
