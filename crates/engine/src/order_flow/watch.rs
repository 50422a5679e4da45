//! Episodes and records of all six detectors of one market (surveillance §1, §4, §7).

use super::facts::{Facts, RecentFlow};
use super::finding::{EvidenceStrength, FlowVerdict};
use super::layering::Layering;
use super::pump::PumpAndDump;
use super::spoofing::Spoofing;
use super::stuffing::QuoteStuffing;
use super::view::FlowView;
use super::wash::WashTrading;
use super::window_pressure::WindowPressure;
use crate::detect::base_rate::Spoken;
use crate::detect::ended_by_start;
use crate::detect::episode::{DueRecord, Episode};
use barograph_domain::alert::{AlertChange, Statistic, Word};
use barograph_domain::{Alert, Kind, OpenExperimental, Pattern, Severity, Span, Ts};
use serde::{Deserialize, Serialize};

/// Its patterns, in order of evaluation: one that says the same more strongly stands before the other.
pub const FLOW_PATTERNS: [Pattern; 6] = [
    Pattern::Layering,
    Pattern::Spoofing,
    Pattern::QuoteStuffing,
    Pattern::WashTrading,
    Pattern::PumpAndDump,
    Pattern::FundingWindowPressure,
];

/// Calm that closes an episode.
const CLEAR: Span = Span::mins(5);

/// How far back the statistics of a pattern look.
fn window(pattern: Pattern, v: &FlowView<'_>) -> Span {
    match pattern {
        Pattern::Spoofing => v.span(v.t.spoof_window_s),
        Pattern::Layering => v.span(v.t.layer_window_s),
        Pattern::WashTrading => Span::hours(2),
        Pattern::PumpAndDump | Pattern::FundingWindowPressure => Span::mins(6),
        _ => Span::secs(2),
    }
}

/// The detectors of one market and their episodes.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct FlowWatch {
    pub(super) layering: Layering,
    pub(super) spoofing: Spoofing,
    pub(super) stuffing: QuoteStuffing,
    pub(super) wash: WashTrading,
    pub(super) pump: PumpAndDump,
    pub(super) pressure: WindowPressure,
    episodes: [Episode; FLOW_PATTERNS.len()],
    spoken: [Spoken; FLOW_PATTERNS.len()],
}

impl FlowWatch {
    fn verdict(&self, pattern: Pattern, view: &FlowView<'_>, factor: f64) -> FlowVerdict {
        match pattern {
            Pattern::Layering => self.layering.judge(view, factor),
            Pattern::Spoofing => self.spoofing.judge(view, factor),
            Pattern::QuoteStuffing => self.stuffing.judge(view, factor),
            Pattern::WashTrading => self.wash.judge(view, factor),
            Pattern::PumpAndDump => self.pump.judge(view, factor),
            Pattern::FundingWindowPressure => self.pressure.judge(view, factor),
            _ => FlowVerdict::NotOffered,
        }
    }

    /// Can this pattern be judged?
    pub(super) fn is_known(&self, pattern: Pattern, view: &FlowView<'_>) -> bool {
        matches!(self.verdict(pattern, view, 1.0), FlowVerdict::Of(_))
    }

    fn show(&self, pattern: Pattern, facts: &mut Facts) {
        match pattern {
            Pattern::Layering => self.layering.show(facts),
            Pattern::Spoofing => self.spoofing.show(facts),
            Pattern::QuoteStuffing => self.stuffing.show(facts),
            Pattern::WashTrading => self.wash.show(facts),
            Pattern::PumpAndDump => self.pump.show(facts),
            _ => self.pressure.show(facts),
        }
    }

    /// Judges everything at the end of a second.
    pub(super) fn judge(&mut self, view: &FlowView<'_>, recent: (&RecentFlow, u8), out: &mut Vec<Alert>) {
        let whole_minute = view.now.0 % Span::mins(1).0 == 0;
        for (at, pattern) in FLOW_PATTERNS.into_iter().enumerate() {
            let factor = if self.episodes[at].running().is_some() { view.t.flow_keep } else { 1.0 };
            let verdict = self.verdict(pattern, view, factor);
            let due = self.episodes[at].step(view.now, &verdict.judgement(), view.t.flow_keep, CLEAR);
            if let Some(due) = due {
                let record = self.record(at, &due, &verdict, view, recent);
                out.push(record);
            }
            if whole_minute {
                let known = matches!(verdict, FlowVerdict::Of(_));
                self.spoken[at].minute(view.now, known, self.episodes[at].running().is_some());
            }
        }
    }

    /// Episodes that are open at the moment of a row, without those that begin more than once a day here.
    pub(super) fn open(&self, ts: Ts) -> OpenExperimental {
        let mut open = OpenExperimental::default();
        let mut worst: Option<Severity> = None;
        for ((pattern, episode), spoken) in FLOW_PATTERNS.into_iter().zip(&self.episodes).zip(&self.spoken) {
            let Some(running) = episode.running().filter(|r| r.opened_at <= ts) else { continue };
            if spoken.rate_beside(ts, running.opened_at).is_daily() {
                continue;
            }
            open.count += 1;
            if worst.is_none_or(|w| running.severity > w) {
                (worst, open.first) = (Some(running.severity), Some(pattern));
            }
        }
        open
    }

    /// Ends every episode, each with a record, because nothing follows them any more
    /// ([`crate::detect::episode::ENDED_BY`]).
    pub(super) fn end(&mut self, ts: Ts, out: &mut Vec<Alert>) {
        for (pattern, episode) in FLOW_PATTERNS.into_iter().zip(&mut self.episodes) {
            let ended = episode.end(ts).map(|due| due.record(pattern, ts));
            out.extend(ended.map(|of| Alert { data: vec![ended_by_start()], ..of }));
        }
    }

    fn record(
        &mut self,
        at: usize,
        due: &DueRecord,
        verdict: &FlowVerdict,
        view: &FlowView<'_>,
        (recent, scale): (&RecentFlow, u8),
    ) -> Alert {
        let (pattern, now, opened_at) = (FLOW_PATTERNS[at], view.now, due.of.opened_at);
        let base_rate = self.spoken[at].rate_beside(now, opened_at);
        if due.change == AlertChange::Opened {
            self.spoken[at].fired(opened_at);
        }
        let statistics = match verdict {
            FlowVerdict::Of(finding) => finding.strengths.iter().flatten().map(statistic).collect(),
            FlowVerdict::NotOffered | FlowVerdict::NoData => Vec::new(),
        };
        let mut facts = Facts::default();
        self.show(pattern, &mut facts);
        if pattern.is_experimental() {
            facts.flag("experimental", true);
        }
        if matches!(due.change, AlertChange::Opened | AlertChange::Updated) {
            let one = super::pow10(-f64::from(scale));
            recent.show(|units| units as f64 * one, &mut facts);
        }
        // Stacked orders are large orders as well: the stack says more.
        let stacked = pattern == Pattern::Spoofing
            && self.episodes[0].running().is_some_and(|stack| stack.severity >= due.of.severity);
        Alert {
            window_from: now - window(pattern, view),
            statistics,
            data: facts.0,
            base_rate,
            inhibited_by: stacked.then_some(Pattern::Layering),
            ..due.record(pattern, now)
        }
    }
}

fn statistic(of: &EvidenceStrength) -> Statistic {
    Statistic {
        name: Word::from(of.name),
        value: Some(of.value),
        reason: None,
        threshold: of.threshold,
        u: Some(of.u()),
        unit: Word::from(of.unit),
        kind: Kind::Measured,
        coverage: 1.0,
        decides: true,
        uncalibrated: false,
    }
}
