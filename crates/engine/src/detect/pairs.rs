//! Two markets that part (surveillance §2, CORRELATION_BREAK; features S10). What they are compared by comes from whoever
//! looks at many markets; here it is judged and becomes episodes.

use super::episode::{Episode, Report};
use super::table::{Finding, Judgement, Shown};
use super::thresholds::Thresholds;
use super::{base_rate::Spoken, inputs::Seen};
use barograph_domain::alert::{Statistic, Word};
use barograph_domain::{Alert, Cell, InstrumentName, Pattern, Severity, Span, Ts};
use serde::{Deserialize, Serialize};

const CLEAR: Span = Span::mins(5);
/// `pair_corr_20` is of twenty hourly returns.
const WINDOW: Span = Span::hours(20);

/// A pair at one moment.
#[derive(Clone, Copy, Debug)]
pub struct PairInputs {
    /// The moment.
    pub ts: Ts,
    /// `pair_corr_20`.
    pub correlation: Cell,
    /// Lower end of what is usual for the pair.
    pub band_low: Cell,
    /// `pair_corr_20_pct_180d`.
    pub pct_180d: Cell,
    /// The pair leaves its band without being rare: worth a look.
    pub watch: bool,
}

/// One pair's episode.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct PairWatch {
    episode: Episode,
    spoken: Spoken,
}

impl PairWatch {
    /// Judges one moment of the pair whose other market is `other`.
    pub fn step(&mut self, other: &InstrumentName, inputs: &PairInputs, thresholds: &Thresholds) -> Option<Alert> {
        let judged = judge(inputs, thresholds);
        let report = self.episode.step(inputs.ts, &judged, thresholds.keep, CLEAR);
        let base_rate = self.spoken.rate();
        self.spoken.minute(inputs.ts, matches!(judged, Judgement::Of(_)), self.episode.running().is_some());
        let Report { change, state, of, closed_at } = report?;
        if change == barograph_domain::alert::Change::Opened {
            self.spoken.fired(inputs.ts);
        }
        let shown = show(inputs, thresholds);
        Some(Alert {
            pattern: Pattern::CorrelationBreak,
            trigger: None,
            change,
            state,
            revision: of.revision,
            ts: inputs.ts,
            severity: of.severity,
            score: of.score,
            opened_at: of.opened_at,
            last_seen_at: of.last_seen_at,
            closed_at,
            window_from: inputs.ts - WINDOW,
            statistics: shown.statistics,
            data: shown.data,
            base_rate,
            inhibited_by: None,
            other: Some(other.clone()),
        })
    }
}

/// How far below its threshold a correlation is: below the fixed one, or rare for the pair and below its band. `u` counts
/// from the middle of the band down, so that it is 1 at the threshold whichever sign it has.
fn judge(i: &PairInputs, t: &Thresholds) -> Judgement {
    let seen = Seen::of(&i.correlation);
    let Some(r) = seen.number() else {
        return if seen == Seen::NotOffered { Judgement::NotApplicable } else { Judgement::NoData };
    };
    let below_fixed = r < t.correlation;
    let rare = t.own_history
        && i.pct_180d.ready().is_some_and(|p| p < t.correlation_pct)
        && i.band_low.ready().is_some_and(|low| r < low);
    let severity = match (below_fixed, rare) {
        (true, _) => Severity::High,
        (false, true) => Severity::Medium,
        (false, false) => Severity::Info,
    };
    let severity = if t.own_history { severity } else { severity.min(Severity::Medium) };
    let c = if t.own_history { i.band_low.ready().unwrap_or(t.correlation).max(t.correlation) } else { t.correlation };
    let u = if 1.0 - c > 0.0 { (1.0 - r) / (1.0 - c) } else { 0.0 };
    Judgement::Of(Finding { fires: below_fixed || rare || i.watch, u, severity })
}

/// `divergence_strength`: the band's lower end less the correlation, unless it is below the fixed threshold, which then
/// counts.
fn strength(i: &PairInputs, t: &Thresholds) -> Option<f64> {
    let r = i.correlation.ready()?;
    if r < t.correlation { Some(t.correlation - r) } else { i.band_low.ready().map(|low| low - r) }
}

fn show(i: &PairInputs, t: &Thresholds) -> Shown {
    let mut shown = Shown::default();
    let mut statistic = |name: &'static str, cell: &Cell, threshold: f64, decides: bool| {
        let value = cell.ready();
        shown.statistics.push(Statistic {
            name: Word::from(name),
            value,
            reason: cell.reason(),
            threshold,
            u: None,
            unit: Word::from("correlation"),
            kind: cell.kind,
            coverage: cell.coverage,
            decides,
            uncalibrated: false,
        });
    };
    statistic("pair_corr_20", &i.correlation, t.correlation, true);
    if let Some(low) = i.band_low.ready() {
        statistic("pair_corr_20", &i.correlation, low, t.own_history);
    }
    statistic("pair_corr_20_pct_180d", &i.pct_180d, t.correlation_pct, t.own_history);
    shown.cell("return_correlation", &i.correlation);
    if let Some(strength) = strength(i, t) {
        shown.number("divergence_strength", strength);
    }
    shown.word("signal", "POTENTIAL_PAIR_TRADE");
    shown
}
