//! Labels that say nothing about their rows and keep how they hang together: blocks of consecutive labels change places.

use barograph_domain::random::SplitMix;

/// Places of labels after the permutation: entry `i` is the place that row `i` takes its label from. The blocks are as long as asked for,
/// but for the last.
pub(crate) fn permuted(n: usize, block: usize, seed: u64) -> Vec<usize> {
    let block = block.max(1);
    let starts: Vec<usize> = (0..n).step_by(block).collect();
    shuffled(starts, seed).into_iter().flat_map(|s| s..(s + block).min(n)).collect()
}

/// The same things in another order (Fisher and Yates).
pub(crate) fn shuffled<T>(mut of: Vec<T>, seed: u64) -> Vec<T> {
    let mut random = SplitMix::new(seed);
    for last in (1..of.len()).rev() {
        let other = usize::try_from(random.below(last as u64 + 1)).unwrap_or_default();
        of.swap(last, other);
    }
    of
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_is_used_once_and_neighbours_stay_together() {
        let places = permuted(1_003, 10, 7);
        let mut sorted = places.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().enumerate().all(|(i, p)| i == *p));
        let kept = places.windows(2).filter(|w| w[0] + 1 == w[1]).count();
        assert!((890..1_003).contains(&kept), "{kept}");
        assert!(places.iter().enumerate().filter(|(i, p)| i == *p).count() < 100);
        assert_ne!(places, permuted(1_003, 10, 8));
    }
}
