//! One market's minute as the engine leaves it: readings, the states of the four axes, and the ages of its inputs.
//!
//! A row holds everything that a rule book needs to explain the moment again later; texts and JSON are rendered from it
//! on demand and are therefore never stored (docs/adr/0003-sqlite-in-hourly-chunks.md).

use crate::{
    Cell, GapReason, HeatRegime, HeldBy, Label, Metric, ModelReading, Pattern, RiskRegime, Severity, Span, StreamIndex,
    TrendRegime, Ts, VolRegime,
};
use serde::{Deserialize, Serialize};

/// Published and raw label of one axis with its memory (regimes §6).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AxisState<L = RiskRegime> {
    /// Published label.
    pub label: L,
    /// What the rules say now, before hysteresis, dwell and staleness.
    pub raw_label: L,
    /// Why the two differ.
    pub held_by: HeldBy,
    /// When the published label was entered.
    pub since: Ts,
    /// A different raw label waiting to be published.
    pub candidate: Option<L>,
    /// For how many consecutive evaluations it has waited.
    pub candidate_count: u32,
    /// An input this axis reads is stale: the label shown may be the last one (regimes §9).
    pub stale: bool,
}

impl<L: Label> Default for AxisState<L> {
    fn default() -> Self {
        Self {
            label: L::UNKNOWN,
            raw_label: L::UNKNOWN,
            held_by: HeldBy::None,
            since: Ts(0),
            candidate: None,
            candidate_count: 0,
            stale: false,
        }
    }
}

/// Age of one input at a row's moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InputAge {
    /// What it is.
    pub metric: Metric,
    /// The stream in use; its declaration gives source, cadence, `max_age` and `gap_alert`. `None`: never seen.
    pub stream: Option<StreamIndex>,
    /// Newest event of the stream that has arrived, to the second.
    pub anchor: Ts,
    /// The stream is lost at this moment, and why.
    pub gap: Option<GapReason>,
}

/// How often a rule was true.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct HeldCount {
    /// Minutes of the last 90 days in which the rule was true.
    pub held: u32,
    /// Minutes of the last 90 days in which it was true or false (not unknown).
    pub known: u32,
}

/// The timeframes an axis is confirmed on (R4.18), shortest first.
pub const TIMEFRAMES: [Span; 4] = [Span::hours(1), Span::hours(4), Span::days(1), Span::days(7)];

/// Labels of every axis on the four timeframes, from closed bars only; UNKNOWN where a timeframe is not ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Timeframes {
    /// Label of the risk axis at the last close of each timeframe.
    pub risk: [RiskRegime; 4],
    /// The trend rules on bars of each timeframe.
    pub trend: [TrendRegime; 4],
    /// The volatility rules on bars of each timeframe.
    pub volatility: [VolRegime; 4],
    /// Label of the heat axis at the last close of each timeframe.
    pub heat: [HeatRegime; 4],
}

/// What the timeframes of one axis agree on (features §5, `mtf_*`).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Confirmation<L> {
    /// Most frequent label; in a tie the 1 h label if it is among the tied, else the longest timeframe's. `None` with fewer
    /// than three timeframes ready.
    pub primary: Option<L>,
    /// Share of the ready timeframes that have it; `None` as above.
    pub confidence: Option<f64>,
    /// More than 70 % agree.
    pub confirmed: bool,
    /// Timeframes that are ready.
    pub ready: u8,
    /// Most timeframes that share a label.
    pub alike: u8,
}

/// Share of timeframes above which a label is confirmed (R4.20, strict).
const CONFIRMED_ABOVE: f64 = 0.70;
/// Timeframes needed for any statement.
const TIMEFRAMES_MIN: u8 = 3;

impl<L: Label> Confirmation<L> {
    /// Of the labels on the four timeframes, shortest first.
    #[must_use]
    pub fn of(labels: &[L; 4]) -> Self {
        let count = |label: L| labels.iter().filter(|l| **l == label).fold(0_u8, |n, _| n + 1);
        let ready = labels.iter().filter(|l| **l != L::UNKNOWN).fold(0_u8, |n, _| n + 1);
        let most = labels.iter().filter(|l| **l != L::UNKNOWN).map(|l| count(*l)).max();
        let (Some(most), true) = (most, ready >= TIMEFRAMES_MIN) else {
            return Self { primary: None, confidence: None, confirmed: false, ready, alike: most.unwrap_or(0) };
        };
        let tied = |l: &&L| **l != L::UNKNOWN && count(**l) == most;
        let primary = labels.first().filter(tied).or_else(|| labels.iter().rev().find(tied)).copied();
        let confidence = f64::from(most) / f64::from(ready);
        Self { primary, confidence: Some(confidence), confirmed: confidence > CONFIRMED_ABOVE, ready, alike: most }
    }

    /// For a confidence by rule of thumb (regimes §7): the share; with two timeframes the middle between what a third one that
    /// agrees and one that does not would make of it; one half with fewer, which confirm nothing.
    #[must_use]
    pub fn agreement(&self) -> f64 {
        match (self.confidence, self.ready) {
            (Some(share), _) => share,
            (None, 2) => (f64::from(self.alike) + 0.5) / f64::from(TIMEFRAMES_MIN),
            (None, _) => 0.5,
        }
    }
}

/// An episode that is open at a row's moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenAlert {
    /// What was found.
    pub pattern: Pattern,
    /// How severe it is.
    pub severity: Severity,
    /// Position in the book of the user's own rule that found it.
    pub rule: Option<u8>,
}

/// Episodes of experimental patterns that are open at a row's moment ([`Pattern::is_experimental`]): counted and named apart from the
/// others, because they call for no care. Those that begin more than once a day in this market are not among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpenExperimental {
    /// How many.
    pub count: u8,
    /// The most severe; of equals the first in the order of the detectors.
    pub first: Option<Pattern>,
}

/// Episodes of the market's own detectors that are open at a row's moment: how many, and the worst of them. Pairs of
/// markets are judged by the hour and are not among them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct OpenAlerts {
    /// How many.
    pub count: u16,
    /// The most severe; of equals the first in the order of the detectors, the data's own after them, own rules last.
    pub worst: Option<OpenAlert>,
    /// Patterns in books and trades, which are in neither of these.
    pub experimental: OpenExperimental,
}

impl OpenAlerts {
    /// One more.
    pub fn add(&mut self, alert: OpenAlert) {
        self.count = self.count.saturating_add(1);
        if self.worst.is_none_or(|w| alert.severity > w.severity) {
            self.worst = Some(alert);
        }
    }
}

/// One market, one minute.
#[derive(PartialEq, Debug)]
pub struct MinuteRow {
    /// Position of the instrument in the run's list.
    pub instrument: u32,
    /// The grid instant; the row was made 200 ms later.
    pub ts: Ts,
    /// Readings in catalogue order.
    pub cells: Vec<Cell>,
    /// Percentile cuts the rule book asked for, in the book's order: the smallest (largest) value of the ranked feature
    /// for which the percentile clause holds. `None` while the percentile is not ready.
    pub cuts: Vec<Option<f64>>,
    /// State of the risk axis.
    pub risk: AxisState,
    /// State of the trend axis.
    pub trend: AxisState<TrendRegime>,
    /// State of the volatility axis.
    pub volatility: AxisState<VolRegime>,
    /// State of the heat axis.
    pub heat: AxisState<HeatRegime>,
    /// Labels on longer timeframes.
    pub timeframes: Timeframes,
    /// How often each rule held, in the book's order: every rule of every axis, then the resting label of every axis.
    pub held: Vec<HeldCount>,
    /// Ages of the inputs the rule book reads, one entry per metric, in rank order.
    pub inputs: Vec<InputAge>,
    /// Last price (mark, else last), where known.
    pub price: Option<f64>,
    /// What statistical classifiers say beside the rules; empty where they are off.
    pub models: Vec<ModelReading>,
    /// Alerts that are open.
    pub open: OpenAlerts,
}

impl MinuteRow {
    /// The row of a minute of the first market in which nothing was read: no cell, price or input, every axis as it begins.
    #[must_use]
    pub fn bare(ts: Ts) -> Self {
        Self {
            instrument: 0,
            ts,
            cells: Vec::new(),
            cuts: Vec::new(),
            risk: AxisState::default(),
            trend: AxisState::default(),
            volatility: AxisState::default(),
            heat: AxisState::default(),
            timeframes: Timeframes::default(),
            held: Vec::new(),
            inputs: Vec::new(),
            price: None,
            models: Vec::new(),
            open: OpenAlerts::default(),
        }
    }

    /// The same row in a run of more markets: its market is the run's `instrument`, and what it calls stream `i` is `streams[i]`
    /// there; a stream beyond them keeps its number.
    pub fn renumber(&mut self, instrument: u32, streams: &[StreamIndex]) {
        self.instrument = instrument;
        let cells = self.cells.iter_mut().map(|c| &mut c.stream);
        for stream in cells.chain(self.inputs.iter_mut().map(|i| &mut i.stream)).flatten() {
            *stream = streams.get(stream.index()).copied().unwrap_or(*stream);
        }
    }
}

/// By hand for [`Clone::clone_from`], which keeps the memory of the row it overwrites: whoever follows a market copies a row a
/// minute.
impl Clone for MinuteRow {
    fn clone(&self) -> Self {
        Self {
            cells: self.cells.clone(),
            cuts: self.cuts.clone(),
            held: self.held.clone(),
            inputs: self.inputs.clone(),
            models: self.models.clone(),
            ..*self
        }
    }

    fn clone_from(&mut self, source: &Self) {
        let Self {
            instrument,
            ts,
            cells,
            cuts,
            risk,
            trend,
            volatility,
            heat,
            timeframes,
            held,
            inputs,
            price,
            models,
            open,
        } = source;
        self.cells.clone_from(cells);
        self.cuts.clone_from(cuts);
        self.held.clone_from(held);
        self.inputs.clone_from(inputs);
        self.models.clone_from(models);
        (self.instrument, self.ts, self.price, self.timeframes) = (*instrument, *ts, *price, *timeframes);
        self.open = *open;
        (self.risk, self.trend, self.volatility, self.heat) = (*risk, *trend, *volatility, *heat);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TrendRegime::{Downtrend as D, Sideways as S, Unknown as X, Uptrend as U};

    #[test]
    fn three_of_four_confirm_and_three_of_three() {
        for (labels, primary, confidence, confirmed) in [
            ([U, U, U, S], Some(U), Some(0.75), true),
            ([U, U, S, S], Some(U), Some(0.5), false),
            ([D, U, S, S], Some(S), Some(0.5), false),
            ([D, U, S, U], Some(U), Some(0.5), false),
            ([X, U, S, D], Some(D), Some(1.0 / 3.0), false),
            ([U, U, U, X], Some(U), Some(1.0), true),
            ([U, S, U, X], Some(U), Some(2.0 / 3.0), false),
            ([U, U, X, X], None, None, false),
        ] {
            let got = Confirmation::of(&labels);
            assert_eq!((got.primary, got.confidence, got.confirmed), (primary, confidence, confirmed), "{labels:?}");
        }
    }
}
