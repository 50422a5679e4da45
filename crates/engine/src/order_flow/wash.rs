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
        self.found = if enough && !few { tests(hour, row, past, c, t) } else { [None; 4] };
        self.tests = self.found.iter().flatten().fold(0, |n, _| n + 1);
        let hit = f64::from(self.tests) >= t.wash_tests;
        self.run = if hit { self.run.saturating_add(1) } else { 0 };
        !hit && !hour.broken
    }

    pub(super) fn judge(&self, v: &FlowView<'_>, _factor: f64) -> FlowVerdict {
        let finding = || {
            let strength = |((name, unit), found): ((&'static str, &'static str), Option<(f64, f64)>)| {
                found.map(|(value, limit)| EvidenceStrength::of(name, value, limit, unit))
            };
            let mut strengths: Strengths = [None; 4];
            NAMES.into_iter().zip(self.found).map(strength).zip(&mut strengths).for_each(|(s, to)| *to = s);
            let severity = if self.tests >= 3 { Severity::High } else { Severity::Medium };
            FlowFinding { holds: f64::from(self.run) >= v.t.wash_hours, strengths, severity }
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

/// The four tests of an hour: value and limit of each that is true.
fn tests(hour: &HourSum, row: &HourRow, past: &Hours, c: &HourContext, t: &FlowThresholds) -> [Option<(f64, f64)>; 4] {
    let mut shares: Vec<f64> = past.rows().map(|r| r.pairs).collect();
    shares.sort_unstable_by(f64::total_cmp);
    let pairs_from = rank::quantile(&shares, t.wash_pairs_q).unwrap_or(1.0).max(t.wash_pairs);
    let pairs = (row.pairs > pairs_from).then_some((row.pairs, pairs_from));
    let digits =
        hour.first_digits().zip(c.digits_elsewhere).filter(|(d, other)| d.p < t.wash_digits_p && d.effect > *other);
    let same: Vec<f64> = past.same_hour(row.number).map(|r| r.volume).chain([row.volume]).collect();
    let z = if same.len() > DAYS_MIN { score_of_last(&same) } else { None };
    let calm = |pct: Option<f64>| pct.is_some_and(|p| p < t.wash_calm_pct);
    let volume = z.filter(|z| *z > t.wash_volume_z && calm(c.volatility_pct) && calm(c.open_interest_pct));
    let mean = past.rows().map(|r| r.round).sum::<f64>() / past.rows().len() as f64;
    let round = (row.round - mean).abs();
    [
        pairs,
        digits.map(|(d, other)| (d.effect, other.max(1e-3))),
        volume.map(|z| (z, t.wash_volume_z)),
        (round > t.wash_round).then_some((round, t.wash_round)),
    ]
}
