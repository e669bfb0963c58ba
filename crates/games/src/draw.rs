//! Picking by weight, without bias.

/// A uniform number in `0..bound`, from a source of uniform 64-bit numbers. `bound` is at least 1.
///
/// A remainder alone would favour small numbers whenever `bound` does not divide 2^64; numbers from
/// the incomplete last stretch are therefore thrown away.
pub fn below(bound: u64, mut next: impl FnMut() -> u64) -> u64 {
    assert!(bound > 0, "there is nothing to draw from");
    let incomplete = (u64::MAX % bound + 1) % bound;
    let last_fair = u64::MAX - incomplete;
    loop {
        let number = next();
        if number <= last_fair {
            return number % bound;
        }
    }
}

/// The index of the entry that is drawn, each with the probability weight / sum of weights. The sum
/// is at least 1.
pub fn pick(weights: &[u64], next: impl FnMut() -> u64) -> usize {
    let mut rest = below(weights.iter().sum(), next);
    for (index, weight) in weights.iter().enumerate() {
        match rest.checked_sub(*weight) {
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

    #[test]
    fn the_incomplete_last_stretch_is_thrown_away() {
        // 2^64 = 3 * 6148914691236517205 + 1, so exactly one number is unfair for a bound of 3.
        let mut numbers = [u64::MAX, 7].into_iter();
        assert_eq!(below(3, || numbers.next().unwrap()), 7 % 3);
        let mut numbers = [u64::MAX - 1].into_iter();
        assert_eq!(below(3, || numbers.next().unwrap()), (u64::MAX - 1) % 3);
        // A power of two divides 2^64: no number is unfair.
        let mut numbers = [u64::MAX].into_iter();
        assert_eq!(below(1 << 63, || numbers.next().unwrap()), (1 << 63) - 1);
    }

    proptest! {
        #[test]
        fn every_number_maps_to_the_entry_whose_stretch_it_falls_into(
            weights in prop::collection::vec(0u64..50, 1..8).prop_filter("a sum", |w| w.iter().sum::<u64>() > 0),
        ) {
            let sum: u64 = weights.iter().sum();
            let mut drawn = vec![0u64; weights.len()];
            for number in 0..sum {
                drawn[pick(&weights, || number)] += 1;
            }
            prop_assert_eq!(drawn, weights);
        }

        #[test]
        fn a_number_is_always_below_the_bound(bound in 1u64.., numbers in prop::collection::vec(any::<u64>(), 1..4)) {
            let mut numbers = numbers.into_iter().chain(0..);
            prop_assert!(below(bound, || numbers.next().unwrap()) < bound);
        }
    }
}
