//! The one table of texts that belong to the words of [`crate::regime`] (payloads §3, regimes §8): own words, English,
//! kept as data so that they can be translated and are left out of the logic version.

use crate::regime::{Posture, RiskBias, RiskRegime, StopVulnerability};

/// What a word means and what a careful person does about it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct GuidanceText {
    /// What it means.
    pub description: &'static str,
    /// What to do; empty where the word asks for nothing.
    pub action: &'static str,
}

const fn text(description: &'static str, action: &'static str) -> GuidanceText {
    GuidanceText { description, action }
}

/// Texts of the risk labels.
#[must_use]
pub const fn of_risk(label: RiskRegime) -> GuidanceText {
    match label {
        RiskRegime::Normal => text("no extremes found", ""),
        RiskRegime::ChopRisk => text("high volatility without new positions: whipsaws likely", ""),
        RiskRegime::SqueezeRisk => text("crowded, growing and quiet: a liquidation cascade is possible", ""),
        RiskRegime::HighVol => text("volatility above 80 % a year", ""),
        RiskRegime::Unknown => text("an input is missing or too old to judge", ""),
    }
}

/// Texts of the biases.
#[must_use]
pub const fn of_bias(bias: RiskBias) -> GuidanceText {
    match bias {
        RiskBias::Conservative => text("caution", "smaller positions, wider stops"),
        RiskBias::Neutral => text("usual tolerance", "standard size"),
        RiskBias::Aggressive => text("favourable", "normal or slightly larger, never above 1 % risk"),
    }
}

/// Texts of the stop vulnerabilities.
#[must_use]
pub const fn of_stops(level: StopVulnerability) -> GuidanceText {
    match level {
        StopVulnerability::Low => text("stops spread out", "usual placement is fine"),
        StopVulnerability::Medium => text("some clustering", "consider adjusting stops"),
        StopVulnerability::High => text("heavy clustering", "wider stop or wait for a better entry"),
    }
}

/// Texts of the postures.
#[must_use]
pub const fn of_posture(posture: Posture) -> GuidanceText {
    match posture {
        Posture::Reduce => text("consider reducing or closing", "review open positions, tighten stops"),
        Posture::Hold => text("keep what you have", "nothing to do now"),
        Posture::Normal => text("usual conditions", "follow your own rules"),
        Posture::Aggressive => text("favourable conditions", "normal or slightly larger within limits"),
    }
}

/// Advice for entries not yet made, by label (regimes §8).
#[must_use]
pub const fn new_entries(label: RiskRegime, posture: Posture) -> &'static str {
    match (label, posture) {
        (RiskRegime::SqueezeRisk | RiskRegime::HighVol, _) => "smaller size, wider stop or wait",
        (RiskRegime::ChopRisk, _) => "fewer entries, expect whipsaw",
        (RiskRegime::Unknown, _) => "data incomplete: wait",
        (RiskRegime::Normal, Posture::Aggressive) => "normal or slightly larger, still ≤ 1 % risk",
        (RiskRegime::Normal, _) => "follow own rules",
    }
}

/// Advice for positions already held, by label (regimes §8).
#[must_use]
pub const fn open_positions(label: RiskRegime) -> &'static str {
    match label {
        RiskRegime::SqueezeRisk | RiskRegime::HighVol => "review, reduce or trail stop",
        RiskRegime::ChopRisk => "keep, no adding",
        RiskRegime::Unknown => "keep",
        RiskRegime::Normal => "no action needed",
    }
}

/// What stop vulnerability adds for new entries (regimes §8); empty for LOW.
#[must_use]
pub const fn stops_add(level: StopVulnerability) -> &'static str {
    match level {
        StopVulnerability::Low => "",
        StopVulnerability::Medium => "consider adjusting stop levels",
        StopVulnerability::High => "wider stop or wait for better entry",
    }
}
