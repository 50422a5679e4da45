//! The memory of an axis: from raw label to published label (regimes §6, §9).
//!
//! The exit band is literal: a published label stays while its relaxed clauses hold and no rule of higher precedence is
//! true at full thresholds. Readings of a new raw label are counted from the first one on, also while the band holds; the same
//! reading, read again a minute later, is not another one ([`DwellCounts`]).

use super::book::{DwellCounts, RuleBook};
use super::eval::{AsRead, Evaluation, evaluate, held_by_exit_band};
use super::fresh::Staleness;
use super::set::{RuleSet, Ruled};
use crate::catalogue::Feature;
use barograph_domain::{AxisState, Cell, HeldBy, InputAge, RiskRegime, State, StreamDecl, Ts};
use serde::{Deserialize, Serialize};

/// State of one axis of one market under one book. Save and restore with serde; it continues bit for bit.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(bound = "L: Serialize + serde::de::DeserializeOwned")]
pub struct AxisMemory<L: Ruled> {
    state: AxisState<L>,
    started: bool,
    /// How new the input was that the waiting label was counted by last.
    #[serde(default)]
    counted: Option<Ts>,
}

/// The memory of the risk axis.
pub type RiskAxis = AxisMemory<RiskRegime>;

impl<L: Ruled> AxisMemory<L> {
    /// Before the first reading.
    #[must_use]
    pub fn new() -> Self {
        Self { state: AxisState::default(), started: false, counted: None }
    }
    /// Judges one minute. Call it once for every minute of the grid, in order.
    pub fn step(
        &mut self,
        book: &RuleBook,
        ts: Ts,
        cells: &[Cell],
        inputs: &[InputAge],
        streams: &[StreamDecl],
    ) -> AxisState<L> {
        let staleness = Staleness::of_axis::<L>(book, ts, cells, inputs, streams);
        self.take(book, ts, cells, &evaluate(book, cells), staleness)
    }
    /// As [`Self::step`], with the minute already evaluated.
    #[inline]
    pub(super) fn take(
        &mut self,
        book: &RuleBook,
        ts: Ts,
        cells: &[Cell],
        now: &Evaluation<L>,
        staleness: Staleness,
    ) -> AxisState<L> {
        if !self.started {
            self.started = true;
            self.state.since = ts;
        }
        if now.raw == self.state.label {
            // The label stands and none waits, whatever is new: as `advance` says, without asking how new.
            if self.state.candidate.is_some() || self.state.candidate_count != 0 {
                self.counted = None;
            }
            let s = &mut self.state;
            (s.raw_label, s.held_by, s.stale) = (now.raw, HeldBy::None, staleness.any);
            (s.candidate, s.candidate_count) = (None, 0);
        } else {
            self.move_on(book, ts, cells, now, staleness);
        }
        self.state
    }
    /// Another label is due, or waits.
    fn move_on(&mut self, book: &RuleBook, ts: Ts, cells: &[Cell], now: &Evaluation<L>, staleness: Staleness) {
        let (set, before) = (L::of(book), self.state);
        let newest = match book.dwell {
            DwellCounts::Minutes => None,
            DwellCounts::Readings => newest_input(set, cells, now, before.label),
        };
        let is_news = newest.is_none_or(|at| self.counted.is_none_or(|counted| at > counted));
        self.state = advance(set, before, ts, now, staleness, is_news, || {
            held_by_exit_band(set, &AsRead::new(book, cells), before.label, now.holds)
        });
        let waiting = (self.state.candidate, self.state.candidate_count);
        if waiting != (before.candidate, before.candidate_count) {
            self.counted = self.state.candidate.and(newest);
        }
    }
    /// The state after the last step.
    #[must_use]
    pub const fn state(&self) -> AxisState<L> {
        self.state
    }
}

impl<L: Ruled> Default for AxisMemory<L> {
    fn default() -> Self {
        Self::new()
    }
}

/// How new the newest input is of the rule that decides: of the one that fired; where none did, of those of the label that
/// would be left.
fn newest_input<L: Ruled>(set: &RuleSet<L>, cells: &[Cell], now: &Evaluation<L>, label: L) -> Option<Ts> {
    let mut newest = None;
    let mut read = |feature: Feature| {
        let cell = cells.get(feature.index()).filter(|c| c.state == State::Ready);
        newest = newest.max(cell.map(|c| c.anchor));
    };
    for (i, rule) in set.rules.iter().enumerate() {
        if now.fired.map_or(rule.label == label, |fired| fired == i) {
            rule.each_feature(&mut read);
        }
    }
    newest
}

/// One transition. `is_news`: the readings are others than those that were counted last. `band_holds` is asked only where it
/// matters.
pub(crate) fn advance<L: Ruled>(
    set: &RuleSet<L>,
    before: AxisState<L>,
    ts: Ts,
    now: &Evaluation<L>,
    staleness: Staleness,
    is_news: bool,
    band_holds: impl FnOnce() -> bool,
) -> AxisState<L> {
    let mut s = AxisState { raw_label: now.raw, held_by: HeldBy::None, stale: staleness.any, ..before };
    let enter = |s: AxisState<L>, label| AxisState { label, since: ts, candidate: None, candidate_count: 0, ..s };
    let reset = |s: AxisState<L>| AxisState { candidate: None, candidate_count: 0, ..s };
    if now.raw == before.label {
        return reset(s);
    }
    if now.raw == L::UNKNOWN {
        // A reading can be too old while every input is fresh (a clock coarser than its input): that is no last reading to show.
        let shows_last = now.unknown_by_stale && staleness.any && !staleness.past_gap_alert;
        return if shows_last { reset(s) } else { enter(s, L::UNKNOWN) };
    }
    if before.label == L::UNKNOWN || !set.hysteresis {
        return enter(s, now.raw);
    }
    let waited = if before.candidate == Some(now.raw) { before.candidate_count } else { 0 };
    s.candidate_count = waited.saturating_add(u32::from(is_news || waited == 0));
    s.candidate = Some(now.raw);
    if band_holds() {
        s.held_by = HeldBy::Hysteresis;
        return s;
    }
    let stays = now.raw.severity() < before.label.severity() && ts - before.since < set.min_dwell(before.label);
    if stays || s.candidate_count < set.enter(now.fired) {
        s.held_by = HeldBy::Dwell;
        return s;
    }
    enter(s, now.raw)
}
