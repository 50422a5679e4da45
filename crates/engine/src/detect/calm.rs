//! Detectors that have nothing to say, found without asking them: in most minutes that are most of them.
//!
//! Of each the cheapest question that is enough. Whoever is not found calm is judged by the table, which alone decides.

use super::inputs::Inputs;
use super::table::larger_share;
use super::thresholds::Thresholds;
use barograph_domain::{Cell, State};

/// A bit for each of [`super::table::DETECTORS`]: set where its judgement surely is one that does not fire.
#[inline]
pub(super) fn calm(i: &Inputs, t: &Thresholds) -> u32 {
    let (l, limits) = (&i.liquidations, &t.liquidations);
    let steady = below(&i.funding_change, t.funding.change);
    let one_sided = |share: &Cell| larger_share(share.value) < limits.one_sided_share;
    let calm = [
        below(&i.funding_zscore, t.funding_manipulation_z),
        steady && below(&i.funding_zscore, t.funding.anomaly_z),
        steady && is_ready(&i.funding_rate),
        below(&i.farming_share, t.farming_share),
        below(&l.count_60s, limits.burst_count),
        below(&l.velocity, limits.critical_velocity) && is_ready(&l.total),
        is_ready(&l.long_share_1h) && (below(&l.events_1h, limits.one_sided_events) || one_sided(&l.long_share_1h)),
        below(&i.basis, t.basis),
        below(&i.premium, t.premium),
        below(&i.concentration, t.concentration),
    ];
    calm.iter().enumerate().fold(0, |bits, (at, calm)| bits | u32::from(*calm) << at)
}

#[inline]
fn is_ready(cell: &Cell) -> bool {
    matches!(cell.state, State::Ready)
}

/// A number whose size is below a limit.
#[inline]
fn below(cell: &Cell, limit: f64) -> bool {
    is_ready(cell) && cell.value.abs() < limit
}

#[cfg(test)]
mod tests {
    use super::super::table::{DETECTORS, Judgement};
    use super::*;
    use barograph_domain::{Kind, Reason, Ts};
    use proptest::prelude::*;

    /// A reading at, beside or far from what it is compared with.
    fn reading(limits: Vec<f64>) -> impl Strategy<Value = Cell> {
        let at = prop_oneof![4 => prop::sample::select(limits), 1 => Just(0.0), 1 => Just(0.5)];
        let number = (at, 0_u8..5).prop_map(|(x, how): (f64, u8)| match how {
            0 => x,
            1 => x.next_up(),
            2 => x.next_down(),
            3 => -x,
            _ => 0.3 * x,
        });
        let state = prop_oneof![
            12 => Just(State::Ready),
            1 => Just(State::Stale),
            1 => Just(State::Warming { have: 1, need: 2 }),
            1 => prop::sample::select(Reason::ALL.to_vec()).prop_map(State::Undefined),
        ];
        (number, state).prop_map(|(x, state)| Cell { state, ..Cell::ready_at(x, Ts(0), Kind::Measured) })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn who_is_calm_is_judged_and_does_not_fire(
            own_history in any::<bool>(),
            funding in prop::collection::vec(reading(vec![2.0, 3.0, 0.0005, 0.0003, 0.7, 0.95]), 5),
            sums in prop::collection::vec(reading(vec![5.0, 10.0, 1e6, 2e6, 1e7]), 5),
            shares in prop::collection::vec(reading(vec![0.01, 0.02, 0.3, 0.7, 0.8, 3.0, 10.0]), 5),
        ) {
            let t = Thresholds { own_history, ..Thresholds::default() };
            let limits = [
                t.funding_manipulation_z, t.funding.anomaly_z, t.funding.change, t.liquidations.burst_count,
                t.liquidations.critical_velocity, t.liquidations.cascade_total, t.liquidations.one_sided_events,
            ];
            let mut i = Inputs::nothing(Ts(0));
            [i.funding_rate, i.funding_zscore, i.funding_change, i.farming_share, i.funding_pct] =
                [funding[0], funding[1], funding[2], funding[3], funding[4]];
            let l = &mut i.liquidations;
            [l.count_60s, l.burst_threshold, l.velocity, l.total, l.events_1h] =
                [sums[0], sums[1], sums[2], sums[3], sums[4]];
            [l.long_share_1h, i.basis, i.premium, i.concentration, l.velocity_pct] =
                [shares[0], shares[1], shares[2], shares[3], shares[4]];
            for scale in [1.0, limits[0], limits[2], limits[4]] {
                let mut i = i;
                i.funding_change.value *= scale;
                i.liquidations.velocity.value *= scale;
                let calm = calm(&i, &t);
                prop_assert_eq!(calm >> DETECTORS.len(), 0);
                for (at, detector) in DETECTORS.iter().enumerate().filter(|(at, _)| calm >> at & 1 == 1) {
                    let judged = (detector.judge)(&i, &t);
                    prop_assert!(
                        matches!(judged, Judgement::Of(finding) if !finding.fires),
                        "{at} {:?}: {judged:?}", detector.pattern
                    );
                }
            }
        }
    }
}
