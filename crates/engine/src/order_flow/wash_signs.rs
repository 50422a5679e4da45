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
