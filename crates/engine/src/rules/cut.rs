//! Where a percentile clause crosses its threshold, in the unit of the feature it ranks (regimes §10.1).
//!
//! The window is held fixed but for its newest value x. The mid-rank of x is a rising step function of x whose steps lie
//! at the other values, so the boundary is found by bisection and is exact to the last bit, ties included. Without ties it lies at
//! the threshold's own share of the values, where the search begins.

use super::Op;
use crate::kernel::{partition_near, place_near};

/// For `>` and `>=` the smallest x for which `pct(x) op theta` holds, for `<` and `<=` the largest; `None` when no x does.
///
/// `others` is the percentile window without its newest value, ascending. A clause that holds for every x gives the most
/// negative (largest) number. `==` has no such boundary and gives `None`; books refuse it on percentiles.
#[must_use]
pub fn cut(others: &[f64], op: Op, theta: f64) -> Option<f64> {
    match op {
        Op::Gt | Op::Ge => lowest(others, op, theta),
        Op::Lt | Op::Le => highest(others, op, theta),
        Op::Eq => None,
    }
}

/// Mid-rank of a value with `less` window members below it and `equal` equal to it, itself included (features §1.1).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "window sizes are far below 2^52")]
pub fn mid_rank(less: usize, equal: usize, n: usize) -> f64 {
    (less as f64 + 0.5 * equal as f64) / n as f64
}

/// Mid-rank of `x` in the window that consists of `others` and `x` itself.
#[must_use]
pub fn rank_of(others: &[f64], x: f64) -> f64 {
    let less = others.partition_point(|v| *v < x);
    let equal = others[less..].partition_point(|v| *v <= x) + 1;
    mid_rank(less, equal, others.len() + 1)
}

/// How many of `others` have a rank that is `before` the boundary, which is near their share `theta`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "window sizes are far below 2^52, and where the search begins changes nothing"
)]
fn boundary(others: &[f64], theta: f64, before: impl Fn(f64) -> bool) -> usize {
    let near = (theta * others.len() as f64) as usize;
    place_near(others.len(), near, |at| {
        let less = partition_near(others, at, |v| *v < others[at]);
        let upto = partition_near(others, at, |v| *v <= others[at]);
        before(mid_rank(less, upto - less + 1, others.len() + 1))
    })
}

fn lowest(others: &[f64], op: Op, theta: f64) -> Option<f64> {
    let first = boundary(others, theta, |rank| !op.holds(rank, theta));
    let between = op.holds(mid_rank(first, 1, others.len() + 1), theta);
    let above_previous = match first.checked_sub(1).map(|i| others[i]) {
        None => f64::MIN,
        Some(previous) => previous.next_up(),
    };
    match others.get(first) {
        Some(next) if between && above_previous < *next => Some(above_previous),
        Some(next) => Some(*next),
        None => (between && above_previous.is_finite()).then_some(above_previous),
    }
}

fn highest(others: &[f64], op: Op, theta: f64) -> Option<f64> {
    let end = boundary(others, theta, |rank| op.holds(rank, theta));
    let between = op.holds(mid_rank(end, 1, others.len() + 1), theta);
    let below_next = match others.get(end) {
        None => f64::MAX,
        Some(next) => next.next_down(),
    };
    match end.checked_sub(1).map(|i| others[i]) {
        Some(previous) if between && below_next > previous => Some(below_next),
        Some(previous) => Some(previous),
        None => (between && below_next.is_finite()).then_some(below_next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ties_ends_and_the_unreachable() {
        let w = [1.0, 2.0, 2.0, 3.0];
        // At 2: (1 + 1.5)/5 = 0.5; just above 2: (3 + 0.5)/5 = 0.7.
        assert_eq!(cut(&w, Op::Gt, 0.5), Some(2.0_f64.next_up()));
        assert_eq!(cut(&w, Op::Ge, 0.5), Some(2.0));
        assert_eq!(cut(&w, Op::Lt, 0.5), Some(2.0_f64.next_down()));
        assert_eq!(cut(&w, Op::Le, 0.5), Some(2.0));
        assert_eq!(cut(&w, Op::Gt, 0.95), None, "0.9 is the highest rank of five");
        assert_eq!(cut(&w, Op::Gt, 0.05), Some(f64::MIN), "0.1 is the lowest");
        assert_eq!(cut(&w, Op::Lt, 0.05), None);
        assert_eq!(cut(&w, Op::Lt, 0.95), Some(f64::MAX));
        assert_eq!(cut(&[], Op::Gt, 0.4), Some(f64::MIN), "one value ranks 0.5");
    }

    proptest! {
        #[test]
        #[expect(clippy::float_cmp, reason = "ties are equal values")]
        fn the_cut_is_where_brute_force_finds_it(
            raw in prop::collection::vec(-6_i32..6, 0..24),
            op in prop::sample::select(vec![Op::Gt, Op::Ge, Op::Lt, Op::Le]),
            theta in prop_oneof![0.0..1.0_f64, (0_u32..50).prop_map(|k| f64::from(k) / 50.0)],
        ) {
            let mut others: Vec<f64> = raw.iter().map(|v| f64::from(*v) * 0.25).collect();
            others.sort_by(f64::total_cmp);
            let n = others.len() + 1;
            let brute = |x: f64| {
                let less = others.iter().filter(|v| **v < x).count();
                let equal = others.iter().filter(|v| **v == x).count() + 1;
                op.holds(mid_rank(less, equal, n), theta)
            };
            let c = cut(&others, op, theta);
            let probes = others.iter().flat_map(|v| [v.next_down(), *v, v.next_up()]).chain([f64::MIN, -0.1, 0.1, f64::MAX]);
            for x in probes.chain(c).chain(c.map(f64::next_up)).chain(c.map(f64::next_down)).filter(|x| x.is_finite()) {
                let by_cut = match c {
                    None => false,
                    Some(c) if op.is_above() => x >= c,
                    Some(c) => x <= c,
                };
                prop_assert_eq!(by_cut, brute(x), "x = {:e}, cut = {:?}", x, c);
            }
        }
    }
}
