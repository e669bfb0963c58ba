//! Probabilities as players read them: percentages, exact and rounded.

use std::fmt;

/// A probability as a percentage, exactly: a fraction in lowest terms, 0 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Percent {
    numerator: u128,
    /// At least 1.
    denominator: u128,
}

/// With more decimals than this an exact percentage is written as a fraction.
const MOST_DECIMALS: usize = 12;
/// A rounded percentage has at least so many decimals, less zeros at its end.
const DECIMALS: usize = 4;

impl Percent {
    pub const ZERO: Self = Self {
        numerator: 0,
        denominator: 1,
    };

    /// Of a weight among weights that add up to `total`, which is not 0.
    pub fn of(weight: u64, total: u64) -> Self {
        let (numerator, denominator) = (100 * u128::from(weight), u128::from(total));
        let common = gcd(numerator, denominator);
        Self {
            numerator: numerator / common,
            denominator: denominator / common,
        }
    }

    /// The number itself: `2`, `12.5`, or a fraction where decimals would not end: `14375/324`.
    pub fn exact(self) -> String {
        let ends = (0..=MOST_DECIMALS)
            .find(|decimals| (self.numerator * power(*decimals)).is_multiple_of(self.denominator));
        match ends {
            Some(decimals) => self.with(decimals),
            None => format!("{}/{}", self.numerator, self.denominator),
        }
    }

    /// The nearest number with so many decimals.
    fn with(self, decimals: usize) -> String {
        let (scale, number) = (power(decimals), self.scaled(decimals));
        let text = format!("{}.{:0decimals$}", number / scale, number % scale);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The nearest integer to it times 10 to this power; halves go up.
    fn scaled(self, decimals: usize) -> u128 {
        (2 * self.numerator * power(decimals) + self.denominator) / (2 * self.denominator)
    }
}

/// Rounded, with its sign: `44.3673%`. What is possible is never shown as 0%, nor what is not sure as 100%: where four
/// decimals are too few, there are as many as it takes for two digits that tell.
impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tells = |decimals: &usize| {
            let number = self.scaled(*decimals);
            (10..=100 * power(*decimals) - 10).contains(&number)
        };
        let is_sure = self.numerator == 0 || self.numerator == 100 * self.denominator;
        let mut enough = DECIMALS..=MOST_DECIMALS;
        let decimals = match is_sure {
            true => DECIMALS,
            false => enough.find(tells).unwrap_or(MOST_DECIMALS),
        };
        write!(f, "{}%", self.with(decimals))
    }
}

fn power(decimals: usize) -> u128 {
    (0..decimals).fold(1, |product, _| 10 * product)
}

fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::odds::{MAX_ENTRIES, MAX_WEIGHT};

    fn texts(weight: u64, total: u64) -> (String, String) {
        let percent = Percent::of(weight, total);
        (percent.exact(), percent.to_string())
    }

    #[test]
    fn decimals_that_end_are_written_out_and_others_are_fractions() {
        for (weight, total, exact, rounded) in [
            (0, 5, "0", "0%"),
            (5, 5, "100", "100%"),
            (120, 1000, "12", "12%"),
            (1, 8, "12.5", "12.5%"),
            (1, 3, "100/3", "33.3333%"),
            (2, 3, "200/3", "66.6667%"),
            (575, 1296, "14375/324", "44.3673%"),
            (146, 1296, "1825/162", "11.2654%"),
            // 0.00005 % and its complement.
            (1, 2_000_000, "0.00005", "0.00005%"),
            (1_999_999, 2_000_000, "99.99995", "99.99995%"),
            (1, 3_000_000, "1/30000", "0.000033%"),
            (2_999_999, 3_000_000, "2999999/30000", "99.999967%"),
            (1, 100_000_000_000, "0.000000001", "0.000000001%"),
        ] {
            let expected = (exact.to_owned(), rounded.to_owned());
            assert_eq!(texts(weight, total), expected, "{weight} of {total}");
        }
    }

    /// What an exact percentage says, as a fraction.
    fn read(exact: &str) -> (u128, u128) {
        if let Some((numerator, denominator)) = exact.split_once('/') {
            return (numerator.parse().unwrap(), denominator.parse().unwrap());
        }
        let (whole, decimals) = exact.split_once('.').unwrap_or((exact, ""));
        let digits: u128 = format!("{whole}{decimals}").parse().unwrap();
        (digits, power(decimals.len()))
    }

    fn sum(a: (u128, u128), b: (u128, u128)) -> (u128, u128) {
        let (numerator, denominator) = (a.0 * b.1 + b.0 * a.1, a.1 * b.1);
        let common = gcd(numerator, denominator);
        (numerator / common, denominator / common)
    }

    fn weight() -> impl Strategy<Value = u64> {
        let most = MAX_WEIGHT.unsigned_abs();
        prop_oneof![Just(0), Just(1), 0..12u64, 0..=most, Just(most)]
    }

    proptest! {
        #[test]
        fn percentages_of_a_table_add_up_to_100(
            weights in prop::collection::vec(weight(), 1..=MAX_ENTRIES)
        ) {
            let total: u64 = weights.iter().sum();
            prop_assume!(total > 0);
            let exact = weights.iter().map(|weight| read(&Percent::of(*weight, total).exact()));
            prop_assert_eq!(exact.fold((0, 1), sum), (100, 1));
        }

        #[test]
        fn what_is_possible_is_not_0_and_what_is_not_sure_is_not_100(
            weight in weight(), others in weight()
        ) {
            prop_assume!(weight + others > 0);
            let shown = texts(weight, weight + others).1;
            prop_assert_eq!(shown == "0%", weight == 0, "{}", shown);
            prop_assert_eq!(shown == "100%", others == 0, "{}", shown);
        }

        #[test]
        fn a_rounded_percentage_is_near(weight in weight(), others in weight()) {
            prop_assume!(weight + others > 0);
            let shown = texts(weight, weight + others).1;
            let shown: f64 = shown.trim_end_matches('%').parse().unwrap();
            let exact = weight as f64 * 100.0 / (weight + others) as f64;
            prop_assert!((shown - exact).abs() <= 0.000_050_000_1, "{} {}", shown, exact);
        }
    }
}
