//! Sorting rows by hashes, which are spread evenly: most of the work is to put each where its first bits say.

/// Fewer rows are sorted as they are.
const MANY: usize = 4_096;
/// Rows for each place: few enough that they are sorted in the nearest cache.
const PER_PLACE: usize = 64;

/// Sorts by a hash and, of the same hash, by a second key. Rows of the same two keep their order.
pub(super) fn sort<T: Copy, K: Ord>(rows: &mut [T], hash: impl Fn(&T) -> u64, then: impl Fn(&T) -> K) {
    let both = |row: &T| (hash(row), then(row));
    if rows.len() < MANY {
        return rows.sort_by_key(both);
    }
    let bits = (rows.len() / PER_PLACE).ilog2().min(16);
    let place = |row: &T| (hash(row) >> (64 - bits)) as usize;
    let mut begins = vec![0_u32; 1 << bits];
    for row in rows.iter() {
        begins[place(row)] += 1;
    }
    let mut before = 0;
    for begin in &mut begins {
        before += std::mem::replace(begin, before);
    }
    // What is there is taken from a copy, in its order.
    let unsorted = rows.to_vec();
    for row in unsorted {
        let next = &mut begins[place(&row)];
        rows[*next as usize] = row;
        *next += 1;
    }
    // Each has become the end of its place.
    let mut begin = 0;
    for end in begins {
        rows[begin as usize..end as usize].sort_by_key(both);
        begin = end;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn the_order_is_that_of_any_other_sort(
            hashes in proptest::collection::vec(prop_oneof![any::<u64>(), 0..9_u64, Just(u64::MAX)], 0..12_000),
        ) {
            let mut rows: Vec<(u64, u32, usize)> =
                hashes.into_iter().enumerate().map(|(at, hash)| (hash, at as u32 % 5, at)).collect();
            let mut expected = rows.clone();
            expected.sort_by_key(|(hash, then, _)| (*hash, *then));
            sort(&mut rows, |(hash, ..)| *hash, |(_, then, _)| *then);
            prop_assert_eq!(rows, expected);
        }
    }
}
