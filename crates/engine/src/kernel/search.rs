//! Bisection that begins where the answer is expected.

/// As [`slice::partition_point`], looked for from `near` on in doubling steps: two questions where the answer is there, and four
/// times the logarithm of the distance at most elsewhere. The answer does not depend on `near`, which may lie behind the end.
#[inline]
pub fn partition_near<T>(sorted: &[T], near: usize, before: impl Fn(&T) -> bool) -> usize {
    place_near(sorted.len(), near, |at| before(&sorted[at]))
}

/// The same of `count` things known by their places.
#[inline]
pub fn place_near(count: usize, near: usize, before: impl Fn(usize) -> bool) -> usize {
    let near = near.min(count);
    // What is before `low` is before the answer, what is from `high` on is not.
    let (mut low, mut high) = (near, near);
    let mut reach = 1;
    if near < count && before(near) {
        low += 1;
        high = loop {
            match low + reach - 1 {
                at if at >= count => break count,
                at if before(at) => low = at + 1,
                at => break at,
            }
            reach *= 2;
        };
    } else {
        low = loop {
            match high.checked_sub(reach) {
                Some(at) if before(at) => break at + 1,
                Some(at) => high = at,
                None => break 0,
            }
            reach *= 2;
        };
    }
    while low < high {
        let middle = low.midpoint(high);
        if before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_bisection_finds_wherever_it_begins(
            mut values in prop::collection::vec(0_u32..40, 0..70),
            near in 0_usize..90,
            x in 0_u32..41,
        ) {
            values.sort_unstable();
            prop_assert_eq!(partition_near(&values, near, |v| *v < x), values.partition_point(|v| *v < x));
        }
    }

    #[test]
    fn where_it_is_expected_it_asks_twice() {
        let values: Vec<u32> = (0..2_000).collect();
        let asked = std::cell::Cell::new(0);
        let found = partition_near(&values, 700, |v| {
            asked.set(asked.get() + 1);
            *v < 700
        });
        assert_eq!((found, asked.get()), (700, 2));
    }
}
