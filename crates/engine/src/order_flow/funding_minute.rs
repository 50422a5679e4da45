//! The minute before one funding, and what the premium did after it: what FUNDING_WINDOW_PRESSURE judges.

use super::FlowThresholds;
use super::finding::score_of_last;
use barograph_domain::{Span, Ts};
use serde::{Deserialize, Serialize};

/// The minute.
pub(super) const WINDOW: Span = Span::secs(60);
/// A premium comes back within this, or not.
const AFTER: Span = Span::mins(5);
/// Fundings of its own that a market needs: a standard score above 4 wants seventeen others at least.
pub(super) const FUNDINGS_MIN: usize = 18;

/// A funding whose minute is under way or whose premium is awaited.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct FundingMinute {
    pub(super) funding: Ts,
    /// Bought less sold, base units.
    pub(super) signed: f64,
    /// The premium when it began, and at funding.
    before: f64,
    at_funding: Option<f64>,
    z: Option<f64>,
    /// Share of the premium's move that was undone since.
    reverted: f64,
}

/// Pressure that was found.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct FoundPressure {
    pub(super) at: Ts,
    pub(super) z: f64,
    pub(super) reverted: f64,
    pub(super) bought: bool,
}

impl FundingMinute {
    pub(super) const fn new(funding: Ts, before: f64) -> Self {
        Self { funding, signed: 0.0, before, at_funding: None, z: None, reverted: 0.0 }
    }

    /// A second after funding closed; `usual` are the signed volumes of earlier minutes.
    pub(super) fn ended(&mut self, premium: Option<f64>, usual: impl Iterator<Item = f64>) {
        if let Some(at_funding) = self.at_funding {
            let moved = at_funding - self.before;
            let back = premium.map_or(0.0, |now| if moved == 0.0 { 0.0 } else { (at_funding - now) / moved });
            self.reverted = self.reverted.max(back);
        } else {
            self.at_funding = premium;
            let all: Vec<f64> = usual.chain([self.signed]).collect();
            self.z = score_of_last(&all).filter(|_| all.len() > FUNDINGS_MIN);
        }
    }

    /// The premium is awaited no longer.
    pub(super) fn is_over(&self, now: Ts) -> bool {
        now - self.funding >= AFTER
    }

    /// Whether it was pressure, as far as is known now.
    pub(super) fn pressure(&self, now: Ts, t: &FlowThresholds) -> Option<FoundPressure> {
        let z = self.z.filter(|z| z.abs() > t.window_z && self.reverted >= t.window_reverted)?;
        Some(FoundPressure { at: now, z: z.abs(), reverted: self.reverted, bought: self.signed > 0.0 })
    }
}
