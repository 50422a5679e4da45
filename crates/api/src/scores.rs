//! A forecast of the ledger as it goes over the wire, into a file and onto the terminal (verification §7).
//!
//! Ids and base rates are not stored: they follow from the tick, here and nowhere else. What the scorecard makes of many of them is
//! [`barograph_domain::scorecard`].

use crate::agent_sessions::{AGENT, SessionForecast};
use barograph_domain::forecast::{
    ForecastEvent, Issue, LedgerTick, OutcomeRevision, ReferenceCounts, Resolution, Stated, WindowOutcome, forecast_id,
};
use barograph_domain::{
    Axis, HeatRegime, InstrumentName, Label, LevelType, PairState, Pattern, RiskRegime, TrendRegime, Ts, VolRegime,
};
use serde::Serialize;
use std::borrow::Cow;
use utoipa::ToSchema;

/// One forecast of the ledger, with what came of it as far as it is known.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct ForecastView {
    /// Name-based id.
    pub forecast_id: String,
    /// Event and version of its definition.
    pub event_id: &'static str,
    /// Version of the definition.
    pub event_version: u16,
    /// The market.
    pub symbol: String,
    /// The other market of a pair, the id of a level or an alert.
    pub subject: Option<String>,
    /// The axis that asserts it.
    pub axis: Option<&'static str>,
    /// Published label, or the detector.
    pub label: String,
    /// Raw label.
    pub raw_label: String,
    /// When it was registered; of an agent's forecast: where its window begins.
    #[schema(value_type = String, format = DateTime)]
    pub issued_ts: Ts,
    /// When its window ends.
    #[schema(value_type = String, format = DateTime)]
    pub resolve_after: Ts,
    /// Probability that it happens.
    pub probability: Option<f64>,
    /// Probabilities of the four classes.
    pub classes: Option<[f64; 4]>,
    /// `calibrated` or `uncalibrated`.
    pub calibration: &'static str,
    /// Whose history it comes from.
    pub calibration_scope: Option<&'static str>,
    /// Why there is no probability.
    pub abstain_reason: Option<&'static str>,
    /// Cases the probability rests on.
    pub cases: u32,
    /// Windows of them that do not overlap.
    pub separate: u32,
    /// Whether the event was true of the window before, or its class.
    pub state_at_issue: Option<u8>,
    /// Frequency of the event over 180 days of the group.
    pub climatology: Option<f64>,
    /// The same of the four classes.
    pub climatology_classes: Option<[f64; 4]>,
    /// Windows it is of.
    pub climatology_cases: u32,
    /// Frequency after the present state.
    pub persistence: Option<f64>,
    /// The same of the four classes.
    pub persistence_classes: Option<[f64; 4]>,
    /// Windows it is of.
    pub persistence_cases: u32,
    /// Who made it: `rules`, a contestant, or `agent:` and the id of a session.
    #[schema(value_type = String)]
    pub classifier_id: Cow<'static, str>,
    /// First eight bytes of the SHA-256 over the readings it was made from, hexadecimal; of an agent's, over the record up to it.
    pub input_digest: String,
    /// When it resolved.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub resolved_at: Option<Ts>,
    /// 0, 1, or the class.
    pub outcome: Option<u8>,
    /// `resolved`, `gap`, `void`; null while it waits. Of an agent's forecast also `no_case`: the ledger has none of that moment.
    pub resolution_reason: Option<&'static str>,
    /// What decided.
    pub evidence: [Option<f32>; 2],
    /// When minutes that the outcome rests on were corrected, a day after it or later, so that they would now say otherwise; it stands.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revised_at: Option<Ts>,
    /// What they would say; null where they could not say.
    pub revised_outcome: Option<u8>,
}

fn outcome_of(outcome: WindowOutcome) -> Option<u8> {
    match outcome {
        WindowOutcome::Missed => Some(0),
        WindowOutcome::Happened => Some(1),
        WindowOutcome::Class(class) => Some(class),
        WindowOutcome::Gap | WindowOutcome::Void => None,
    }
}

/// Why an agent's forecast has no outcome and never gets one, unless the ledger is made again of more.
const NO_CASE: &str = "no_case";

impl ForecastView {
    /// Of an issue of a tick.
    #[must_use]
    pub fn of(tick: &LedgerTick, issue: &Issue, market: &InstrumentName, logic_version: &str) -> Self {
        let event = issue.event;
        let reference = tick.reference(issue);
        let four = |of: &dyn Fn(usize) -> Option<f64>| Some([of(0)?, of(1)?, of(2)?, of(3)?]);
        let classes = event == ForecastEvent::VolClass24h;
        let (probability, shown, abstained) = match issue.stated {
            Stated::Abstained(why) => (None, None, Some(why.id())),
            Stated::Probability(p) => (Some(p), None, None),
            Stated::Classes(all) => (None, Some(all), None),
        };
        Self {
            forecast_id: forecast_id(event, market, issue.subject.as_deref(), tick.ts, logic_version),
            event_id: event.id(),
            event_version: event.version(),
            symbol: market.to_string(),
            subject: issue.subject.as_deref().map(str::to_owned),
            axis: event.axis().map(Axis::name),
            label: label_of(event, issue.label),
            raw_label: label_of(event, issue.raw_label),
            issued_ts: tick.ts,
            resolve_after: issue.resolve_after,
            probability,
            classes: shown,
            calibration: if abstained.is_none() { "calibrated" } else { "uncalibrated" },
            calibration_scope: issue.scope.map(|s| s.id()),
            abstain_reason: abstained,
            cases: issue.cases,
            separate: issue.separate,
            state_at_issue: issue.state,
            climatology: reference.filter(|_| !classes).map(|r| r.climatology(1).0),
            climatology_classes: reference.filter(|_| classes).and_then(|r| four(&|c| Some(r.climatology(c).0))),
            climatology_cases: reference.map_or(0, ReferenceCounts::cases),
            persistence: reference.filter(|_| !classes).and_then(|r| r.persistence(issue.state, 1)),
            persistence_classes: reference.filter(|_| classes).and_then(|r| four(&|c| r.persistence(issue.state, c))),
            persistence_cases: reference.zip(issue.state).map_or(0, |(r, s)| r.persistence_cases(s)),
            classifier_id: Cow::Borrowed(issue.forecaster.id()),
            input_digest: format!("{:016x}", issue.input_digest),
            resolved_at: None,
            outcome: None,
            resolution_reason: None,
            evidence: [None; 2],
            revised_at: None,
            revised_outcome: None,
        }
    }

    /// Of a forecast that an agent put on the record of its session, beside what the ledger has of the same case: its references and its
    /// outcome. Without such a case it has neither.
    #[must_use]
    pub fn of_session(session: &str, stated: &SessionForecast, case: Option<Self>, logic_version: &str) -> Self {
        let SessionForecast { event, market, issued_ts, probability, line, .. } = stated;
        let (event, issued_ts, classifier) = (*event, *issued_ts, format!("{AGENT}{session}"));
        let nothing = case.is_none().then_some(NO_CASE);
        let case = case.unwrap_or_else(|| Self::nothing_of(event, market, issued_ts));
        Self {
            forecast_id: forecast_id(event, market, Some(&classifier), issued_ts, logic_version),
            probability: Some(*probability),
            classes: None,
            calibration: "uncalibrated",
            calibration_scope: None,
            abstain_reason: None,
            cases: 0,
            separate: 0,
            classifier_id: Cow::Owned(classifier),
            input_digest: line.get(..16).unwrap_or_default().to_owned(),
            resolution_reason: nothing.or(case.resolution_reason),
            ..case
        }
    }

    /// What is known of a case that the ledger does not have.
    fn nothing_of(event: ForecastEvent, market: &InstrumentName, issued_ts: Ts) -> Self {
        Self {
            forecast_id: String::new(),
            event_id: event.id(),
            event_version: event.version(),
            symbol: market.to_string(),
            subject: None,
            axis: event.axis().map(Axis::name),
            label: String::new(),
            raw_label: String::new(),
            issued_ts,
            resolve_after: issued_ts + event.horizon().unwrap_or_default(),
            probability: None,
            classes: None,
            calibration: "uncalibrated",
            calibration_scope: None,
            abstain_reason: None,
            cases: 0,
            separate: 0,
            state_at_issue: None,
            climatology: None,
            climatology_classes: None,
            climatology_cases: 0,
            persistence: None,
            persistence_classes: None,
            persistence_cases: 0,
            classifier_id: Cow::Borrowed(""),
            input_digest: String::new(),
            resolved_at: None,
            outcome: None,
            resolution_reason: None,
            evidence: [None; 2],
            revised_at: None,
            revised_outcome: None,
        }
    }

    /// What corrected minutes would make of the outcome.
    pub fn revise(&mut self, note: &OutcomeRevision) {
        (self.revised_at, self.revised_outcome) = (Some(note.known_ts), outcome_of(note.now));
    }

    /// What came of it.
    pub fn resolve(&mut self, at: Ts, resolution: &Resolution) {
        self.resolved_at = Some(at);
        self.resolution_reason = Some(resolution.outcome.reason());
        self.evidence = resolution.evidence;
        self.outcome = outcome_of(resolution.outcome);
    }
}

/// The word of a stored label of an event's axis, or of the detector that asserts it.
fn label_of(event: ForecastEvent, code: u8) -> String {
    fn word<L: Label>(code: u8) -> String {
        L::from_code(code).map_or_else(String::new, |l| l.word().to_owned())
    }
    match (event.axis(), event) {
        (Some(Axis::Risk), _) => word::<RiskRegime>(code),
        (Some(Axis::Trend), _) => word::<TrendRegime>(code),
        (Some(Axis::Volatility), _) => word::<VolRegime>(code),
        (Some(Axis::Heat), _) => word::<HeatRegime>(code),
        (None, ForecastEvent::AlertMove1h | ForecastEvent::AlertCascade1h | ForecastEvent::PostFundRev8h) => {
            Pattern::ALL.get(usize::from(code)).map_or_else(String::new, |p| p.name().to_owned())
        }
        (None, ForecastEvent::CorrBreak7d) => {
            let states = PairState::ALL;
            states.get(usize::from(code)).map_or_else(String::new, |s| s.name().to_owned())
        }
        (None, _) => {
            let kinds = LevelType::ALL;
            kinds.get(usize::from(code)).map_or_else(String::new, |k| k.name().to_owned())
        }
    }
}
