//! Every number of the detectors that may be set (R3.26), with the originals' values where nothing is.
//!
//! Keys are those of the `[detectors]` table of a rule book; all of them are part of the logic version.

use crate::features::funding_signals::FundingLimits;
use crate::liquidations::CascadeLimits;
use crate::number_key::NumberKey;
use barograph_domain::Span;
use barograph_domain::thresholds::{BASIS_FAR, CORRELATION_BREAK, CORRELATION_RARE, PREMIUM_FAR};
use serde::{Deserialize, Serialize};

/// Numbers of the detectors.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Thresholds {
    /// Judge a market against its own history where the definition says so (features S09, S10); else the floors alone.
    pub own_history: bool,
    /// Standard score of funding beyond which a pattern is consistent with manipulation (C06).
    pub funding_manipulation_z: f64,
    /// Funding anomalies, reversals and the threshold of farming.
    pub funding: FundingLimits,
    /// Share of its own 30 days that a market's funding must lie beyond, at either end, to be an anomaly (ADR 18).
    pub funding_anomaly_pct: f64,
    /// Share of blocks (R3.19).
    pub farming_share: f64,
    /// Those of liquidations.
    pub liquidations: CascadeLimits,
    /// Ratio of velocities from which a cascade is critical.
    pub cascade_critical_ratio: f64,
    /// Distance of futures and spot (R3.21).
    pub basis: f64,
    /// Distance from which it is high.
    pub basis_high: f64,
    /// Distance of mark and index (R3.24).
    pub premium: f64,
    /// Distance from which it is high.
    pub premium_high: f64,
    /// Share of the largest tier (R3.22).
    pub concentration: f64,
    /// Correlation below which two markets part (R4.24).
    pub correlation: f64,
    /// Share of a pair's own past that is rarer (S10).
    pub correlation_pct: f64,
    /// Score above which a pattern of the third original is high (R3.18).
    pub high_score: f64,
    /// An episode goes on above this part of its threshold.
    pub keep: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            own_history: true,
            funding_manipulation_z: 3.0,
            funding: FundingLimits::default(),
            funding_anomaly_pct: 0.95,
            farming_share: 0.70,
            liquidations: CascadeLimits::default(),
            cascade_critical_ratio: 1.5,
            basis: BASIS_FAR,
            basis_high: 0.03,
            premium: PREMIUM_FAR,
            premium_high: 0.02,
            concentration: 0.30,
            correlation: CORRELATION_BREAK,
            correlation_pct: CORRELATION_RARE,
            high_score: 85.0,
            keep: 0.9,
        }
    }
}

/// A key of the `[detectors]` table; `meaning` is its line in `docs/rules.md`, which `cargo x gen` writes.
pub type ThresholdKey = NumberKey<Thresholds>;

macro_rules! keys {
    ($($name:literal $lo:literal .. $hi:literal $($field:ident).+ : $meaning:literal;)*) => {
        /// Every number that may be set. Times are in hours.
        pub static KEYS: &[ThresholdKey] = &[$(ThresholdKey {
            name: $name,
            range: ($lo, $hi),
            meaning: $meaning,
            get: |t| t.$($field).+,
            set: |t, v| t.$($field).+ = v,
        },)* ThresholdKey {
            name: "cascade_window_h",
            range: (0.25, 24.0),
            meaning: "hours that liquidations are summed over for a cascade",
            get: |t| t.liquidations.cascade_window.as_secs_f64() / 3_600.0,
            set: |t, v| t.liquidations.cascade_window = whole_minutes(v),
        }];
    };
}

#[expect(clippy::cast_possible_truncation, reason = "at most a day of minutes")]
fn whole_minutes(hours: f64) -> Span {
    Span::mins((hours * 60.0).round() as i64)
}

keys! {
    "funding_anomaly_z" 0.1 .. 50.0 funding.anomaly_z: "standard score of funding that is an anomaly";
    "funding_manipulation_z" 0.1 .. 50.0 funding_manipulation_z: "standard score of funding consistent with manipulation";
    "funding_change" 0.000001 .. 1.0 funding.change: "change of the 8 h rate within 8 h that is rapid, as a fraction";
    "funding_volatility" 0.000001 .. 1.0 funding.volatility: "volatility of the 8 h rate that is high, as a fraction";
    "funding_extreme" 0.000001 .. 1.0 funding.extreme: "sum of an 8 h block that counts as farmed, as a fraction";
    "funding_anomaly_pct" 0.5 .. 1.0 funding_anomaly_pct: "share of a market's own 30 days that funding must lie beyond, at either end, to be an anomaly";
    "farming_share" 0.05 .. 1.0 farming_share: "share of the last 21 blocks that is farming";
    "burst_count" 1.0 .. 10000.0 liquidations.burst_count: "liquidations within 60 s that are a burst";
    "critical_velocity" 1.0 .. 1e15 liquidations.critical_velocity: "quote units an hour of liquidations that are critical";
    "cascade_total" 0.0 .. 1e15 liquidations.cascade_total: "quote units of liquidations within the window that a cascade needs";
    "elapsed_floor_h" 0.02 .. 24.0 liquidations.elapsed_floor_h: "least hours a velocity is counted over";
    "cascade_critical_ratio" 1.0 .. 1000.0 cascade_critical_ratio: "velocity over the critical one from which a cascade is CRITICAL";
    "one_sided_share" 0.5 .. 1.0 liquidations.one_sided_share: "share of one side that is one-sided";
    "one_sided_events" 1.0 .. 10000.0 liquidations.one_sided_events: "liquidations within 1 h that a side needs";
    "basis" 0.0001 .. 1.0 basis: "distance of futures and spot, as a fraction; the feature `basis_anomaly` keeps 0.02 whatever stands here";
    "basis_high" 0.0001 .. 1.0 basis_high: "distance of futures and spot that is HIGH";
    "premium" 0.0001 .. 1.0 premium: "distance of mark and index, as a fraction; the feature `premium_deviation_flag` keeps 0.01 whatever stands here";
    "premium_high" 0.0001 .. 1.0 premium_high: "distance of mark and index that is HIGH";
    "concentration" 0.01 .. 1.0 concentration: "share of the largest tier of positions";
    "correlation" -1.0 .. 1.0 correlation: "correlation of two markets below which they part";
    "correlation_pct" 0.0 .. 1.0 correlation_pct: "share of a pair's own past below which a correlation is rare";
    "high_score" 1.0 .. 100.0 high_score: "score above which funding is HIGH";
    "keep" 0.1 .. 1.0 keep: "part of its threshold above which an episode goes on";
}

/// The second of two steps of severity never lies below the first.
const STEPS: [(&str, &str); 3] =
    [("funding_anomaly_z", "funding_manipulation_z"), ("basis", "basis_high"), ("premium", "premium_high")];

impl Thresholds {
    /// The floors of the originals alone.
    #[must_use]
    pub fn floors() -> Self {
        Self { own_history: false, ..Self::default() }
    }
    /// Value of a key; `None` for a name that is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        KEYS.iter().find(|k| k.name == name).map(|k| (k.get)(self))
    }
    /// Sets a key.
    ///
    /// # Errors
    /// What is wrong, in words, when there is no such key or the value lies outside its range.
    pub fn set(&mut self, name: &str, value: f64) -> Result<(), String> {
        NumberKey::set_in(KEYS, self, name, value)
    }
    /// First and second step, with what is wrong in words, wherever the second lies below the first.
    pub fn steps_down(&self) -> impl Iterator<Item = (&'static str, &'static str, String)> + '_ {
        STEPS.iter().filter_map(|(first, second)| {
            let (lo, hi) = (self.get(first)?, self.get(second)?);
            let why = || format!("'{second}' is {hi}, below '{first}' of {lo}; it is the second step of the two");
            (hi < lo).then(|| (*first, *second, why()))
        })
    }
    /// Key and value of everything, for the canonical form of a book.
    pub fn lines(&self) -> impl Iterator<Item = (&'static str, String)> + '_ {
        let own = core::iter::once(("own_history", self.own_history.to_string()));
        own.chain(KEYS.iter().map(|k| (k.name, (k.get)(self).to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_reads_what_it_wrote_and_changes_its_line_only() {
        let base = Thresholds::default();
        let names: BTreeSet<_> = KEYS.iter().map(|k| k.name).collect();
        assert_eq!(names.len(), KEYS.len());
        for key in KEYS {
            let (lo, hi) = key.range;
            assert!((lo..=hi).contains(&(key.get)(&base)), "{}: the original value lies in its range", key.name);
            let mut changed = base;
            let value = if base.get(key.name) == Some(lo) { hi } else { lo };
            changed.set(key.name, value).unwrap();
            let close = (changed.get(key.name).unwrap() - value).abs() <= 1e-9 * value.abs().max(1.0);
            assert!(close, "{}", key.name);
            let differ: Vec<_> = base.lines().zip(changed.lines()).filter(|(a, b)| a != b).map(|(a, _)| a.0).collect();
            assert_eq!(differ, [key.name]);
        }
        let mut t = base;
        assert!(t.set("burst_cuont", 4.0).unwrap_err().contains("did you mean 'burst_count'?"));
        assert!(t.set("basis", 7.0).unwrap_err().contains("between 0.0001 and 1"));
        assert!(t.set("basis", f64::NAN).is_err());
        assert_eq!(t, base);
    }
}
