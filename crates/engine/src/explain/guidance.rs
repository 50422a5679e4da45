//! What a label means for a person: bias, posture and words, apart for new entries and open positions (regimes §8, §9).
//!
//! Staleness overrides everything downwards. AGGRESSIVE needs every condition of the upgrade; a condition whose source is
//! not built counts as not met and is listed.

use super::facts::Facts;
use crate::catalogue::Feature;
use barograph_domain::guidance::{new_entries, of_bias, of_posture, open_positions, stops_add};
use barograph_domain::snapshot::Guidance;
use barograph_domain::{Confirmation, Posture, RiskBias, RiskRegime, StopVulnerability, VolRegime};

/// Bias and posture of a label while everything is fresh and nothing upgrades it.
#[must_use]
pub const fn mapping(label: RiskRegime) -> (RiskBias, Posture) {
    match label {
        RiskRegime::SqueezeRisk | RiskRegime::HighVol => (RiskBias::Conservative, Posture::Reduce),
        RiskRegime::ChopRisk | RiskRegime::Unknown => (RiskBias::Conservative, Posture::Hold),
        RiskRegime::Normal => (RiskBias::Neutral, Posture::Normal),
    }
}

pub(super) fn guidance(facts: &Facts<'_>, worst_stops: Option<StopVulnerability>) -> Guidance {
    let label = facts.axis.label;
    let blocked = upgrade_blocked_by(facts);
    let (mut bias, mut posture) = mapping(label);
    if blocked.is_empty() {
        (bias, posture) = (RiskBias::Aggressive, Posture::Aggressive);
    }
    (bias, posture) = shifted(bias, posture, facts.ctx.book.bias_shift);
    if facts.is_stale() {
        bias = RiskBias::Conservative;
        posture = if facts.ctx.book.uses_last_values() { Posture::Hold } else { posture.min(Posture::Hold) };
    }
    Guidance {
        risk_bias: bias,
        risk_bias_action: of_bias(bias).action,
        posture,
        posture_action: of_posture(posture).action,
        new_entries: entries(facts, posture, worst_stops),
        open_positions: open(facts, posture),
        upgrade_blocked_by: blocked,
    }
}

/// Personal bias lowers by one step and never raises (R1.98); AGGRESSIVE posture goes with AGGRESSIVE bias only.
const fn shifted(bias: RiskBias, posture: Posture, shift: i8) -> (RiskBias, Posture) {
    if shift >= 0 {
        return (bias, posture);
    }
    match (bias, posture) {
        (RiskBias::Aggressive, _) => (RiskBias::Neutral, Posture::Normal),
        (RiskBias::Neutral | RiskBias::Conservative, _) => (RiskBias::Conservative, posture),
    }
}

/// While data is old, words that assume a reading give way to waiting.
fn entries(facts: &Facts<'_>, posture: Posture, worst_stops: Option<StopVulnerability>) -> String {
    let unread = facts.is_stale() && (facts.is_unread() || facts.axis.label == RiskRegime::Normal);
    let base = if unread { new_entries(RiskRegime::Unknown, posture) } else { new_entries(facts.axis.label, posture) };
    match worst_stops.map(stops_add) {
        None | Some("") => base.to_owned(),
        Some(add) => format!("{base}; {add}"),
    }
}

fn open(facts: &Facts<'_>, posture: Posture) -> &'static str {
    let label = facts.axis.label;
    let as_labelled = !facts.is_stale() || posture == Posture::Reduce || label == RiskRegime::ChopRisk;
    open_positions(if as_labelled { label } else { RiskRegime::Unknown })
}

/// Conditions of the AGGRESSIVE upgrade that are not met (regimes §8).
fn upgrade_blocked_by(facts: &Facts<'_>) -> Vec<&'static str> {
    let (published, raw) = (facts.axis.label, facts.axis.raw_label);
    let mut out = Vec::new();
    if published != RiskRegime::Normal || raw != RiskRegime::Normal {
        out.push("risk is not NORMAL");
    }
    let trend = Confirmation::of(&facts.row.timeframes.trend);
    match trend.primary {
        None => out.push("trend confirmation is not available"),
        Some(label) if !trend.confirmed || label.direction() == 0 => out.push("no trend is confirmed"),
        Some(_) => {}
    }
    if facts.stops(Feature::StopVulnerability) != Some(StopVulnerability::Low) {
        out.push("stop vulnerability is not LOW");
    }
    if facts.is_stale() {
        out.push("an input is stale");
    }
    match facts.axes.volatility.label {
        VolRegime::Unknown => out.push("volatility regime is not available"),
        VolRegime::Explosive | VolRegime::Extreme => out.push("volatility is EXPLOSIVE or EXTREME"),
        VolRegime::Stable | VolRegime::HighVol => {}
    }
    if !facts.ctx.book.allow_aggressive {
        out.push("allow_aggressive is off");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_and_the_personal_step_down() {
        use {Posture as P, RiskBias as B, RiskRegime as R};
        let want = [
            (R::Normal, B::Neutral, P::Normal),
            (R::ChopRisk, B::Conservative, P::Hold),
            (R::SqueezeRisk, B::Conservative, P::Reduce),
            (R::HighVol, B::Conservative, P::Reduce),
            (R::Unknown, B::Conservative, P::Hold),
        ];
        for (label, bias, posture) in want {
            assert_eq!(mapping(label), (bias, posture), "{label:?}");
        }
        assert_eq!(shifted(B::Aggressive, P::Aggressive, -1), (B::Neutral, P::Normal));
        assert_eq!(shifted(B::Neutral, P::Normal, -1), (B::Conservative, P::Normal));
        assert_eq!(shifted(B::Conservative, P::Reduce, -1), (B::Conservative, P::Reduce));
        assert_eq!(shifted(B::Aggressive, P::Aggressive, 0), (B::Aggressive, P::Aggressive));
    }
}
