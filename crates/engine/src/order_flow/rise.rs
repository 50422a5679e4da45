//! A rise that is watched for its fall: what PUMP_AND_DUMP is about once it has opened.

use super::FlowThresholds;
use super::finding::{EvidenceStrength, Strengths};
use barograph_domain::Ts;
use serde::{Deserialize, Serialize};

/// Seconds that a rise is looked for in.
pub(super) const RISE_S: usize = 300;

/// One rise.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Rise {
    pub(super) at: Ts,
    pub(super) from: f64,
    pub(super) top: f64,
    /// The move as a fraction, and its limit.
    pub(super) move_u: (f64, f64),
    /// Volume over the usual one.
    pub(super) volume_u: f64,
    /// Share that buyers took.
    pub(super) buyers: f64,
    /// Greatest share of it that was given back, and when it was enough.
    pub(super) back: f64,
    pub(super) fell: Option<Ts>,
}

impl Rise {
    /// A second closed with this middle price.
    pub(super) fn follow(&mut self, now: Ts, mid: f64, t: &FlowThresholds) {
        self.top = self.top.max(mid);
        self.back = self.back.max((self.top - mid) / (self.top - self.from));
        if self.back >= t.pump_given_back {
            self.fell.get_or_insert(now);
        }
    }

    pub(super) fn strengths(&self, t: &FlowThresholds) -> Strengths {
        let back = EvidenceStrength::of("pump_given_back", self.back, t.pump_given_back, "[0,1]");
        [
            Some(EvidenceStrength::of("pump_rise_5m", self.move_u.0, self.move_u.1, "fraction")),
            Some(EvidenceStrength::of("pump_volume_5m", self.volume_u, t.pump_volume, "ratio")),
            (self.back > 0.0).then_some(back),
            None,
        ]
    }
}
