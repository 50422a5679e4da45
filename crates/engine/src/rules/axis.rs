//! The memory of an axis: from raw label to published label (regimes §6, §9).
//!
//! The exit band is literal: a published label stays while its relaxed clauses hold and no rule of higher precedence is
//! true at full thresholds. Readings of a new raw label are counted from the first one on, also while the band holds; the same
//! reading, read again a minute later, is not another one ([`DwellCounts`]).

use super::book::{DwellCounts, RuleBook};
use super::eval::{Dated, DatedReadings, Evaluation, evaluate, held_by_exit_band};
use super::fresh::{Staleness, clock_of};
use super::set::{RuleSet, Ruled};
use crate::catalogue::Feature;
use barograph_domain::{AxisState, Cell, HeldBy, InputAge, RiskRegime, Span, StreamDecl, Ts};
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
    /// As a stored row left it. What the waiting label was counted by last is not stored: it is taken to be the newest input that
    /// the row has.
    #[must_use]
    pub(crate) fn resumed<R: DatedReadings>(
        book: &RuleBook,
        state: AxisState<L>,
        readings: &R,
        fired: Option<usize>,
    ) -> Self {
        let newest = match book.dwell {
            DwellCounts::Minutes => None,
            by => newest_input(L::of(book), by, readings, fired, state.label),
        };
        Self { state, started: true, counted: state.candidate.and(newest) }
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
        self.take(book, ts, &Dated::new(book, cells, streams), &evaluate(book, cells), staleness)
    }
    /// As [`Self::step`], with the minute already evaluated.
    #[inline]
    pub(crate) fn take<R: DatedReadings>(
        &mut self,
        book: &RuleBook,
        ts: Ts,
        readings: &R,
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
            self.move_on(book, ts, readings, now, staleness);
        }
        self.state
    }
    /// Another label is due, or waits.
    fn move_on<R: DatedReadings>(
        &mut self,
        book: &RuleBook,
        ts: Ts,
        readings: &R,
        now: &Evaluation<L>,
        staleness: Staleness,
    ) {
        let (set, before) = (L::of(book), self.state);
        let newest = match book.dwell {
            DwellCounts::Minutes => None,
            by => newest_input(set, by, readings, now.fired, before.label),
        };
        let is_news = newest.is_none_or(|at| self.counted.is_none_or(|counted| at > counted));
        let needed =
            || set.readings(before.label, now.raw, now.fired, step_of(book, readings, now.fired, before.label));
        self.state = advance(set, before, ts, now, staleness, (is_news, needed), || {
            held_by_exit_band(set, readings, before.label, now.holds)
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

/// How new the newest input is of the rule that decides.
fn newest_input<L: Ruled, R: DatedReadings>(
    set: &RuleSet<L>,
    by: DwellCounts,
    readings: &R,
    fired: Option<usize>,
    label: L,
) -> Option<Ts> {
    let mut newest = None;
    set.each_counted(by, fired, label, &mut |feature| newest = newest.max(readings.anchor(feature)));
    newest
}

/// How often a reading comes that counts: as often as the most frequent input of the rule that decides, and not more often than
/// once a minute.
pub(crate) fn step_of<L: Ruled, R: DatedReadings>(
    book: &RuleBook,
    readings: &R,
    fired: Option<usize>,
    label: L,
) -> Span {
    let mut fastest: Option<Span> = None;
    if book.dwell != DwellCounts::Minutes {
        L::of(book).each_counted(book.dwell, fired, label, &mut |feature| {
            fastest = fastest.into_iter().chain(moves_every(book, readings, feature)).min();
        });
    }
    fastest.unwrap_or(Span::mins(1)).max(Span::mins(1))
}

/// How often a ready feature is read anew: with its stream, or with the closes of its chart. A mean is as old as its oldest part.
pub(crate) fn moves_every<R: DatedReadings>(book: &RuleBook, readings: &R, feature: Feature) -> Option<Span> {
    readings.anchor(feature)?;
    let moves = match parts_of(feature) {
        [] => readings.cadence(feature),
        parts => parts.iter().filter_map(|part| readings.cadence(*part)).max(),
    }?;
    Some(clock_of(feature, book.trend_tf).map_or(moves, |closes| closes.max(moves)))
}

/// What a mean is made of, whose own stream is none; nothing for any other feature.
#[must_use]
pub const fn parts_of(feature: Feature) -> &'static [Feature] {
    match feature {
        Feature::Heat => &[Feature::RealizedVol24h, Feature::OiDelta24h, Feature::FundingPct30d],
        Feature::LongBias => {
            &[Feature::FundingPct30d, Feature::LongShortRatio, Feature::Basis, Feature::OiPriceQuadrant]
        }
        _ => &[],
    }
}

/// One transition. `is_news`: the readings are others than those that were counted last. How many are `needed`, and whether the
/// `band_holds`, is asked only where it matters.
pub(crate) fn advance<L: Ruled>(
    set: &RuleSet<L>,
    before: AxisState<L>,
    ts: Ts,
    now: &Evaluation<L>,
    staleness: Staleness,
    (is_news, needed): (bool, impl FnOnce() -> u32),
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
    let waited = set.waited(&before, now.raw);
    s.candidate_count = waited.saturating_add(u32::from(is_news || waited == 0));
    s.candidate = Some(now.raw);
    if band_holds() {
        s.held_by = HeldBy::Hysteresis;
        return s;
    }
    let stays = now.raw.severity() < before.label.severity() && ts - before.since < set.min_dwell(before.label);
    if stays || s.candidate_count < needed() {
        s.held_by = HeldBy::Dwell;
        return s;
    }
    enter(s, now.raw)
}
