//! The reading in words: head, evidence, what keeps it, what would clear it, how common it is, notes on the data
//! (regimes §10.2, UX §1). Deterministic, and made from the explanation's parts only.

use super::eased::Eased;
use super::facts::Facts;
use super::numbers::{Style, written};
use super::views::held_share;
use super::{calls, evidence, flips, notes, waiting};
use crate::rules::HELD_MINUTES;
use barograph_domain::time::DAY_MINUTES;
use barograph_domain::{HeldBy, RiskRegime, Span};

/// A share that one decimal of a percent would show as nothing.
const RARELY: f64 = 0.0005;

/// A few short sentences.
pub(super) fn reasoning(facts: &Facts<'_>) -> String {
    let mut parts: Vec<String> = Vec::new();
    if facts.is_unread() {
        parts.push(waiting::sentence(facts));
        parts.extend(notes::sentences(facts));
        return parts.join(" ");
    }
    parts.extend(head(facts).map(str::to_owned));
    let rule = facts.speaking_rule();
    if let Some((_, rule, relaxed)) = rule {
        parts.extend(evidence::sentence(facts, rule, relaxed));
    }
    if facts.axis.held_by == HeldBy::Hysteresis {
        let raw = facts.axis.raw_label.spoken();
        parts.push(format!("Not over yet: the latest reading says {raw}, but not by enough."));
    }
    parts.push(flips::sentence(facts));
    if let Some((i, _, _)) = rule {
        parts.extend(how_common(facts, i));
    }
    parts.extend(calls::of_text(facts));
    parts.extend(notes::sentences(facts));
    parts.join(" ")
}

/// What the risk axis says. That no rule fires is said by the headline and follows from the exit.
fn head(facts: &Facts<'_>) -> Option<&'static str> {
    match (facts.axis.label, facts.direction()) {
        (RiskRegime::SqueezeRisk, Some("LONG_SQUEEZE")) => Some("Squeeze risk, longs crowded."),
        (RiskRegime::SqueezeRisk, Some(_)) => Some("Squeeze risk, shorts crowded."),
        (RiskRegime::SqueezeRisk, None) => Some("Squeeze risk."),
        (RiskRegime::HighVol, _) => Some(match Eased::of(facts) {
            None => "High volatility.",
            Some(eased) if eased.in_band => "Volatility still near its limit.",
            Some(_) => "Volatility back below its limit.",
        }),
        (RiskRegime::ChopRisk, _) => Some("Chop risk."),
        (RiskRegime::Unknown, _) => Some("No reading."),
        (RiskRegime::Normal, _) => None,
    }
}

/// "Held 0.4 % of the last 90 days."; nothing before a day has been judged.
fn how_common(facts: &Facts<'_>, rule: usize) -> Option<String> {
    let count = facts.row.held.get(rule).copied()?;
    if count.known < DAY_MINUTES {
        return None;
    }
    let share = held_share(count)?;
    if share < RARELY {
        return Some("Hardly ever active before.".to_owned());
    }
    let share = written(Style::Percent, share);
    // A day short of 90 is still the last 90 days; anything less is what has been judged so far.
    let full = usize::try_from(count.known).is_ok_and(|known| known + DAY_MINUTES as usize >= HELD_MINUTES);
    Some(if full {
        format!("Held {share} of the last 90 days.")
    } else {
        let days = Span::days(i64::from(count.known / DAY_MINUTES));
        format!("Active {share} of the time in {} of recording.", days.spoken())
    })
}

/// What the original interfaces print: the rule's own text (R1.46).
pub(super) fn rule_text(facts: &Facts<'_>) -> String {
    let label = facts.axis.label;
    let rules = facts.ctx.book.rules().iter();
    let rule = facts.speaking_rule().map(|(_, r, _)| r).or_else(|| rules.clone().find(|r| r.label == label));
    let text = rule.map(|r| match (&r.text_short, facts.direction()) {
        (Some(short), Some("SHORT_SQUEEZE")) => short.clone(),
        _ => r.text.clone(),
    });
    match label {
        RiskRegime::Normal => "No extremes detected, standard market conditions".to_owned(),
        RiskRegime::Unknown => "Inputs are missing, no reading".to_owned(),
        RiskRegime::ChopRisk | RiskRegime::SqueezeRisk | RiskRegime::HighVol => text.unwrap_or_default(),
    }
}
