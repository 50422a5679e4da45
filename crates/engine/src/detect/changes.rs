//! What happens at a moment and has no length: a label changed, timeframes agree, another session began (R4.28, R1.72).
//!
//! The first label a market ever has is no change. UNKNOWN is reported on the risk axis, where it asks for care; on the
//! others the last known label is compared.

use super::inputs::{Inputs, Labels};
use super::table::Shown;
use barograph_domain::regime::Label;
use barograph_domain::{HeatRegime, Pattern, RiskRegime, Session, Severity, TrendRegime, Trigger, VolRegime};
use serde::{Deserialize, Serialize};

/// What was last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    risk: Option<RiskRegime>,
    trend: Option<TrendRegime>,
    volatility: Option<VolRegime>,
    heat: Option<HeatRegime>,
    confirmed: Option<bool>,
    session: Option<Session>,
}

/// Something that happened.
#[derive(Debug)]
pub struct Happening {
    /// What.
    pub pattern: Pattern,
    /// On which axis.
    pub trigger: Option<Trigger>,
    /// How severe.
    pub severity: Severity,
    /// Its facts.
    pub shown: Shown,
}

impl Memory {
    /// Compares with what was last seen and hands every change to `emit`.
    pub fn step(&mut self, inputs: &Inputs, mut emit: impl FnMut(Happening)) {
        let Labels { risk, trend, volatility, heat } = inputs.labels;
        if let Some((from, to)) = changed(&mut self.risk, risk, true) {
            emit(label(Pattern::RegimeChange, Trigger::Risk, from.word(), to.word(), of_risk(to)));
        }
        if let Some((from, to)) = changed(&mut self.trend, trend, false) {
            emit(label(Pattern::RegimeChange, Trigger::Trend, from.word(), to.word(), Severity::Info));
        }
        if let Some((from, to)) = changed(&mut self.volatility, volatility, false) {
            let mut happening = label(
                Pattern::VolatilityRegimeChange,
                Trigger::Volatility,
                from.word(),
                to.word(),
                of_volatility(from, to),
            );
            happening.shown.cell("volatility", &inputs.volatility);
            if let Some(multiplier) = to.risk_multiplier() {
                happening.shown.number("risk_multiplier", multiplier);
            }
            emit(happening);
        }
        if let Some((from, to)) = changed(&mut self.heat, heat, false) {
            emit(label(Pattern::RegimeChange, Trigger::Heat, from.word(), to.word(), Severity::Info));
        }
        self.confirmation(inputs, &mut emit);
        if let Some(now) = inputs.session
            && let Some(before) = self.session.replace(now).filter(|b| *b != now)
        {
            let mut shown = Shown::default();
            shown.word("from", before.name());
            shown.word("to", now.name());
            emit(Happening { pattern: Pattern::SessionChanged, trigger: None, severity: Severity::Info, shown });
        }
    }

    fn confirmation(&mut self, inputs: &Inputs, emit: &mut impl FnMut(Happening)) {
        let confirmed = &inputs.confirmed;
        let Some(now) = confirmed.is else { return };
        if self.confirmed.replace(now) != Some(false) || !now {
            return;
        }
        let mut shown = Shown::default();
        let trigger = match confirmed.axis {
            barograph_domain::Axis::Risk => Trigger::Risk,
            barograph_domain::Axis::Trend => Trigger::Trend,
            barograph_domain::Axis::Volatility => Trigger::Volatility,
            barograph_domain::Axis::Heat => Trigger::Heat,
        };
        shown.word("axis", trigger.name());
        shown.word("regime", confirmed.label);
        if let Some(confidence) = confirmed.confidence {
            shown.number("confidence", confidence);
        }
        shown.words("timeframes", confirmed.timeframes);
        let trigger = Some(trigger);
        emit(Happening { pattern: Pattern::RegimeConfirmed, trigger, severity: Severity::Info, shown });
    }
}

/// The change from the last label to this one. UNKNOWN counts where `unknown` says so; the first label known is none.
fn changed<L: Label>(memory: &mut Option<L>, now: Option<L>, unknown: bool) -> Option<(L, L)> {
    let now = now.filter(|n| unknown || *n != L::UNKNOWN)?;
    match *memory {
        // Waiting for the first label is not an UNKNOWN anybody is told about.
        None if now == L::UNKNOWN => None,
        None => {
            *memory = Some(now);
            None
        }
        Some(before) => {
            *memory = Some(now);
            (before != now).then_some((before, now))
        }
    }
}

fn label(pattern: Pattern, trigger: Trigger, from: &'static str, to: &'static str, severity: Severity) -> Happening {
    let mut shown = Shown::default();
    shown.word("axis", trigger.name());
    shown.word("from", from);
    shown.word("to", to);
    Happening { pattern, trigger: Some(trigger), severity, shown }
}

fn of_risk(to: RiskRegime) -> Severity {
    match to {
        RiskRegime::SqueezeRisk | RiskRegime::HighVol => Severity::High,
        RiskRegime::ChopRisk | RiskRegime::Unknown => Severity::Medium,
        RiskRegime::Normal => Severity::Info,
    }
}

fn of_volatility(from: VolRegime, to: VolRegime) -> Severity {
    match (to, to.severity() < from.severity()) {
        (VolRegime::Extreme, _) => Severity::Critical,
        (_, true) => Severity::Info,
        (_, false) => Severity::Medium,
    }
}
