//! What the ledger states of the window to come, and what followed in similar moments (regimes §7, §10.2).
//!
//! The ledger is made of published minutes, so nothing here is computed: calls come with the row, and are shown with the labels they
//! were made under.

use super::facts::Facts;
use super::numbers::{Style, written};
use super::views::four_decimals;
use barograph_domain::forecast::{Abstention, Call, Calls, ForecastEvent, Forecaster, Stated};
use barograph_domain::snapshot::{CallView, CallsView};
use barograph_domain::{Axis, AxisState, Label, RiskRegime, Span};

/// A chance that is not known, as it goes to JSON.
const UNCALIBRATED: &str = "uncalibrated";
pub(super) const CALIBRATED: &str = "calibrated";
/// Calls of an older tick say nothing of this minute.
const OLD: Span = Span::mins(10);

/// What follows a label of an axis, where the call was made under it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Asserted {
    pub(super) event: ForecastEvent,
    pub(super) chance: Option<f64>,
}

impl Asserted {
    /// What the raw label says of the window to come; `None` where it says nothing.
    pub(super) fn of<L: Label>(facts: &Facts<'_>, axis: &AxisState<L>) -> Option<Self> {
        let event = ForecastEvent::asserted(L::AXIS, axis.raw_label.code())?;
        let call = calls(facts).and_then(|c| c.get(event)).filter(|c| c.raw_label == axis.raw_label.code());
        let chance = call.and_then(|c| match c.stated {
            Stated::Probability(p) => Some(p),
            Stated::Classes(p) => p.get(usize::from(L::severity(axis.raw_label)?)).copied(),
            Stated::Abstained(_) => None,
        });
        Some(Self { event, chance: chance.map(four_decimals) })
    }
}

/// Whether a label's chance is known.
pub(super) fn calibration(asserted: Option<Asserted>) -> &'static str {
    if asserted.is_some_and(|a| a.chance.is_some()) { CALIBRATED } else { UNCALIBRATED }
}

fn calls<'a>(facts: &Facts<'a>) -> Option<&'a Calls> {
    facts.ctx.calls.filter(|c| (Span::ZERO..=OLD).contains(&(facts.row.ts - c.ts)))
}

/// Everything that is stated.
pub(super) fn view(facts: &Facts<'_>) -> Option<CallsView> {
    let calls = calls(facts)?;
    Some(CallsView {
        ts: calls.ts,
        sentence: sentence(calls, &facts.axis),
        events: calls.all.iter().map(one).collect(),
    })
}

fn one(call: &Call) -> CallView {
    let (probability, classes, why) = match call.stated {
        Stated::Probability(p) => (Some(four_decimals(p)), None, None),
        Stated::Classes(p) => (None, Some(p.map(four_decimals)), None),
        Stated::Abstained(why) => (None, None, Some(why)),
    };
    CallView {
        event_id: call.event.id(),
        horizon: call.event.horizon_word(),
        forecaster: call.forecaster.id(),
        probability,
        interval: call.interval().map(|i| i.map(four_decimals)),
        classes,
        calibration: if why.is_none() { CALIBRATED } else { UNCALIBRATED },
        calibration_scope: call.scope.map(|s| s.id()),
        abstain_reason: why.map(Abstention::id),
        cases: call.cases,
        windows: call.separate,
        usual: call.usual.map(four_decimals),
        after_state: call.after_state.map(four_decimals),
    }
}

/// "After 412 moments like this one in the last 75 d, the next 4 h were calm in 64 % of cases (90 % interval 58 to 70 %; 55 % of all
/// moments). …" Moments are alike event by event, as near as what asserts the event is: their numbers differ, so each share has its own.
pub(super) fn of_text(facts: &Facts<'_>) -> Option<String> {
    Some(sentence(calls(facts)?, &facts.axis))
}

fn sentence(calls: &Calls, axis: &AxisState) -> String {
    let Some(first) = ForecastEvent::asserted(Axis::Risk, axis.raw_label.code()) else {
        return "No probability without a reading.".to_owned();
    };
    let Some(call) = calls.get(first) else { return "No probability for this label here.".to_owned() };
    if call.raw_label != axis.raw_label.code() {
        return "The reading has just changed; its probability follows within five minutes.".to_owned();
    }
    let chance = match call.stated {
        Stated::Probability(p) => p,
        Stated::Abstained(why) => return format!("Not enough history for a probability: {}.", why.spoken()),
        Stated::Classes(_) => return String::new(),
    };
    let [low, high] = call.interval().unwrap_or([chance; 2]).map(percent);
    let usual = call.usual.map(|u| format!("; {} % of all moments", percent(u))).unwrap_or_default();
    let chance = percent(chance);
    if call.forecaster != Forecaster::Rules {
        let (who, what) = (call.forecaster.id(), first.question());
        return format!("By {who}, the chance that {what} is {chance} % (90 % interval {low} to {high} %{usual}).");
    }
    let mut out = format!(
        "After {} moments like this one{}, {} in {chance} % of cases (90 % interval {low} to {high} %{usual}).",
        count(call),
        first.memory().map(|span| format!(" in the last {}", span.spoken())).unwrap_or_default(),
        followed(first),
    );
    let others: Vec<String> =
        [ForecastEvent::Calm4h, ForecastEvent::Chop4h, ForecastEvent::Squeeze4h, ForecastEvent::HighVol1h]
            .into_iter()
            .filter_map(|event| share(calls, event, first))
            .collect();
    if !others.is_empty() {
        out.push_str(&format!(" Other odds, each from its own similar moments: {}.", others.join(", ")));
    }
    out
}

/// Another event's share and the moments it is of; only the rules count those.
fn share(calls: &Calls, event: ForecastEvent, first: ForecastEvent) -> Option<String> {
    let call = calls.get(event).filter(|c| event != first && c.forecaster == Forecaster::Rules)?;
    let Stated::Probability(p) = call.stated else { return None };
    let what = match event {
        ForecastEvent::HighVol1h => "1 h volatility above 80 % in an hour",
        ForecastEvent::Squeeze4h => "a squeeze within 4 h",
        ForecastEvent::Chop4h => "4 h of chop",
        _ => "4 h of calm",
    };
    Some(format!("{what} {} % (of {})", percent(p), count(call)))
}

fn count(call: &Call) -> String {
    written(Style::Plain, f64::from(call.cases))
}

/// What came, between "after n moments like this one" and its share.
const fn followed(event: ForecastEvent) -> &'static str {
    match event {
        ForecastEvent::HighVol1h => "1 h volatility was above 80 % an hour later",
        ForecastEvent::Squeeze4h => "a squeeze followed within 4 h",
        ForecastEvent::Chop4h => "the next 4 h were choppy",
        _ => "the next 4 h were calm",
    }
}

/// Whole percent; what is not zero never reads as zero.
fn percent(p: f64) -> String {
    let whole = (p * 100.0).round();
    if whole == 0.0 && p > 0.0 { "under 1".to_owned() } else { format!("{whole:.0}") }
}

/// The risk label's own chance, with its event.
pub(super) fn of_risk(facts: &Facts<'_>) -> Option<Asserted> {
    Asserted::of::<RiskRegime>(facts, &facts.axis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use barograph_domain::Ts;
    use barograph_domain::forecast::CalibrationScope;

    fn call(event: ForecastEvent, stated: Stated) -> Call {
        let raw_label = RiskRegime::HighVol.code();
        let scope = Some(CalibrationScope::Market);
        let forecaster = Forecaster::Rules;
        Call {
            event,
            forecaster,
            raw_label,
            stated,
            scope,
            cases: 1_312,
            separate: 26,
            usual: Some(0.08),
            after_state: None,
        }
    }

    fn said(all: &[Call], raw_label: RiskRegime) -> String {
        sentence(&Calls { ts: Ts(0), all: all.to_vec() }, &AxisState { raw_label, ..AxisState::default() })
    }

    #[test]
    fn what_followed_is_said_with_its_interval_and_what_is_usual() {
        use ForecastEvent as E;
        let high = call(E::HighVol1h, Stated::Probability(0.3915));
        let [calm, chop] = [(E::Calm4h, 0.46), (E::Chop4h, 0.002)].map(|(e, p)| call(e, Stated::Probability(p)));
        // Moments are alike by what asserts the event, so each has its own number of them.
        let chop = Call { cases: 207, ..chop };
        let squeeze = call(E::Squeeze4h, Stated::Abstained(Abstention::FewEpisodes));
        let boosted = Call { forecaster: Forecaster::Boosting, ..high };
        let few = call(E::HighVol1h, Stated::Abstained(Abstention::FewForecasts));
        for (all, label, want) in [
            (
                &[high, calm, chop, squeeze][..],
                RiskRegime::HighVol,
                "After 1312 moments like this one in the last 75 d, 1 h volatility was above 80 % an hour later in 39 % of cases (90 % \
                 interval 25 to 55 %; 8 % of all moments). Other odds, each from its own similar moments: 4 h of calm 46 % (of 1312), \
                 4 h of chop under 1 % (of 207).",
            ),
            (
                &[boosted, calm],
                RiskRegime::HighVol,
                "By boosting, the chance that 1 h volatility is above 80 % annualised an hour later is 39 % (90 % interval 25 to \
                 55 %; 8 % of all moments).",
            ),
            (&[high], RiskRegime::Normal, "No probability for this label here."),
            (&[calm], RiskRegime::Normal, "The reading has just changed; its probability follows within five minutes."),
            (
                &[few],
                RiskRegime::HighVol,
                "Not enough history for a probability: fewer than 100 earlier cases under this label.",
            ),
            (&[high], RiskRegime::Unknown, "No probability without a reading."),
        ] {
            assert_eq!(said(all, label), want);
        }
    }
}
