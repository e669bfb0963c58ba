//! How a draw is made: HMAC-SHA256 of the day's seed, reduced without bias, so that anybody can
//! make it again (docs/rules.md, "Fair and disclosed odds"; docs/fairness.md).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use xmas_kernel::{Feature, UserId};

/// How many numbers one block gives: its first 13 hexadecimal digits. Every language's ordinary
/// numbers hold 52 bits exactly, so that a spreadsheet can check a draw.
pub const RANGE: u64 = 1 << 52;

/// A day's secret: 32 random bytes. Whoever knows it can tell every draw of the day beforehand.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed([u8; Self::BYTES]);

/// The text is not 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a seed is 64 lower-case hexadecimal digits")]
pub struct MalformedSeed;

/// What one draw is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrawId {
    pub feature: Feature,
    pub user_id: UserId,
    /// The player's 0-based play number for the game and day.
    pub nonce: i64,
    /// 0, and one more for each draw of the same play whose prize had run out.
    pub attempt: i64,
}

impl Seed {
    pub const BYTES: usize = 32;

    pub fn new(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    pub fn from_hex(text: &str) -> Result<Self, MalformedSeed> {
        let mut bytes = [0; Self::BYTES];
        let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if is_lower => Ok(Self(bytes)),
            _ => Err(MalformedSeed),
        }
    }

    /// The secret itself, for sealing it and, after the day, for everybody.
    pub fn expose(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// What is published before the day: the seed's SHA-256 in hexadecimal digits.
    pub fn commitment(&self) -> String {
        hex::encode(Sha256::digest(self.0))
    }

    /// The number that is drawn: uniform in `0..bound`, where `bound` is 1 to [`RANGE`].
    ///
    /// A remainder alone would favour small numbers whenever `bound` does not divide [`RANGE`];
    /// numbers of the incomplete last stretch are therefore thrown away, and the next block decides.
    pub fn number(&self, draw: &DrawId, bound: u64) -> u64 {
        below(bound, (0..).map(|block: u64| self.block(draw, block)))
    }

    fn block(&self, draw: &DrawId, block: u64) -> u64 {
        let DrawId {
            feature,
            user_id,
            nonce,
            attempt,
        } = draw;
        let mut mac: Hmac<Sha256> =
            Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(format!("v1|{feature}|{user_id}|{nonce}|{attempt}|{block}").as_bytes());
        let digest: [u8; 32] = mac.finalize().into_bytes().into();
        let (first, _) = digest.split_first_chunk().expect("32 bytes begin with 8");
        u64::from_be_bytes(*first) >> 12
    }
}

/// Nobody finds a seed in a log.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed")
    }
}

/// A uniform number in `0..bound` from uniform numbers in `0..`[`RANGE`]: the first that is fair,
/// reduced. `bound` is 1 to [`RANGE`].
pub fn below(bound: u64, mut numbers: impl Iterator<Item = u64>) -> u64 {
    assert!((1..=RANGE).contains(&bound), "{bound} cannot be drawn from");
    let fair = RANGE - RANGE % bound;
    let number = numbers.find(|number| *number < fair);
    number.expect("there is always a next block") % bound
}

/// The index of the entry that a number below the sum of the weights falls on: the first whose
/// weight, added to those before it, exceeds the number.
pub fn pick(weights: impl IntoIterator<Item = u64>, number: u64) -> usize {
    let mut rest = number;
    for (index, weight) in weights.into_iter().enumerate() {
        match rest.checked_sub(weight) {
            Some(after) => rest = after,
            None => return index,
        }
    }
    unreachable!("the number drawn is below the sum of the weights")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draw(nonce: i64) -> DrawId {
        DrawId {
            feature: Feature::Roulette,
            user_id: UserId(42),
            nonce,
            attempt: 0,
        }
    }

    #[test]
    fn the_incomplete_last_stretch_is_thrown_away() {
        // 2^52 = 3 * 1501199875790165 + 1, so exactly one number is unfair for a bound of 3.
        assert_eq!(below(3, [RANGE - 1, 7].into_iter()), 7 % 3);
        assert_eq!(below(3, [RANGE - 2].into_iter()), (RANGE - 2) % 3);
        // A power of two divides the range: no number is unfair.
        assert_eq!(below(1 << 51, [RANGE - 1].into_iter()), (1 << 51) - 1);
        assert_eq!(below(RANGE, [RANGE - 1].into_iter()), RANGE - 1);
    }

    #[test]
    fn everything_that_names_a_draw_changes_it() {
        let seed = Seed::new([7; 32]);
        let first = seed.number(&draw(0), RANGE);
        let others = [
            draw(1),
            DrawId {
                attempt: 1,
                ..draw(0)
            },
            DrawId {
                user_id: UserId(43),
                ..draw(0)
            },
            DrawId {
                feature: Feature::Dice,
                ..draw(0)
            },
        ];
        for other in others {
            assert_ne!(seed.number(&other, RANGE), first, "{other:?}");
        }
        assert_ne!(Seed::new([8; 32]).number(&draw(0), RANGE), first);
        assert_eq!(Seed::new([7; 32]).number(&draw(0), RANGE), first);
    }

    #[test]
    fn a_seed_is_lower_case_hexadecimal_and_its_debug_form_is_silent() {
        let seed = Seed::new([0xab; 32]);
        let text = hex::encode(seed.expose());
        assert_eq!(Seed::from_hex(&text), Ok(seed.clone()));
        for bad in [&text.to_uppercase(), &text[1..], "", &format!("{text}00")] {
            assert_eq!(Seed::from_hex(bad), Err(MalformedSeed), "{bad}");
        }
        assert_eq!(format!("{seed:?}"), "Seed");
    }

    #[test]
    fn the_numbers_of_many_plays_are_spread_evenly() {
        const BINS: u64 = 10;
        const PLAYS: i64 = 20_000;
        let seed = Seed::new([1; 32]);
        let mut counts = [0u32; BINS as usize];
        for nonce in 0..PLAYS {
            counts[usize::try_from(seed.number(&draw(nonce), BINS)).unwrap()] += 1;
        }
        // The seed is fixed, so this is one sample for ever; 27.9 is the 0.1 % point of 9 degrees.
        let expected = 2_000.0;
        let square = |count: &u32| (f64::from(*count) - expected).powi(2) / expected;
        let chi_squared: f64 = counts.iter().map(square).sum();
        assert!(chi_squared < 27.9, "{counts:?}");
    }

    #[test]
    fn the_draws_of_a_known_seed_are_known() {
        // Made with another program: HMAC-SHA256 of "v1|ROULETTE|42|0|0|0" under 32 bytes of 7, its first
        // 13 hexadecimal digits.
        let seed = Seed::new([7; 32]);
        assert_eq!(seed.number(&draw(0), RANGE), 3_437_080_723_492_624);
        assert_eq!(
            seed.commitment(),
            "4bb06f8e4e3a7715d201d573d0aa423762e55dabd61a2c02278fa56cc6d294e0"
        );
        assert_eq!(seed.expose(), &[7; 32]);
        assert_eq!(RANGE, 4_503_599_627_370_496);
    }

    #[test]
    fn a_number_on_the_border_belongs_to_the_next_entry() {
        assert_eq!(pick([3, 0, 5], 2), 0);
        assert_eq!(pick([3, 0, 5], 3), 2);
        assert_eq!(pick([0, 1], 0), 1);
    }

    proptest! {
        #[test]
        fn every_number_falls_on_the_entry_whose_stretch_it_is_in(
            weights in prop::collection::vec(0u64..50, 1..8).prop_filter("a sum", |w| w.iter().sum::<u64>() > 0),
        ) {
            let sum: u64 = weights.iter().sum();
            let mut drawn = vec![0u64; weights.len()];
            for number in 0..sum {
                drawn[pick(weights.iter().copied(), number)] += 1;
            }
            prop_assert_eq!(drawn, weights);
        }

        #[test]
        fn every_remainder_has_equally_many_fair_numbers(bound in 1u64..=RANGE) {
            let fair = RANGE - RANGE % bound;
            prop_assert_eq!(fair % bound, 0);
            prop_assert!(fair > RANGE / 2, "less than half is thrown away");
        }

        #[test]
        fn a_number_is_always_below_the_bound(bound in 1u64..=RANGE, seed in any::<[u8; 32]>(), nonce in 0i64..1_000) {
            prop_assert!(Seed::new(seed).number(&draw(nonce), bound) < bound);
        }
    }
}
