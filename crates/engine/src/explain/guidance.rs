//! What a label means for a person: bias, posture and words (regimes §8, §9).

use barograph_domain::{Posture, RiskBias, RiskRegime};

/// Bias and posture of a label while everything is fresh.
#[must_use]
pub const fn mapping(label: RiskRegime) -> (RiskBias, Posture) {
    match label {
        RiskRegime::SqueezeRisk | RiskRegime::HighVol => (RiskBias::Conservative, Posture::Reduce),
        RiskRegime::ChopRisk | RiskRegime::Unknown => (RiskBias::Conservative, Posture::Hold),
        RiskRegime::Normal => (RiskBias::Neutral, Posture::Normal),
    }
}
