//! The four signs of WASH_TRADING in one hour (surveillance §5): pairs that cancel each other out, first digits, volume without cause,
//! round sizes.

use super::FlowThresholds;
use super::HourContext;
use super::finding::score_of_last;
use super::hours::{HourRow, HourSum, Hours};
use crate::kernel::rank;
use serde::{Deserialize, Serialize};

/// Days of the same hour that a standard score above 3 wants at least.
const DAYS_MIN: usize = 10;

/// Value and limit of each test of an hour; `None`: it was not true.
pub(super) type TrueSigns = [Option<(f64, f64)>; 4];

/// What the four tests of surveillance §5 measure of one hour; `None` where there is nothing to measure by.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct WashSigns {
    /// (a) Share of the hour's volume in pairs that cancel each other out, in 0 to 1.
    pub pairs: f64,
    /// Share that (a) has to exceed.
    pub pairs_from: f64,
    /// (b) Effect of first digits against Benford's law; `None` where sizes span less than two decades.
    pub digits: Option<f64>,
    /// (c) Standard score of the volume among the same hour of earlier days; `None` before there are ten of them.
    pub volume_z: Option<f64>,
    /// (d) Change of the share of round sizes against earlier hours, in 0 to 1; `None` without any.
    pub round: Option<f64>,
}

/// The signs of an hour, and value and limit of each test that is true.
pub(super) fn signs(
    hour: &HourSum,
    row: &HourRow,
    past: &Hours,
    c: &HourContext,
    t: &FlowThresholds,
) -> (WashSigns, TrueSigns) {
    let mut shares: Vec<f64> = past.rows().map(|r| r.pairs).collect();
    shares.sort_unstable_by(f64::total_cmp);
    let pairs_from = rank::quantile(&shares, t.wash_pairs_q).unwrap_or(1.0).max(t.wash_pairs);
    let pairs = (row.pairs > pairs_from).then_some((row.pairs, pairs_from));
    let first = hour.first_digits();
    let digits = first.zip(c.digits_elsewhere).filter(|(d, other)| d.p < t.wash_digits_p && d.effect > *other);
    let same: Vec<f64> = past.same_hour(row.number).map(|r| r.volume).chain([row.volume]).collect();
    let z = if same.len() > DAYS_MIN { score_of_last(&same) } else { None };
    let calm = |pct: Option<f64>| pct.is_some_and(|p| p < t.wash_calm_pct);
    let volume = z.filter(|z| *z > t.wash_volume_z && calm(c.volatility_pct) && calm(c.open_interest_pct));
    let hours = past.rows().len();
    let mean = past.rows().map(|r| r.round).sum::<f64>() / hours as f64;
    let round = (hours > 0).then(|| (row.round - mean).abs());
    let true_tests = [
        pairs,
        digits.map(|(d, other)| (d.effect, other.max(1e-3))),
        volume.map(|z| (z, t.wash_volume_z)),
        round.filter(|r| *r > t.wash_round).map(|r| (r, t.wash_round)),
    ];
    let signs = WashSigns { pairs: row.pairs, pairs_from, digits: first.map(|d| d.effect), volume_z: z, round };
    (signs, true_tests)
}

#[cfg(test)]
mod tests {
    use super::super::accounting::RestingSide;
    use super::*;
    use barograph_domain::Ts;

    /// Sizes that all begin with the same digit are a sign where other venues' do not, and by themselves none.
    #[test]
    fn digits_are_held_against_other_venues() {
        let t = FlowThresholds::default();
        let mut hours = Hours::default();
        for n in 0..300_i64 {
            let size = [7.0, 71.0, 703.0][usize::try_from(n).unwrap() % 3];
            hours.trade(Ts(n * 2_000_000_000), (100 + n, 1.0), size, RestingSide::Ask);
        }
        let (hour, row) = hours.close(0);
        let own = hour.first_digits().unwrap();
        assert!(own.p < t.wash_digits_p && own.effect > 1.0, "{own:?}");
        let cases = [(None, None), (Some(0.2), Some((own.effect, 0.2))), (Some(own.effect), None), (Some(9.0), None)];
        for (digits_elsewhere, expected) in cases {
            let context = HourContext { digits_elsewhere, ..HourContext::default() };
            assert_eq!(signs(&hour, &row, &hours, &context, &t).1[1], expected, "{digits_elsewhere:?}");
        }
        // Natural sizes are none, whatever others do.
        for n in 0..3_000_i64 {
            let size = barograph_domain::math::pow(10.0, (n as f64 + 0.5) / 1_000.0);
            hours.trade(Ts(n * 1_000_000_000), (100, 1.0), size, RestingSide::Ask);
        }
        let (hour, row) = hours.close(1);
        let context = HourContext { digits_elsewhere: Some(0.0), ..HourContext::default() };
        assert_eq!(signs(&hour, &row, &hours, &context, &t).1[1], None);
    }
}
