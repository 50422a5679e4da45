//! The running median of what was predicted before.

use std::collections::VecDeque;

/// For each place the median of the newest `window` numbers before it, at least `needed`; absent numbers take no place in the window.
pub(crate) fn running_medians(
    values: impl Iterator<Item = Option<f64>>,
    window: usize,
    needed: usize,
) -> Vec<Option<f64>> {
    let (mut newest, mut sorted) = (VecDeque::with_capacity(window), Vec::<f64>::with_capacity(window));
    let place = |sorted: &[f64], value: f64| sorted.partition_point(|v| v.total_cmp(&value).is_lt());
    let mut out = Vec::new();
    for value in values {
        out.push(median(&sorted).filter(|_| sorted.len() >= needed));
        let Some(value) = value.filter(|v| v.is_finite()) else { continue };
        sorted.insert(place(&sorted, value), value);
        newest.push_back(value);
        if newest.len() > window
            && let Some(oldest) = newest.pop_front()
        {
            sorted.remove(place(&sorted, oldest));
        }
    }
    out
}

fn median(sorted: &[f64]) -> Option<f64> {
    let n = sorted.len();
    let upper = sorted.get(n / 2)?;
    Some(if n % 2 == 1 { *upper } else { 0.5 * (sorted[n / 2 - 1] + upper) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_came_before_counts() {
        let values = [Some(3.0), None, Some(1.0), Some(2.0), Some(9.0), Some(9.0), Some(0.0)];
        let got = running_medians(values.into_iter(), 3, 2);
        assert_eq!(got, [None, None, None, Some(2.0), Some(2.0), Some(2.0), Some(9.0)]);
    }
}
