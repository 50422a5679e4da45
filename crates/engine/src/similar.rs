//! Which past hours were like a moment: near in the space of the risk clauses' margins (regimes §10), and what price did after them.
//!
//! Pure: rows come in, positions and spreads go out. Who asks has read only rows that were known at the moment.

use crate::kernel::rank::quantile;
use crate::rules::{RuleBook, judge};
use barograph_domain::similar::SpreadView;
use barograph_domain::{Cell, Span, Ts};

/// Margins that two moments must share, at least.
const SHARED_MIN: usize = 3;

/// How far each clause of the risk axis is from its threshold, in scale units; `None` where its reading is not known or a stand-in
/// takes its place.
#[must_use]
pub fn margins(book: &RuleBook, cells: &[Cell]) -> Vec<Option<f64>> {
    let clauses = book.rules().iter().flat_map(|r| &r.groups).flat_map(|g| &g.clauses);
    clauses
        .map(|c| {
            let judged = judge(book, cells, c);
            judged.margin.filter(|m| !judged.by_default && m.is_finite())
        })
        .collect()
}

/// Root of the mean squared difference over the margins that both know; `None` where they share less than half of those of the
/// first.
#[must_use]
pub fn distance(a: &[Option<f64>], b: &[Option<f64>]) -> Option<f64> {
    let known = a.iter().flatten().count();
    let (mut sum, mut shared) = (0.0, 0_usize);
    for (x, y) in a.iter().zip(b) {
        if let (Some(x), Some(y)) = (x, y) {
            sum += (x - y) * (x - y);
            shared += 1;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a few dozen clauses")]
    let n = shared as f64;
    (shared >= SHARED_MIN && shared * 2 >= known).then(|| (sum / n).sqrt())
}

/// Positions of the nearest of some moments, nearest first, each so far from those before it; ties go to the earlier moment.
#[must_use]
pub fn nearest(distances: &[(Ts, Option<f64>)], apart: Span, most: usize) -> Vec<usize> {
    let mut order: Vec<(usize, f64)> =
        distances.iter().enumerate().filter_map(|(at, (_, d))| Some((at, (*d)?))).collect();
    order.sort_by(|(i, a), (j, b)| a.total_cmp(b).then(i.cmp(j)));
    let mut chosen: Vec<usize> = Vec::with_capacity(most);
    for (at, _) in order {
        let ts = distances[at].0;
        if chosen.iter().all(|c| (distances[*c].0 - ts).0.abs() >= apart.0) {
            chosen.push(at);
            if chosen.len() == most {
                break;
            }
        }
    }
    chosen
}

/// Spread of some moves.
#[must_use]
pub fn spread(moves: impl Iterator<Item = f64>) -> SpreadView {
    let mut all: Vec<f64> = moves.collect();
    all.sort_by(f64::total_cmp);
    let at = |q| quantile(&all, q);
    SpreadView { n: all.len(), p10: at(0.1), p50: at(0.5), p90: at(0.9) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_is_that_of_what_both_know() {
        let (a, b) = ([Some(1.0), Some(2.0), None, Some(0.0)], [Some(1.0), Some(5.0), Some(9.0), Some(0.0)]);
        assert_eq!(distance(&a, &b), Some(3.0_f64.sqrt()));
        assert_eq!(distance(&a, &a), Some(0.0));
        assert_eq!(distance(&a, &[Some(1.0), None, None, Some(2.0)]), None, "two margins are too few");
        assert_eq!(distance(&[None; 4], &b), None);
    }

    #[test]
    fn the_nearest_lie_apart_and_the_earlier_of_two_alike_is_taken() {
        let at = |h: i64, d: f64| (Ts(0) + Span::hours(h), Some(d));
        let all = [at(0, 0.3), at(1, 0.1), at(2, 0.2), at(9, 0.1), at(30, 0.0), (Ts(0), None)];
        assert_eq!(nearest(&all, Span::hours(4), 9), [4, 1, 3]);
        assert_eq!(nearest(&all, Span::days(1), 9), [4, 1]);
        assert_eq!(nearest(&all, Span::hours(1), 2), [4, 1]);
        assert!(nearest(&[], Span::hours(1), 2).is_empty());
    }

    #[test]
    fn a_spread_names_its_sample() {
        let s = spread((0..=10).map(|n| f64::from(n) / 10.0));
        assert_eq!((s.n, s.p10, s.p50, s.p90), (11, Some(0.1), Some(0.5), Some(0.9)));
        assert_eq!(spread(core::iter::empty()).p50, None);
    }
}
