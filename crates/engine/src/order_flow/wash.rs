//! WASH_TRADING: an hour of trades that look made by one hand on both sides (surveillance §5): pairs that cancel each other out,
//! first digits that are not those of natural sizes, volume without cause, another share of round sizes.

use super::FlowThresholds;
use super::HourContext;
use super::facts::Facts;
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict, Strengths, score_of_last};
use super::hours::{HourRow, HourSum, Hours};
use super::view::FlowView;
use crate::kernel::rank;
use barograph_domain::Severity;
use serde::{Deserialize, Serialize};

/// Hours of its own that a market needs, and days of the same hour: a standard score above 3 wants ten others at least.
const HOURS_MIN: usize = 24;
const DAYS_MIN: usize = 10;

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct WashTrading {
    /// Hours in a row in which enough tests were true, and how many were in the last.
    run: u32,
    tests: u32,
    judged: bool,
    trades: u32,
    /// Value and limit of each test of the last hour; `None`: it was not true.
    found: [Option<(f64, f64)>; 4],
}

const NAMES: [(&str, &str); 4] =
    [("wash_pairs", "[0,1]"), ("wash_digits", "ratio"), ("wash_volume_z", "σ"), ("wash_round", "[0,1]")];

impl WashTrading {
    /// Judges an hour that is over. Does it count among what is usual?
    pub(super) fn hour(
        &mut self,
        (hour, row): (&HourSum, &HourRow),
        past: &Hours,
        c: &HourContext,
        t: &FlowThresholds,
    ) -> bool {
        let enough = past.rows().len() >= HOURS_MIN && !hour.broken;
        let few = f64::from(hour.trades) < t.wash_trades;
        (self.judged, self.trades) = (enough, hour.trades);
        self.found = if enough && !few { signs(hour, row, past, c, t).1 } else { [None; 4] };
        self.tests = self.found.iter().flatten().fold(0, |n, _| n + 1);
        let hit = f64::from(self.tests) >= t.wash_tests;
        self.run = if hit { self.run.saturating_add(1) } else { 0 };
        !hit && !hour.broken
    }

    /// Hours in a row in which enough tests were true, with the last.
    pub(super) const fn run(&self) -> u32 {
        self.run
    }

    /// Was the last hour judged, and not passed over for too few trades?
    pub(super) fn has_judged(&self, t: &FlowThresholds) -> bool {
        self.judged && f64::from(self.trades) >= t.wash_trades
    }

    /// Which tests were true in the last hour.
    pub(super) fn true_tests(&self) -> [bool; 4] {
        self.found.map(|found| found.is_some())
    }

    /// There are enough such hours in a row.
    pub(super) fn holds(&self, t: &FlowThresholds) -> bool {
        f64::from(self.run) >= t.wash_hours
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, _factor: f64) -> FlowVerdict {
        let finding = || {
            let strength = |((name, unit), found): ((&'static str, &'static str), Option<(f64, f64)>)| {
                found.map(|(value, limit)| EvidenceStrength::of(name, value, limit, unit))
            };
            let mut strengths: Strengths = [None; 4];
            NAMES.into_iter().zip(self.found).map(strength).zip(&mut strengths).for_each(|(s, to)| *to = s);
            let severity = if self.tests >= 3 { Severity::High } else { Severity::Medium };
            FlowFinding { holds: self.holds(v.t), strengths, severity }
        };
        v.of_trades(finding, self.judged)
    }

    pub(super) fn show(&self, facts: &mut Facts) {
        facts.number("tests", f64::from(self.tests));
        facts.number("hours", f64::from(self.run));
        facts.number("trades_1h", f64::from(self.trades));
        for ((name, _), found) in NAMES.iter().zip(self.found) {
            facts.flag(name, found.is_some());
        }
    }
}

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
) -> (WashSigns, [Option<(f64, f64)>; 4]) {
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
