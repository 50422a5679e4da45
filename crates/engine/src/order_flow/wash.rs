//! WASH_TRADING: an hour of trades that look made by one hand on both sides (surveillance §5): pairs that cancel each other out,
//! first digits that are not those of natural sizes, volume without cause, another share of round sizes.

use super::FlowThresholds;
use super::HourContext;
use super::facts::Facts;
use super::finding::{EvidenceStrength, FlowFinding, FlowVerdict, Strengths};
use super::hours::{HourRow, HourSum, Hours};
use super::view::FlowView;
use super::wash_signs::{TrueSigns, signs};
use barograph_domain::Severity;
use serde::{Deserialize, Serialize};

/// Hours of its own that a market needs.
const HOURS_MIN: usize = 24;

#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct WashTrading {
    /// Hours in a row in which enough tests were true, and how many were in the last.
    run: u32,
    tests: u32,
    judged: bool,
    trades: u32,
    /// Value and limit of each test of the last hour; `None`: it was not true.
    found: TrueSigns,
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
