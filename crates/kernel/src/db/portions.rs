/// How many rows one statement carries at most.
const MOST: usize = 32;
/// Up to how many rows any number goes into one statement.
const ANY: usize = 6;

/// Rows, portioned for statements of few lengths: each length is prepared on each connection, and those that are not used
/// again push out others. Up to 6 rows are one portion, of more each is a power of two of up to 32.
pub fn portions<T>(mut rows: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    std::iter::from_fn(move || {
        let size = match rows.len() {
            0 => return None,
            few @ ..=ANY => few,
            many => MOST.min(1 << many.ilog2()),
        };
        let later = rows.split_off(size);
        Some(std::mem::replace(&mut rows, later))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_row_is_lost_and_few_lengths_are_used() {
        let mut lengths = std::collections::BTreeSet::new();
        for count in 0..300 {
            let rows: Vec<usize> = (0..count).collect();
            let all: Vec<Vec<usize>> = portions(rows.clone()).collect();
            lengths.extend(all.iter().map(Vec::len));
            assert_eq!(all.concat(), rows);
            assert!(count > ANY || all.len() <= 1, "{count} rows");
        }
        assert_eq!(lengths, [1, 2, 3, 4, 5, 6, 8, 16, 32].into());
    }
}
