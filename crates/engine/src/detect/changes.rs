//! What happens at a moment and has no length: a label changed, timeframes agree, another session began (R4.28, R1.72).
//!
//! The first label a market ever has is no change. UNKNOWN is reported on the risk axis, where it asks for care; on the
//! others the last known label is compared.

use super::inputs::{AxisLabels, Confirmed, Inputs};
use super::shown::Shown;
use barograph_domain::regime::Label;
use barograph_domain::{
    Axis, HeatRegime, Pattern, RiskRegime, Severity, TradingSession, TrendRegime, Trigger, VolRegime,
};
use serde::{Deserialize, Serialize};

/// Kinds of happenings. Each has a base rate of its own, which is kept by its place.
pub(super) const HAPPENINGS: [(Pattern, Option<Trigger>); 7] = [
    (Pattern::RegimeChange, Some(Trigger::Risk)),
    (Pattern::RegimeChange, Some(Trigger::Trend)),
    (Pattern::RegimeChange, Some(Trigger::Heat)),
    (Pattern::VolatilityRegimeChange, Some(Trigger::Volatility)),
    (Pattern::RegimeConfirmed, Some(Trigger::Trend)),
    (Pattern::RegimeConfirmed, Some(Trigger::Volatility)),
    (Pattern::SessionChanged, None),
];

/// What was last seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Memory {
    risk: Option<RiskRegime>,
    trend: Option<TrendRegime>,
    volatility: Option<VolRegime>,
    heat: Option<HeatRegime>,
    confirmed: [Option<bool>; 4],
    session: Option<TradingSession>,
}

/// Something that happened.
#[derive(Debug)]
pub struct Happening {
    /// Pattern that opens.
    pub pattern: Pattern,
    /// On which axis.
    pub trigger: Option<Trigger>,
    /// How severe.
    pub severity: Severity,
    /// What is now, as a code: how often a label comes is counted whatever was before it.
    pub which: u16,
    /// Its facts.
    pub shown: Shown,
}

impl Memory {
    /// Compares with what was last seen and hands every change to `emit`.
    pub fn step(&mut self, inputs: &Inputs, mut emit: impl FnMut(Happening)) {
        let AxisLabels { risk, trend, volatility, heat } = inputs.labels;
        if let Some((from, to)) = changed(&mut self.risk, risk, true) {
            emit(label(Pattern::RegimeChange, Trigger::Risk, from, to, of_risk(to)));
        }
        if let Some((from, to)) = changed(&mut self.trend, trend, false) {
            emit(label(Pattern::RegimeChange, Trigger::Trend, from, to, Severity::Info));
        }
        if let Some((from, to)) = changed(&mut self.volatility, volatility, false) {
            let mut happening =
                label(Pattern::VolatilityRegimeChange, Trigger::Volatility, from, to, of_volatility(from, to));
            happening.shown.cell("volatility", &inputs.volatility);
            if let Some(multiplier) = to.risk_multiplier() {
                happening.shown.number("risk_multiplier", multiplier);
            }
            emit(happening);
        }
        if let Some((from, to)) = changed(&mut self.heat, heat, false) {
            emit(label(Pattern::RegimeChange, Trigger::Heat, from, to, Severity::Info));
        }
        for (memory, confirmed) in self.confirmed.iter_mut().zip(&inputs.confirmed) {
            confirmation(memory, confirmed, &mut emit);
        }
        if let Some(now) = inputs.session
            && let Some(before) = self.session.replace(now).filter(|b| *b != now)
        {
            let mut shown = Shown::default();
            shown.word("from", before.name());
            shown.word("to", now.name());
            let which = session_code(now);
            emit(Happening { pattern: Pattern::SessionChanged, trigger: None, severity: Severity::Info, which, shown });
        }
    }
}

/// Timeframes that agree now and did not before.
fn confirmation(memory: &mut Option<bool>, confirmed: &Confirmed, emit: &mut impl FnMut(Happening)) {
    let Some(now) = confirmed.is else { return };
    if memory.replace(now) != Some(false) || !now {
        return;
    }
    let mut shown = Shown::default();
    let trigger = match confirmed.axis {
        Axis::Risk => Trigger::Risk,
        Axis::Trend => Trigger::Trend,
        Axis::Volatility => Trigger::Volatility,
        Axis::Heat => Trigger::Heat,
    };
    shown.word("axis", trigger.name());
    shown.word("regime", confirmed.label);
    if let Some(confidence) = confirmed.confidence {
        shown.number("confidence", confidence);
    }
    shown.words("timeframes", confirmed.timeframes);
    let trigger = Some(trigger);
    let which = u16::from(confirmed.code);
    emit(Happening { pattern: Pattern::RegimeConfirmed, trigger, severity: Severity::Info, which, shown });
}

/// The change from the last label to this one. UNKNOWN counts where `unknown` says so; the first label known is none.
fn changed<L: Label>(memory: &mut Option<L>, now: Option<L>, unknown: bool) -> Option<(L, L)> {
    let now = now.filter(|n| unknown || *n != L::UNKNOWN)?;
    match *memory {
        // Waiting for the first label is not an UNKNOWN that anybody hears of.
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

fn label<L: Label>(pattern: Pattern, trigger: Trigger, from: L, to: L, severity: Severity) -> Happening {
    let mut shown = Shown::default();
    shown.word("axis", trigger.name());
    shown.word("from", from.word());
    shown.word("to", to.word());
    Happening { pattern, trigger: Some(trigger), severity, which: u16::from(to.code()), shown }
}

fn session_code(session: TradingSession) -> u16 {
    u16::try_from(session.index()).unwrap_or_default()
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
